/*
 * Host keys beside the key ring (xcrypt.7, "Host keys"): each statement is signed once, and each of
 * another host's verified once, for each short key.  What is kept for that lies in the ring's store
 * and goes with the own pair; where the ring has none, it is done for each process.
 */
#ifndef STORE_HOSTKEY_CACHE_H
#define STORE_HOSTKEY_CACHE_H

#include "crypt/hostkey.h"
#include "store/key_cache.h"

/*
 * For a server: says with the key `host` whose its short key is, and which host key comes next.
 * `x` is the ring's exchange of generation 2.0.  Kept statements are taken where they are the same.
 * 0, or -1: not to be said now.  Best before the jail: afterwards the host key can be wiped.
 */
int hostkey_cache_id(struct key_cache *cache, const struct kex *x, const struct hostkey *host,
    struct hostkey_id *id);
int hostkey_cache_next(struct key_cache *cache, const struct kex *x, const struct hostkey *host,
    const uint8_t next_public[HOSTKEY_PUBLIC_LEN], struct hostkey_next *next);

struct verified_statement {		/* what a good one says */
	int64_t until_s;
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	bool has_next;
	struct hostkey_next next;
};

/*
 * For a client: what the lines of a reply (empty where there are none) say of the host whose short
 * key is `peer_public`.  A bad line about the next key is none.  No public-key operation where the
 * same lines were good before.
 */
enum statement_verdict hostkey_cache_check(struct key_cache *cache, const struct kex *x, const uint8_t *peer_public,
    struct span id_line, struct span next_line, int64_t now_s, struct verified_statement *verified);

#endif
