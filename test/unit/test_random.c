#include "crypt/random.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/time.h>
#include <cmocka.h>

static void
on_alarm(int signal_number)
{
	(void)signal_number;
}

/* Signals that interrupt getrandom(2) leave no octet unfilled. */
static void
randomness_fills_all_that_is_asked_for(void **state)
{
	const struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, never = { 0 };
	const struct sigaction action = { .sa_handler = on_alarm };
	static uint8_t octets[(1 << 24) + 64];
	static const uint8_t zeros[32];

	(void)state;
	assert_int_equal(random_octets(octets, 0), 0);
	assert_int_equal(octets[0], 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &every_ms, NULL), 0);
	int rc = random_mbedtls(NULL, octets, sizeof(octets) - 32);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(rc, 0);
	assert_memory_not_equal(octets, zeros, 32);
	assert_memory_not_equal(octets + sizeof(octets) - 64, zeros, 32);
	assert_memory_equal(octets + sizeof(octets) - 32, zeros, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(randomness_fills_all_that_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
