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

#include "crypt/hostkey.h"
#include "store/store.h"

#define KNOWN_HOSTS_NAME_MAX 255		/* octets of a name; longer ones are not remembered */
#define KNOWN_HOSTS_ENTRIES_MAX 65536	/* those that bind go last; keys that were pinned stay */
#define KNOWN_HOSTS_PLACES_MAX 64		/* mail hosts of one session */
#define KNOWN_HOSTS_ESTABLISHED_AFTER_S 86400
#define KNOWN_HOSTS_LAPSES_AFTER_S (60 * 86400)
#define KNOWN_HOSTS_FRESH_S 3600		/* a success so soon after another is not written down */

enum known_host_standing {
	KNOWN_NEW,
	KNOWN_SEEN,		/* has worked here, but that does not bind yet */
	KNOWN_ESTABLISHED,		/* ... and does; or a key is pinned */
	KNOWN_MX_CHANGED		/* binding for the domain, and known of none of its present hosts */
};

struct known_host {
	enum known_host_standing standing;
	unsigned version;		/* best generation that worked (struct exchange) */
	bool alerted;		/* somebody has been told that it is no longer so */
	bool has_key, has_next, has_pin;
	uint8_t key[HOSTKEY_PUBLIC_LEN];	/* that binds: seen a day or more apart */
	uint8_t next[HOSTKEY_PUBLIC_LEN];	/* that it has announced */
	uint8_t pin[HOSTKEY_PUBLIC_LEN];	/* the domain's or, without that, the host's */
	bool pin_is_domains;
	char last_host[KNOWN_HOSTS_NAME_MAX + 1];	/* MOVED: where it worked last */
};

/* What a session has learned of a host, in a form to be handed on. */
struct known_hosts_lesson {
	uint8_t worked;		/* known_hosts_worked(), with what follows; 0: known_hosts_alerted() */
	uint8_t version, has_key, has_next;
	uint8_t key[HOSTKEY_PUBLIC_LEN];
	struct hostkey_next next;
};

/* Takes what was learned of the host that is being called.  0, or -1 with errno. */
typedef int known_hosts_tell(void *context, const struct known_hosts_lesson *lesson);

struct known_hosts {
	bool stored;			/* false: off, or not usable; everybody is a stranger */
	uint64_t entries_max;
	/* a session's (store/known_hosts_apart.c): what it needs, and where it hands on what it learns */
	size_t noted_count;
	struct known_hosts_noted {
		const char *domain, *host;
		struct known_host known;
	} noted[KNOWN_HOSTS_PLACES_MAX];
	known_hosts_tell *tell;		/* NULL: no session's, the store is open */
	void *tell_context;
	struct store store;
};

/*
 * Opens it, and folds its journal where that is due.  Never fails: where the directory cannot be
 * used the log says why.  `directory` is kept; NULL: off.
 */
void known_hosts_open(struct known_hosts *m, const char *directory, int64_t now_s);
void known_hosts_close(struct known_hosts *m);

/* A mail host of a destination.  `hosts` are all that the destination has at present. */
struct known_hosts_place {
	const char *domain, *host;
	const char *const *hosts;
	size_t host_count;
};

/*
 * Is what known_hosts_look_up() has found so far all that there is?  False where the memory is off, or
 * something in it could not be read: then a stranger may be none.
 */
bool known_hosts_complete(const struct known_hosts *m);

/* What is remembered of it. */
void known_hosts_look_up(struct known_hosts *m, const struct known_hosts_place *place, int64_t now_s,
    struct known_host *known);

/*
 * XCRYPT has worked there, and nothing spoke against it: rank of the generation, the host key where
 * a valid one was shown, and the next one where that was announced (else NULL).
 */
void known_hosts_worked(struct known_hosts *m, const struct known_hosts_place *place, int64_t now_s, unsigned version,
    const uint8_t *key, const struct hostkey_next *next);

/* Somebody has been told, until it works again. */
void known_hosts_alerted(struct known_hosts *m, const struct known_hosts_place *place, int64_t now_s);

/*
 * A session has none of the files: what it needs is looked up before it enters the jail, and what it learns
 * is learned by somebody outside, who goes by where that session was to call.
 *
 * known_hosts_note(): looks a place up.  At most KNOWN_HOSTS_PLACES_MAX; their names are kept.
 * known_hosts_leave(): closes the files.  From now on known_hosts_look_up() knows what was noted, and what is learned goes
 * to `tell`.
 */
void known_hosts_note(struct known_hosts *m, const struct known_hosts_place *place, int64_t now_s);
void known_hosts_leave(struct known_hosts *m, known_hosts_tell *tell, void *context);

/*
 * Outside: 0, or -1 with errno; EPERM for what no sound session would say: that a host works with another key than
 * the one that binds, or announces a key without having signed that.
 */
int known_hosts_learn(struct known_hosts *m, const struct known_hosts_place *place, int64_t now_s,
    const struct known_hosts_lesson *lesson);

/* For store/known_hosts.c. */
bool known_hosts_recall(struct known_hosts *m, const struct known_hosts_place *place, struct known_host *known);
void known_hosts_pass_on(struct known_hosts *m, const struct known_hosts_place *place,
    const struct known_hosts_lesson *lesson);

/* For people, and synced.  0, or -1 with errno. */
int known_hosts_pin(struct known_hosts *m, const char *name, const uint8_t key[HOSTKEY_PUBLIC_LEN],
    int64_t now_s);

/*
 * Forgets a name: as a destination, as a mail host of any, and the key pinned to it.  Returns how
 * many entries went, or -1 with errno.
 */
int known_hosts_forget(struct known_hosts *m, const char *name, int64_t now_s);

struct known_hosts_item {		/* a pin (host empty), or what is known of a mail host */
	char domain[KNOWN_HOSTS_NAME_MAX + 1], host[KNOWN_HOSTS_NAME_MAX + 1];
	int64_t first_s, last_s;
	bool binding;
	struct known_host known;	/* keys, also such as do not bind yet; rank; told */
};

/* Shows every item, the newest first.  0, or -1 with errno: EBADMSG where some may be missing. */
typedef void known_hosts_visit(void *context, const struct known_hosts_item *item);
int known_hosts_list(struct known_hosts *m, int64_t now_s, known_hosts_visit *visit, void *context);

/* Does the item belong to that name? */
bool known_hosts_item_matches(const struct known_hosts_item *item, const char *name);

#endif
