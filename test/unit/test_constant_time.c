/*
 * Secrets are compared in constant time (statement 23).  The test runs itself again under
 * valgrind's memcheck with the secrets marked as undefined, which reports every branch and
 * address that depends on them.
 */
#include "unit.h"

#include "base/octets.h"
#include "crypt/suite.h"
#include "sys/jail.h"

#include <stdlib.h>
#include <unistd.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAS_VALGRIND 1
#else
#define HAS_VALGRIND 0
#endif

#if HAS_VALGRIND

#define LEN_MAX 64

static void
skip_without_valgrind(void)
{
	if (RUNNING_ON_VALGRIND)
		return;
	print_message("valgrind is not installed, or this is a build for sanitizers\n");
	skip();
}

/* From now on, whatever depends on these octets is undefined for memcheck. */
static void
hide(const void *at, size_t len)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(at, len);
}

/* The result of a comparison is not secret. */
static bool
shown(bool result)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(&result, sizeof(result));
	return result;
}

/* Compares octets that differ at `at`, or not at all if `at` is not below `len`. */
static bool
compare(size_t len, size_t at)
{
	uint8_t a[LEN_MAX], b[LEN_MAX];

	memset(a, 0x5a, len);
	memset(b, 0x5a, len);
	if (at < len)
		b[at] ^= 0x80;
	hide(a, len);
	hide(b, len);
	return shown(octets_equal_secret(a, b, len));
}

static void
threat_23_octets_are_compared_in_constant_time(void **state)
{
	(void)state;
	skip_without_valgrind();
	unsigned before = VALGRIND_COUNT_ERRORS;
	for (size_t len = 0; len <= LEN_MAX; len++)
		for (size_t at = 0; at <= len; at++)
			assert_int_equal(compare(len, at), at == len);
	assert_int_equal(VALGRIND_COUNT_ERRORS, before);
}

/* In both roles: right, and wrong in each octet. */
static void
threat_23_confirmations_are_compared_in_constant_time(void **state)
{
	(void)state;
	skip_without_valgrind();
	unsigned before = VALGRIND_COUNT_ERRORS;
	for (int server = 0; server < 2; server++)
		for (size_t at = 0; at <= 16; at++) {
			struct agreement a = { .suite = suite_table, .server = server };
			uint8_t *expected = server ? a.confirm_a : a.confirm_b;
			char text[32];

			memset(expected, 0xc3, 16);
			octets_to_hex(text, expected, 16);
			if (at < 16)
				text[2 * at] = '4';
			hide(a.confirm_a, sizeof(a.confirm_a));
			hide(a.confirm_b, sizeof(a.confirm_b));
			assert_int_equal(shown(kex_x25519.get_ok(&a, span(text, 32))), at == 16);
		}
	assert_int_equal(VALGRIND_COUNT_ERRORS, before);
}

/* A comparison like memcmp(3), which memcheck must report. */
static bool
equal_carelessly(const volatile uint8_t *a, const volatile uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static void
what_is_careless_is_seen(void **state)
{
	uint8_t a[16] = { 1 }, b[16] = { 2 };

	(void)state;
	skip_without_valgrind();
	unsigned before = VALGRIND_COUNT_ERRORS;
	hide(a, sizeof(a));
	assert_false(shown(equal_carelessly(a, b, sizeof(a))));
	assert_true(VALGRIND_COUNT_ERRORS > before);
}

#define HERE_AGAIN "CONSTANT_TIME_AGAIN"

static void
start_again_under_valgrind(char *argv[])
{
	char *const again[] = { (char[]){ "valgrind" }, (char[]){ "-q" }, argv[0], NULL };

	if (RUNNING_ON_VALGRIND || getenv(HERE_AGAIN) != NULL || jail_is_wide)
		return;
	setenv(HERE_AGAIN, "1", 1);
	execvp(again[0], again);
}

#else

static void
threat_23_octets_are_compared_in_constant_time(void **state)
{
	(void)state;
	print_message("valgrind's headers are not installed\n");
	skip();
}

#endif

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_23_octets_are_compared_in_constant_time),
#if HAS_VALGRIND
		cmocka_unit_test(threat_23_confirmations_are_compared_in_constant_time),
		cmocka_unit_test(what_is_careless_is_seen),
#endif
	};

	(void)argc, (void)argv;
#if HAS_VALGRIND
	start_again_under_valgrind(argv);
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
