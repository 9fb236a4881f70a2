/* The backend: which combinations of program, backend and client-address are valid. */
#include "backends.h"

static char *const program[] = { "/usr/sbin/sendmail", NULL };

/* Rejected, with an error of one line that contains these words. */
static void
refused(char *const argv[], const char *const words[])
{
	assert_int_equal(backend_check(&m, argv, &s), -1);
	assert_int_equal(m.error_number, 0);
	assert_non_null(m.error);
	for (; *words != NULL; words++)
		if (strstr(m.error, *words) == NULL)
			fail_msg("no \"%s\" in: %s", *words, m.error);
	assert_null(strchr(m.error, '\n'));
}

#define refused_with(argv, ...) refused(argv, (const char *const[]){ __VA_ARGS__, NULL })

static void
program_and_backend_exclude_each_other(void **state)
{
	(void)state;
	refused_with(no_program, "program", "backend");
	set("backend=127.0.0.1:25");
	set("client-address=none");
	refused_with(program, "program", "backend", "only one");
}

/* statement 31: instead of a guess, an error that names the choices */
static void
threat_31_auto_does_not_guess_for_addresses(void **state)
{
	static const char *const backends[] = { "backend=127.0.0.1:25", "backend=[::1]:25",
	    "backend=192.0.2.1:25", "backend=/run/mailer" };

	(void)state;
	for (size_t i = 0; i < COUNT(backends); i++) {
		set(backends[i]);
		set("client-address=auto");
		refused_with(no_program, "client-address = auto", "none", "proxy-v1", "proxy-v2",
		    "xclient", "transparent", "-t");
		assert_string_equal(m.text, s.backend);
		set("client-address=netns");
		refused_with(no_program, "client-address = netns", "program", "none", "proxy-v2",
		    "xclient");
	}
}

static void
each_way_for_what_can_take_it(void **state)
{
	static const char *const for_programs[] = { "client-address=auto", "client-address=netns" };
	static const char *const for_addresses[] = { "client-address=proxy-v1",
	    "client-address=proxy-v2", "client-address=xclient", "client-address=transparent" };

	(void)state;
	for (size_t i = 0; i < COUNT(for_programs); i++) {
		set(for_programs[i]);
		assert_int_equal(backend_check(&m, program, &s), 0);
		assert_string_equal(m.text, program[0]);
	}
	for (size_t i = 0; i < COUNT(for_addresses); i++) {
		set(for_addresses[i]);
		refused_with(program, "backend", "netns", "none");
	}
	set("client-address=none");
	assert_int_equal(backend_check(&m, program, &s), 0);
	set("backend=127.0.0.1:25");
	assert_int_equal(backend_check(&m, no_program, &s), 0);
	set("backend=[::1]:25");
	for (size_t i = 0; i < COUNT(for_addresses); i++) {
		set(for_addresses[i]);
		assert_int_equal(backend_check(&m, no_program, &s), 0);
	}
	set("backend=/run/mailer");
	refused_with(no_program, "transparent", "TCP", "none");
	assert_int_equal(m.fd, -1);
	assert_int_equal(m.pid, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(program_and_backend_exclude_each_other),
		TEST(threat_31_auto_does_not_guess_for_addresses),
		TEST(each_way_for_what_can_take_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
