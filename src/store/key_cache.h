/*
 * The key cache: this host's own key pairs and the secrets shared with other hosts, in a store
 * (store/store.h) that all processes of both programs share.
 *
 * Each version of XCRYPT that uses key pairs has one.  When a pair is older than its lifetime,
 * the first process to open the cache replaces all pairs and drops everything computed with
 * them.  A pair that is slow to make (struct kex, `pair_on_demand`) is made when it is first
 * needed, without holding the lock: if two processes make one at the same time, the first to
 * store its pair wins, and the other uses that one.
 *
 * Without a usable directory, each process makes its own pairs when it first needs them.  That
 * costs only key exchanges, and the log says why.
 */
#ifndef STORE_KEY_CACHE_H
#define STORE_KEY_CACHE_H

#include "crypt/suite.h"
#include "store/store.h"

#define KEY_CACHE_VERSIONS 4
#define KEY_CACHE_HOST_LEN 32
#define KEY_CACHE_MARK_LEN 8
#define KEY_CACHE_TICKET_LEN 32

/*
 * First octets of the entry keys of other modules in the same store (hostkey_cache.h,
 * meetings.h, certificate_cache.h).
 */
enum { KEY_CACHE_ID = 'I', KEY_CACHE_NEXT = 'N', KEY_CACHE_VERIFIED = 'V',
	KEY_CACHE_CLIENT = 'C', KEY_CACHE_HOST = 'H', KEY_CACHE_CERTIFICATE = 'T' };

struct key_cache {
	bool stored;			/* false: the cache is off or not usable */
	int64_t lifetime_s;
	uint64_t entries_max;
	int64_t (*now_s)(void);
	bool noted;			/* the secret found last is already marked as used */
	uint8_t host[KEY_CACHE_HOST_LEN];	/* hash of the called host (store/meetings.h) */
	int64_t until_s;			/* Unix time when entries about it expire */
	uint8_t client_mark[KEY_CACHE_MARK_LEN];	/* hash of the client's address */
	size_t count;			/* members of `own` in use */
	struct key_cache_own {
		const struct kex *kex;
		struct kex_pair pair;
		int64_t created_s;	/* Unix time */
		bool made;		/* `pair` and `created_s` are valid */
		bool shared;		/* it is in the store; secrets made with it may be too */
		uint8_t before[KEX_PUBLIC_MAX];	/* public key of the previous pair */
		bool has_before;
	} own[KEY_CACHE_VERSIONS];
	struct store store;
};

struct key_cache_settings {
	const char *directory;		/* NULL: off */
	const struct suite_list *suites;/* the suites that need pairs */
	int64_t lifetime_s;		/* age in seconds at which a pair is replaced */
	uint64_t entries_max;		/* most peers to remember */
	int64_t (*now_s)(void);		/* seconds since 1970; NULL: the wall clock */
};

/*
 * Opens the cache and does the maintenance that is due (replacing pairs, compaction).  Never
 * fails: if the directory cannot be used, it logs the reason at LOG_WARNING and continues as if
 * the cache were off.  Keeps the pointer `directory`, but not `suites`.
 */
void key_cache_open(struct key_cache *cache, const struct key_cache_settings *settings);

/*
 * The key source for handshakes (crypt/kex.h).  `own` makes a pair if there is none yet, and
 * stores it if others can use it.  `find` returns only secrets computed with the present pair.
 * `keep` appends to the journal, and so does the first `used` for a secret.  The source points
 * into `cache`, which must outlive it.
 */
struct key_source key_cache_source(struct key_cache *cache);

/*
 * Writes the key of this host's TLS session tickets.  It is derived from the pair of XCRYPT 2.0,
 * so all processes have the same one and it is replaced with the pair.  Returns for how many
 * seconds it remains in use; 0: there is none, as the cache is off or 2.0 is not enabled.
 */
uint32_t key_cache_ticket_key(struct key_cache *cache, uint8_t key[KEY_CACHE_TICKET_LEN]);

/*
 * To be called before the jail: closes the directory.  From now on the cache only looks up and
 * appends.
 */
void key_cache_leave_directory(struct key_cache *cache);

/*
 * For a client: wipes the private key of 2.0.  Only servers use it; a client needs the public key,
 * under which its own entries are stored.
 */
void key_cache_for_client(struct key_cache *cache);

/*
 * For a timer: replaces pairs older than their lifetime and drops what was computed with them,
 * drops entries of versions that `suites` does not name, and compacts.  Returns 0, or -1 when the
 * directory cannot be used or written (logged).
 */
int key_cache_expire(const struct key_cache_settings *settings);

/*
 * Called when the handshake is decided and an entry may still have to be stored: wipes all
 * private keys and closes all files except the journal.
 */
void key_cache_settle(struct key_cache *cache);

/*
 * For a session that needs no more keys: closes and wipes the cache; only `stored` keeps its
 * value, for the log.  Has no effect on a closed cache.
 */
void key_cache_done(struct key_cache *cache);

/* Closes and wipes the cache. */
void key_cache_close(struct key_cache *cache);

#endif
