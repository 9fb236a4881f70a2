/* Random choices that a seed repeats (splitmix64). */
#ifndef SOAK_DICE_H
#define SOAK_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t
dice_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* One of several independent series of one seed. */
static inline struct dice
dice_start(uint64_t seed, uint64_t series)
{
	return (struct dice){ dice_mix(seed + 0x9e3779b97f4a7c15u * (series + 1)) };
}

static inline uint64_t
dice_next(struct dice *d)
{
	return dice_mix(d->state += 0x9e3779b97f4a7c15u);
}

/* A number from 0 to n - 1. */
static inline size_t
dice_below(struct dice *d, size_t n)
{
	return (size_t)(dice_next(d) % n);
}

/* A number from `low` to `high`, both included. */
static inline size_t
dice_between(struct dice *d, size_t low, size_t high)
{
	return low + dice_below(d, high - low + 1);
}

static inline bool
dice_chance(struct dice *d, unsigned in_thousand)
{
	return dice_below(d, 1000) < in_thousand;
}

/* A number from `low` to `high`, with each order of magnitude equally likely; low > 0. */
static inline size_t
dice_order(struct dice *d, size_t low, size_t high)
{
	unsigned doublings = 0;

	while (low << (doublings + 1) <= high)
		doublings++;
	size_t from = low << dice_below(d, doublings + 1);
	size_t until = 2 * from - 1 < high ? 2 * from - 1 : high;
	return dice_between(d, from, until);
}

#endif
