#include "store/certificate_cache.h"

#include "base/log.h"
#include "base/octets.h"

#include <errno.h>
#include <string.h>

/*
 * In the key cache's store:
 *
 *   'T' 0 digest	when it was stored, the end of validity (8 octets each), the fault
 */
#define DAY_S 86400
#define TIME_LEN 8
#define CERTIFICATE_KEY_OCTETS (2 + CERTIFICATE_CACHE_DIGEST_LEN)
#define NOTE_LEN (2 * TIME_LEN + 1)

static void
put_note_key(uint8_t key[CERTIFICATE_KEY_OCTETS], const uint8_t *digest)
{
	key[0] = KEY_CACHE_CERTIFICATE;
	key[1] = 0;
	memcpy(key + 2, digest, CERTIFICATE_CACHE_DIGEST_LEN);
}

/* A clock that was put back makes a note old, too. */
static bool
is_of_last_day(const uint8_t *value, int64_t now_s)
{
	int64_t stored_s = (int64_t)octets_get64(value);

	return stored_s <= now_s && now_s - stored_s < DAY_S;
}

bool
certificate_cache_find(struct key_cache *cache,
    const uint8_t digest[CERTIFICATE_CACHE_DIGEST_LEN], struct certificate_note *note)
{
	uint8_t key[CERTIFICATE_KEY_OCTETS], value[NOTE_LEN];
	size_t len;

	put_note_key(key, digest);
	if (!cache->stored ||
	    !store_find(&cache->store, span(key, sizeof(key)), value, sizeof(value), &len) ||
	    len != NOTE_LEN || !is_of_last_day(value, cache->now_s()))
		return false;
	note->until_s = (int64_t)octets_get64(value + TIME_LEN);
	note->fault = value[2 * TIME_LEN];
	return true;
}

void
certificate_cache_keep(struct key_cache *cache,
    const uint8_t digest[CERTIFICATE_CACHE_DIGEST_LEN], const struct certificate_note *note)
{
	uint8_t key[CERTIFICATE_KEY_OCTETS], value[NOTE_LEN];

	put_note_key(key, digest);
	octets_put64(value, (uint64_t)cache->now_s());
	octets_put64(value + TIME_LEN, (uint64_t)note->until_s);
	value[2 * TIME_LEN] = note->fault;
	if (cache->stored &&
	    store_append(&cache->store, span(key, sizeof(key)), span(value, sizeof(value))) < 0)
		log_debug("cannot note that the certificate was checked: %s", strerror(errno));
}

enum compact_keep
certificate_cache_worth(struct entry entry, int64_t now_s)
{
	struct span value;

	if (!entry_open(&value, entry.key, entry.sealed) || value.len != NOTE_LEN ||
	    !is_of_last_day(value.at, now_s))
		return COMPACT_DROP;
	return COMPACT_KEEP_ALWAYS;
}
