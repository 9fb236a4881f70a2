/*
 * A cache for host key statements (xcrypt(7), HOST KEYS), so that each short key is signed only
 * once and another host's statement is verified only once.  Entries are in the key cache's store
 * and are dropped with the own pair they belong to.  Without a store, each process signs and
 * verifies anew.
 */
#ifndef STORE_HOSTKEY_CACHE_H
#define STORE_HOSTKEY_CACHE_H

#include "crypt/hostkey.h"
#include "store/key_cache.h"

/*
 * For a server: signs with the key `host` the statements about our short key and about the next
 * host key, or finds them in the cache.  `x` is the key exchange of version 2.0.  0, or -1: the
 * statement cannot be made.  To be called before the jail, so that the host key can then be
 * wiped.
 */
int hostkey_cache_id(struct key_cache *cache, const struct kex *x, const struct hostkey *host,
    struct hostkey_id *id);
int hostkey_cache_next(struct key_cache *cache, const struct kex *x, const struct hostkey *host,
    int64_t until_s, const uint8_t next_public[HOSTKEY_PUBLIC_LEN], struct hostkey_next *next);

struct verified_statement {		/* the contents of a good statement */
	int64_t until_s;
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	bool has_next;
	struct hostkey_next next;
};

/*
 * For a client: checks the statements in the lines of a reply (empty where absent) of the host
 * whose short key is `peer_public`.  An invalid line about the next key is ignored.  If the same
 * lines were verified before, no public-key operation is needed.
 */
enum statement_verdict hostkey_cache_check(struct key_cache *cache, const struct kex *x,
    const uint8_t *peer_public, struct span id_line, struct span next_line, int64_t now_s,
    struct verified_statement *verified);

#endif
