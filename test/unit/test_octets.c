#include "unit.h"

#include "base/octets.h"

static void
hex_goes_both_ways(void **state)
{
	const uint8_t octets[] = { 0x00, 0x9a, 0xff };
	uint8_t back[3];
	char text[6];

	(void)state;
	octets_to_hex(text, octets, 3);
	assert_memory_equal(text, "009aff", 6);
	assert_true(octets_from_hex(back, 3, SPAN("009AfF")));
	assert_memory_equal(back, octets, 3);
	assert_false(octets_from_hex(back, 3, SPAN("009aff0")));
	assert_false(octets_from_hex(back, 3, SPAN("009af")));
	assert_false(octets_from_hex(back, 3, SPAN("009afg")));
	assert_false(octets_from_hex(back, 3, SPAN("009a f")));
	assert_false(octets_from_hex(back, 3, SPAN("0x9aff")));
	assert_true(octets_from_hex(back, 0, SPAN("")));
}

static void
numbers_are_big_endian(void **state)
{
	const uint8_t want[] = { 0xf1, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08 };
	uint8_t octets[8];

	(void)state;
	octets_put64(octets, UINT64_C(0xf102030405060708));
	assert_memory_equal(octets, want, 8);
	assert_true(octets_get64(want) == UINT64_C(0xf102030405060708));
	octets_put32(octets, 0xf1020304);
	assert_memory_equal(octets, want, 4);
	assert_int_equal(octets_get32(want), 0xf1020304);
	octets_put16(octets, 0xf102);
	assert_memory_equal(octets, want, 2);
	assert_int_equal(octets_get16(want), 0xf102);
}

/* statement 23: every octet counts, whatever the position of the difference */
static void
threat_23_secrets_are_compared_whole(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_true(octets_equal_secret(a, b, 32));
	for (size_t i = 0; i < 32 * 8; i++) {
		b[i / 8] = (uint8_t)(1u << i % 8);
		assert_false(octets_equal_secret(a, b, 32));
		b[i / 8] = 0;
	}
	assert_true(octets_equal_secret(a, b, 0));
}

/* statement 23 */
static void
threat_23_wiping_zeroes_all_and_no_more(void **state)
{
	uint8_t octets[] = { 1, 2, 3, 4 };
	const uint8_t want[] = { 1, 0, 0, 4 };

	(void)state;
	octets_wipe(octets + 1, 2);
	assert_memory_equal(octets, want, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(threat_23_secrets_are_compared_whole),
		cmocka_unit_test(threat_23_wiping_zeroes_all_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
