/*
 * Known hosts (xcrypt(7), HOST KEYS): where XCRYPT has worked, and which host keys were seen
 * there.  Entries are for pairs of a destination domain and one of its MX hosts.
 *
 * They are in a store (store/store.h) of their own, in a directory that survives reboots.  Only a
 * completed handshake adds to them; nothing that an attacker does on the network removes anything.
 * A host is established when XCRYPT has worked twice, at least a day apart; it lapses 60 days
 * after the last success.  smtp/policy.h decides what follows from that.
 *
 * Names are NUL-terminated, in either case.  Times are Unix time and given by the caller.
 */
#ifndef STORE_KNOWN_HOSTS_H
#define STORE_KNOWN_HOSTS_H

#include "crypt/hostkey.h"
#include "store/store.h"

#define KNOWN_HOSTS_NAME_MAX 255	/* octets of a name; longer ones are not stored */
#define KNOWN_HOSTS_ENTRIES_MAX 65536	/* established hosts go last, pinned keys never */
#define KNOWN_HOSTS_PLACES_MAX 64	/* MX hosts in one session */
#define KNOWN_HOSTS_ESTABLISHED_AFTER_S 86400
#define KNOWN_HOSTS_LAPSES_AFTER_S (60 * 86400)
#define KNOWN_HOSTS_FRESH_S 3600	/* a success so soon after the last is not stored */

enum known_host_standing {
	KNOWN_NEW,
	KNOWN_SEEN,		/* XCRYPT has worked here, but the host is not established yet */
	KNOWN_ESTABLISHED,	/* XCRYPT has worked for a day or longer, or a key is pinned */
	KNOWN_MX_CHANGED	/* the domain is established; its present hosts are all new */
};

struct known_host {
	enum known_host_standing standing;
	unsigned version;		/* the newest version that worked (struct kex) */
	bool alerted;			/* a downgrade was reported since XCRYPT last worked */
	bool has_key, has_next, has_pin;
	uint8_t key[HOSTKEY_PUBLIC_LEN];	/* host key, seen for a day or longer */
	uint8_t next[HOSTKEY_PUBLIC_LEN];	/* the next host key, announced by the host */
	uint8_t pin[HOSTKEY_PUBLIC_LEN];	/* key pinned for the domain, else for the host */
	bool pin_is_domains;			/* `pin` is the domain's */
	char last_host[KNOWN_HOSTS_NAME_MAX + 1];	/* KNOWN_MX_CHANGED: the last known host */
};

/* What a session has learned of a host, in a form that can be sent to another process. */
struct known_hosts_lesson {
	uint8_t worked;		/* 1: known_hosts_worked(); 0: known_hosts_alerted() */
	uint8_t version, has_key, has_next;
	uint8_t key[HOSTKEY_PUBLIC_LEN];
	struct hostkey_next next;
};

/* Passes on what was learned of the host that the session talks to.  0, or -1 with errno. */
typedef int known_hosts_tell(void *context, const struct known_hosts_lesson *lesson);

struct known_hosts {
	bool stored;			/* false: off or not usable; every host is new */
	uint64_t entries_max;
	/* in a session (store/known_hosts_apart.c): the answers to its later look-ups */
	size_t noted_count;
	struct known_hosts_noted {
		const char *domain, *host;
		struct known_host known;
	} noted[KNOWN_HOSTS_PLACES_MAX];
	known_hosts_tell *tell;		/* takes a session's lessons; NULL: the store is open */
	void *tell_context;
	struct store store;
};

/*
 * Opens the store, and compacts it if that is due.  Never fails: if the directory cannot be used,
 * the log says why.  The pointer `directory` is kept; NULL: off.
 */
void known_hosts_open(struct known_hosts *m, const char *directory, int64_t now_s);
void known_hosts_close(struct known_hosts *m);

/* An MX host of a destination domain.  `hosts` are all present MX hosts of the domain. */
struct known_hosts_place {
	const char *domain, *host;
	const char *const *hosts;
	size_t host_count;
};

/*
 * Whether the look-ups so far have seen everything that was stored.  False if the store is off, or
 * part of it could not be read; a host that looks new may then be known.
 */
bool known_hosts_complete(const struct known_hosts *m);

/* Looks up what is known of a host. */
void known_hosts_look_up(struct known_hosts *m, const struct known_hosts_place *place,
    int64_t now_s, struct known_host *known);

/*
 * XCRYPT of this version has worked and no check has failed.  `key` is the host key if the host
 * made a valid statement, `next` the announced next one; else NULL.
 */
void known_hosts_worked(struct known_hosts *m, const struct known_hosts_place *place,
    int64_t now_s, unsigned version, const uint8_t *key, const struct hostkey_next *next);

/* A downgrade was reported; known_host.alerted is set until XCRYPT works again. */
void known_hosts_alerted(struct known_hosts *m, const struct known_hosts_place *place,
    int64_t now_s);

/*
 * A session in the jail has no access to the files.  What it needs is looked up beforehand, and a
 * process outside stores what it learns, for the place that the session was meant to connect to.
 *
 * known_hosts_note() looks up a place, of at most KNOWN_HOSTS_PLACES_MAX; keeps pointers to its
 * names.  known_hosts_leave() closes the files: then known_hosts_look_up() answers only for places
 * noted before, and what is learned goes to `tell`.
 */
void known_hosts_note(struct known_hosts *m, const struct known_hosts_place *place, int64_t now_s);
void known_hosts_leave(struct known_hosts *m, known_hosts_tell *tell, void *context);

/*
 * Outside the jail: stores what a session has learned.  0, or -1 with errno: EPERM for what a
 * sound session never reports, such as a success with another key than the established one, or a
 * next key whose announcement is not signed.
 */
int known_hosts_learn(struct known_hosts *m, const struct known_hosts_place *place, int64_t now_s,
    const struct known_hosts_lesson *lesson);

/* For store/known_hosts.c: the answer noted for a place; passing on what was learned there. */
bool known_hosts_recall(struct known_hosts *m, const struct known_hosts_place *place,
    struct known_host *known);
void known_hosts_pass_on(struct known_hosts *m, const struct known_hosts_place *place,
    const struct known_hosts_lesson *lesson);

/* Pins a key for a domain or an MX host, and syncs.  0, or -1 with errno. */
int known_hosts_pin(struct known_hosts *m, const char *name, const uint8_t key[HOSTKEY_PUBLIC_LEN],
    int64_t now_s);

/*
 * Removes the entries of a name: as a domain, as an MX host of any domain, and its pin.  Returns
 * the number of entries removed, or -1 with errno.
 */
int known_hosts_forget(struct known_hosts *m, const char *name, int64_t now_s);

struct known_hosts_item {		/* a pinned key (`host` is empty), or an MX host */
	char domain[KNOWN_HOSTS_NAME_MAX + 1], host[KNOWN_HOSTS_NAME_MAX + 1];
	int64_t first_s, last_s;
	bool binding;			/* the host is established, or this is a pinned key */
	struct known_host known;	/* its keys, even if not established; version; alerted */
};

/*
 * Calls `visit` for every item, newest first.  0, or -1 with errno: EBADMSG if some may be
 * missing.
 */
typedef void known_hosts_visit(void *context, const struct known_hosts_item *item);
int known_hosts_list(struct known_hosts *m, int64_t now_s, known_hosts_visit *visit,
    void *context);

/* Whether the item belongs to that domain or host. */
bool known_hosts_item_matches(const struct known_hosts_item *item, const char *name);

#endif
