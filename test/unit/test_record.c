/* Records that were tampered with, and records that a correct peer does not send. */
#include "ends.h"

#include "base/octets.h"

/*
 * The records of one session, first QUIT.  Enough records follow it for any length in its header,
 * so that nothing waits for more octets.
 */
static uint8_t session[3 * RECORD_MAX];
static size_t session_len;

static void
record_session(struct agreement *agreement, const struct suite *suite)
{
	draw_keys(agreement, suite);
	rewind_ends(agreement);
	seal(&a, SPAN("QUIT\r\n"));
	while (buf_len(&wire) < 2 * RECORD_MAX)
		seal(&a, SPAN("NOOP\r\n"));
	session_len = buf_len(&wire);
	assert_true(session_len <= sizeof(session));
	memcpy(session, buf_peek(&wire).at, session_len);
}

static void
threat_20_any_flipped_bit(void **state)
{
	struct agreement agreement;

	record_session(&agreement, suite_named(*state));
	for (size_t bit = 0; bit < RECORD * 8; bit++) {
		rewind_ends(&agreement);
		buf_put(&wire, span(session, session_len));
		wire.mem[bit / 8] = (uint8_t)(wire.mem[bit / 8] ^ 1u << bit % 8);
		uint16_t len = octets_get16(wire.mem + 3);
		bool bad_header = bit < 24 || len < 17 || len > 16401;
		assert_fault(bad_header ? CHANNEL_BAD_HEADER : CHANNEL_BAD_RECORD, span(NULL, 0));
	}
}

/* The first record truncated and followed by the others; before those arrive, nothing happens. */
static void
threat_20_cut(void **state)
{
	struct agreement agreement;

	record_session(&agreement, suite_named(*state));
	for (size_t left = 0; left < RECORD; left++) {
		rewind_ends(&agreement);
		buf_put(&wire, span(session, left));
		assert_int_equal(channel_open(&b, &got, &wire), 0);
		assert_int_equal(buf_len(&wire), left);
		assert_int_equal(buf_len(&got), 0);
		assert_false(channel_ended(&b));
		buf_put(&wire, span(session + RECORD, session_len - RECORD));
		assert_int_equal(channel_open(&b, &got, &wire), -1);
		assert_int_equal(buf_len(&got), 0);
	}
}

/* Seals a record for each digit "0" to "4", then delivers only those that `order` names. */
static void
reorder(const struct suite *suite, const char *order)
{
	static uint8_t sealed[5 * RECORD];

	connect_ends(suite);
	for (size_t i = 0; i < 5; i++)
		seal(&a, span(&"01234"[i], 1));
	assert_int_equal(buf_len(&wire), sizeof(sealed));
	memcpy(sealed, buf_peek(&wire).at, sizeof(sealed));
	clear();
	for (; *order != '\0'; order++)
		buf_put(&wire, span(sealed + (*order - '0') * RECORD, RECORD));
}

static void
threat_20_dropped_repeated_swapped(void **state)
{
	const struct suite *suite = suite_named(*state);

	reorder(suite, "01234");
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_got(SPAN("01234"));
	reorder(suite, "1234");			/* the first is missing */
	assert_fault(CHANNEL_BAD_RECORD, span(NULL, 0));
	reorder(suite, "0134");			/* one is missing */
	assert_fault(CHANNEL_BAD_RECORD, SPAN("01"));
	reorder(suite, "00");			/* repeated */
	assert_fault(CHANNEL_BAD_RECORD, SPAN("0"));
	reorder(suite, "0120");
	assert_fault(CHANNEL_BAD_RECORD, SPAN("012"));
	reorder(suite, "021");			/* swapped */
	assert_fault(CHANNEL_BAD_RECORD, SPAN("0"));
	reorder(suite, "10");
	assert_fault(CHANNEL_BAD_RECORD, span(NULL, 0));
}

static void
threat_20_cut_short_with_its_length(void **state)
{
	const struct suite *suite = suite_named(*state);

	/* the header's length matches what is left of the record */
	for (uint16_t len = 0; len < RECORD - 5; len++) {
		connect_ends(suite);
		seal(&a, SPAN("0"));
		octets_put16(wire.mem + 3, len);
		wire.tail = RECORD_HEADER_LEN + (size_t)len;
		assert_fault(len < 17 ? CHANNEL_BAD_HEADER : CHANNEL_BAD_RECORD, span(NULL, 0));
	}
}

static void
threat_20_other_direction_or_session(void **state)
{
	const struct suite *suite = suite_named(*state);
	static uint8_t sealed[RECORD];

	connect_ends(suite);
	seal(&b, SPAN("0"));			/* b's own record, sent back to it */
	assert_fault(CHANNEL_BAD_RECORD, span(NULL, 0));

	connect_ends(suite);
	seal(&a, SPAN("0"));
	memcpy(sealed, buf_peek(&wire).at, RECORD);
	connect_ends(suite);			/* another session */
	buf_put(&wire, span(sealed, RECORD));
	assert_fault(CHANNEL_BAD_RECORD, span(NULL, 0));
}

/* Records before the faulty one were passed on; what follows it is not. */
static void
threat_20_nothing_after_a_fault(void **state)
{
	connect_ends(suite_named(*state));
	seal(&a, SPAN("one"));
	seal(&a, SPAN("two"));
	seal(&a, SPAN("three"));
	wire.mem[RECORD + 100] ^= 1;
	assert_fault(CHANNEL_BAD_RECORD, SPAN("one"));
}

static void
assert_forged(uint8_t outside, uint16_t version, struct span inner, enum channel_fault fault)
{
	connect_ends(suite_table);
	seal(&a, SPAN("before"));
	forge(&a, outside, version, inner);
	assert_fault(fault, SPAN("before"));
}

static void
headers_out_of_range(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++)
		if (type != 23)
			assert_forged((uint8_t)type, 0x0303, SPAN("x\x17"), CHANNEL_BAD_HEADER);
	assert_forged(23, 0x0301, SPAN("x\x17"), CHANNEL_BAD_HEADER);
	assert_forged(23, 0x0304, SPAN("x\x17"), CHANNEL_BAD_HEADER);
	assert_forged(23, 0x0203, SPAN("x\x17"), CHANNEL_BAD_HEADER);
	assert_forged(23, 0x0303, span(NULL, 0), CHANNEL_BAD_HEADER);
}

static void
content_out_of_range(void **state)
{
	static const uint8_t zeros[300];

	(void)state;
	assert_forged(23, 0x0303, span(zeros, 1), CHANNEL_BAD_CONTENT);
	/* preceded by its length, the octet 23 is no content type */
	assert_forged(23, 0x0303, span(zeros, 7), CHANNEL_BAD_CONTENT);
	assert_forged(23, 0x0303, span(zeros, sizeof(zeros)), CHANNEL_BAD_CONTENT);
	assert_forged(23, 0x0303, SPAN("\x17"), CHANNEL_BAD_CONTENT);	/* data without content */
	assert_forged(23, 0x0303, SPAN("\x17\0\0"), CHANNEL_BAD_CONTENT);
	for (unsigned type = 1; type < 256; type++) {
		const uint8_t text[] = { 'x', 'y', (uint8_t)type, 0 };
		const uint8_t notice[] = { 1, 0, (uint8_t)type, 0 };

		if (type != 23)
			assert_forged(23, 0x0303, span(text, sizeof(text)), CHANNEL_BAD_CONTENT);
		if (type != 23 && type != 21)
			assert_forged(23, 0x0303, span(notice, sizeof(notice)),
			    CHANNEL_BAD_CONTENT);
	}
	assert_forged(23, 0x0303, SPAN("\x15"), CHANNEL_BAD_CONTENT);
	assert_forged(23, 0x0303, SPAN("\1\x15"), CHANNEL_BAD_CONTENT);
	assert_forged(23, 0x0303, SPAN("\2\0\x15"), CHANNEL_BAD_CONTENT);
	assert_forged(23, 0x0303, SPAN("\1\1\x15"), CHANNEL_BAD_CONTENT);
	assert_forged(23, 0x0303, SPAN("\1\0\0\x15"), CHANNEL_BAD_CONTENT);
	assert_forged(23, 0x0303, SPAN("\1\0\1\0\x15"), CHANNEL_BAD_CONTENT);
}

/*
 * No padding, some and much; content up to the limit of the header's length, and one octet more.
 */
static void
any_padding_is_accepted(void **state)
{
	static uint8_t inner[RECORD_SEALED_MAX];

	(void)state;
	connect_ends(suite_table);
	forge(&a, 23, 0x0303, SPAN("x\x17"));
	forge(&a, 23, 0x0303, SPAN("y\x17\0\0\0"));
	memset(inner, 0, sizeof(inner));
	memcpy(inner, "\0z\x17", 3);
	forge(&a, 23, 0x0303, span(inner, 16385));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_got(SPAN("xy\0z"));
	forge(&a, 23, 0x0303, SPAN("\1\0\x15"));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_true(channel_ended(&b));

	connect_ends(suite_table);
	memset(inner, 'x', 16384);
	inner[16384] = 23;
	forge(&a, 23, 0x0303, span(inner, 16385));
	assert_int_equal(channel_open(&b, &got, &wire), 0);
	assert_got(span(inner, 16384));
	connect_ends(suite_table);
	inner[16384] = 'x';
	inner[16385] = 23;
	forge(&a, 23, 0x0303, span(inner, 16386));
	assert_fault(CHANNEL_BAD_HEADER, span(NULL, 0));
}

#define AEADS(test) \
	cmocka_unit_test_prestate(test, "chacha20poly1305_2.0"), \
	cmocka_unit_test_prestate(test, "aes256gcm_2.0")

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AEADS(threat_20_any_flipped_bit),
		AEADS(threat_20_cut),
		AEADS(threat_20_dropped_repeated_swapped),
		AEADS(threat_20_cut_short_with_its_length),
		AEADS(threat_20_other_direction_or_session),
		AEADS(threat_20_nothing_after_a_fault),
		cmocka_unit_test(headers_out_of_range),
		cmocka_unit_test(content_out_of_range),
		cmocka_unit_test(any_padding_is_accepted),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
