/*
 * Randomness and clocks that are the same in every run.  The linker substitutes them for the
 * real ones (--wrap) in the fuzz targets only; nothing in src/ can be made less random.
 */
#include "fuzz.h"

#include "base/clock.h"
#include "crypt/random.h"

int __wrap_random_octets(void *out, size_t len);
int __wrap_random_mbedtls(void *context, unsigned char *out, size_t len);
int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_wall_s(void);

#define EPOCH_S INT64_C(1790000000)

static uint64_t state;
static int64_t now_ms;

uint64_t
fixed_start(uint64_t seed)
{
	uint64_t old = state;

	state = seed;
	now_ms = 0;
	return old;
}

/* splitmix64 */
static uint64_t
next(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

int
__wrap_random_octets(void *out, size_t len)
{
	uint8_t *at = out;

	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(next() >> 56);
	return 0;
}

int
__wrap_random_mbedtls(void *context, unsigned char *out, size_t len)
{
	(void)context;
	return __wrap_random_octets(out, len);
}

/* Each call advances the clock, so that a wait comes to its end. */
int64_t
__wrap_clock_ms(void)
{
	return now_ms++;
}

int64_t
__wrap_clock_wall_s(void)
{
	return EPOCH_S;
}
