/*
 * The memory of other hosts (xcrypt.7, "Host keys"): where XCRYPT has worked, and which host keys
 * were shown there, by the destination asked for and the mail host behind it.
 *
 * Lies in a store (store/store.h) of its own, in a directory that survives reboots.  Only a
 * finished handshake raises it; nothing that happens on the way lowers it.  It binds once XCRYPT
 * has worked twice, a day or more apart, and lapses after 60 days without.  Whether a session may
 * go on is not decided here (smtp/policy.h).
 *
 * Names are NUL-terminated, in any case.  Times are Unix time, the caller's.
 */
#ifndef STORE_KNOWN_HOSTS_H
#define STORE_KNOWN_HOSTS_H

#include "store/store.h"
#include "crypt/hostkey.h"

#define MEMORY_NAME_MAX 255		/* octets of a name; longer ones are not remembered */
#define MEMORY_ENTRIES_MAX 65536	/* those that bind go last; keys that were pinned stay */
#define MEMORY_PLACES_MAX 64		/* mail hosts of one session */
#define MEMORY_BINDS_AFTER_S 86400
#define MEMORY_LAPSES_AFTER_S (60 * 86400)
#define MEMORY_FRESH_S 3600		/* a success so soon after another is not written down */

enum memory_standing {
	MEMORY_STRANGER,
	MEMORY_RECENT,		/* has worked here, but that does not bind yet */
	MEMORY_BINDING,		/* ... and does; or a key is pinned */
	MEMORY_MOVED		/* binding for the domain, and known of none of its present hosts */
};

struct memory_known {
	enum memory_standing standing;
	unsigned rank;		/* best generation that worked (struct exchange) */
	bool told;		/* somebody has been told that it is no longer so */
	bool has_key, has_next, has_pin;
	uint8_t key[HOSTKEY_PUBLIC_LEN];	/* that binds: seen a day or more apart */
	uint8_t next[HOSTKEY_PUBLIC_LEN];	/* that it has announced */
	uint8_t pin[HOSTKEY_PUBLIC_LEN];	/* the domain's or, without that, the host's */
	bool pin_is_domains;
	char last_host[MEMORY_NAME_MAX + 1];	/* MOVED: where it worked last */
};

/* What a session has learned of a host, in a form to be handed on. */
struct memory_lesson {
	uint8_t worked;		/* memory_worked(), with what follows; 0: memory_told() */
	uint8_t rank, has_key, has_next;
	uint8_t key[HOSTKEY_PUBLIC_LEN];
	struct hostkey_next next;
};

/* Takes what was learned of the host that is being called.  0, or -1 with errno. */
typedef int memory_tell(void *context, const struct memory_lesson *lesson);

struct memory {
	bool stored;			/* false: off, or not usable; everybody is a stranger */
	uint64_t entries_max;
	/* a session's (store/known_hosts_apart.c): what it needs, and where it hands on what it learns */
	size_t noted_count;
	struct memory_noted {
		const char *domain, *host;
		struct memory_known known;
	} noted[MEMORY_PLACES_MAX];
	memory_tell *tell;		/* NULL: no session's, the store is open */
	void *tell_context;
	struct store store;
};

/*
 * Opens it, and folds its journal where that is due.  Never fails: where the directory cannot be
 * used the log says why.  `directory` is kept; NULL: off.
 */
void memory_open(struct memory *m, const char *directory, int64_t now_s);
void memory_close(struct memory *m);

/* A mail host of a destination.  `hosts` are all that the destination has at present. */
struct memory_place {
	const char *domain, *host;
	const char *const *hosts;
	size_t host_count;
};

/*
 * Is what memory_look() has found so far all that there is?  False where the memory is off, or
 * something in it could not be read: then a stranger may be none.
 */
bool memory_is_whole(const struct memory *m);

/* What is remembered of it. */
void memory_look(struct memory *m, const struct memory_place *place, int64_t now_s,
    struct memory_known *known);

/*
 * XCRYPT has worked there, and nothing spoke against it: rank of the generation, the host key where
 * a valid one was shown, and the next one where that was announced (else NULL).
 */
void memory_worked(struct memory *m, const struct memory_place *place, int64_t now_s, unsigned rank,
    const uint8_t *key, const struct hostkey_next *next);

/* Somebody has been told, until it works again. */
void memory_told(struct memory *m, const struct memory_place *place, int64_t now_s);

/*
 * A session has none of the files: what it needs is looked up before it enters the jail, and what it learns
 * is learned by somebody outside, who goes by where that session was to call.
 *
 * memory_note(): looks a place up.  At most MEMORY_PLACES_MAX; their names are kept.
 * memory_leave(): closes the files.  From now on memory_look() knows what was noted, and what is learned goes
 * to `tell`.
 */
void memory_note(struct memory *m, const struct memory_place *place, int64_t now_s);
void memory_leave(struct memory *m, memory_tell *tell, void *context);

/*
 * Outside: 0, or -1 with errno; EPERM for what no sound session would say: that a host works with another key than
 * the one that binds, or announces a key without having signed that.
 */
int memory_learn(struct memory *m, const struct memory_place *place, int64_t now_s,
    const struct memory_lesson *lesson);

/* For store/known_hosts.c. */
bool memory_recall(struct memory *m, const struct memory_place *place, struct memory_known *known);
void memory_pass_on(struct memory *m, const struct memory_place *place,
    const struct memory_lesson *lesson);

/* For people, and synced.  0, or -1 with errno. */
int memory_pin(struct memory *m, const char *name, const uint8_t key[HOSTKEY_PUBLIC_LEN],
    int64_t now_s);

/*
 * Forgets a name: as a destination, as a mail host of any, and the key pinned to it.  Returns how
 * many entries went, or -1 with errno.
 */
int memory_forget(struct memory *m, const char *name, int64_t now_s);

struct memory_item {		/* a pin (host empty), or what is known of a mail host */
	char domain[MEMORY_NAME_MAX + 1], host[MEMORY_NAME_MAX + 1];
	int64_t first_s, last_s;
	bool binding;
	struct memory_known known;	/* keys, also such as do not bind yet; rank; told */
};

/* Shows every item, the newest first.  0, or -1 with errno: EBADMSG where some may be missing. */
typedef void memory_visit(void *context, const struct memory_item *item);
int memory_list(struct memory *m, int64_t now_s, memory_visit *visit, void *context);

/* Does the item belong to that name? */
bool memory_item_is(const struct memory_item *item, const char *name);

#endif
