#include "ends.h"

#include "base/octets.h"

static void
bulk_goes_through_both_ways(void **state)
{
	(void)state;
	for (const struct suite *suite = suite_table; suite->name != NULL; suite++) {
		connect_ends(suite);
		seal(&a, span(bulk, BULK));
		assert_int_equal(channel_open(&b, &got, &wire), 0);
		assert_got(span(bulk, BULK));
		clear();
		seal(&b, span(bulk, BULK));
		/* one in 26 keys of the rotation changes nothing */
		if (strcmp(suite->name, "rotn_0.1") != 0)
			assert_memory_not_equal(buf_peek(&wire).at, bulk, 256);
		assert_int_equal(channel_open(&a, &got, &wire), 0);
		assert_int_equal(buf_len(&wire), 0);
		assert_got(span(bulk, BULK));
	}
}

/* Delivers the wire in two pieces, cut at `at`; an incomplete record yields nothing. */
static void
open_in_two(struct span sealed, size_t at)
{
	buf_put(&wire, span(sealed.at, at));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	if (is_aead(b.suite))
		assert_true(buf_len(&wire) < RECORD_HEADER_LEN + 512 + CIPHER_TAG_LEN);
	buf_put(&wire, span_from(sealed, at));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_int_equal(buf_len(&wire), 0);
}

/* Two records; for a stream cipher, as many octets. */
static void
round_trip_cut_at_every_place(void **state)
{
	static uint8_t sealed[277 + 533];

	(void)state;
	for (const struct suite *suite = suite_table; suite->name != NULL; suite++) {
		struct agreement agreement;
		size_t len;

		draw_keys(&agreement, suite);
		rewind_ends(&agreement);
		seal(&a, span(bulk, 100));
		seal(&a, span(bulk + 100, 300));
		len = buf_len(&wire);
		assert_int_equal(len, is_aead(suite) ? sizeof(sealed) : 400);
		memcpy(sealed, buf_peek(&wire).at, len);
		for (size_t at = 0; at <= len; at++) {
			rewind_ends(&agreement);
			open_in_two(span(sealed, len), at);
			assert_got(span(bulk, 400));
		}
	}
}

/* One octet at a time, including close_notify. */
static void
round_trip_octet_by_octet(void **state)
{
	(void)state;
	for (const struct suite *suite = suite_table; suite->name != NULL; suite++) {
		static uint8_t mem[RECORD_MAX];
		struct buf slow;

		connect_ends(suite);
		buf_init(&slow, mem, sizeof(mem));
		seal(&a, span(bulk, 20000));
		assert_true(channel_end(&a, &wire));
		while (buf_len(&wire) > 0) {
			assert_int_equal(channel_ended(&b), !is_aead(suite));
			buf_put(&slow, span(buf_peek(&wire).at, 1));
			buf_take(&wire, 1);
			assert_int_equal(channel_open(&b, &got, &slow), 0);
		}
		assert_int_equal(buf_len(&slow), 0);
		assert_true(channel_ended(&b));
		assert_got(span(bulk, 20000));
	}
}

/* Plain octets in many pieces of odd lengths, and a wire buffer that is emptied slowly. */
static void
round_trip_with_little_room(void **state)
{
	(void)state;
	for (const struct suite *suite = suite_table; suite->name != NULL; suite++) {
		static uint8_t small_wire[RECORD_MAX + 3], small_got[RECORD_MAX];
		size_t sent = 0, received = 0;
		struct buf w, g;

		connect_ends(suite);
		buf_init(&w, small_wire, sizeof(small_wire));
		buf_init(&g, small_got, sizeof(small_got));
		for (size_t turn = 1; received < BULK; turn++) {
			size_t len = turn * 997 % 9001;

			assert_true(turn < 1000);
			len = len < BULK - sent ? len : BULK - sent;
			assert_true(buf_put(&plain, span(bulk + sent, len)));
			sent += len;
			assert_int_equal(channel_seal(&a, &w, &plain), 0);
			assert_int_equal(channel_open(&b, &g, &w), 0);
			/* sometimes only a part is taken away, so that the next may not fit */
			len = turn % 3 == 0 ? buf_len(&g) / 2 : buf_len(&g);
			assert_memory_equal(buf_peek(&g).at, bulk + received, len);
			buf_take(&g, len);
			received += len;
		}
	}
}

/* A record is sealed only if the wire has room for all of it, to the octet. */
static void
seal_waits_for_room(void **state)
{
	(void)state;
	connect_ends(suite_table);
	buf_init(&wire, wire_mem, RECORD_MAX);
	assert_true(buf_put(&wire, span(bulk, RECORD_MAX - 277 + 1)));
	buf_put(&plain, SPAN("QUIT\r\n"));
	assert_int_equal(channel_seal(&a, &wire, &plain), 0);
	assert_int_equal(buf_len(&plain), 6);
	assert_int_equal(buf_room(&wire), 276);
	assert_false(channel_end(&a, &wire));
	buf_take(&wire, 1);
	assert_int_equal(channel_seal(&a, &wire, &plain), 0);
	assert_int_equal(buf_len(&plain), 0);
	assert_int_equal(buf_room(&wire), 0);
	buf_take(&wire, 276);
	assert_false(channel_end(&a, &wire));
	buf_take(&wire, 1);
	assert_true(channel_end(&a, &wire));
	assert_int_equal(buf_room(&wire), 0);
}

static void
open_waits_for_room(void **state)
{
	(void)state;
	connect_ends(suite_table);
	seal(&a, SPAN("QUIT\r\n"));
	buf_init(&got, got_mem, RECORD_MAX);
	assert_true(buf_put(&got, span(bulk, RECORD_MAX - 255 + 1)));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_int_equal(buf_len(&wire), 277);
	buf_take(&got, 1);
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_int_equal(buf_len(&wire), 0);
	assert_int_equal(buf_len(&got), RECORD_MAX - 255 + 6);
}

static size_t
in_classes_of_256(size_t content)
{
	size_t padded = RECORD_PAD_TO;

	while (padded < content + 1)
		padded += RECORD_PAD_TO;
	return 5 + padded + 16;
}

static void
threat_22_record_sizes_are_in_classes(void **state)
{
	(void)state;
	connect_ends(suite_table);
	for (size_t len = 1; len <= 16384; len++) {
		clear();
		seal(&a, span(bulk, len));
		if (len <= 16383)
			assert_int_equal(buf_len(&wire), in_classes_of_256(len));
		else
			assert_int_equal(buf_len(&wire),
			    in_classes_of_256(16383) + in_classes_of_256(1));
		assert_int_equal(octets_get16(buf_peek(&wire).at + 3) % 256, 16);
		assert_memory_equal(buf_peek(&wire).at, "\x17\x03\x03", 3);
	}
	/* at the limits of the first two sizes, in figures */
	assert_int_equal(in_classes_of_256(255), 277);
	assert_int_equal(in_classes_of_256(256), 533);
	connect_ends(suite_named("aes256gcm_2.0"));
	seal(&a, span(bulk, 255));
	assert_int_equal(buf_len(&wire), 277);
	seal(&a, span(bulk, 256));
	assert_int_equal(buf_len(&wire), 277 + 533);
	assert_true(channel_end(&a, &wire));
	assert_int_equal(buf_len(&wire), 277 + 533 + 277);
}

static void
end_of_stream(void **state)
{
	connect_ends(suite_named(*state));
	seal(&a, SPAN("QUIT\r\n"));
	assert_true(channel_end(&a, &wire));
	size_t len = buf_len(&wire);
	assert_true(channel_end(&a, &wire));
	assert_int_equal(buf_len(&wire), len);
	assert_int_equal(channel_ended(&b), !is_aead(b.suite));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_true(channel_ended(&b));
	assert_got(SPAN("QUIT\r\n"));
	/* the other direction still works */
	seal(&b, SPAN("221\r\n"));
	buf_clear(&got);
	assert_int_equal(channel_open(&a, &got, &wire), 0);
	assert_got(SPAN("221\r\n"));
	assert_int_equal(channel_ended(&a), !is_aead(a.suite));
	/* and the ended direction stays ended */
	assert_int_equal(channel_seal(&a, &wire, &plain), 0);
	buf_put(&plain, SPAN("x"));
	assert_int_equal(channel_seal(&a, &wire, &plain), -1);
	assert_int_equal(a.fault, CHANNEL_AFTER_END);
	assert_int_equal(buf_len(&wire), 0);
}

/* A single octet, a record, or a second close_notify is a fault. */
static void
octets_after_the_end(void **state)
{
	(void)state;
	for (int what = 0; what < 3; what++) {
		connect_ends(suite_table);
		seal(&a, SPAN("x"));
		assert_true(channel_end(&a, &wire));
		if (what == 0)
			buf_put(&wire, SPAN("\x17"));
		else if (what == 1)
			forge(&a, 23, 0x0303, SPAN("y\x17"));
		else
			forge(&a, 23, 0x0303, SPAN("\1\0\x15"));
		assert_fault(CHANNEL_AFTER_END, SPAN("x"));
		assert_true(channel_ended(&b));
	}
}

/* The last record but one carries data; the last is reserved for close_notify. */
static void
send_has_a_key_limit(void **state)
{
	(void)state;
	connect_ends(suite_table);
	a.send.records = b.receive.records = RECORD_COUNT_MAX - 2;
	seal(&a, SPAN("x"));
	assert_int_equal(channel_seal(&a, &wire, &plain), 0);
	buf_put(&plain, SPAN("y"));
	assert_int_equal(channel_seal(&a, &wire, &plain), -1);
	assert_int_equal(a.fault, CHANNEL_KEY_LIMIT);
	assert_int_equal(buf_len(&wire), RECORD);
	assert_int_equal(buf_len(&plain), 1);
	assert_true(channel_end(&a, &wire));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_got(SPAN("x"));
	assert_true(channel_ended(&b));
}

/* A peer that does not reserve the last record for close_notify. */
static void
receive_has_a_key_limit(void **state)
{
	(void)state;
	connect_ends(suite_table);
	a.send.records = b.receive.records = RECORD_COUNT_MAX - 1;
	forge(&a, 23, 0x0303, SPAN("x\x17"));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	forge(&a, 23, 0x0303, SPAN("y\x17"));
	assert_fault(CHANNEL_KEY_LIMIT, SPAN("x"));
}

/* A cipher that records its nonces, and fails on demand. */
#define NONCES 3000
static uint8_t nonces[NONCES][CIPHER_IV_LEN];
static size_t nonce_count;
static int fail_start_in, fail_seal, started;

static int
spy_start(void *state, const uint8_t *key, enum cipher_use use)
{
	(void)state, (void)key, (void)use;
	if (fail_start_in > 0 && --fail_start_in == 0)
		return -1;
	started++;
	return 0;
}

static void
spy_stop(void *state)
{
	(void)state;
	started--;
}

static int
spy_seal(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[CIPHER_TAG_LEN])
{
	(void)state, (void)ad;
	memmove(out, in, len);
	memset(tag, 0, CIPHER_TAG_LEN);
	memcpy(nonces[nonce_count++ % NONCES], nonce, CIPHER_IV_LEN);
	return fail_seal ? -1 : 0;
}

static const struct cipher spy_cipher = { .name = "spy", .key_len = 32, .start = spy_start,
	.stop = spy_stop, .seal = spy_seal };
static const struct suite spy_suite = { "spy_2.0", &kex_hybrid, &spy_cipher, "spy" };

/* The nonce of record n is the IV with its last 64 bits XORed with n, so none occurs twice. */
static void
threat_19_record_nonces_count(void **state)
{
	(void)state;
	connect_ends(&spy_suite);
	nonce_count = 0;
	for (uint64_t n = 0; n < NONCES; n++) {
		uint8_t sequence[8];

		if (n == NONCES / 2)
			a.send.records = n = RECORD_COUNT_MAX - NONCES / 2 - 1;
		if (n >= RECORD_COUNT_MAX - 1)
			break;
		clear();
		seal(&a, SPAN("x"));
		const uint8_t *nonce = nonces[nonce_count - 1];
		octets_put64(sequence, n);
		assert_memory_equal(nonce, a.send.iv, 4);
		for (size_t i = 0; i < 8; i++)
			assert_int_equal(nonce[4 + i], a.send.iv[4 + i] ^ sequence[i]);
	}
	assert_memory_not_equal(a.send.iv, b.send.iv, CIPHER_IV_LEN);
}

/* The same octets, twice in one direction or once in each, differ on the wire. */
static void
threat_19_equal_octets_look_different(void **state)
{
	connect_ends(suite_named(*state));
	seal(&a, SPAN("NOOP\r\n"));
	seal(&a, SPAN("NOOP\r\n"));
	seal(&b, SPAN("NOOP\r\n"));
	const uint8_t *w = buf_peek(&wire).at;
	size_t len = buf_len(&wire) / 3;
	assert_memory_not_equal(w + 5, w + len + 5, len - 5);
	assert_memory_not_equal(w + 5, w + 2 * len + 5, len - 5);
}

static void
start_that_fails_leaves_nothing(void **state)
{
	static const struct channel zeros;
	struct agreement agreement;

	(void)state;
	channel_stop(&a);
	for (int call = 1; call <= 2; call++) {
		draw_keys(&agreement, &spy_suite);
		fail_start_in = call;
		started = 0;
		assert_int_equal(channel_start(&a, &agreement), -1);
		assert_int_equal(started, 0);
		assert_memory_equal(&a, &zeros, sizeof(a));
	}
	fail_start_in = 0;
	channel_stop(&a);
}

/* If the cipher fails, nothing of the record is sent. */
static void
seal_that_fails_sends_nothing(void **state)
{
	(void)state;
	connect_ends(&spy_suite);
	fail_seal = 1;
	buf_put(&plain, SPAN("secret"));
	assert_int_equal(channel_seal(&a, &wire, &plain), -1);
	assert_int_equal(a.fault, CHANNEL_CIPHER_FAILED);
	assert_true(channel_end(&a, &wire));
	assert_int_equal(buf_len(&wire), 0);
	fail_seal = 0;
}

static void
threat_23_stop_wipes(void **state)
{
	static const struct channel zeros;

	(void)state;
	for (const struct suite *suite = suite_table; suite->name != NULL; suite++) {
		connect_ends(suite);
		seal(&a, SPAN("x"));
		channel_stop(&a);
		assert_memory_equal(&a, &zeros, sizeof(a));
		channel_stop(&a);
	}
}

/* Length on the wire of the record that one end makes of `content_len` octets. */
static size_t
sealed_len(struct channel *from, size_t content_len)
{
	size_t before = buf_len(&wire);

	seal(from, span(bulk, content_len));
	return buf_len(&wire) - before;
}

#define OVERHEAD (RECORD_HEADER_LEN + CIPHER_TAG_LEN)

/* Only a server's first record has at least 1024 octets of plaintext, plus what it hides. */
static void
threat_22_the_first_record_hides_whether_there_is_a_host_key(void **state)
{
	static const struct { size_t content, hides, inner; } rows[] = {
		{ 1, 0, 1024 }, { 600, 0, 1024 }, { 1023, 0, 1024 }, { 1024, 0, 1280 }, { 1279, 0, 1280 },
		{ 1280, 0, 1536 }, { 1, 1022, 1024 }, { 1, 1023, 1280 }, { 600, 410, 1024 },
		{ 613, 410, 1024 }, { 614, 410, 1280 }, { 1024, 410, 1536 }, { 16383, 0, 16384 },
		{ 16383, 410, 16384 }, { 16000, 410, 16384 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		connect_ends(suite_named("aes256gcm_2.0"));
		b.first_hides = rows[i].hides;
		assert_int_equal(sealed_len(&b, rows[i].content), rows[i].inner + OVERHEAD);
		assert_int_equal(sealed_len(&b, 1), 256 + OVERHEAD);
		assert_int_equal(channel_open(&a, &got, &wire), 0);
		assert_int_equal(buf_len(&got), rows[i].content + 1);
	}
	/* a client hides nothing, whatever is set */
	connect_ends(suite_named("aes256gcm_2.0"));
	a.first_hides = 410;
	assert_int_equal(sealed_len(&a, 1), 256 + OVERHEAD);
	/* close_notify as the only record */
	connect_ends(suite_named("aes256gcm_2.0"));
	b.first_hides = 410;
	assert_true(channel_end(&b, &wire));
	assert_int_equal(buf_len(&wire), 1024 + OVERHEAD);
	/* a stream has no records */
	connect_ends(suite_named("arsyfor_1.0"));
	b.first_hides = 410;
	assert_int_equal(sealed_len(&b, 10), 10);
}

/* The first record waits for room like any other, and needs not one octet more. */
static void
the_first_record_waits_for_room(void **state)
{
	(void)state;
	connect_ends(suite_table);
	buf_init(&wire, wire_mem, RECORD_MAX);
	assert_true(buf_put(&wire, span(bulk, RECORD_MAX - 1024 - OVERHEAD + 1)));
	buf_put(&plain, SPAN("250 mx\r\n"));
	assert_int_equal(channel_seal(&b, &wire, &plain), 0);
	assert_int_equal(buf_len(&plain), 8);
	assert_false(channel_end(&b, &wire));
	buf_take(&wire, 1);
	assert_int_equal(channel_seal(&b, &wire, &plain), 0);
	assert_int_equal(buf_len(&plain), 0);
	assert_int_equal(buf_room(&wire), 0);
}

#define AEADS(test) \
	cmocka_unit_test_prestate(test, "chacha20poly1305_2.0"), \
	cmocka_unit_test_prestate(test, "aes256gcm_2.0")
#define STREAM(test) cmocka_unit_test_prestate(test, "arsyfor_1.0")

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulk_goes_through_both_ways),
		cmocka_unit_test(round_trip_cut_at_every_place),
		cmocka_unit_test(round_trip_octet_by_octet),
		cmocka_unit_test(round_trip_with_little_room),
		cmocka_unit_test(seal_waits_for_room),
		cmocka_unit_test(open_waits_for_room),
		cmocka_unit_test(threat_22_record_sizes_are_in_classes),
		cmocka_unit_test(threat_22_the_first_record_hides_whether_there_is_a_host_key),
		cmocka_unit_test(the_first_record_waits_for_room),
		AEADS(end_of_stream),
		STREAM(end_of_stream),
		cmocka_unit_test(octets_after_the_end),
		cmocka_unit_test(send_has_a_key_limit),
		cmocka_unit_test(receive_has_a_key_limit),
		cmocka_unit_test(threat_19_record_nonces_count),
		AEADS(threat_19_equal_octets_look_different),
		STREAM(threat_19_equal_octets_look_different),
		cmocka_unit_test(start_that_fails_leaves_nothing),
		cmocka_unit_test(seal_that_fails_sends_nothing),
		cmocka_unit_test(threat_23_stop_wipes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
