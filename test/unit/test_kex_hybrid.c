/*
 * The key exchange of 2.0: known answers from private keys to octets on the wire, for both forms
 * and both ciphers, and the effect of every input on the keys.  test_kex_hybrid_fields has invalid
 * fields.
 *
 * Includes the source itself, because it checks the input of the key derivation.
 */
#include "../../src/crypt/kex_hybrid.c"

#include "vectors.h"

#include "crypt/channel.h"

/* Both sides of one connection. */
struct ends {
	struct hybrid h[2];
	struct agreement a[2];
	struct kex_pair own;	/* the server's two-hour pair */
	struct span lines[HYBRID_LINES];
};

static void
take_private(struct hybrid *h, const char *section, const char *name)
{
	vectors_octets(h->private, X25519_LEN, section, name);
	x25519_public(h->public, h->private);
}

static void
begin(struct ends *e, const char *suite, const char *section, bool met)
{
	memset(e, 0, sizeof(*e));
	for (int i = 0; i < 2; i++) {
		e->a[i].suite = suite_find(span_of(suite));
		e->a[i].server = i == 1;
		take_private(&e->h[i], section, i == 0 ? "ea-private" : "eb-private");
		e->h[i].met = met;
		if (met) {
			vectors_octets(e->h[i].kept.id, HYBRID_ID_LEN, section, "kept-id");
			vectors_octets(e->h[i].kept.secret, HYBRID_SECRET_LEN, section,
			    "kept-r");
		}
	}
}

static struct span
fields_of(const char *section, const char *name)
{
	struct span line = vectors_text(section, name), word;

	span_word(&line, ' ', &word);
	span_word(&line, ' ', &word);
	return line;
}

/* The client's line, as the server reads it. */
static void
choose(struct ends *e, const char *section)
{
	uint8_t mem[2048], seed[64];
	struct buf out;

	if (!e->h[0].met) {
		vectors_octets(seed, 32, section, "mlkem-d");
		vectors_octets(seed + 32, 32, section, "mlkem-z");
		mlkem768_make_keys(e->h[0].encaps_key, e->h[0].decaps_key, seed);
	}
	/* the nonce is random, so the vector's one is taken from its line */
	struct span fields = fields_of(section, "choice");
	assert_int_equal(hybrid_get_choice(&e->h[1], &e->a[1], fields), FIELD_GOOD);
	memcpy(e->a[0].nonce_a, e->a[1].nonce_a, HYBRID_NONCE_LEN);
	buf_init(&out, mem, sizeof(mem));
	assert_true(hybrid_put_choice(&out, &e->h[0], &e->a[0]));
	assert_true(span_equal(buf_peek(&out), fields_of(section, "choice")));
	assert_memory_equal(e->h[1].peer, e->h[0].public, X25519_LEN);
}

static void
answer(struct ends *e, const char *section, unsigned *keep, uint8_t confirm[16])
{
	uint8_t mem[2048], m[32];
	struct buf out;
	size_t signed_len;

	if (!e->h[1].met) {
		vectors_octets(m, 32, section, "mlkem-m");
		mlkem768_encapsulate(e->h[1].kem_secret, e->h[1].ciphertext, e->h[1].encaps_key, m);
		vectors_assert(section, "mlkem-k", e->h[1].kem_secret, 32);
		vectors_octets(e->own.private, X25519_LEN, section, "sb-private");
		x25519_public(e->own.public, e->own.private);
		memcpy(e->h[1].kept.server, e->own.public, X25519_LEN);
	}
	struct span fields = fields_of(section, "answer");
	assert_int_equal(hybrid_get_answer(&e->h[0], &e->a[0], fields, keep, confirm, &signed_len),
	    FIELD_GOOD);
	memcpy(e->a[1].nonce_b, e->a[0].nonce_b, HYBRID_NONCE_LEN);
	buf_init(&out, mem, sizeof(mem));
	assert_true(hybrid_put_answer(&out, &e->h[1], &e->a[1], *keep));
	assert_true(span_equal(buf_peek(&out), span(fields.at, signed_len)));

	e->lines[0] = vectors_text(section, "hello");
	e->lines[1] = vectors_text(section, "offer");
	e->lines[2] = vectors_text(section, "choice");
	e->lines[3] = vectors_text(section, "answer");
	e->lines[3].len -= 1 + 2 * HYBRID_CONFIRM_LEN;
}

static void
assert_wire(struct channel *from, struct channel *to, const char *section, const char *plain,
    const char *wire)
{
	static uint8_t plain_mem[RECORD_MAX], wire_mem[RECORD_MAX];
	uint8_t octets[VECTORS_VALUE / 2];
	struct buf p, w;

	buf_init(&p, plain_mem, sizeof(plain_mem));
	buf_init(&w, wire_mem, sizeof(wire_mem));
	if (plain == NULL) {
		assert_true(channel_end(from, &w));
		vectors_assert(section, wire, buf_peek(&w).at, buf_len(&w));
		assert_int_equal(channel_open(to, &p, &w), 0);
		assert_true(channel_ended(to));
		return;
	}
	size_t len = vectors_octets(octets, sizeof(octets), section, plain);
	buf_put(&p, span(octets, len));
	assert_int_equal(channel_seal(from, &w, &p), 0);
	vectors_assert(section, wire, buf_peek(&w).at, buf_len(&w));
	assert_int_equal(channel_open(to, &p, &w), 0);
	assert_int_equal(buf_len(&p), len);
	assert_memory_equal(buf_peek(&p).at, octets, len);
}

static void
known(const char *suite, const char *how)
{
	static struct ends e;
	static struct channel channel[2];
	char section[64];
	uint8_t confirm[16], transcript[TRANSCRIPT_LEN];
	struct ikm ikm;
	unsigned keep;

	snprintf(section, sizeof(section), "%s %s", suite, how);
	begin(&e, suite, section, strcmp(how, "met") == 0);
	choose(&e, section);
	answer(&e, section, &keep, confirm);
	assert_int_equal(hash_transcript(transcript, e.lines), 0);
	vectors_assert(section, "transcript", transcript, sizeof(transcript));
	for (int i = 1; i >= 0; i--) {
		assert_int_equal(make_ikm(&ikm, &e.h[i], &e.a[i], &e.own), 0);
		vectors_assert(section, "ikm", ikm.octets, ikm.len);
		assert_int_equal(hybrid_agree(&e.h[i], &e.a[i], &e.own, e.lines), 0);
		vectors_assert(section, "key-ab", e.a[i].key_ab, 32);
		vectors_assert(section, "key-ba", e.a[i].key_ba, 32);
		vectors_assert(section, "iv-ab", e.a[i].iv_ab, 12);
		vectors_assert(section, "iv-ba", e.a[i].iv_ba, 12);
		assert_memory_equal(e.h[i].confirm, confirm, 16);
		vectors_assert(section, e.h[i].met ? "kept-id" : "id", e.h[i].kept.id, 16);
		vectors_assert(section, e.h[i].met ? "kept-r" : "r", e.h[i].kept.secret, 32);
		assert_int_equal(channel_start(&channel[i], &e.a[i]), 0);
	}
	assert_wire(&channel[1], &channel[0], section, "plain-ba", "wire-ba");
	assert_wire(&channel[1], &channel[0], section, "plain-ba-2", "wire-ba-2");
	assert_wire(&channel[1], &channel[0], section, NULL, "wire-ba-end");
	assert_wire(&channel[0], &channel[1], section, "plain-ab", "wire-ab");
	assert_wire(&channel[0], &channel[1], section, NULL, "wire-ab-end");
	channel_stop(&channel[0]);
	channel_stop(&channel[1]);
}

static void
known_answers(void **state)
{
	(void)state;
	known("chacha20poly1305_2.0", "first meeting");
	known("chacha20poly1305_2.0", "met");
	known("aes256gcm_2.0", "first meeting");
	known("aes256gcm_2.0", "met");
}

static bool
is_of_2_0(const char *section)
{
	return strstr(section, "_2.0 ") != NULL;
}

static void
every_line_is_asserted(void **state)
{
	(void)state;
	assert_true(vectors_assert_all(is_of_2_0) >= 80);
}

/* Two ends with random values; then one value differs at one of them. */
static void
agree_freely(struct ends *e, const char *suite, bool has_met)
{
	static const uint8_t kept[HYBRID_SECRET_LEN] = { 5 };
	static uint8_t mem[2][4096];
	struct buf out[2];
	uint8_t confirm[16];
	unsigned keep_s;
	size_t signed_len;

	memset(e, 0, sizeof(*e));
	assert_int_equal(kex_hybrid.pair(&e->own), 0);
	for (int i = 0; i < 2; i++) {
		e->a[i].suite = suite_find(span_of(suite));
		e->a[i].server = i == 1;
		e->h[i].met = has_met;
		memcpy(e->h[i].kept.secret, kept, sizeof(kept));
		assert_int_equal(hybrid_draw(&e->h[i], &e->a[i]), 0);
		buf_init(&out[i], mem[i], sizeof(mem[i]));
	}
	if (!has_met)
		assert_int_equal(hybrid_make_kem(&e->h[0]), 0);
	assert_true(hybrid_put_choice(&out[0], &e->h[0], &e->a[0]));
	assert_int_equal(hybrid_get_choice(&e->h[1], &e->a[1], buf_peek(&out[0])), FIELD_GOOD);
	if (!has_met)
		assert_int_equal(hybrid_encapsulate(&e->h[1]), 0);
	memcpy(e->h[1].kept.server, e->own.public, X25519_LEN);
	assert_true(hybrid_put_answer(&out[1], &e->h[1], &e->a[1], 7200));
	size_t len = buf_len(&out[1]);
	buf_put(&out[1], SPAN(" 00112233445566778899aabbccddeeff"));
	assert_int_equal(hybrid_get_answer(&e->h[0], &e->a[0], buf_peek(&out[1]), &keep_s, confirm,
	    &signed_len), FIELD_GOOD);
	assert_int_equal(signed_len, len);
	assert_int_equal(keep_s, has_met ? 0 : 7200);
	e->lines[0] = SPAN("EHLO a");
	e->lines[1] = SPAN("XCRYPT s");
	e->lines[2] = buf_peek(&out[0]);
	e->lines[3] = span(mem[1], len);
	for (int i = 0; i < 2; i++)
		assert_int_equal(hybrid_agree(&e->h[i], &e->a[i], &e->own, e->lines), 0);
	assert_memory_equal(e->a[0].key_ab, e->a[1].key_ab, CIPHER_KEY_MAX);
	assert_memory_equal(e->h[0].confirm, e->h[1].confirm, HYBRID_CONFIRM_LEN);
	if (!has_met)
		assert_memory_equal(&e->h[0].kept, &e->h[1].kept, sizeof(e->h[0].kept));
}

/* Asserts that every output differs from the earlier one. */
static void
assert_all_differs(const struct ends *e, struct hybrid h, struct agreement a)
{
	assert_int_equal(hybrid_agree(&h, &a, &e->own, e->lines), 0);
	assert_memory_not_equal(a.key_ab, e->a[1].key_ab, CIPHER_KEY_MAX);
	assert_memory_not_equal(a.key_ba, e->a[1].key_ba, CIPHER_KEY_MAX);
	assert_memory_not_equal(a.iv_ab, e->a[1].iv_ab, CIPHER_IV_LEN);
	assert_memory_not_equal(a.iv_ba, e->a[1].iv_ba, CIPHER_IV_LEN);
	assert_memory_not_equal(h.confirm, e->h[1].confirm, HYBRID_CONFIRM_LEN);
	if (h.met)
		return;
	assert_memory_not_equal(h.kept.id, e->h[1].kept.id, HYBRID_ID_LEN);
	assert_memory_not_equal(h.kept.secret, e->h[1].kept.secret, HYBRID_SECRET_LEN);
}

static void
threat_19_every_input_counts(void **state)
{
	static struct ends e;

	(void)state;
	for (int has_met = 0; has_met < 2; has_met++) {
		agree_freely(&e, "aes256gcm_2.0", has_met);
		assert_memory_not_equal(e.a[0].key_ab, e.a[0].key_ba, CIPHER_KEY_MAX);
		assert_memory_not_equal(e.a[0].iv_ab, e.a[0].iv_ba, CIPHER_IV_LEN);
		struct hybrid h = e.h[1];
		struct agreement a = e.a[1];
		uint8_t *const parts[] = { a.nonce_a, a.nonce_b, has_met ? h.kept.secret : h.kem_secret,
			h.private + 1, h.peer, has_met ? h.private + 2 : e.own.private + 1 };
		/* the inputs, because R and K are stored at the same place */
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			*parts[i] ^= 1;
			assert_all_differs(&e, h, a);
			*parts[i] ^= 1;
		}
		a.suite = suite_find(SPAN("chacha20poly1305_2.0"));
		assert_all_differs(&e, h, a);
		a.suite = e.a[1].suite;
		for (size_t i = 0; i < HYBRID_LINES; i++) {
			struct span line = e.lines[i];

			e.lines[i].len--;
			assert_all_differs(&e, h, a);
			e.lines[i] = line;
		}
		/* the boundary between two lines counts */
		e.lines[0] = SPAN("EHLO a\nXCRYPT");
		e.lines[1] = SPAN("s");
		assert_all_differs(&e, h, a);
	}
}

/* An all-zero DH result at either end, in either exchange. */
static void
threat_17_a_secret_of_zeros_is_none(void **state)
{
	static struct ends e;

	(void)state;
	for (int has_met = 0; has_met < 2; has_met++)
		for (int i = 0; i < 2; i++) {
			agree_freely(&e, "aes256gcm_2.0", has_met);
			uint8_t peer = e.h[i].peer[0];
			memset(e.h[i].peer, 0, X25519_LEN);
			assert_int_equal(hybrid_agree(&e.h[i], &e.a[i], &e.own, e.lines), -1);
			e.h[i].peer[0] = peer;
			if (has_met || i == 1)
				continue;
			agree_freely(&e, "aes256gcm_2.0", has_met);
			memset(e.h[i].kept.server, 0, X25519_LEN);
			assert_int_equal(hybrid_agree(&e.h[i], &e.a[i], &e.own, e.lines), -1);
		}
}

/* A later handshake leaves id and R unchanged. */
static void
what_is_kept_stays(void **state)
{
	static const uint8_t kept[HYBRID_SECRET_LEN] = { 5 };
	static struct ends e;

	(void)state;
	agree_freely(&e, "aes256gcm_2.0", true);
	for (int i = 0; i < 2; i++)
		assert_memory_equal(e.h[i].kept.secret, kept, sizeof(kept));
}

static bool
is_zero(const void *at, size_t len)
{
	const uint8_t *octets = at;

	for (size_t i = 0; i < len; i++)
		if (octets[i] != 0)
			return false;
	return true;
}

static void
threat_23_keys_are_wiped(void **state)
{
	static struct ends e;

	(void)state;
	for (int i = 0; i < 2; i++) {
		agree_freely(&e, "aes256gcm_2.0", false);
		hybrid_wipe_keys(&e.h[i]);
		assert_true(is_zero(e.h[i].private, sizeof(e.h[i].private)));
		assert_true(is_zero(e.h[i].decaps_key, sizeof(e.h[i].decaps_key)));
		assert_true(is_zero(e.h[i].kem_secret, sizeof(e.h[i].kem_secret)));
		assert_true(is_zero(e.h[i].confirm, sizeof(e.h[i].confirm)));
		assert_false(is_zero(&e.h[i].kept, sizeof(e.h[i].kept)));
		hybrid_wipe(&e.h[i]);
		assert_true(is_zero(&e.h[i], sizeof(e.h[i])));
	}
}

/* Without room for the whole line, nothing counts as written. */
static void
lines_need_their_room(void **state)
{
	static struct ends e;
	static uint8_t mem[4096];

	(void)state;
	for (int has_met = 0; has_met < 2; has_met++)
		for (int is_answer = 0; is_answer < 2; is_answer++) {
			struct buf out;
			size_t len;

			agree_freely(&e, "aes256gcm_2.0", has_met);
			for (size_t room = 1; room < sizeof(mem); room++) {
				buf_init(&out, mem, room);
				if (is_answer ? hybrid_put_answer(&out, &e.h[1], &e.a[1], 86400) :
						hybrid_put_choice(&out, &e.h[0], &e.a[0]))
					break;
			}
			len = buf_len(&out);
			assert_int_equal(len, has_met ? 64 + 1 + 64 + 1 + (is_answer ? 1 : 33) :
			    is_answer ? 64 + 1 + 64 + 1 + 64 + 1 + 1452 + 1 + 5 :
					64 + 1 + 64 + 1 + 1580);
			assert_true(out.cap <= len + 1);	/* a number needs a NUL */
		}
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
		cmocka_unit_test(known_answers),
		cmocka_unit_test(every_line_is_asserted),
		cmocka_unit_test(threat_19_every_input_counts),
		cmocka_unit_test(threat_17_a_secret_of_zeros_is_none),
		cmocka_unit_test(what_is_kept_stays),
		cmocka_unit_test(threat_23_keys_are_wiped),
		cmocka_unit_test(lines_need_their_room),
	};

	return cmocka_run_group_tests(tests, read_file, NULL);
}
