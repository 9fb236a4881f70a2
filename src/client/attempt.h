/*
 * Connects to the addresses of a destination one after the other, until one takes the message.
 * After a failed handshake it connects to the same address again without XCRYPT, if the policy
 * allows.
 */
#ifndef CLIENT_ATTEMPT_H
#define CLIENT_ATTEMPT_H

#include "cli/options.h"
#include "client/peer_check.h"
#include "client/policy_map.h"
#include "client/tls_report.h"
#include "smtp/client_handshake.h"
#include "sys/host.h"
#include "sys/outside.h"

struct attempt {
	const struct options *options;
	struct key_cache *cache;
	struct known_hosts *known_hosts;
	const struct host_list *hosts;		/* as named in the arguments */
	struct targets targets;
	struct policy_map map;
	struct tls_report report;
	bool delivers;				/* one message, not the local MTA's dialogue */
	int64_t deadline_ms;			/* for all look-ups and addresses, clock_ms() */
	struct session *session;		/* around the machine */
	struct client_settings *client_settings;	/* the machine's; set for each target */
	struct client_handshake *client;		/* the machine's */
	void *machine;
	void (*connected)(void *machine, enum client_call call);

	struct outside outside;		/* dials and stores for the session in the jail */

	struct suite_list suites;		/* that the policy for this target accepts */
	struct peer_check check;			/* of this target */
	const char *names[HOST_TARGETS_MAX];	/* of all hosts of the destination */
	struct host_tlsa tlsa;			/* of the host of `tlsa_of` */
	const struct target *tlsa_of;		/* NULL: of none yet */
	const struct target *refused;		/* last one that the policy map does not permit */
	const struct target *target;		/* the present one, or the last one */
	int64_t dialled_ms;			/* milliseconds that connecting took */
	int64_t connected_ms;			/* when it was connected, clock_ms() */
	unsigned messages;			/* over this connection; 0: not counted */
	enum outcome end;
	enum outcome left;		/* `end` of the target to report on */
	bool one_said;				/* that target sent a reply */
	bool refused_only;			/* each address refused with 5yz, for good */
	struct reply greeting;		/* last greeting or EHLO reply of 4yz, 5yz; or code 0 */
	const struct target *alerted;		/* that `end` and `greeting` are about */
	char why[256];			/* for OUTCOME_NOT_REACHED: error of the last target */
	char refusal[POLICY_TEXT_MAX];	/* why the policy refuses the host of `left`; or empty */
};

/*
 * Whether STARTTLS may be needed towards one of the targets, by its policy or for TLSA records.
 * Then the certificates have to be opened before the jail.
 */
bool attempt_may_need_tls(const struct attempt *c);

/*
 * The DNS says that the destination does not exist or takes no mail; `why` is a literal for the
 * log.  OUTCOME_NONE if that may be believed and the message is refused for good.  Else the
 * outcome, with check.verdict.text; the message waits.  Needs options, cache, known_hosts and
 * hosts.
 */
enum outcome attempt_nowhere(struct attempt *c, const char *why);

/*
 * For use before the jail, with the targets set: reads what is known of them, and starts the
 * process outside (sys/outside.h), which dials these targets only.  0, or -1 with errno.
 */
int attempt_prepare(struct attempt *c);

/* Ends the process outside: no other connection follows, and nothing more is learned. */
void attempt_settled(struct attempt *c);

/* Whether the last target was connected to, so that the members about its session are set. */
bool attempt_called(const struct attempt *c);

/*
 * Connects and runs the session, and logs one line for each connection.  After a host that took
 * nothing of the message (io->elsewhere), or that its TLSA records forbid, it goes on with the next
 * one.  Returns the outcome of the host that took the message, or of the last one that answered;
 * OUTCOME_NOT_REACHED if none could be reached.
 */
enum outcome attempt_run(struct attempt *c);

/*
 * Runs the session for another message, on the connection that the last one has left open
 * (io->keeps), and logs a line for it.  `begun_ms`: clock_ms() when it began.
 */
enum outcome attempt_again(struct attempt *c, int64_t begun_ms);

/*
 * For -t, after attempt_run(): connects to the last host once more, for STARTTLS only, and compares
 * its certificate with its TLSA records (c->tlsa).  Decides nothing, and nothing is learned.
 */
void attempt_compare_certificate(struct attempt *c);

#endif
