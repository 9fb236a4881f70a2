/*
 * Policy: what this host offers and accepts, and whether a message goes to a host.
 *
 * A table in policy.c has one row for each level, and the functions here only look things up in
 * it. They read no file and no clock, and write nothing: client/peer_check.h gathers the facts
 * about a host and applies the verdict.  xcrypt(7), "POLICIES", prints the table.
 */
#ifndef SMTP_POLICY_H
#define SMTP_POLICY_H

#include "crypt/hostkey.h"
#include "crypt/suite.h"
#include "smtp/io.h"
#include "smtp/tls_policy.h"
#include "sys/settings.h"

enum policy_starttls {		/* does a client use STARTTLS with a host that has no XCRYPT? */
	STARTTLS_NO,
	STARTTLS_DELIVERING,	/* if it delivers; a local MTA that uses it does so itself */
	STARTTLS_ALWAYS
};

enum policy_reaction {
	REACTION_NONE,		/* the host is not checked */
	REACTION_LOGGED,	/* a warning is logged and the message goes */
	REACTION_WAITS		/* a warning is logged and the message waits */
};

struct policy_level {
	const char *name;		/* as in the settings */
	bool xcrypt;			/* XCRYPT is offered and accepted */
	unsigned lowest_version;	/* of XCRYPT, see policy_suites(); 0 without XCRYPT */
	bool encryption_required;	/* no message is accepted or sent in the clear */
	enum policy_starttls starttls;
	enum policy_reaction downgrade;		/* when a host encrypts less than it did before */
	enum policy_reaction key_changed;	/* when it shows an unexpected host key, or none */
	bool pin_required;		/* only the pinned host key is accepted */
};

/* The rows, by enum policy. */
extern const struct policy_level policy_table[];

bool policy_requires_encryption(enum policy policy);

/*
 * Does a client use STARTTLS with a host that has no XCRYPT?  `delivers`: it sends a message of
 * its own, not what a local MTA says.
 */
bool policy_uses_starttls(enum policy policy, bool delivers);

/*
 * The suites among `enabled` that the policy offers and accepts, in the same order.  If its
 * lowest version is 2.0 and no suite of 2.0 is enabled, these are the suites of 0.2 and 1.0.
 */
struct suite_list policy_suites(enum policy policy, const struct suite_list *enabled);


#define POLICY_EXPECTED_MAX 256		/* octets, with NUL: a name of 255 octets is the longest */
#define POLICY_TEXT_MAX 480		/* octets, with NUL; fits into a line of SMTP */
#define POLICY_COMMAND "blackpony -k "	/* the start of a command that a text suggests */

struct policy_known {		/* what is known of the host (store/known_hosts.h) */
	bool incomplete;	/* known hosts are off or could not be read: there may be more */
	bool established;	/* XCRYPT has worked there for long enough, or a key is pinned */
	bool mx_changed;	/* established for the domain, but all its mail hosts are new */
	bool alerted;		/* a warning has been logged, and XCRYPT has not worked since */
	unsigned version;	/* best XCRYPT version that has worked; 0: none */
	const uint8_t *pin;	/* pinned host key, HOSTKEY_PUBLIC_LEN octets; NULL: none */
	bool pin_is_domains;	/* pinned for the domain, not for the mail host */
	const uint8_t *key;	/* host key expected, HOSTKEY_PUBLIC_LEN octets; NULL: none */
	const uint8_t *next;	/* host key that the host has announced, likewise */
	const char *last_host;	/* mx_changed: the mail host where XCRYPT worked last */
};

enum policy_dane {		/* TLSA records of the host (crypt/dane.h), and this session */
	POLICY_DANE_NONE,	/* no records */
	POLICY_DANE_UNUSABLE,	/* records, but none is usable */
	POLICY_DANE_UNMATCHED,	/* none matches its host key or certificate, or it shows none */
	POLICY_DANE_MATCHED	/* one matches the host key or certificate of this session */
};

struct policy_facts {
	enum policy policy;
	unsigned newest_version;	/* newest XCRYPT version enabled here; 0: none */
	const char *domain, *host;	/* the destination and its mail host */
	struct policy_known known;
	enum policy_dane dane;
	bool mx_secure;			/* the host's name is not from an MX that may be forged */
	enum tls_policy_level entry;	/* of the policy map, for the domain */
	bool listed;			/* the entry permits the host, or DNSSEC has named it */
	bool starttls_left;		/* STARTTLS is offered besides XCRYPT, and was not tried */

	/* the session */
	bool encrypted;			/* by XCRYPT */
	unsigned version;		/* the XCRYPT version, if encrypted */
	bool starttls;			/* encrypted by STARTTLS; `encrypted` is false then */
	bool certified;			/* ... with a certificate that is valid for the host's name */
	bool instead;			/* ... after starttls_instead of an earlier verdict */
	bool refused;			/* EHLO, with 5yz: so the host has shown no host key */
	bool not_in_dns;		/* there is no session: the DNS names no host, see `why` */
	const char *why;		/* reason for going on in the clear, a literal; or NULL */
	enum statement_verdict shown;	/* of the host key statement */
	const uint8_t *shown_key;	/* for STATEMENT_GOOD: HOSTKEY_PUBLIC_LEN octets */
};

enum alarm {
	ALARM_NONE,
	ALARM_DOWNGRADE,	/* log: downgrade= what worked before */
	ALARM_KEY_CHANGED	/* log: key-changed= the key expected */
};

enum policy_remember {		/* what to write to known hosts */
	REMEMBER_NOTHING,
	REMEMBER_WORKED,	/* XCRYPT has worked, with the host key shown */
	REMEMBER_ALERTED	/* a warning has been logged */
};

enum policy_auth {		/* how the host of this session is authenticated */
	POLICY_AUTH_NONE,
	POLICY_AUTH_TOFU,	/* its host key is the one remembered, or announced by that one */
	POLICY_AUTH_PINNED,	/* its host key is pinned */
	POLICY_AUTH_DANE,	/* a TLSA record matches its host key or certificate */
	POLICY_AUTH_STS		/* its certificate is valid, for a name that the entry permits */
};

struct policy_verdict {
	bool go_on;			/* false: the message waits */
	enum policy_auth auth;		/* POLICY_AUTH_NONE unless go_on */
	bool starttls_instead;		/* unless go_on: STARTTLS may do on a new connection */
	bool next_host;			/* unless go_on: another host of the destination may do */
	enum alarm alarm;		/* for the log line of the connection */
	bool warn;			/* log a warning: none was logged since XCRYPT worked */
	enum policy_remember remember;
	char expected[POLICY_EXPECTED_MAX];	/* by an alarm: a version, a host or a key */
	char text[POLICY_TEXT_MAX];	/* what is wrong, and what accepts it; empty if go_on */
};

/*
 * Decides whether a session goes on.
 *
 * A client asks after the host has answered EHLO, inside the encrypted session if there is one,
 * and before it says anything about a message.  It also asks before it calls a host again in the
 * clear, with `encrypted` false.
 */
void policy_decide(struct policy_verdict *verdict, const struct policy_facts *facts);

/* How a session ends that policy_decide() does not let go on. */
enum outcome policy_refusal(const struct policy_facts *facts);

/* "downgrade" or "key-changed", as in the log; NULL for ALARM_NONE. */
const char *policy_alarm_name(enum alarm alarm);

/* "none", "tofu", "pinned", "dane" or "sts". */
const char *policy_auth_name(enum policy_auth auth);

/*
 * What is asked of a host, for the log: "dane" if a TLSA record has to match, "sts" if the entry of
 * the policy map demands a certificate, else the name of the policy.  It requires encryption if the
 * entry demands encryption, or there are records and none is usable.  "unknown": nothing could be
 * right, since the entry is not understood.
 */
const char *policy_asked_name(enum policy policy, enum policy_dane dane,
    enum tls_policy_level entry);

/*
 * Whether a host may be called at all: not if the entry of the policy map is not understood, or
 * does not permit it.  Of the facts it needs `policy`, `domain`, `host`, `entry` and `listed`.  If
 * it may not be, `*verdict` says why; else it is unchanged.
 */
bool policy_may_call(struct policy_verdict *verdict, const struct policy_facts *facts);

#endif
