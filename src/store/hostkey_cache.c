#include "store/hostkey_cache.h"

#include "base/log.h"
#include "base/octets.h"
#include "store/meetings.h"

#include <errno.h>
#include <string.h>

/*
 * Entries in the key cache's store.  Each key contains the own public key, so that the entry is
 * dropped with the pair:
 *
 *   'I' version own-public host-public			until (8 octets), signature
 *   'N' version own-public host-public next-public	until (8 octets), signature
 *   'V' version own-public peer-public			until, digest of the lines, host key, and
 *							the next host key if it was announced
 */

#define TIME_LEN 8
#define ID_LEN (TIME_LEN + HOSTKEY_SIGNATURE_LEN)
#define KEY_MAX (2 + HOSTKEY_SHORT_LEN + 2 * HOSTKEY_PUBLIC_LEN)
#define VERIFIED_LEN (TIME_LEN + HOSTKEY_DIGEST_LEN + HOSTKEY_PUBLIC_LEN)
#define VERIFIED_MAX (VERIFIED_LEN + HOSTKEY_PUBLIC_LEN)

_Static_assert(KEY_MAX <= ENTRY_KEY_MAX && VERIFIED_MAX <= ENTRY_VALUE_MAX, "they are entries");

/* Our short key, made if there is none yet; NULL when that fails. */
static const struct key_cache_own *
own_pair(struct key_cache *r, const struct kex *x)
{
	if (x->public_len != HOSTKEY_SHORT_LEN || key_cache_source(r).own(r, x) == NULL)
		return NULL;
	for (size_t i = 0; i < r->count; i++)
		if (r->own[i].kex == x)
			return &r->own[i];
	return NULL;
}

/* Writes an entry's key: kind, version, own public key, and what the entry is about. */
static struct span
hostkey_cache_put_key(uint8_t mem[KEY_MAX], uint8_t kind, const struct key_cache_own *own,
    struct span about, struct span more)
{
	const uint8_t head[2] = { kind, (uint8_t)own->kex->version };
	struct buf key;

	buf_init(&key, mem, KEY_MAX);
	buf_put(&key, span(head, sizeof(head)));
	buf_put(&key, span(own->pair.public, HOSTKEY_SHORT_LEN));
	buf_put(&key, about);
	buf_put(&key, more);
	return buf_peek(&key);
}

/* Only for key pairs stored in the shared cache. */
static bool
find(struct key_cache *r, const struct key_cache_own *own, struct span key, uint8_t *value,
    size_t room, size_t *len)
{
	return own->shared && store_find(&r->store, key, value, room, len);
}

static void
hostkey_cache_keep(struct key_cache *r, const struct key_cache_own *own, struct span key,
    struct span value)
{
	if (own->shared && store_append(&r->store, key, value) < 0)
		log_debug("cannot store a host key statement: %s", strerror(errno));
}

int
hostkey_cache_id(struct key_cache *r, const struct kex *x, const struct hostkey *host,
    struct hostkey_id *id)
{
	const struct key_cache_own *own = own_pair(r, x);
	uint8_t mem[KEY_MAX], value[ID_LEN];
	size_t len;

	if (own == NULL)
		return -1;
	/* a pair that is not shared is used only by this process, which ends soon */
	int64_t until_s = own->created_s + HOSTKEY_ALLOWANCE_S + (own->shared ? r->lifetime_s : 0);
	struct span key = hostkey_cache_put_key(mem, KEY_CACHE_ID, own,
	    span(host->public, sizeof(host->public)), span(NULL, 0));
	if (find(r, own, key, value, sizeof(value), &len) && len == ID_LEN &&
	    octets_get64(value) == (uint64_t)until_s) {
		memcpy(id->public, host->public, sizeof(id->public));
		id->until_s = until_s;
		memcpy(id->signature, value + TIME_LEN, sizeof(id->signature));
		return 0;
	}
	if (hostkey_sign_id(id, host, own->pair.public, until_s) < 0)
		return -1;
	octets_put64(value, (uint64_t)until_s);
	memcpy(value + TIME_LEN, id->signature, sizeof(id->signature));
	hostkey_cache_keep(r, own, key, span(value, ID_LEN));
	return 0;
}

int
hostkey_cache_next(struct key_cache *r, const struct kex *x, const struct hostkey *host,
    int64_t until_s, const uint8_t next_public[HOSTKEY_PUBLIC_LEN], struct hostkey_next *next)
{
	const struct key_cache_own *own = own_pair(r, x);
	uint8_t mem[KEY_MAX], value[ID_LEN];
	size_t len;

	if (own == NULL)
		return -1;
	struct span key = hostkey_cache_put_key(mem, KEY_CACHE_NEXT, own,
	    span(host->public, sizeof(host->public)), span(next_public, HOSTKEY_PUBLIC_LEN));
	if (find(r, own, key, value, sizeof(value), &len) && len == ID_LEN &&
	    octets_get64(value) == (uint64_t)until_s) {
		memcpy(next->public, next_public, sizeof(next->public));
		memcpy(next->short_public, own->pair.public, sizeof(next->short_public));
		next->until_s = until_s;
		memcpy(next->signature, value + TIME_LEN, sizeof(next->signature));
		return 0;
	}
	if (hostkey_sign_next(next, host, own->pair.public, until_s, next_public) < 0)
		return -1;
	octets_put64(value, (uint64_t)until_s);
	memcpy(value + TIME_LEN, next->signature, sizeof(next->signature));
	hostkey_cache_keep(r, own, key, span(value, ID_LEN));
	return 0;
}

static size_t
put_verified(uint8_t value[VERIFIED_MAX], const struct verified_statement *v,
    const uint8_t digest[HOSTKEY_DIGEST_LEN])
{
	struct buf out;

	octets_put64(value, (uint64_t)v->until_s);
	buf_init(&out, value + TIME_LEN, VERIFIED_MAX - TIME_LEN);
	buf_put(&out, span(digest, HOSTKEY_DIGEST_LEN));
	buf_put(&out, span(v->public, sizeof(v->public)));
	if (v->has_next)
		buf_put(&out, span(v->next.public, sizeof(v->next.public)));
	return TIME_LEN + buf_len(&out);
}

static bool
get_next(struct hostkey_next *next, const uint8_t *peer_public, struct span line)
{
	memcpy(next->short_public, peer_public, sizeof(next->short_public));
	return hostkey_get_next(next, line);
}

/* Whether the cache says that these lines were verified before. */
static bool
find_verified(struct key_cache *r, const struct key_cache_own *own, struct span key,
    const uint8_t *peer_public, struct span next_line, const uint8_t digest[HOSTKEY_DIGEST_LEN], struct verified_statement *v)
{
	uint8_t value[VERIFIED_MAX];
	const uint8_t *at = value + TIME_LEN;
	size_t len;

	if (!find(r, own, key, value, sizeof(value), &len) ||
	    (len != VERIFIED_LEN && len != VERIFIED_MAX) ||
	    !span_equal(span(at, HOSTKEY_DIGEST_LEN), span(digest, HOSTKEY_DIGEST_LEN)))
		return false;
	at += HOSTKEY_DIGEST_LEN;
	v->until_s = (int64_t)octets_get64(value);
	memcpy(v->public, at, sizeof(v->public));
	v->has_next = len == VERIFIED_MAX && get_next(&v->next, peer_public, next_line) &&
	    memcmp(v->next.public, at + HOSTKEY_PUBLIC_LEN, sizeof(v->next.public)) == 0;
	return true;
}

/* Verifies the lines with public-key operations. */
static enum statement_verdict
verify(const uint8_t *peer_public, struct span id_line, struct span next_line, int64_t now_s,
    struct verified_statement *v)
{
	struct hostkey_id id;

	if (!hostkey_get_id(&id, id_line))
		return STATEMENT_INVALID;
	if (!hostkey_in_time(id.until_s, now_s))
		return STATEMENT_EXPIRED;
	if (!hostkey_verify_id(&id, peer_public))
		return STATEMENT_INVALID;
	v->until_s = id.until_s;
	memcpy(v->public, id.public, sizeof(v->public));
	v->has_next = get_next(&v->next, peer_public, next_line) &&
	    v->next.until_s == id.until_s && hostkey_verify_next(&v->next, id.public);
	return STATEMENT_GOOD;
}

static enum statement_verdict
check(struct key_cache *r, const struct kex *x, const uint8_t *peer_public,
    struct span id_line, struct span next_line, int64_t now_s, struct verified_statement *v)
{
	const struct key_cache_own *own = own_pair(r, x);
	uint8_t mem[KEY_MAX], digest[HOSTKEY_DIGEST_LEN], value[VERIFIED_MAX];

	*v = (struct verified_statement){ .until_s = 0 };
	if (id_line.len == 0 || own == NULL)
		return STATEMENT_NONE;
	if (hostkey_digest(digest, id_line, next_line) < 0)
		return STATEMENT_INVALID;
	struct span key = hostkey_cache_put_key(mem, KEY_CACHE_VERIFIED, own,
	    span(peer_public, HOSTKEY_SHORT_LEN), span(NULL, 0));
	if (find_verified(r, own, key, peer_public, next_line, digest, v))
		return hostkey_in_time(v->until_s, now_s) ? STATEMENT_GOOD : STATEMENT_EXPIRED;
	enum statement_verdict verdict = verify(peer_public, id_line, next_line, now_s, v);
	if (verdict == STATEMENT_GOOD)
		hostkey_cache_keep(r, own, key, span(value, put_verified(value, v, digest)));
	return verdict;
}

enum statement_verdict
hostkey_cache_check(struct key_cache *r, const struct kex *x, const uint8_t *peer_public,
    struct span id_line, struct span next_line, int64_t now_s, struct verified_statement *v)
{
	enum statement_verdict verdict = check(r, x, peer_public, id_line, next_line, now_s, v);

	/* a statement that does not verify is not passed on */
	if (!v->has_next)
		v->next = (struct hostkey_next){ .until_s = 0 };
	if (verdict == STATEMENT_GOOD)
		meetings_set_until(r, v->until_s);
	return verdict;
}
