/* Shared by key_cache.c and key_cache_rebuild.c. */
#ifndef STORE_KEY_CACHE_INTERNAL_H
#define STORE_KEY_CACHE_INTERNAL_H

#include "store/key_cache.h"

/*
 * Entries of the store, by key and value:
 *
 *   'P' version                         creation time (8 octets), public key, private key
 *   'B' version                         public key of the previous pair, if not made on demand
 *   'S' version own-public peer-public  shared secret; one more octet (1) after it was used again
 *
 * store/hostkey_cache.c and store/meetings.c have other entries, whose keys also begin with kind,
 * version and own public key.
 */
enum { KIND_PAIR = 'P', KIND_SECRET = 'S', KIND_BEFORE = 'B' };

#define KEY_HEAD_LEN 2
#define TIME_LEN 8
#define PAIR_MAX (TIME_LEN + KEX_PUBLIC_MAX + KEX_PRIVATE_MAX)
#define USED_LEN 1

/* key_cache.c */

void key_cache_put_head(uint8_t key[KEY_HEAD_LEN], uint8_t kind, const struct kex *x);

/* Wipes a pair. */
void key_cache_forget(struct key_cache_own *own);

/* key_cache_rebuild.c */

/* Generates a pair, which only this process has yet.  0, or -1 (logged). */
int key_cache_make_pair(const struct key_cache *cache, struct key_cache_own *own);

/* Encodes a pair as a value of the store.  Returns its length. */
size_t key_cache_put_pair(uint8_t value[PAIR_MAX], const struct key_cache_own *own);

/*
 * Generates the missing pairs, except those made on demand, and writes a new CDB with them.  The
 * caller holds the lock.  `only_ours`: drops the entries of versions that are not enabled here.
 * 0, or -1 with errno: only this process uses the new pairs.
 */
int key_cache_rebuild(struct key_cache *cache, bool only_ours);

#endif
