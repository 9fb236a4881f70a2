/*
 * Calling: the addresses of a destination one after the other, until one takes the conversation, and the
 * same one again without XCRYPT where the handshake failed and policy allows.
 */
#ifndef CLIENT_ATTEMPT_H
#define CLIENT_ATTEMPT_H

#include "cli/options.h"
#include "client/peer_check.h"
#include "smtp/client_handshake.h"
#include "sys/host.h"
#include "sys/outside.h"

struct attempt {
	const struct options *options;
	struct key_cache *cache;
	struct known_hosts *known_hosts;
	const struct host_list *hosts;		/* as asked for */
	struct targets targets;
	bool delivers;				/* a message of our own, not a mailer's dialogue */
	int64_t deadline_ms;			/* of all look-ups and addresses, clock_ms() */
	struct session *session;		/* started around the machine */
	struct client_settings *client_settings;	/* the machine's; set for each target */
	struct client_handshake *client;		/* the machine's */
	void *machine;
	void (*connected)(void *machine, bool plain);

	struct outside outside;			/* dials and remembers for us, once there is a jail */

	struct suite_list suites;		/* what this target's policy leaves */
	struct peer_check check;			/* ... and what it made of it */
	const char *names[HOST_TARGETS_MAX];	/* of all hosts behind the same destination */
	const struct target *target;		/* the one called last */
	int64_t dialled_ms;			/* what connecting to it took ... */
	int64_t connected_ms;			/* ... and when it was done, clock_ms() */
	enum outcome end;
	enum outcome left;			/* of the one that is told of, while others are called */
	bool one_said;				/* ... and it said a reply */
	bool refused_only;			/* every address there is answered, and with 5yz that counts */
	struct reply greeting;			/* or to EHLO: the last one of 4yz or 5yz; code 0: none */
	const struct target *alerted;		/* who `end` and `greeting` are about */
	char why[256];				/* for OUTCOME_NOT_REACHED: of the last one */
};

/* Can it be that TLS has to be spoken to one of the targets?  Its certificates are read before the jail. */
bool attempt_may_need_tls(const struct attempt *c);

/*
 * The DNS says that the destination does not exist or takes no mail: `why`, a literal.  OUTCOME_NONE where that may
 * cost the message, or else why it may not; judge.trust.text tells it.  Uses program, ring, memory and hosts.
 */
enum outcome attempt_nowhere(struct attempt *c, const char *why);

/*
 * Before the jail, once there are targets: looks up what is remembered of them, and starts the process outside
 * (sys/outside.h), which knows no others.  0, or -1 with errno.
 */
int attempt_prepare(struct attempt *c);

/* There will be no other call, and nothing more is learned. */
void attempt_settled(struct attempt *c);

/*
 * Calls.  One line in the log for each connection.  A host that takes no message now, and has taken nothing of
 * it, is left for the next (io->elsewhere).  Returns how it ended with the host that took the conversation, or
 * with the last one that answered; OUTCOME_NOT_REACHED when none could be reached.
 */
enum outcome attempt_run(struct attempt *c);

#endif
