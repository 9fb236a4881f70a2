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

#include "store/known_hosts.h"
#include "store/hostkey_cache.h"
#include "smtp/line.h"
#include "sys/settings.h"

#define TRUST_EXPECTED_MAX (MEMORY_NAME_MAX + 1)
#define TRUST_TEXT_MAX 480		/* octets; fits into a line of SMTP */
#define TRUST_COMMAND "blackpony -k "	/* what a command begins with, in a text that names one */

struct trust_case {
	enum policy policy;
	unsigned newest_rank;		/* newest generation enabled here; 0: none */
	const char *domain, *host;	/* as memory_look() was asked */
	const struct memory_known *known;
	bool unsure;			/* memory could not be read, and there may be more to know */
	bool encrypted;
	bool starttls;			/* ... by that and not by XCRYPT: `encrypted` is false */
	bool refused;			/* it has refused EHLO, and shown nothing: it did not work */
	bool nowhere;			/* the DNS says that there is no host: `why` says how */
	const char *why;		/* in the clear because ... (a literal), or NULL */
	unsigned rank;			/* generation it is encrypted with */
	enum vouch shown;		/* the host key shown inside */
	const struct vouched *vouched;	/* for VOUCH_GOOD */
};

enum trust_alarm {
	TRUST_QUIET,
	TRUST_DOWNGRADE,	/* log: downgrade= what worked before */
	TRUST_KEY_CHANGED	/* log: key-changed= the key expected */
};

enum trust_remember {
	TRUST_NOTHING,
	TRUST_WORKED,		/* memory_worked(), with the key shown */
	TRUST_TOLD		/* memory_told() */
};

struct trust {
	bool go_on;			/* false: the message waits */
	enum trust_alarm alarm;		/* for the line of the connection, every time */
	bool loud;			/* ... and for a warning of its own: nobody was told */
	enum trust_remember remember;
	char expected[TRUST_EXPECTED_MAX];	/* a generation, a host, or a key in base64 */
	char text[TRUST_TEXT_MAX];	/* unless go_on: what happened to this host, for people, and
					   which command accepts it; its name is nowhere else */
};

void trust_decide(struct trust *trust, const struct trust_case *c);

/* "downgrade", "key-changed" or NULL: the name in the log. */
const char *trust_alarm_name(enum trust_alarm alarm);

/*
 * The statements in a reply to EHLO, from `XCRYPT-` on; empty where there is none.  Two of a kind
 * are none.
 */
void trust_find_statements(const struct reply *reply, struct span *id, struct span *next);

#endif
