/*
 * Whether a client goes on with a host, from its policy, what is remembered, and what has happened:
 * a decision, and nothing else.
 *
 * Asked once the host has answered EHLO for good (inside, where it is encrypted), before anything
 * of a message is said.  Asked beforehand with `encrypted` false, it says whether the session may
 * go on in the clear should it come to that.
 */
#ifndef SMTP_POLICY_H
#define SMTP_POLICY_H

#include "smtp/line.h"
#include "store/hostkey_cache.h"
#include "store/known_hosts.h"
#include "sys/settings.h"

#define POLICY_EXPECTED_MAX (KNOWN_HOSTS_NAME_MAX + 1)
#define POLICY_TEXT_MAX 480		/* octets; fits into a line of SMTP */
#define POLICY_COMMAND "blackpony -k "	/* what a command begins with, in a text that names one */

struct policy_case {
	enum policy policy;
	unsigned newest_version;		/* newest generation enabled here; 0: none */
	const char *domain, *host;	/* as known_hosts_look_up() was asked */
	const struct known_host *known;
	bool incomplete;			/* memory could not be read, and there may be more to know */
	bool encrypted;
	bool starttls;			/* ... by that and not by XCRYPT: `encrypted` is false */
	bool refused;			/* it has refused EHLO, and shown nothing: it did not work */
	bool nowhere;			/* the DNS says that there is no host: `why` says how */
	const char *why;		/* in the clear because ... (a literal), or NULL */
	unsigned version;			/* generation it is encrypted with */
	enum statement_verdict shown;		/* the host key shown inside */
	const struct verified_statement *verified;	/* for STATEMENT_GOOD */
};

enum alarm {
	ALARM_NONE,
	ALARM_DOWNGRADE,	/* log: downgrade= what worked before */
	ALARM_KEY_CHANGED	/* log: key-changed= the key expected */
};

enum policy_remember {
	REMEMBER_NOTHING,
	REMEMBER_WORKED,		/* known_hosts_worked(), with the key shown */
	REMEMBER_ALERTED		/* known_hosts_alerted() */
};

struct policy_verdict {
	bool go_on;			/* false: the message waits */
	enum alarm alarm;		/* for the line of the connection, every time */
	bool warn;			/* ... and for a warning of its own: nobody was told */
	enum policy_remember remember;
	char expected[POLICY_EXPECTED_MAX];	/* a generation, a host, or a key in base64 */
	char text[POLICY_TEXT_MAX];	/* unless go_on: what happened to this host, for people, and
					   which command accepts it; its name is nowhere else */
};

void policy_decide(struct policy_verdict *verdict, const struct policy_case *c);

/* "downgrade", "key-changed" or NULL: the name in the log. */
const char *policy_alarm_name(enum alarm alarm);

/*
 * The statements in a reply to EHLO, from `XCRYPT-` on; empty where there is none.  Two of a kind
 * are none.
 */
void policy_find_statements(const struct reply *reply, struct span *id, struct span *next);

#endif
