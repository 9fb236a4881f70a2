/*
 * Two clocks: the monotonic one for deadlines and the wall clock for dates.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <stddef.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_ms(void);

/* Seconds since 1970, CLOCK_REALTIME. */
int64_t clock_wall_s(void);

#define CLOCK_DATE_MAX 40

/*
 * Writes local date and time as RFC 5322 section 3.3 has them, NUL-terminated, such as
 * "Sat, 21 Nov 2026 18:00:00 +0000".  In English whatever the locale.
 */
void clock_date(char out[CLOCK_DATE_MAX], int64_t wall_s);

/* The same in the short form of syslog: "Nov 21 18:00:00". */
void clock_stamp(char out[CLOCK_DATE_MAX], int64_t wall_s);

#endif
