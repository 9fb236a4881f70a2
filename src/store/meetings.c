#include "store/meetings.h"

#include "base/log.h"
#include "base/octets.h"
#include "crypt/sha256.h"

#include <errno.h>
#include <string.h>

/*
 * Entries in the key cache's store, by key and value:
 *
 *   'C' version own-public id	  server: R, hash of the client's address (8 octets); one more
 *				  octet (1) after the entry was used again
 *   'H' version own-public host  client: time when it was stored and time when it expires (8
 *				  octets each), id, R, Sb, offer; or only two zero times:
 *				  forgotten
 *
 * `host` is SHA-256 over name, address and port.
 */

#define HEAD_LEN (2 + X25519_LEN)
#define CLIENT_KEY_LEN (HEAD_LEN + HYBRID_ID_LEN)
#define HOST_KEY_LEN (HEAD_LEN + KEY_CACHE_HOST_LEN)
#define CLIENT_LEN (HYBRID_SECRET_LEN + KEY_CACHE_MARK_LEN)
#define TIMES_LEN 16
#define HOST_LEN (TIMES_LEN + HYBRID_ID_LEN + HYBRID_SECRET_LEN + X25519_LEN)
#define OFFER_MAX 512
#define IPV6_NETWORK_LEN 8	/* octets; a host can use any address of its /64 */

_Static_assert(HOST_LEN + OFFER_MAX <= ENTRY_VALUE_MAX, "a host's entry fits");

void
meetings_set_host(struct key_cache *cache, const char *name, struct span address, uint16_t port)
{
	uint8_t port_octets[2];
	const struct span parts[] = { span_of(name), SPAN("\0"), address,
		span(port_octets, sizeof(port_octets)) };

	octets_put16(port_octets, port);
	/* mbedTLS's software SHA-256 cannot fail; if it did, the host would answer 450 to the id */
	if (sha256_parts(cache->host, parts, 4) < 0)
		memset(cache->host, 0, sizeof(cache->host));
	cache->until_s = INT64_MAX;
}

void
meetings_set_client(struct key_cache *cache, const struct address *address)
{
	struct span network = address_octets(address);
	uint8_t digest[SHA256_LEN] = { 0 };

	if (network.len > IPV6_NETWORK_LEN)
		network.len = IPV6_NETWORK_LEN;
	(void)sha256_parts(digest, &network, 1);
	memcpy(cache->client_mark, digest, sizeof(cache->client_mark));
}

void
meetings_set_until(struct key_cache *cache, int64_t until_s)
{
	cache->until_s = until_s;
}

static const struct key_cache_own *
own_of_2_0(const struct key_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		if (cache->own[i].kex == &kex_hybrid)
			return &cache->own[i];
	return NULL;
}

/*
 * Puts the key of an entry (at most HOST_KEY_LEN octets).  Returns its length, or 0: nothing is
 * stored, because no other process has our pair.
 */
static size_t
put_key(uint8_t *key, const struct key_cache *cache, uint8_t kind, struct span about)
{
	const struct key_cache_own *own = own_of_2_0(cache);

	if (own == NULL || !own->shared)
		return 0;
	key[0] = kind;
	key[1] = KEX_VERSION_2_0;
	memcpy(key + 2, own->pair.public, X25519_LEN);
	memcpy(key + HEAD_LEN, about.at, about.len);
	return HEAD_LEN + about.len;
}

static void
append(struct key_cache *cache, struct span key, struct span value)
{
	if (store_append(&cache->store, key, value) < 0)
		log_debug("a meeting is not kept: %s", strerror(errno));
}

/* Seconds from now until `then_s`, limited to 0..`most`. */
static unsigned
seconds_left(int64_t now_s, int64_t then_s, unsigned most)
{
	if (then_s <= now_s)
		return 0;
	return then_s - now_s < most ? (unsigned)(then_s - now_s) : most;
}

unsigned
meetings_keep_s(void *context, const struct kex *x)
{
	const struct key_cache *cache = context;
	const struct key_cache_own *own = own_of_2_0(cache);

	if (own == NULL || own->kex != x || !own->shared || !cache->store.writable)
		return 0;
	return seconds_left(cache->now_s(), own->created_s + cache->lifetime_s, HYBRID_KEEP_MAX);
}

bool
meetings_find_id(void *context, struct hybrid_kept *kept)
{
	struct key_cache *cache = context;
	uint8_t key[HOST_KEY_LEN], value[CLIENT_LEN + 1];
	size_t key_len = put_key(key, cache, KEY_CACHE_CLIENT, span(kept->id, HYBRID_ID_LEN));
	size_t len = 0;
	bool good = key_len > 0 &&
	    store_find(&cache->store, span(key, key_len), value, sizeof(value), &len) &&
	    len >= CLIENT_LEN;

	cache->noted = good && len > CLIENT_LEN;
	if (good) {
		memcpy(kept->secret, value, HYBRID_SECRET_LEN);
		memcpy(kept->server, own_of_2_0(cache)->pair.public, X25519_LEN);
	}
	octets_wipe(value, sizeof(value));
	return good;
}

static void
append_client(struct key_cache *cache, const struct hybrid_kept *kept, bool used)
{
	uint8_t key[HOST_KEY_LEN], value[CLIENT_LEN + 1];
	size_t key_len = put_key(key, cache, KEY_CACHE_CLIENT, span(kept->id, HYBRID_ID_LEN));

	memcpy(value, kept->secret, HYBRID_SECRET_LEN);
	memcpy(value + HYBRID_SECRET_LEN, cache->client_mark, KEY_CACHE_MARK_LEN);
	value[CLIENT_LEN] = 1;
	/* the pair may have been replaced since: then the entry is dropped */
	if (key_len > 0 && meetings_keep_s(cache, &kex_hybrid) > 0)
		append(cache, span(key, key_len), span(value, CLIENT_LEN + used));
	octets_wipe(value, sizeof(value));
}

void
meetings_keep_id(void *context, const struct hybrid_kept *kept)
{
	append_client(context, kept, false);
}

/* Marks an entry at its second use only, so that a look-up by itself writes nothing. */
void
meetings_used_id(void *context, const struct hybrid_kept *kept)
{
	const struct key_cache *cache = context;

	if (!cache->noted)
		append_client(context, kept, true);
}

/* Whether an entry with these times is valid now. */
static bool
in_time(const uint8_t *times, int64_t now_s)
{
	int64_t kept_s = (int64_t)octets_get64(times), until_s = (int64_t)octets_get64(times + 8);

	return kept_s <= now_s && now_s < until_s;
}

bool
meetings_find_host(void *context, struct hybrid_kept *kept, uint8_t *offer, size_t room,
    size_t *offer_len)
{
	struct key_cache *cache = context;
	uint8_t key[HOST_KEY_LEN], value[HOST_LEN + OFFER_MAX];
	size_t key_len = put_key(key, cache, KEY_CACHE_HOST, span(cache->host, sizeof(cache->host)));
	size_t len = 0;
	bool good = key_len > 0 &&
	    store_find(&cache->store, span(key, key_len), value, sizeof(value), &len) &&
	    len > HOST_LEN && len - HOST_LEN <= room && in_time(value, cache->now_s());

	if (good) {
		const uint8_t *at = value + TIMES_LEN;
		memcpy(kept->id, at, HYBRID_ID_LEN);
		memcpy(kept->secret, at + HYBRID_ID_LEN, HYBRID_SECRET_LEN);
		memcpy(kept->server, at + HYBRID_ID_LEN + HYBRID_SECRET_LEN, X25519_LEN);
		*offer_len = len - HOST_LEN;
		memcpy(offer, value + HOST_LEN, *offer_len);
	}
	octets_wipe(value, sizeof(value));
	return good;
}

void
meetings_keep_host(void *context, const struct hybrid_kept *kept, struct span offer,
    unsigned keep_s)
{
	struct key_cache *cache = context;
	uint8_t key[HOST_KEY_LEN], value[HOST_LEN + OFFER_MAX];
	size_t key_len = put_key(key, cache, KEY_CACHE_HOST, span(cache->host, sizeof(cache->host)));
	int64_t now_s = cache->now_s(), life_s = keep_s;
	struct buf out;

	if (key_len == 0 || offer.len > OFFER_MAX)
		return;
	if (life_s > cache->lifetime_s)
		life_s = cache->lifetime_s;
	octets_put64(value, (uint64_t)now_s);
	octets_put64(value + 8, (uint64_t)(now_s + life_s < cache->until_s ? now_s + life_s :
									     cache->until_s));
	buf_init(&out, value + TIMES_LEN, sizeof(value) - TIMES_LEN);
	buf_put(&out, span(kept->id, HYBRID_ID_LEN));
	buf_put(&out, span(kept->secret, HYBRID_SECRET_LEN));
	buf_put(&out, span(kept->server, X25519_LEN));
	buf_put(&out, offer);
	append(cache, span(key, key_len), span(value, HOST_LEN + offer.len));
	octets_wipe(value, sizeof(value));
}

void
meetings_forget_host(void *context)
{
	static const uint8_t never[TIMES_LEN];
	struct key_cache *cache = context;
	uint8_t key[HOST_KEY_LEN];
	size_t key_len = put_key(key, cache, KEY_CACHE_HOST, span(cache->host, sizeof(cache->host)));

	if (key_len > 0)
		append(cache, span(key, key_len), span(never, sizeof(never)));
}

bool
meetings_is_own(void *context, const uint8_t *server_public)
{
	const struct key_cache_own *own = own_of_2_0(context);

	return own != NULL && ((own->made &&
	    memcmp(own->pair.public, server_public, X25519_LEN) == 0) ||
	    (own->has_before && memcmp(own->before, server_public, X25519_LEN) == 0));
}

/* Any client can fill the store with entries: of each client address only the newest few stay. */
static enum compact_keep
client_worth(struct meetings_count *count, struct span value)
{
	if (value.len != CLIENT_LEN && value.len != CLIENT_LEN + 1)
		return COMPACT_DROP;
	size_t slot = octets_get16(value.at + HYBRID_SECRET_LEN);
	if (count->of_client[slot] >= MEETINGS_PER_CLIENT)
		return COMPACT_DROP;
	count->of_client[slot]++;
	return value.len > CLIENT_LEN ? COMPACT_KEEP_LONGER : COMPACT_KEEP;
}

enum compact_keep
meetings_worth(struct meetings_count *count, struct entry entry, int64_t now_s)
{
	struct span value;

	if (!entry_open(&value, entry.key, entry.sealed))
		return COMPACT_DROP;
	if (entry.key.at[0] == KEY_CACHE_CLIENT)
		return client_worth(count, value);
	/* clients cannot cause such entries, and must not displace them */
	return value.len > HOST_LEN && in_time(value.at, now_s) ? COMPACT_KEEP_LONGEST : COMPACT_DROP;
}
