/*
 * The known answers of test/vectors/xcrypt.txt for the versions before 2.0, from private keys to
 * octets on the wire.  test_kex_hybrid has those of 2.0.
 */
#include "vectors.h"

#include "crypt/channel.h"
#include "crypt/suite.h"

static void
take_pair(struct kex_pair *pair, const char *section, const char *private, const char *public)
{
	pair->private_len = vectors_octets(pair->private, KEX_PRIVATE_MAX, section, private);
	vectors_octets(pair->public, KEX_PUBLIC_MAX, section, public);
}

/* Asserts that the two halves of the pair match, by agree() with the generator. */
static void
assert_public(const struct suite *suite, const struct kex_pair *pair)
{
	struct agreement a = { .suite = suite, .own = pair };

	a.peer_public[suite->kex->public_len - 1] = 2;
	assert_int_equal(suite->kex->agree(&a), 0);
	assert_memory_equal(a.secret, pair->public, suite->kex->public_len);
}

/* Sets up both sides of `suite` with the keys and nonces of `section`, up to the shared secret. */
static void
take_agreements(struct agreement side[2], struct kex_pair pair[2], const char *suite_name,
    const char *section)
{
	const struct suite *suite = suite_find(span_of(suite_name));
	const struct kex *x;

	assert_non_null(suite);
	x = suite->kex;
	memset(side, 0, 2 * sizeof(side[0]));
	take_pair(&pair[0], section, "ra", "ka");
	take_pair(&pair[1], section, "rb", "kb");
	for (size_t i = 0; i < 2; i++) {
		struct agreement *a = &side[i];
		char text[KEX_TEXT_MAX];

		assert_public(suite, &pair[i]);
		a->suite = suite;
		a->server = i == 1;
		a->own = &pair[i];
		size_t len = x->put_public(text, &pair[1 - i]);
		assert_true(span_equal(span(text, len), vectors_text(section, i == 0 ? "kb" : "ka")));
		assert_int_equal(x->get_public(a->peer_public, span(text, len)), FIELD_GOOD);
		assert_int_equal(x->get_nonce(a->nonce_a, vectors_text(section, "na")), FIELD_GOOD);
		assert_int_equal(x->get_nonce(a->nonce_b, vectors_text(section, "nb")), FIELD_GOOD);
		assert_int_equal(x->agree(a), 0);
		vectors_assert(section, "z", a->secret, x->secret_len);
	}
}

/* Asserts that `from` turns the octets into `wire`, and `to` turns them back. */
static void
assert_octets_on_wire(struct channel *from, struct channel *to, const uint8_t *octets, size_t len,
    const char *section, const char *wire)
{
	static uint8_t plain_mem[RECORD_MAX], wire_mem[RECORD_MAX];
	struct buf p, w;

	buf_init(&p, plain_mem, sizeof(plain_mem));
	buf_init(&w, wire_mem, sizeof(wire_mem));
	assert_true(buf_put(&p, span(octets, len)));
	assert_int_equal(channel_seal(from, &w, &p), 0);
	assert_int_equal(buf_len(&p), 0);
	vectors_assert(section, wire, buf_peek(&w).at, buf_len(&w));

	assert_int_equal(channel_open(to, &p, &w), 0);
	assert_int_equal(buf_len(&w), 0);
	assert_int_equal(buf_len(&p), len);
	assert_memory_equal(buf_peek(&p).at, octets, len);
}

static void
assert_wire(struct channel *from, struct channel *to, const char *section, const char *plain,
    const char *wire)
{
	uint8_t octets[256];
	size_t len = vectors_octets(octets, sizeof(octets), section, plain);

	assert_octets_on_wire(from, to, octets, len, section, wire);
}

static void
start_both(struct channel channel[2], struct agreement side[2])
{
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(channel_start(&channel[i], &side[i]), 0);
		agreement_wipe(&side[i]);
	}
}

/* A cipher of a version before 2.0: its lines are NAME-wire-ab and NAME-wire-ba. */
static void
assert_stream(struct agreement side[2], const char *section)
{
	static struct channel channel[2];
	const char *cipher = side[0].suite->cipher->name;
	char wire[32];

	start_both(channel, side);
	for (size_t i = 0; i < 2; i++) {
		uint8_t octets[256];
		size_t len = vectors_octets(octets, sizeof(octets), "1.0",
		    i == 0 ? "plain-ab" : "plain-ba");

		snprintf(wire, sizeof(wire), "%s-wire-%s", cipher, i == 0 ? "ab" : "ba");
		assert_octets_on_wire(&channel[i], &channel[1 - i], octets, len, section, wire);
	}
	channel_stop(&channel[0]);
	channel_stop(&channel[1]);
}

static void
version_1_0(void **state)
{
	static struct kex_pair pair[2];
	struct agreement side[2];

	take_agreements(side, pair, *state, "1.0");
	for (size_t i = 0; i < 2; i++) {
		const struct kex *x = side[i].suite->kex;
		char text[KEX_TEXT_MAX];

		assert_int_equal(x->prepare(&side[i]), 0);
		assert_int_equal(x->put_ok(&side[i], text), 0);
		assert_true(x->get_ok(&side[i], span(NULL, 0)));
		assert_int_equal(x->finish(&side[i]), 0);
		vectors_assert("1.0", "key-ab", side[i].key_ab, 10);
		vectors_assert("1.0", "key-ba", side[i].key_ba, 10);
	}
	assert_stream(side, "1.0");
}

static void
take_halves(struct agreement *a)
{
	assert_int_equal(vectors_octets(a->half_a, KEX_CONFIRM_MAX, "0.2", "sa"), 20);
	assert_int_equal(vectors_octets(a->half_b, KEX_CONFIRM_MAX, "0.2", "sb"), 20);
	assert_int_equal(kex_rsa.get_nonce(a->nonce_a, vectors_text("0.2", "na")), FIELD_GOOD);
	assert_int_equal(kex_rsa.get_nonce(a->nonce_b, vectors_text("0.2", "nb")), FIELD_GOOD);
	assert_int_equal(kex_rsa.prepare(a), 0);
	assert_int_equal(kex_rsa.finish(a), 0);
	vectors_assert("0.2", "key-ab", a->key_ab, 10);
	vectors_assert("0.2", "key-ba", a->key_ba, 10);
}

/* Starts with the halves; sealing them is not deterministic and is tested in test_kex_rsa. */
static void
version_0_2(void **state)
{
	const struct suite *suite = suite_find(SPAN("blowfish_0.2"));
	struct agreement side[2] = { { .suite = suite }, { .suite = suite, .server = true } };

	(void)state;
	take_halves(&side[0]);
	take_halves(&side[1]);
	if (suite != NULL) {
		assert_stream(side, "0.2");
		return;
	}
	print_message("mbedTLS has no Blowfish here: its octets on the wire are not asserted\n");
	vectors_text("0.2", "blowfish-wire-ab");
	vectors_text("0.2", "blowfish-wire-ba");
}

static void
version_0_1(void **state)
{
	const struct suite *suite = suite_find(SPAN("rotn_0.1"));
	static struct channel channel[2];
	struct agreement side[2] = { { .suite = suite }, { .suite = suite, .server = true } };

	(void)state;
	assert_non_null(suite);
	for (size_t i = 0; i < 2; i++) {
		const struct kex *x = suite->kex;

		assert_int_equal(x->get_nonce(side[i].nonce_a, vectors_text("rotn_0.1", "na")),
		    FIELD_GOOD);
		assert_int_equal(x->get_nonce(side[i].nonce_b, vectors_text("rotn_0.1", "nb")),
		    FIELD_GOOD);
		assert_int_equal(x->prepare(&side[i]), 0);
		assert_int_equal(x->finish(&side[i]), 0);
	}
	start_both(channel, side);
	assert_wire(&channel[0], &channel[1], "rotn_0.1", "plain", "wire");
	assert_wire(&channel[1], &channel[0], "rotn_0.1", "plain", "wire");
	channel_stop(&channel[0]);
	channel_stop(&channel[1]);
}

static bool
is_before_2_0(const char *section)
{
	return strstr(section, "_2.0 ") == NULL;
}

/* Runs last: asserts that every line was used. */
static void
every_line_is_asserted(void **state)
{
	(void)state;
	assert_true(vectors_assert_all(is_before_2_0) >= 26);
}

static int
read_file(void **state)
{
	(void)state;
	vectors_read("xcrypt.txt");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(version_1_0, "arsyfor_1.0"),
		cmocka_unit_test_prestate(version_1_0, "t32_1.0"),
		cmocka_unit_test(version_0_2),
		cmocka_unit_test(version_0_1),
		cmocka_unit_test(every_line_is_asserted),
	};

	return cmocka_run_group_tests(tests, read_file, NULL);
}
