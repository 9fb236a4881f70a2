/*
 * The settings: `name = value` lines of a file, and the same names on the command line.
 *
 * A table in settings.c lists all settings and how each is parsed.  Values that other modules
 * interpret (suites) are stored as text with their origin.
 */
#ifndef SYS_SETTINGS_H
#define SYS_SETTINGS_H

#include "base/span.h"
#include "sys/address.h"

#define SETTINGS_TEXT_MAX 256	/* octets of any value, with its NUL */
#define SETTINGS_ERROR_MAX 512

enum policy { POLICY_NEVER, POLICY_MAY, POLICY_MUST, POLICY_KNOWN, POLICY_PINNED };

enum dane {			/* is the DNS asked for TLSA records, and its AD bit believed? */
	DANE_NO,
	DANE_AUTO,		/* where the path to the name servers is safe */
	DANE_YES
};

enum client_address {
	CLIENT_ADDRESS_AUTO,
	CLIENT_ADDRESS_NONE,
	CLIENT_ADDRESS_NETNS,
	CLIENT_ADDRESS_PROXY_V1,
	CLIENT_ADDRESS_PROXY_V2,
	CLIENT_ADDRESS_XCLIENT,
	CLIENT_ADDRESS_TRANSPARENT
};

enum starttls {		/* blackponyd: who answers STARTTLS */
	STARTTLS_AUTO,		/* we do if there is a usable certificate, else the backend */
	STARTTLS_OWN,		/* we do */
	STARTTLS_MAILER,	/* the backend does */
	STARTTLS_NOBODY
};

#define SETTINGS_NETWORKS_MAX 32

struct settings_network {		/* the addresses that agree with this one in `bits` bits */
	struct address address;
	unsigned bits;
};

struct settings_networks {
	size_t count;
	struct settings_network at[SETTINGS_NETWORKS_MAX];
};

struct settings_policy {		/* policy.DOMAIN */
	struct settings_policy *next;
	char domain[SETTINGS_TEXT_MAX];	/* ".example.org" stands for all domains below it */
	enum policy policy;
};

struct settings {
	char suites[SETTINGS_TEXT_MAX];
	enum policy policy;
	enum dane dane;
	char policy_map[SETTINGS_TEXT_MAX];	/* as socketmap_read_place() takes it, or empty */
	char tlsrpt[SETTINGS_TEXT_MAX];		/* path of a datagram socket, or empty */
	struct settings_policy *policies;
	char user[SETTINGS_TEXT_MAX];
	char backend[SETTINGS_TEXT_MAX];
	enum client_address client_address;
	struct settings_networks proxy_from;
	char cache[SETTINGS_TEXT_MAX];		/* a directory, or "off" */
	char known[SETTINGS_TEXT_MAX];		/* a directory, or "off" */
	int64_t key_lifetime_ms;
	uint64_t cache_entries;
	char hostname[SETTINGS_TEXT_MAX];	/* never empty after settings_finish() */
	bool mark;
	bool jail_required;
	enum starttls starttls;
	char certificate[SETTINGS_TEXT_MAX];		/* a path, or empty */
	char certificate_key[SETTINGS_TEXT_MAX];	/* likewise; empty: it is in that file */
	int64_t connect_timeout_ms, dial_timeout_ms, handshake_timeout_ms;
	int64_t command_timeout_ms, data_timeout_ms, final_timeout_ms, idle_timeout_ms;
	int64_t message_timeout_ms;
	int64_t keep_open_ms;		/* 0: no connection is kept */
	uint64_t sessions, sessions_per_client;
	int log_facility;
	char suites_origin[SETTINGS_TEXT_MAX];	/* "file:line" or "-o", for errors found later */
	char error[SETTINGS_ERROR_MAX];		/* text of the last error, one line */
};

/* Sets all defaults. */
void settings_defaults(struct settings *s);

/*
 * Reads the file at `path`.  A missing file is an error only if `required` is set or a dangling
 * link hides it (sys/path.h).  0, or -1 with s->error: "FILE:LINE: what was found, what was
 * expected".  Errors are also a NUL, a line longer than 1,024 octets, a directory, and a name set
 * twice.
 */
int settings_file(struct settings *s, const char *path, bool required);

/* Sets one `name=value`, as with -o.  0, or -1 with s->error. */
int settings_option(struct settings *s, const char *assignment);

/*
 * Checks what depends on several settings, and sets what depends on the host (hostname).  0, or -1
 * with s->error.
 */
int settings_finish(struct settings *s);

/*
 * The policy for mail to `domain` (in any case; a final dot is ignored): that of policy.DOMAIN,
 * else of the longest `policy..SUFFIX` that matches, else `policy`.
 */
enum policy settings_policy_for(const struct settings *s, struct span domain);

/* Whether the address is in one of the networks; its port does not matter. */
bool settings_network_has(const struct settings_networks *networks, const struct address *a);

#endif
