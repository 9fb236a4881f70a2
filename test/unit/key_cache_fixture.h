/* Rings in the scratch directory, with exchanges that cost nothing. */
#ifndef TEST_RING_FIXTURE_H
#define TEST_RING_FIXTURE_H

#include "store/key_cache.h"

#include "base/clock.h"
#include "scratch.h"
#include "unit.h"

#include <sys/random.h>

#define LIFETIME_S 7200

/*
 * Two exchanges whose secret everybody can compute from the two public keys, so that a wrong one is
 * noticed.  Of 2.0 and 1.0 they have the lengths.
 */
static unsigned pairs_made;

static inline int
make_pair(struct exchange_pair *pair, size_t len)
{
	pairs_made++;
	pair->private_len = len;
	return getrandom(pair->private, len, 0) < 0 || getrandom(pair->public, len, 0) < 0 ? -1 : 0;
}

static inline int
make_new(struct exchange_pair *pair)
{
	return make_pair(pair, 32);
}

static inline int
make_old(struct exchange_pair *pair)
{
	return make_pair(pair, 96);
}

/* What happens meanwhile, as it takes so long; once. */
static void (*meanwhile)(void);

static inline int
make_slow(struct exchange_pair *pair)
{
	void (*what)(void) = meanwhile;

	meanwhile = NULL;
	if (what != NULL)
		what();
	return make_pair(pair, 256);
}

static inline int
make_none(struct exchange_pair *pair)
{
	(void)pair;
	return -1;
}

static const struct exchange x_new = { .generation = "2.0", .rank = 20, .public_len = 32,
	.secret_len = 32, .cached = true, .pair = make_new };
static const struct exchange x_old = { .generation = "1.0", .rank = 10, .public_len = 96,
	.secret_len = 96, .cached = true, .pair = make_old };
static const struct exchange x_rsa = { .generation = "0.2", .rank = 2, .public_len = 256,
	.pair_on_demand = true, .pair = make_slow };
static const struct exchange x_head = { .generation = "0.1", .rank = 1 };
static const struct exchange x_broken = { .generation = "2.0", .rank = 20, .public_len = 32,
	.secret_len = 32, .cached = true, .pair = make_none };
static const struct suite s_new = { .exchange = &x_new }, s_new2 = { .exchange = &x_new },
	s_old = { .exchange = &x_old }, s_rsa = { .exchange = &x_rsa },
	s_head = { .exchange = &x_head }, s_broken = { .exchange = &x_broken };
static const struct suite_list only_new = { { &s_new, &s_new2 }, 2 }, only_old = { { &s_old }, 1 },
	both = { { &s_new, &s_old, &s_rsa, &s_head, &s_new2 }, 5 },
	only_rsa = { { &s_rsa }, 1 }, none,
	broken = { { &s_broken }, 1 };

static inline void
peer(uint8_t public[EXCHANGE_PUBLIC_MAX], unsigned number)
{
	memset(public, (int)(number * 7), EXCHANGE_PUBLIC_MAX);
	octets_put32(public, number);
}

static inline void
compute(uint8_t *secret, const struct exchange *x, const uint8_t *ours, unsigned number)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX];

	peer(other, number);
	for (size_t i = 0; i < x->secret_len; i++)
		secret[i] = (uint8_t)(ours[i] * 5u + other[i] + i);
}

static inline struct ring_settings
settings_for(const struct suite_list *suites)
{
	return (struct ring_settings){ .directory = scratch, .suites = suites,
		.lifetime_s = LIFETIME_S, .entries_max = 1000 };
}

static inline struct ring *
opened(struct ring *r, const struct suite_list *suites)
{
	struct ring_settings settings = settings_for(suites);

	ring_open(r, &settings);
	return r;
}

static inline const struct exchange_pair *
own(struct ring *r, const struct exchange *x)
{
	return ring_source(r).own(r, x);
}

static inline void
keep(struct ring *r, const struct exchange *x, unsigned number)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX];
	struct key_source source = ring_source(r);

	peer(other, number);
	compute(secret, x, own(r, x)->public, number);
	source.keep(source.context, x, other, secret);
}

/* Is it found?  A wrong one ends the test. */
static inline bool
found(struct ring *r, const struct exchange *x, unsigned number)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX], want[EXCHANGE_SECRET_MAX];
	struct key_source source = ring_source(r);

	peer(other, number);
	if (!source.find(source.context, x, other, secret))
		return false;
	compute(want, x, own(r, x)->public, number);
	if (memcmp(secret, want, x->secret_len) != 0)
		abort();
	return true;
}

/* A session with a peer whose secret is there already. */
static inline void
use_again(struct ring *r, const struct exchange *x, unsigned number)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX];
	struct key_source source = ring_source(r);

	peer(other, number);
	assert_true(source.find(source.context, x, other, secret));
	source.used(source.context, x, other, secret);
}

/* Opens, keeps the peers from `first` on, closes. */
static inline void
keep_many(unsigned first, unsigned count)
{
	struct ring r;

	opened(&r, &only_new);
	for (unsigned i = 0; i < count; i++)
		keep(&r, &x_new, first + i);
	ring_close(&r);
}

static inline enum fold_fate
keep_all(void *context, struct entry entry)
{
	(void)context, (void)entry;
	return FOLD_KEEP_ALWAYS;
}

/* Puts an entry into the CDB behind the ring's back. */
static inline void
plant(struct span key, struct span value)
{
	struct store_addition added = { key, value };
	struct store_rebuilding how = { &added, 1, keep_all, NULL, 0 };
	struct store s;

	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	assert_int_equal(store_lock(&s), 0);
	assert_int_equal(store_rebuild(&s, &how), 0);
	store_unlock(&s);
	store_close(&s);
}

/* Makes the pair of a generation as old as that. */
static inline void
age(const struct exchange *x, int64_t age_s)
{
	uint8_t key[2] = { 'P', (uint8_t)x->rank }, value[ENTRY_VALUE_MAX];
	struct store s;
	size_t len;

	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	assert_true(store_find(&s, span(key, 2), value, sizeof(value), &len));
	store_close(&s);
	octets_put64(value, (uint64_t)(clock_wall_s() - age_s));
	plant(span(key, 2), span(value, len));
}

/* Opens anew: is the secret of peer 1 still found? */
static inline bool
survives(const struct suite_list *suites, const struct exchange *x)
{
	struct ring r;

	bool there = found(opened(&r, suites), x, 1);
	ring_close(&r);
	return there;
}

#endif
