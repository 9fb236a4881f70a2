/* SHA-256 of one part, of several, and of none (the examples of FIPS 180-4). */
#include "unit.h"

#include "crypt/sha256.h"

#include <string.h>

static const uint8_t of_abc[SHA256_LEN] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41,
	0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10,
	0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };
static const uint8_t of_nothing[SHA256_LEN] = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a,
	0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4,
	0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55 };

static void
parts_are_joined(void **state)
{
	const struct span whole[] = { SPAN("abc") };
	const struct span three[] = { SPAN("a"), SPAN(""), SPAN("bc") };
	uint8_t digest[SHA256_LEN];

	(void)state;
	assert_int_equal(sha256_parts(digest, whole, 1), 0);
	assert_memory_equal(digest, of_abc, sizeof(digest));
	memset(digest, 0, sizeof(digest));
	assert_int_equal(sha256_parts(digest, three, 3), 0);
	assert_memory_equal(digest, of_abc, sizeof(digest));
	assert_int_equal(sha256_parts(digest, NULL, 0), 0);
	assert_memory_equal(digest, of_nothing, sizeof(digest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(parts_are_joined) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
