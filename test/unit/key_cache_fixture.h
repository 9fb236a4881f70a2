/* Key caches in the scratch directory, with exchanges that take no time. */
#ifndef TEST_KEY_CACHE_FIXTURE_H
#define TEST_KEY_CACHE_FIXTURE_H

#include "base/octets.h"
#include "store/key_cache.h"

#include "base/clock.h"
#include "scratch.h"
#include "unit.h"

#include <sys/random.h>

#define LIFETIME_S 7200

/*
 * Two exchanges whose shared secret can be computed from the two public keys alone, so that a
 * wrong one is noticed.  Their lengths are those of versions 2.0 and 1.0.
 */
static unsigned pairs_made;

static inline int
make_pair(struct kex_pair *pair, size_t len)
{
	pairs_made++;
	pair->private_len = len;
	return getrandom(pair->private, len, 0) < 0 || getrandom(pair->public, len, 0) < 0 ? -1 : 0;
}

static inline int
make_new(struct kex_pair *pair)
{
	return make_pair(pair, 32);
}

static inline int
make_old(struct kex_pair *pair)
{
	return make_pair(pair, 96);
}

/* Called once while a pair is being made, since that is slow. */
static void (*meanwhile)(void);

static inline int
make_slow(struct kex_pair *pair)
{
	void (*what)(void) = meanwhile;

	meanwhile = NULL;
	if (what != NULL)
		what();
	return make_pair(pair, 256);
}

static inline int
make_none(struct kex_pair *pair)
{
	(void)pair;
	return -1;
}

static const struct kex x_new = { .version_text = "2.0", .version = 20, .public_len = 32,
	.secret_len = 32, .cached = true, .pair = make_new };
static const struct kex x_old = { .version_text = "1.0", .version = 10, .public_len = 96,
	.secret_len = 96, .cached = true, .pair = make_old };
static const struct kex x_rsa = { .version_text = "0.2", .version = 2, .public_len = 256,
	.pair_on_demand = true, .pair = make_slow };
static const struct kex x_head = { .version_text = "0.1", .version = 1 };
static const struct kex x_broken = { .version_text = "2.0", .version = 20, .public_len = 32,
	.secret_len = 32, .cached = true, .pair = make_none };
static const struct suite s_new = { .kex = &x_new }, s_new2 = { .kex = &x_new },
	s_old = { .kex = &x_old }, s_rsa = { .kex = &x_rsa },
	s_head = { .kex = &x_head }, s_broken = { .kex = &x_broken };
static const struct suite_list only_new = { { &s_new, &s_new2 }, 2 }, only_old = { { &s_old }, 1 },
	both = { { &s_new, &s_old, &s_rsa, &s_head, &s_new2 }, 5 },
	only_rsa = { { &s_rsa }, 1 }, none,
	broken = { { &s_broken }, 1 };

static inline void
peer(uint8_t public[KEX_PUBLIC_MAX], unsigned number)
{
	memset(public, (int)(number * 7), KEX_PUBLIC_MAX);
	octets_put32(public, number);
}

static inline void
compute(uint8_t *secret, const struct kex *x, const uint8_t *ours, unsigned number)
{
	uint8_t other[KEX_PUBLIC_MAX];

	peer(other, number);
	for (size_t i = 0; i < x->secret_len; i++)
		secret[i] = (uint8_t)(ours[i] * 5u + other[i] + i);
}

static inline struct key_cache_settings
settings_for(const struct suite_list *suites)
{
	return (struct key_cache_settings){ .directory = scratch, .suites = suites,
		.lifetime_s = LIFETIME_S, .entries_max = 1000 };
}

static inline struct key_cache *
opened(struct key_cache *r, const struct suite_list *suites)
{
	struct key_cache_settings settings = settings_for(suites);

	key_cache_open(r, &settings);
	return r;
}

static inline const struct kex_pair *
own(struct key_cache *r, const struct kex *x)
{
	return key_cache_source(r).own(r, x);
}

static inline void
keep(struct key_cache *r, const struct kex *x, unsigned number)
{
	uint8_t other[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX];
	struct key_source source = key_cache_source(r);

	peer(other, number);
	compute(secret, x, own(r, x)->public, number);
	source.keep(source.context, x, other, secret);
}

/* Whether the secret is found.  A wrong one ends the test. */
static inline bool
found(struct key_cache *r, const struct kex *x, unsigned number)
{
	uint8_t other[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX], want[KEX_SECRET_MAX];
	struct key_source source = key_cache_source(r);

	peer(other, number);
	if (!source.find(source.context, x, other, secret))
		return false;
	compute(want, x, own(r, x)->public, number);
	if (memcmp(secret, want, x->secret_len) != 0)
		abort();
	return true;
}

/* A session with a peer whose secret is stored already. */
static inline void
use_again(struct key_cache *r, const struct kex *x, unsigned number)
{
	uint8_t other[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX];
	struct key_source source = key_cache_source(r);

	peer(other, number);
	assert_true(source.find(source.context, x, other, secret));
	source.used(source.context, x, other, secret);
}

/* Opens the cache, stores the secrets of peers from `first` on, closes it. */
static inline void
keep_many(unsigned first, unsigned count)
{
	struct key_cache r;

	opened(&r, &only_new);
	for (unsigned i = 0; i < count; i++)
		keep(&r, &x_new, first + i);
	key_cache_close(&r);
}

static inline enum compact_keep
keep_all(void *context, struct entry entry)
{
	(void)context, (void)entry;
	return COMPACT_KEEP_ALWAYS;
}

/* Puts an entry into the CDB without using the cache. */
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

/* Makes the pair of a version that old. */
static inline void
age(const struct kex *x, int64_t age_s)
{
	uint8_t key[2] = { 'P', (uint8_t)x->version }, value[ENTRY_VALUE_MAX];
	struct store s;
	size_t len;

	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	assert_true(store_find(&s, span(key, 2), value, sizeof(value), &len));
	store_close(&s);
	octets_put64(value, (uint64_t)(clock_wall_s() - age_s));
	plant(span(key, 2), span(value, len));
}

/* Opens the cache again: whether the secret of peer 1 is still found. */
static inline bool
survives(const struct suite_list *suites, const struct kex *x)
{
	struct key_cache r;

	bool there = found(opened(&r, suites), x, 1);
	key_cache_close(&r);
	return there;
}

#endif
