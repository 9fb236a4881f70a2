/*
 * What XCRYPT 2.0 keeps of a first meeting, so that later ones need neither ML-KEM nor the
 * server's two-hour key (xcrypt.7, "What is kept"): for a server by id, for a client by the
 * host that it called.  One is never taken for the other.  Both lie in the key cache's store
 * under the own two-hour key, and go with it.
 *
 * These are the functions of struct key_source; `context` is a struct key_cache.  Where that
 * has no store, nothing is found and nothing kept.
 */
#ifndef STORE_MEETINGS_H
#define STORE_MEETINGS_H

#include "crypt/kex_hybrid.h"
#include "store/key_cache.h"
#include "sys/address.h"

#define MEETINGS_PER_CLIENT 16	/* kept of one client address in a new CDB */

/* Client: the host that is called from here on, for meetings_find_host() and the other two. */
void meetings_set_host(struct key_cache *cache, const char *name, struct span address, uint16_t port);

/* Server: the client's address, of which only few meetings are kept; of IPv6, the /64 counts as one. */
void meetings_set_client(struct key_cache *cache, const struct address *address);

/* Client: a host key statement that counts for the next meeting kept runs out then (Unix time). */
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

/* For compaction: how many meetings were kept of each client address, roughly. */
struct meetings_count {
	uint8_t of_client[65536];	/* by the mark of the address */
};

/* For compaction: what becomes of an entry of the kind KEY_CACHE_CLIENT or KEY_CACHE_HOST. */
enum compact_keep meetings_worth(struct meetings_count *count, struct entry entry, int64_t now_s);

#endif
