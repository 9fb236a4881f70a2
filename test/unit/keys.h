/* A key source in memory: one host's pairs, and the secrets that it was given. */
#ifndef TEST_KEYS_H
#define TEST_KEYS_H

#include "unit.h"

#include "crypt/suite.h"

#define KEYS_EXCHANGES 3
#define KEYS_KEPT 8

struct keys {
	struct {
		const struct kex *x;
		struct kex_pair pair;
	} own[KEYS_EXCHANGES];
	struct {
		const struct kex *x;
		uint8_t public[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX];
	} kept[KEYS_KEPT];
	size_t kept_count;
	unsigned keeps, uses;	/* number of calls of keep() and used() */
	bool none;		/* there is no pair */
};

static inline const struct kex_pair *
keys_own(void *context, const struct kex *x)
{
	struct keys *k = context;
	size_t i = 0;

	if (k->none)
		return NULL;
	while (i < KEYS_EXCHANGES && k->own[i].x != NULL && k->own[i].x != x)
		i++;
	assert_true(i < KEYS_EXCHANGES);
	if (k->own[i].x == NULL) {
		assert_int_equal(x->pair(&k->own[i].pair), 0);
		k->own[i].x = x;
	}
	return &k->own[i].pair;
}

/* Where the secret shared with `public` is stored, or would be. */
static inline size_t
keys_index(const struct keys *k, const struct kex *x, const uint8_t *public)
{
	size_t i = 0;

	while (i < k->kept_count && !(k->kept[i].x == x &&
	    memcmp(k->kept[i].public, public, x->public_len) == 0))
		i++;
	return i;
}

static inline bool
keys_find(void *context, const struct kex *x, const uint8_t *public, uint8_t *secret)
{
	struct keys *k = context;
	size_t i = keys_index(k, x, public);

	if (i == k->kept_count)
		return false;
	memcpy(secret, k->kept[i].secret, x->secret_len);
	return true;
}

static inline void
keys_keep(void *context, const struct kex *x, const uint8_t *public, const uint8_t *secret)
{
	struct keys *k = context;
	size_t i = keys_index(k, x, public);

	assert_true(i < KEYS_KEPT);
	k->keeps++;
	k->kept_count += i == k->kept_count;
	k->kept[i].x = x;
	memcpy(k->kept[i].public, public, x->public_len);
	memcpy(k->kept[i].secret, secret, x->secret_len);
}

/* Checks that the secret is the stored one. */
static inline void
keys_used(void *context, const struct kex *x, const uint8_t *public, const uint8_t *secret)
{
	struct keys *k = context;
	size_t i = keys_index(k, x, public);

	assert_true(i < k->kept_count);
	assert_memory_equal(k->kept[i].secret, secret, x->secret_len);
	k->uses++;
}

static inline struct key_source
keys_source(struct keys *k)
{
	return (struct key_source){ k, keys_own, keys_find, keys_keep, keys_used };
}

static inline void
suites_named(struct suite_list *list, const char *names)
{
	struct span culprit;

	assert_int_equal(suite_list_read(list, span_of(names), &culprit), 0);
}

#endif
