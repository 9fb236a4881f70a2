#include "unit.h"

#include "base/clock.h"

#include <locale.h>
#include <stdlib.h>
#include <time.h>

static void
in_zone(const char *zone, int64_t when, const char *want)
{
	char date[CLOCK_DATE_MAX];

	setenv("TZ", zone, 1);
	tzset();
	clock_date(date, when);
	assert_string_equal(date, want);
}

static void
dates_are_of_rfc_5322(void **state)
{
	(void)state;
	in_zone("UTC0", 1795284000, "Sat, 21 Nov 2026 18:00:00 +0000");
	in_zone("UTC0", 0, "Thu, 1 Jan 1970 00:00:00 +0000");
	in_zone("UTC0", 951782400 + 86399, "Tue, 29 Feb 2000 23:59:59 +0000");
}

static void
zones_have_hours_and_minutes(void **state)
{
	(void)state;
	in_zone("ABC-1", 1795284000, "Sat, 21 Nov 2026 19:00:00 +0100");
	in_zone("ABC8", 1795284000, "Sat, 21 Nov 2026 10:00:00 -0800");
	in_zone("ABC-5:45", 1795284000, "Sat, 21 Nov 2026 23:45:00 +0545");
	in_zone("ABC3:30", 1795284000, "Sat, 21 Nov 2026 14:30:00 -0330");
	in_zone("ABC0:30", 1795284000, "Sat, 21 Nov 2026 17:30:00 -0030");
}

static void
absurd_times_do_no_harm(void **state)
{
	char date[CLOCK_DATE_MAX];

	(void)state;
	setenv("TZ", "UTC0", 1);
	tzset();
	clock_date(date, INT64_MAX);
	assert_string_equal(date, "Thu, 1 Jan 1970 00:00:00 +0000");
	clock_date(date, INT64_MIN);
	assert_string_equal(date, "Thu, 1 Jan 1970 00:00:00 +0000");
	clock_date(date,
	    INT64_C(67768036191676799));	/* the last second that struct tm can hold */
	assert_true(strlen(date) < CLOCK_DATE_MAX);
}

static void
the_first_clock_only_goes_forward(void **state)
{
	int64_t last = clock_ms();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_ms();
		assert_true(now >= last);
		last = now;
	}
}

static void
the_second_clock_is_the_walls(void **state)
{
	int64_t before = (int64_t)time(NULL), now = clock_wall_s();

	(void)state;
	assert_true(now >= before && now <= (int64_t)time(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_of_rfc_5322),
		cmocka_unit_test(zones_have_hours_and_minutes),
		cmocka_unit_test(absurd_times_do_no_harm),
		cmocka_unit_test(the_first_clock_only_goes_forward),
		cmocka_unit_test(the_second_clock_is_the_walls),
	};

	setlocale(LC_ALL, "");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
