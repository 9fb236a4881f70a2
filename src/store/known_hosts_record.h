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

enum { KNOWN_HOSTS_HOST = 'H', KNOWN_HOSTS_DOMAIN = 'D', KNOWN_HOSTS_PIN = 'K' };
enum { KNOWN_HOSTS_FLAG_KEY = 1, KNOWN_HOSTS_FLAG_NEXT = 2, KNOWN_HOSTS_FLAG_ALERTED = 4 };

#define KNOWN_HOSTS_KEY_MAX (2 + 2 * KNOWN_HOSTS_NAME_MAX)
#define KNOWN_HOSTS_HOST_LEN (3 * 8 + 2 + 2 * HOSTKEY_PUBLIC_LEN)
#define KNOWN_HOSTS_DOMAIN_MAX (2 * 8 + 1 + KNOWN_HOSTS_NAME_MAX)

struct known_host_record {
	int64_t first_s, last_s;	/* 0: never */
	int64_t key_since_s;
	uint8_t version, flags;
	uint8_t key[HOSTKEY_PUBLIC_LEN], next[HOSTKEY_PUBLIC_LEN];
};

struct known_domain_record {
	int64_t first_s, last_s;
	uint8_t flags, host_len;
	uint8_t host[KNOWN_HOSTS_NAME_MAX];
};

/*
 * An entry's key, in `mem`; `host` is NULL but for KNOWN_HOSTS_HOST.  Empty for a name that cannot be
 * remembered.
 */
struct span known_hosts_key(uint8_t mem[KNOWN_HOSTS_KEY_MAX], uint8_t kind, const char *name,
    const char *host);

/* Appends a name in lower case.  False, and nothing certain, for one that cannot be remembered. */
bool known_hosts_put_name(struct buf *out, const char *name);

/* Values, to and from octets.  A value that is not sound is not read: false, and all zeros. */
struct span known_hosts_put_host(uint8_t value[KNOWN_HOSTS_HOST_LEN], const struct known_host_record *h);
bool known_hosts_get_host(struct known_host_record *h, struct span value);
struct span known_hosts_put_domain(uint8_t value[KNOWN_HOSTS_DOMAIN_MAX], const struct known_domain_record *d);
bool known_hosts_get_domain(struct known_domain_record *d, struct span value);

/* Is it longer ago than the memory lasts?  Have there been two, far enough apart to bind? */
bool known_hosts_lapsed(int64_t last_s, int64_t now_s);
bool known_hosts_established(int64_t first_s, int64_t last_s);
bool known_hosts_key_established(const struct known_host_record *h);

/* For the store: a pin never counts in the journal, where sessions write.  `-k` writes the CDB. */
bool known_hosts_journalled(struct span key);

/* For store_rebuild(): drops what has lapsed or is not sound. */
struct known_hosts_keeping {
	int64_t now_s;
	const char *forgotten;		/* in lower case; NULL: nobody */
	const uint8_t *but_key;		/* only mail hosts that showed another key than this go */
	int dropped;			/* entries of the forgotten */
};
enum compact_keep known_hosts_keep(void *judging, struct entry entry);

#endif
