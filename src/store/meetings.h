/*
 * Pre-shared secrets of XCRYPT 2.0 (xcrypt(7), WHAT IS KEPT).  A first meeting leaves one; later
 * handshakes use it instead of ML-KEM and the server's two-hour key.  A server finds its entries
 * by id, a client by the host that it calls; an entry of one role is never used in the other.
 * Entries are in the key cache's store under the own two-hour key, and are dropped with it.
 *
 * These functions implement struct key_source; `context` is a struct key_cache.  Without a store
 * nothing is found and nothing is kept.
 */
#ifndef STORE_MEETINGS_H
#define STORE_MEETINGS_H

#include "crypt/kex_hybrid.h"
#include "store/key_cache.h"
#include "sys/address.h"

#define MEETINGS_PER_CLIENT 16	/* entries of one client address that survive compaction */

/* Client: sets the host that is called, for the meetings_*_host() functions. */
void meetings_set_host(struct key_cache *cache, const char *name, struct span address, uint16_t port);

/*
 * Server: sets the client's address, by which the number of entries is limited.  The addresses
 * of an IPv6 /64 count as one.
 */
void meetings_set_client(struct key_cache *cache, const struct address *address);

/* Client: sets the expiry (Unix time) of the host key statement, which also limits the entry. */
void meetings_set_until(struct key_cache *cache, int64_t until_s);

unsigned meetings_keep_s(void *context, const struct kex *x);
bool meetings_find_id(void *context, struct hybrid_kept *kept);
void meetings_keep_id(void *context, const struct hybrid_kept *kept);
void meetings_used_id(void *context, const struct hybrid_kept *kept);
bool meetings_find_host(void *context, struct hybrid_kept *kept, uint8_t *offer, size_t room,
    size_t *offer_len);
void meetings_keep_host(void *context, const struct hybrid_kept *kept, struct span offer,
    unsigned keep_s);
void meetings_forget_host(void *context);
bool meetings_is_own(void *context, const uint8_t *server_public);

/* For compaction: entries kept per client address (approximate: addresses share counters). */
struct meetings_count {
	uint8_t of_client[65536];	/* by the mark of the address */
};

/* For compaction: decides about an entry of the kind KEY_CACHE_CLIENT or KEY_CACHE_HOST. */
enum compact_keep meetings_worth(struct meetings_count *count, struct entry entry, int64_t now_s);

#endif
