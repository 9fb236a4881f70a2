#include "store/key_cache_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/octets.h"
#include "crypt/hkdf.h"
#include "store/meetings.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define SECRET_KEY_MAX (KEY_HEAD_LEN + 2 * KEX_PUBLIC_MAX)
#define AHEAD_MAX_S 600		/* seconds by which a creation time may be in the future */

_Static_assert(SECRET_KEY_MAX <= ENTRY_KEY_MAX, "a secret's key fits");
_Static_assert(PAIR_MAX <= ENTRY_VALUE_MAX, "a pair fits");
_Static_assert(KEX_SECRET_MAX + USED_LEN <= ENTRY_VALUE_MAX, "a secret fits");

/*
 * Pairs are normally made during maintenance and stored in the CDB.  In the journal, which
 * sessions write, a pair is valid only if sessions make it (pair_on_demand).
 */
static bool
journalled(struct span key)
{
	if (key.at[0] != KIND_PAIR)
		return true;
	for (const struct suite *s = suite_table; key.len == KEY_HEAD_LEN && s->name != NULL; s++)
		if (s->kex->version == key.at[1])
			return s->kex->pair_on_demand;
	return false;
}

enum age { AGE_GOOD, AGE_MISSING, AGE_OUTLIVED };	/* from best to worst */

void
key_cache_put_head(uint8_t key[KEY_HEAD_LEN], uint8_t kind, const struct kex *x)
{
	assert(x->version <= UINT8_MAX);
	key[0] = kind;
	key[1] = (uint8_t)x->version;
}

static struct key_cache_own *
own_of(struct key_cache *r, const struct kex *x)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->own[i].kex == x)
			return &r->own[i];
	return NULL;
}

void
key_cache_forget(struct key_cache_own *own)
{
	octets_wipe(&own->pair, sizeof(own->pair));
	own->made = own->shared = false;
}

static void
note_before(struct key_cache_own *own, const uint8_t *public)
{
	memcpy(own->before, public, own->kex->public_len);
	own->has_before = true;
}

static void
load_before(struct key_cache *r, struct key_cache_own *own)
{
	uint8_t key[KEY_HEAD_LEN], value[KEX_PUBLIC_MAX];
	size_t len;

	key_cache_put_head(key, KIND_BEFORE, own->kex);
	if (store_find(&r->store, span(key, sizeof(key)), value, sizeof(value), &len) &&
	    len == own->kex->public_len)
		note_before(own, value);
}

/* Loads the present pair from the store. */
static enum age
load_pair(struct key_cache *r, struct key_cache_own *own)
{
	const struct kex *x = own->kex;
	uint8_t key[KEY_HEAD_LEN], value[PAIR_MAX];
	size_t len, head_len = TIME_LEN + x->public_len;
	int64_t now_s = r->now_s();

	key_cache_forget(own);
	key_cache_put_head(key, KIND_PAIR, x);
	if (!store_find(&r->store, span(key, sizeof(key)), value, sizeof(value), &len))
		return AGE_MISSING;
	enum age age = AGE_MISSING;
	if (len > head_len && len - head_len <= KEX_PRIVATE_MAX) {
		int64_t created_s = (int64_t)octets_get64(value);
		bool good = created_s > now_s - r->lifetime_s && created_s <= now_s + AHEAD_MAX_S;
		age = good ? AGE_GOOD : AGE_OUTLIVED;
	}
	if (age == AGE_OUTLIVED)
		note_before(own, value + TIME_LEN);
	if (age == AGE_GOOD) {
		load_before(r, own);
		own->pair.private_len = len - head_len;
		memcpy(own->pair.public, value + TIME_LEN, x->public_len);
		memcpy(own->pair.private, value + head_len, own->pair.private_len);
		own->created_s = (int64_t)octets_get64(value);
		own->made = own->shared = true;
	}
	octets_wipe(value, sizeof(value));
	return age;
}

/*
 * Loads all pairs and returns the worst age.  If one pair is outlived, all are replaced
 * together.  A pair made on demand may be missing.
 */
static enum age
load_pairs(struct key_cache *r)
{
	enum age worst = AGE_GOOD;

	for (size_t i = 0; i < r->count; i++) {
		enum age age = load_pair(r, &r->own[i]);

		if (age == AGE_MISSING && r->own[i].kex->pair_on_demand)
			continue;
		worst = age > worst ? age : worst;
	}
	for (size_t i = 0; worst == AGE_OUTLIVED && i < r->count; i++) {
		if (r->own[i].made)
			note_before(&r->own[i], r->own[i].pair.public);
		key_cache_forget(&r->own[i]);
	}
	return worst;
}

/* Loads the pairs and does the maintenance that is due, or all of it. */
static int
maintain(struct key_cache *r, bool everything)
{
	enum age worst = load_pairs(r);
	/* a CDB is made even without pairs: sessions notice by it that entries were replaced */
	if (worst == AGE_GOOD && !store_is_due(&r->store) && !everything && r->store.cdbfd >= 0)
		return 0;
	if (store_lock(&r->store) < 0)
		return -1;
	/* another process may have done the maintenance before we had the lock */
	worst = load_pairs(r);
	int result = 0;
	if (worst != AGE_GOOD || store_is_due(&r->store) || everything || r->store.cdbfd < 0)
		result = key_cache_rebuild(r, everything || worst == AGE_OUTLIVED);
	store_unlock(&r->store);
	return result;
}

static void
add_own(struct key_cache *r, const struct kex *x)
{
	if (x->public_len == 0 || own_of(r, x) != NULL)
		return;
	assert(r->count < KEY_CACHE_VERSIONS);
	r->own[r->count++].kex = x;
}

static void
key_cache_prepare(struct key_cache *r, const struct key_cache_settings *settings)
{
	memset(r, 0, offsetof(struct key_cache, store));
	store_none(&r->store);
	r->lifetime_s = settings->lifetime_s;
	r->entries_max = settings->entries_max;
	r->now_s = settings->now_s != NULL ? settings->now_s : clock_wall_s;
	for (size_t i = 0; i < settings->suites->count; i++)
		add_own(r, settings->suites->at[i]->kex);
	if (settings->directory != NULL)
		r->stored = store_open(&r->store, settings->directory, "keys") == 0;
	r->store.journalled = journalled;
}

void
key_cache_open(struct key_cache *r, const struct key_cache_settings *settings)
{
	key_cache_prepare(r, settings);
	if (r->stored && maintain(r, false) < 0)
		log_debug("no maintenance of the key cache: %s", strerror(errno));
}

void
key_cache_leave_directory(struct key_cache *r)
{
	store_leave_directory(&r->store);
}

int
key_cache_expire(const struct key_cache_settings *settings)
{
	struct key_cache r;
	int result = 0;

	if (settings->directory == NULL)
		return 0;
	key_cache_prepare(&r, settings);
	if (!r.stored || maintain(&r, true) < 0) {
		if (r.stored)
			log_line(LOG_WARNING, "%s: cannot remove expired keys: %s",
			    settings->directory, strerror(errno));
		result = -1;
	}
	key_cache_close(&r);
	return result;
}

/*
 * Takes the pair that another process has stored; if there is none, stores ours, if it is made.
 * If that fails, only this process uses our pair.
 */
static void
share(struct key_cache *r, struct key_cache_own *own)
{
	struct key_cache_own stored = { .kex = own->kex };
	uint8_t key[KEY_HEAD_LEN], value[PAIR_MAX];

	if (!r->stored || store_lock_to_append(&r->store) < 0)
		return;
	if (load_pair(r, &stored) == AGE_GOOD) {
		*own = stored;
	} else if (own->made) {
		key_cache_put_head(key, KIND_PAIR, own->kex);
		own->shared = store_append_locked(&r->store, span(key, sizeof(key)),
		    span(value, key_cache_put_pair(value, own))) == 0;
	}
	store_unlock(&r->store);
	octets_wipe(&stored, sizeof(stored));
	octets_wipe(value, sizeof(value));
}

/*
 * A session that started before its pair expired may use it for AHEAD_MAX_S more: until then the
 * host key statement about it is valid.
 */
static bool
is_past_use(const struct key_cache *r, const struct key_cache_own *own)
{
	return own->shared && r->now_s() > own->created_s + r->lifetime_s + AHEAD_MAX_S;
}

static const struct kex_pair *
source_own(void *context, const struct kex *x)
{
	struct key_cache_own *own = own_of(context, x);

	if (own == NULL)
		return NULL;
	if (!own->made && x->pair_on_demand)
		share(context, own);	/* another process may have made it meanwhile */
	if (own->made && is_past_use(context, own))
		return NULL;
	if (own->made)
		return &own->pair;
	if (key_cache_make_pair(context, own) < 0)
		return NULL;
	if (x->pair_on_demand)
		share(context, own);
	return &own->pair;
}

/*
 * Writes the store's key for the secret shared with a peer.  Its length; 0: it is not to be
 * stored.
 */
static size_t
secret_key(uint8_t key[SECRET_KEY_MAX], struct key_cache *r, const struct kex *x,
    const uint8_t *peer_public)
{
	const struct key_cache_own *own = own_of(r, x);

	if (own == NULL || !own->shared || !x->cached)
		return 0;
	key_cache_put_head(key, KIND_SECRET, x);
	memcpy(key + KEY_HEAD_LEN, own->pair.public, x->public_len);
	memcpy(key + KEY_HEAD_LEN + x->public_len, peer_public, x->public_len);
	return KEY_HEAD_LEN + 2 * x->public_len;
}

static bool
source_find(void *context, const struct kex *x, const uint8_t *peer_public, uint8_t *secret)
{
	struct key_cache *r = context;
	uint8_t key[SECRET_KEY_MAX], found[KEX_SECRET_MAX + USED_LEN];
	size_t key_len = secret_key(key, r, x, peer_public), len = 0;
	bool good = key_len > 0 &&
	    store_find(&r->store, span(key, key_len), found, sizeof(found), &len) &&
	    (len == x->secret_len || len == x->secret_len + USED_LEN);

	r->noted = good && len > x->secret_len;
	if (good)
		memcpy(secret, found, x->secret_len);
	octets_wipe(found, len);
	return good;
}

static void
source_keep(void *context, const struct kex *x, const uint8_t *peer_public,
    const uint8_t *secret)
{
	struct key_cache *r = context;
	uint8_t key[SECRET_KEY_MAX];
	size_t key_len = secret_key(key, r, x, peer_public);

	if (key_len > 0 &&
	    store_append(&r->store, span(key, key_len), span(secret, x->secret_len)) < 0)
		log_debug("cannot store a shared secret: %s", strerror(errno));
}

/* Marks a secret as used, once: later look-ups write nothing. */
static void
source_used(void *context, const struct kex *x, const uint8_t *peer_public,
    const uint8_t *secret)
{
	struct key_cache *r = context;
	uint8_t key[SECRET_KEY_MAX], value[KEX_SECRET_MAX + USED_LEN];
	size_t key_len = r->noted ? 0 : secret_key(key, r, x, peer_public);

	memcpy(value, secret, x->secret_len);
	value[x->secret_len] = 1;
	if (key_len > 0 && store_append(&r->store, span(key, key_len),
	    span(value, x->secret_len + USED_LEN)) < 0)
		log_debug("cannot mark a shared secret as used: %s", strerror(errno));
	octets_wipe(value, sizeof(value));
}

struct key_source
key_cache_source(struct key_cache *r)
{
	return (struct key_source){
		.context = r,
		.own = source_own,
		.find = source_find,
		.keep = source_keep,
		.used = source_used,
		.keep_s = meetings_keep_s,
		.find_id = meetings_find_id,
		.keep_id = meetings_keep_id,
		.used_id = meetings_used_id,
		.find_host = meetings_find_host,
		.keep_host = meetings_keep_host,
		.forget_host = meetings_forget_host,
		.is_own = meetings_is_own,
	};
}

uint32_t
key_cache_ticket_key(struct key_cache *r, uint8_t key[KEY_CACHE_TICKET_LEN])
{
	const struct key_cache_own *own = own_of(r, &kex_hybrid);
	uint8_t prk[HKDF_PRK_LEN];
	int64_t left_s = 0;

	if (own != NULL && own->made && own->shared)
		left_s = own->created_s + r->lifetime_s - r->now_s();
	if (left_s <= 0 || left_s > UINT32_MAX ||
	    hkdf_extract(prk, SPAN("blackpony TLS tickets"),
	    span(own->pair.private, own->pair.private_len)) < 0 ||
	    hkdf_expand(key, KEY_CACHE_TICKET_LEN, prk, span(NULL, 0)) < 0)
		left_s = 0;
	octets_wipe(prk, sizeof(prk));
	return (uint32_t)left_s;
}

void
key_cache_for_client(struct key_cache *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->own[i].kex == &kex_hybrid)
			octets_wipe(r->own[i].pair.private, sizeof(r->own[i].pair.private));
}

void
key_cache_settle(struct key_cache *r)
{
	for (size_t i = 0; i < r->count; i++)
		octets_wipe(r->own[i].pair.private, sizeof(r->own[i].pair.private));
	store_only_append(&r->store);
}

void
key_cache_done(struct key_cache *r)
{
	bool stored = r->stored;

	key_cache_close(r);
	r->stored = stored;
}

void
key_cache_close(struct key_cache *r)
{
	store_close(&r->store);
	octets_wipe(r, offsetof(struct key_cache, store));
	store_none(&r->store);
}
