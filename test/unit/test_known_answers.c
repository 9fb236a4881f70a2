/*
 * The known answers of test/vectors/xcrypt.txt, from private keys to octets on the wire.  A
 * missing name is a failure, and so is a line that no test has asserted.
 */
#include "base/octets.h"
#include "crypt/channel.h"
#include "crypt/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define LINES_MAX 128
#define VALUE_MAX 1024

static struct {
	char section[32], name[32], value[VALUE_MAX];
	bool asserted;
} lines[LINES_MAX];
static size_t line_count;

static int
read_file(void **state)
{
	char line[2 * VALUE_MAX], section[32] = "";
	FILE *f = fopen(TEST_VECTORS "/xcrypt.txt", "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (sscanf(line, "[%31[^]]]", section) == 1)
			continue;
		assert_true(line_count < LINES_MAX);
		strcpy(lines[line_count].section, section);
		assert_int_equal(sscanf(line, "%31s = %1023[^\n]", lines[line_count].name,
		    lines[line_count].value), 2);
		line_count++;
	}
	fclose(f);
	return 0;
}

/* The value of that name, which then counts as asserted. */
static struct span
text_of(const char *section, const char *name)
{
	for (size_t i = 0; i < line_count; i++)
		if (strcmp(lines[i].section, section) == 0 && strcmp(lines[i].name, name) == 0) {
			lines[i].asserted = true;
			return span_of(lines[i].value);
		}
	fail_msg("[%s] %s is missing", section, name);
	return span(NULL, 0);
}

static size_t
octets_of(uint8_t *out, const char *section, const char *name)
{
	struct span text = text_of(section, name);

	assert_true(octets_from_hex(out, text.len / 2, text));
	return text.len / 2;
}

static void
assert_known(const char *section, const char *name, const void *octets, size_t len)
{
	uint8_t expected[VALUE_MAX];

	assert_int_equal(octets_of(expected, section, name), len);
	assert_memory_equal(octets, expected, len);
}

static void
take_pair(struct kex_pair *pair, const char *section, const char *private, const char *public)
{
	pair->private_len = octets_of(pair->private, section, private);
	octets_of(pair->public, section, public);
}

/* Asserts that the two halves of the pair match, by agree() with the generator. */
static void
assert_public(const struct suite *suite, const struct kex_pair *pair)
{
	struct agreement a = { .suite = suite, .own = pair };

	if (suite->kex == &kex_x25519)
		a.peer_public[0] = 9;
	else
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
		assert_true(span_equal(span(text, len), text_of(section, i == 0 ? "kb" : "ka")));
		assert_int_equal(x->get_public(a->peer_public, span(text, len)), FIELD_GOOD);
		assert_int_equal(x->get_nonce(a->nonce_a, text_of(section, "na")), FIELD_GOOD);
		assert_int_equal(x->get_nonce(a->nonce_b, text_of(section, "nb")), FIELD_GOOD);
		assert_int_equal(x->agree(a), 0);
		assert_known(section, "z", a->secret, x->secret_len);
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
	assert_known(section, wire, buf_peek(&w).at, buf_len(&w));

	assert_int_equal(channel_open(to, &p, &w), 0);
	assert_int_equal(buf_len(&w), 0);
	assert_int_equal(buf_len(&p), len);
	assert_memory_equal(buf_peek(&p).at, octets, len);
}

static void
assert_wire(struct channel *from, struct channel *to, const char *section, const char *plain,
    const char *wire)
{
	uint8_t octets[VALUE_MAX];
	size_t len = octets_of(octets, section, plain);

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
		uint8_t octets[VALUE_MAX];
		size_t len = octets_of(octets, "1.0", i == 0 ? "plain-ab" : "plain-ba");

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

		assert_null(x->hash_transcript);
		assert_int_equal(x->prepare(&side[i]), 0);
		assert_int_equal(x->put_ok(&side[i], text), 0);
		assert_true(x->get_ok(&side[i], span(NULL, 0)));
		assert_int_equal(x->finish(&side[i]), 0);
		assert_known("1.0", "key-ab", side[i].key_ab, 10);
		assert_known("1.0", "key-ba", side[i].key_ba, 10);
	}
	assert_stream(side, "1.0");
}

static void
take_halves(struct agreement *a)
{
	assert_int_equal(octets_of(a->half_a, "0.2", "sa"), 20);
	assert_int_equal(octets_of(a->half_b, "0.2", "sb"), 20);
	assert_int_equal(kex_rsa.get_nonce(a->nonce_a, text_of("0.2", "na")), FIELD_GOOD);
	assert_int_equal(kex_rsa.get_nonce(a->nonce_b, text_of("0.2", "nb")), FIELD_GOOD);
	assert_int_equal(kex_rsa.prepare(a), 0);
	assert_int_equal(kex_rsa.finish(a), 0);
	assert_known("0.2", "key-ab", a->key_ab, 10);
	assert_known("0.2", "key-ba", a->key_ba, 10);
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
	text_of("0.2", "blowfish-wire-ab");
	text_of("0.2", "blowfish-wire-ba");
}

/* The confirmation field is `name` in hexadecimal. */
static void
assert_confirmation(struct agreement *from, struct agreement *to, const char *section,
    const char *name)
{
	const struct kex *x = from->suite->kex;
	char text[KEX_TEXT_MAX];
	int len = x->put_ok(from, text);

	assert_true(len > 0);
	assert_true(span_equal(span(text, (size_t)len), text_of(section, name)));
	assert_true(x->get_ok(to, span(text, (size_t)len)));
	assert_false(x->get_ok(from, span(text, (size_t)len)));
}

/* The keys of version 2.0 and all intermediate values. */
static void
assert_keys(struct agreement *a, const char *section)
{
	const struct kex *x = a->suite->kex;
	uint8_t mem[2048];
	struct buf said;

	buf_init(&said, mem, sizeof(mem));
	buf_put(&said, text_of(section, "offer"));
	buf_put(&said, SPAN("\n"));
	buf_put(&said, text_of(section, "choice"));
	buf_put(&said, SPAN("\n"));
	buf_put(&said, text_of(section, "answer"));
	buf_put(&said, SPAN("\n"));
	assert_int_equal(x->hash_transcript(a, buf_peek(&said)), 0);
	assert_known(section, "transcript", a->transcript, sizeof(a->transcript));
	assert_int_equal(x->prepare(a), 0);
	assert_known(section, "key-ab", a->key_ab, 32);
	assert_known(section, "key-ba", a->key_ba, 32);
	assert_known(section, "iv-ab", a->iv_ab, 12);
	assert_known(section, "iv-ba", a->iv_ba, 12);
	assert_known(section, "confirm-a", a->confirm_a, 16);
	assert_known(section, "confirm-b", a->confirm_b, 16);
}

/* The hashed lines contain the fields that our code generates. */
static void
assert_lines(const struct agreement side[2], const struct kex_pair pair[2],
    const char *section)
{
	const struct kex *x = side[0].suite->kex;
	char key[KEX_TEXT_MAX], nonce[KEX_TEXT_MAX], line[1024];

	int key_len = (int)x->put_public(key, &pair[0]);
	int nonce_len = (int)x->put_nonce(nonce, side[0].nonce_a);
	snprintf(line, sizeof(line), "XCRYPT %s %.*s %.*s", section, key_len, key, nonce_len,
	    nonce);
	assert_true(span_equal(span_of(line), text_of(section, "choice")));
	key_len = (int)x->put_public(key, &pair[1]);
	nonce_len = (int)x->put_nonce(nonce, side[0].nonce_b);
	snprintf(line, sizeof(line), "250 XCRYPT %.*s %.*s", key_len, key, nonce_len, nonce);
	assert_true(span_equal(span_of(line), text_of(section, "answer")));
}

static void
assert_end(struct channel *from, struct channel *to, const char *section)
{
	static uint8_t plain_mem[RECORD_MAX], wire_mem[RECORD_MAX];
	struct buf p, w;

	buf_init(&p, plain_mem, sizeof(plain_mem));
	buf_init(&w, wire_mem, sizeof(wire_mem));
	assert_true(channel_end(from, &w));
	assert_known(section, "wire-ab-end", buf_peek(&w).at, buf_len(&w));
	assert_false(channel_ended(to));
	assert_int_equal(channel_open(to, &p, &w), 0);
	assert_int_equal(buf_len(&p), 0);
	assert_true(channel_ended(to));
}

static void
version_2_0(void **state)
{
	const char *section = *state;
	static struct kex_pair pair[2];
	static struct channel channel[2];
	struct agreement side[2];

	take_agreements(side, pair, section, section);
	assert_lines(side, pair, section);
	assert_keys(&side[0], section);
	assert_keys(&side[1], section);
	assert_confirmation(&side[0], &side[1], section, "confirm-a");
	assert_confirmation(&side[1], &side[0], section, "confirm-b");
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(side[i].suite->kex->finish(&side[i]), 0);
	start_both(channel, side);
	assert_wire(&channel[0], &channel[1], section, "plain-ab", "wire-ab");
	assert_wire(&channel[0], &channel[1], section, "plain-ab-2", "wire-ab-2");
	assert_end(&channel[0], &channel[1], section);
	assert_wire(&channel[1], &channel[0], section, "plain-ba", "wire-ba");
	channel_stop(&channel[0]);
	channel_stop(&channel[1]);
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

		assert_int_equal(x->get_nonce(side[i].nonce_a, text_of("rotn_0.1", "na")),
		    FIELD_GOOD);
		assert_int_equal(x->get_nonce(side[i].nonce_b, text_of("rotn_0.1", "nb")),
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

/* Must run last. */
static void
every_line_is_asserted(void **state)
{
	(void)state;
	for (size_t i = 0; i < line_count; i++)
		if (!lines[i].asserted)
			fail_msg("[%s] %s is asserted nowhere", lines[i].section, lines[i].name);
	assert_true(line_count >= 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(version_1_0, "arsyfor_1.0"),
		cmocka_unit_test_prestate(version_1_0, "t32_1.0"),
		cmocka_unit_test_prestate(version_2_0, "chacha20poly1305_2.0"),
		cmocka_unit_test_prestate(version_2_0, "aes256gcm_2.0"),
		cmocka_unit_test(version_0_2),
		cmocka_unit_test(version_0_1),
		cmocka_unit_test(every_line_is_asserted),
	};

	return cmocka_run_group_tests(tests, read_file, NULL);
}
