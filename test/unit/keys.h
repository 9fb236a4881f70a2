/*
 * A key source in memory: a host's pairs, its shared secrets, and its pre-shared secrets of 2.0.
 */
#ifndef TEST_KEYS_H
#define TEST_KEYS_H

#include "unit.h"

#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"

#define KEYS_EXCHANGES 3
#define KEYS_KEPT 8
#define KEYS_LIFE_S 7200	/* seconds for which a server knows an id */
#define KEYS_OFFER_MAX 512

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
	bool none;		/* no pair is available */

	/* 2.0: secrets as a server, and one as a client */
	struct hybrid_kept ids[KEYS_KEPT];
	size_t id_count;
	unsigned id_uses;
	bool keeps_nothing;
	struct hybrid_kept host;
	uint8_t host_offer[KEYS_OFFER_MAX];
	size_t host_offer_len;		/* 0: no entry */
	unsigned host_keep_s, host_keeps, forgets;
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

static inline unsigned
keys_keep_s(void *context, const struct kex *x)
{
	const struct keys *k = context;

	assert_ptr_equal(x, &kex_hybrid);
	return k->keeps_nothing ? 0 : KEYS_LIFE_S;
}

/* The position of that id, or of the first free place. */
static inline size_t
keys_id_index(const struct keys *k, const uint8_t id[HYBRID_ID_LEN])
{
	size_t i = 0;

	while (i < k->id_count && memcmp(k->ids[i].id, id, HYBRID_ID_LEN) != 0)
		i++;
	return i;
}

static inline bool
keys_find_id(void *context, struct hybrid_kept *kept)
{
	struct keys *k = context;
	size_t i = keys_id_index(k, kept->id);

	if (i == k->id_count)
		return false;
	*kept = k->ids[i];
	return true;
}

static inline void
keys_keep_id(void *context, const struct hybrid_kept *kept)
{
	struct keys *k = context;

	assert_true(k->id_count < KEYS_KEPT && keys_id_index(k, kept->id) == k->id_count);
	k->ids[k->id_count++] = *kept;
}

/* Asserts that the entry is the stored one. */
static inline void
keys_used_id(void *context, const struct hybrid_kept *kept)
{
	struct keys *k = context;
	size_t i = keys_id_index(k, kept->id);

	assert_true(i < k->id_count);
	assert_memory_equal(&k->ids[i], kept, sizeof(*kept));
	k->id_uses++;
}

static inline bool
keys_find_host(void *context, struct hybrid_kept *kept, uint8_t *offer, size_t room,
    size_t *offer_len)
{
	struct keys *k = context;

	if (k->host_offer_len == 0)
		return false;
	assert_true(k->host_offer_len <= room);
	*kept = k->host;
	memcpy(offer, k->host_offer, k->host_offer_len);
	*offer_len = k->host_offer_len;
	return true;
}

static inline void
keys_keep_host(void *context, const struct hybrid_kept *kept, struct span offer, unsigned keep_s)
{
	struct keys *k = context;

	assert_true(offer.len > 0 && offer.len <= KEYS_OFFER_MAX);
	k->host = *kept;
	memcpy(k->host_offer, offer.at, offer.len);
	k->host_offer_len = offer.len;
	k->host_keep_s = keep_s;
	k->host_keeps++;
}

static inline void
keys_forget_host(void *context)
{
	struct keys *k = context;

	k->host_offer_len = 0;
	k->forgets++;
}

static inline bool
keys_is_own(void *context, const uint8_t *server_public)
{
	return memcmp(keys_own(context, &kex_hybrid)->public, server_public, X25519_LEN) == 0;
}

static inline struct key_source
keys_source(struct keys *k)
{
	return (struct key_source){
		.context = k,
		.own = keys_own,
		.find = keys_find,
		.keep = keys_keep,
		.used = keys_used,
		.keep_s = keys_keep_s,
		.find_id = keys_find_id,
		.keep_id = keys_keep_id,
		.used_id = keys_used_id,
		.find_host = keys_find_host,
		.keep_host = keys_keep_host,
		.forget_host = keys_forget_host,
		.is_own = keys_is_own,
	};
}

static inline void
suites_named(struct suite_list *list, const char *names)
{
	struct span culprit;

	assert_int_equal(suite_list_read(list, span_of(names), &culprit), 0);
}

#endif
