/*
 * The entries of the memory (store/known_hosts.h), as they lie in the store.  For its files only.
 *
 *   'H' domain 0 host	first, last and key-since (8 octets each), rank, flags, host key, next key
 *   'D' domain		first, last, flags, host where it worked last
 *   'K' name		host key that was pinned
 *
 * Names are in lower case.  A key that is not there is zeros.
 */
#ifndef STORE_KNOWN_HOSTS_RECORD_H
#define STORE_KNOWN_HOSTS_RECORD_H

#include "base/buf.h"
#include "store/known_hosts.h"

enum { MEMORY_HOST = 'H', MEMORY_DOMAIN = 'D', MEMORY_PIN = 'K' };
enum { MEMORY_FLAG_KEY = 1, MEMORY_FLAG_NEXT = 2, MEMORY_FLAG_TOLD = 4 };

#define MEMORY_KEY_MAX (2 + 2 * MEMORY_NAME_MAX)
#define MEMORY_HOST_LEN (3 * 8 + 2 + 2 * HOSTKEY_PUBLIC_LEN)
#define MEMORY_DOMAIN_MAX (2 * 8 + 1 + MEMORY_NAME_MAX)

struct memory_host {
	int64_t first_s, last_s;	/* 0: never */
	int64_t key_since_s;
	uint8_t rank, flags;
	uint8_t key[HOSTKEY_PUBLIC_LEN], next[HOSTKEY_PUBLIC_LEN];
};

struct memory_domain {
	int64_t first_s, last_s;
	uint8_t flags, host_len;
	uint8_t host[MEMORY_NAME_MAX];
};

/*
 * An entry's key, in `mem`; `host` is NULL but for MEMORY_HOST.  Empty for a name that cannot be
 * remembered.
 */
struct span memory_key(uint8_t mem[MEMORY_KEY_MAX], uint8_t kind, const char *name,
    const char *host);

/* Appends a name in lower case.  False, and nothing certain, for one that cannot be remembered. */
bool memory_put_name(struct buf *out, const char *name);

/* Values, to and from octets.  A value that is not sound is not read: false, and all zeros. */
struct span memory_put_host(uint8_t value[MEMORY_HOST_LEN], const struct memory_host *h);
bool memory_get_host(struct memory_host *h, struct span value);
struct span memory_put_domain(uint8_t value[MEMORY_DOMAIN_MAX], const struct memory_domain *d);
bool memory_get_domain(struct memory_domain *d, struct span value);

/* Is it longer ago than the memory lasts?  Have there been two, far enough apart to bind? */
bool memory_lapsed(int64_t last_s, int64_t now_s);
bool memory_binds(int64_t first_s, int64_t last_s);
bool memory_key_binds(const struct memory_host *h);

/* For the store: a pin never counts in the journal, where sessions write.  `-k` writes the CDB. */
bool memory_journalled(struct span key);

/* For store_rebuild(): drops what has lapsed or is not sound. */
struct memory_judging {
	int64_t now_s;
	const char *forgotten;		/* in lower case; NULL: nobody */
	const uint8_t *but_key;		/* only mail hosts that showed another key than this go */
	int dropped;			/* entries of the forgotten */
};
enum fold_fate memory_judge(void *judging, struct entry entry);

#endif
