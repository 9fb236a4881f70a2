#include "store/key_cache_internal.h"

#include "base/log.h"
#include "base/octets.h"
#include "store/certificate_cache.h"
#include "store/meetings.h"

#include <string.h>

struct keeping {
	const struct key_cache *cache;
	bool only_ours;		/* drop entries of versions that are not enabled here */
	struct meetings_count meetings;
};

/*
 * Any host that connects once leaves a secret here.  A secret that was used again has saved a
 * computation and will again.  Verified statements belong to hosts that we connect to.  There are
 * only few signed statements of our own.
 */
static enum compact_keep
secret_worth(uint8_t kind, struct entry entry, const struct key_cache_own *own)
{
	struct span value;

	if (kind == KEY_CACHE_ID || kind == KEY_CACHE_NEXT)
		return COMPACT_KEEP_ALWAYS;
	if (kind == KEY_CACHE_VERIFIED)
		return COMPACT_KEEP_LONGER;
	if (own == NULL || !entry_open(&value, entry.key, entry.sealed))
		return COMPACT_KEEP;
	return value.len == own->kex->secret_len + USED_LEN ? COMPACT_KEEP_LONGER : COMPACT_KEEP;
}

/*
 * The keep callback.  Drops what was computed with a replaced pair, recognized by the own public
 * key in the entry.  Versions not enabled here may be enabled in another process.
 */
static enum compact_keep
keep(void *context, struct entry entry)
{
	struct keeping *j = context;
	const struct key_cache_own *own = NULL;
	uint8_t kind = entry.key.at[0];

	if (entry.key.len < KEY_HEAD_LEN)
		return COMPACT_DROP;
	for (size_t i = 0; i < j->cache->count; i++)
		if (j->cache->own[i].kex->version == entry.key.at[1])
			own = &j->cache->own[i];
	if (kind == KEY_CACHE_CERTIFICATE)
		return certificate_cache_worth(entry, j->cache->now_s());
	if (own == NULL && j->only_ours)
		return COMPACT_DROP;
	/* the old pair has been replaced by an added one, or will be on demand */
	if (kind == KIND_PAIR || kind == KIND_BEFORE)
		return own == NULL || own->made ? COMPACT_KEEP_ALWAYS : COMPACT_DROP;
	if (own != NULL && !span_starts(span_from(entry.key, KEY_HEAD_LEN),
	    span(own->pair.public, own->kex->public_len)))
		return COMPACT_DROP;
	if (kind == KEY_CACHE_CLIENT || kind == KEY_CACHE_HOST)
		return meetings_worth(&j->meetings, entry, j->cache->now_s());
	return secret_worth(kind, entry, own);
}

int
key_cache_make_pair(const struct key_cache *r, struct key_cache_own *own)
{
	if (own->kex->pair == NULL || own->kex->pair(&own->pair) < 0) {
		log_line(LOG_ERR, "cannot make a key pair for XCRYPT %s",
		    own->kex->version_text);
		key_cache_forget(own);
		return -1;
	}
	own->created_s = r->now_s();
	own->made = true;
	return 0;
}

size_t
key_cache_put_pair(uint8_t value[PAIR_MAX], const struct key_cache_own *own)
{
	size_t public_len = own->kex->public_len;

	octets_put64(value, (uint64_t)own->created_s);
	memcpy(value + TIME_LEN, own->pair.public, public_len);
	memcpy(value + TIME_LEN + public_len, own->pair.private, own->pair.private_len);
	return TIME_LEN + public_len + own->pair.private_len;
}

int
key_cache_rebuild(struct key_cache *r, bool only_ours)
{
	uint8_t keys[KEY_CACHE_VERSIONS][KEY_HEAD_LEN], values[KEY_CACHE_VERSIONS][PAIR_MAX];
	struct store_addition added[2 * KEY_CACHE_VERSIONS];
	uint8_t before_keys[KEY_CACHE_VERSIONS][KEY_HEAD_LEN];
	struct keeping keeping = { .cache = r, .only_ours = only_ours };
	struct store_rebuilding how = { added, 0, keep, &keeping, r->entries_max };
	int result = -1;

	for (size_t i = 0; i < r->count; i++) {
		struct key_cache_own *own = &r->own[i];
		size_t n = how.added_count;

		if (own->made || own->kex->pair_on_demand)
			continue;
		if (key_cache_make_pair(r, own) < 0)
			goto out;
		key_cache_put_head(keys[i], KIND_PAIR, own->kex);
		added[n].key = span(keys[i], KEY_HEAD_LEN);
		added[n].value = span(values[i], key_cache_put_pair(values[i], own));
		how.added_count++;
		if (!own->has_before)
			continue;
		key_cache_put_head(before_keys[i], KIND_BEFORE, own->kex);
		added[n + 1].key = span(before_keys[i], KEY_HEAD_LEN);
		added[n + 1].value = span(own->before, own->kex->public_len);
		how.added_count++;
	}
	/* if this fails, only this process uses the new pairs */
	result = store_rebuild(&r->store, &how);
	for (size_t i = 0; i < r->count && result == 0; i++)
		r->own[i].shared = r->own[i].made;
out:
	octets_wipe(values, sizeof(values));
	return result;
}
