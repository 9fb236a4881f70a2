/*
 * The entries of store/known_hosts.h as they are stored, by key and value.  Only for its files.
 *
 *   'H' domain 0 host	first, last, key-since (8 octets each), version, flags, host key, next key
 *   'D' domain		first, last (8 octets each), flags, host where it worked last
 *   'K' name		pinned host key
 *
 * Names are in lower case.  An absent key is all zeros.
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
	int64_t first_s, last_s;	/* first and last success; 0: never */
	int64_t key_since_s;		/* first success with `key` or a predecessor */
	uint8_t version, flags;
	uint8_t key[HOSTKEY_PUBLIC_LEN], next[HOSTKEY_PUBLIC_LEN];
};

struct known_domain_record {
	int64_t first_s, last_s;
	uint8_t flags, host_len;
	uint8_t host[KNOWN_HOSTS_NAME_MAX];
};

/*
 * Writes an entry's key to `mem`; `host` is NULL except for KNOWN_HOSTS_HOST.  Returns an empty
 * span for a name that cannot be stored.
 */
struct span known_hosts_key(uint8_t mem[KNOWN_HOSTS_KEY_MAX], uint8_t kind, const char *name,
    const char *host);

/*
 * Appends a name in lower case.  False if it cannot be stored; part of it may have been appended.
 */
bool known_hosts_put_name(struct buf *out, const char *name);

/* Values to octets and back.  False for octets that are no valid value; `*h`, `*d` are zeroed. */
struct span known_hosts_put_host(uint8_t value[KNOWN_HOSTS_HOST_LEN],
    const struct known_host_record *h);
bool known_hosts_get_host(struct known_host_record *h, struct span value);
struct span known_hosts_put_domain(uint8_t value[KNOWN_HOSTS_DOMAIN_MAX],
    const struct known_domain_record *d);
bool known_hosts_get_domain(struct known_domain_record *d, struct span value);

/*
 * Whether an entry has lapsed; whether its successes, or those with its key, span a day or more.
 */
bool known_hosts_lapsed(int64_t last_s, int64_t now_s);
bool known_hosts_established(int64_t first_s, int64_t last_s);
bool known_hosts_key_established(const struct known_host_record *h);

/*
 * For the store: pins are never valid in the journal, which sessions write; `-k` writes the CDB.
 */
bool known_hosts_journalled(struct span key);

/* The keep callback and its context.  Drops entries that are lapsed or not sound. */
struct known_hosts_keeping {
	int64_t now_s;
	const char *forgotten;		/* name to remove, in lower case; NULL: none */
	const uint8_t *but_key;		/* remove only hosts with another key; or NULL */
	int dropped;			/* number of entries removed for `forgotten` */
};
enum compact_keep known_hosts_keep(void *context, struct entry entry);

#endif
