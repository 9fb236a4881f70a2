/*
 * The key ring: this host's own key pairs and the secrets shared with others, shared by every
 * process of both programs through a store (store/store.h) in one directory.
 *
 * There is a key pair for each generation that has any.  When one has outlived its time, the first
 * process to open the ring replaces all of them and drops everything computed with them.  One that
 * is slow to make (struct exchange, `pair_on_demand`) is made when it is first asked for, with
 * nobody waiting at the lock: of two processes that do so at the same time, the first to store its
 * own decides, and the other takes that.
 *
 * With no directory, or one that may not be used, every pair is this process's own and made when
 * first asked for: at worst a key exchange is done again, and a line in the log says why.
 */
#ifndef STORE_KEY_CACHE_H
#define STORE_KEY_CACHE_H

#include "crypt/suite.h"
#include "store/store.h"

#define KEY_CACHE_VERSIONS 4

/* What stands beside pairs and secrets in the store (store/hostkey_cache.h): the first octet of an entry's key. */
enum { KEY_CACHE_ID = 'I', KEY_CACHE_NEXT = 'N', KEY_CACHE_VERIFIED = 'V' };

struct key_cache {
	bool stored;			/* false: off, or not usable */
	int64_t lifetime_s;
	uint64_t entries_max;
	int64_t (*now_s)(void);
	bool noted;			/* of the secret that was found last: it is known to be used */
	size_t count;
	struct key_cache_own {
		const struct kex *kex;
		struct kex_pair pair;
		int64_t created_s;	/* Unix time */
		bool made;
		bool shared;		/* the store's: what is computed with it may be kept */
	} own[KEY_CACHE_VERSIONS];
	struct store store;
};

struct key_cache_settings {
	const char *directory;		/* NULL: off */
	const struct suite_list *suites;/* pairs are kept for these */
	int64_t lifetime_s;		/* age at which a pair is replaced */
	uint64_t entries_max;		/* peers remembered */
	int64_t (*now_s)(void);		/* seconds since 1970; NULL: by the wall's clock */
};

/*
 * Opens the ring, and does what maintenance is due (replacing, folding).  Never fails: where the
 * directory cannot be used it says why in the log, at LOG_WARNING, and goes on as if it were off.
 * `suites` is not kept; the string `directory` is.
 */
void key_cache_open(struct key_cache *cache, const struct key_cache_settings *settings);

/*
 * What struct exchange's callers draw on.  `own` makes a pair where there is none yet, and stores
 * it where others have use for it.  `find`
 * fills in a secret only when it was computed with the present pair.  `keep` appends to the
 * journal, and so does the first `used` of a secret.  The source points into `ring`, which must outlive it.
 */
struct key_source key_cache_source(struct key_cache *cache);

/*
 * Before a jail: from now on the ring looks up and appends, and does not know the directory any more.
 * (key_cache_after_fork() does nothing then.)
 */
void key_cache_leave_directory(struct key_cache *cache);

/*
 * In a forked process, before anything else: opens the store anew, as locks and offsets are shared
 * with the parent, and does what maintenance has fallen due since.  With no store, the process gets
 * pairs of its own.
 */
void key_cache_after_fork(struct key_cache *cache);

/*
 * Replaces outlived pairs and drops what was computed with them, drops what belongs to generations
 * that `suites` do not name, and folds; for a timer.  Returns 0, or -1 when the directory cannot be
 * used or written (said in the log).
 */
int key_cache_expire(const struct key_cache_settings *settings);

/*
 * For a session that needs no key any more: closes and wipes, but `stored` still says whether there was a
 * cache.  Harmless when it was done or closed before.
 */
void key_cache_done(struct key_cache *cache);

/* Closes and wipes. */
void key_cache_close(struct key_cache *cache);

#endif
