#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static struct tm
local(int64_t wall_s)
{
	time_t when = (time_t)wall_s;
	struct tm tm;

	if (localtime_r(&when, &tm) == NULL)
		gmtime_r(&(time_t){ 0 }, &tm);
	return tm;
}

void
clock_date(char out[CLOCK_DATE_MAX], int64_t wall_s)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	struct tm tm = local(wall_s);

	long minutes = tm.tm_gmtoff / 60;
	snprintf(out, CLOCK_DATE_MAX, "%s, %d %s %ld %02d:%02d:%02d %c%02ld%02ld",
	    days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900L,
	    tm.tm_hour, tm.tm_min, tm.tm_sec, minutes < 0 ? '-' : '+',
	    labs(minutes) / 60 % 100, labs(minutes) % 60);
}

void
clock_stamp(char out[CLOCK_DATE_MAX], int64_t wall_s)
{
	struct tm tm = local(wall_s);

	snprintf(out, CLOCK_DATE_MAX, "%s %2d %02d:%02d:%02d", months[tm.tm_mon % 12], tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}
