/*
 * Calling: the addresses of a destination one after the other, until one takes the conversation, and the
 * same one again without XCRYPT where the handshake failed and policy allows.
 */
#ifndef CALL_H
#define CALL_H

#include "program.h"
#include "smtp/judge.h"
#include "smtp/opening.h"
#include "sys/host.h"

struct call {
	const struct program *program;
	struct ring *ring;
	struct memory *memory;
	const struct host_list *hosts;		/* as asked for */
	struct targets targets;
	bool delivers;				/* a message of our own, not a mailer's dialogue */
	int64_t deadline_ms;			/* of all look-ups and addresses, clock_ms() */
	struct session *session;		/* started around the machine */
	struct opening_settings *opening_settings;	/* the machine's; set for each target */
	struct opening *opening;		/* the machine's */
	void *machine;
	void (*connected)(void *machine, bool plain);

	struct suite_list suites;		/* what this target's policy leaves */
	struct judge judge;			/* ... and what it made of it */
	const char *names[HOST_TARGETS_MAX];	/* of all hosts behind the same destination */
	const struct target *target;		/* the last one called */
	int64_t dialled_ms;			/* what connecting to it took ... */
	int64_t connected_ms;			/* ... and when it was done, clock_ms() */
	enum ending end;
	bool refused_only;			/* every address answered, and with 5yz */
	struct reply greeting;			/* of the last host that greeted with 4yz or 5yz */
	char why[256];				/* for END_NOT_REACHED: of the last one */
};

/* Can it be that TLS has to be spoken to one of the targets?  Its certificates are read before the jail. */
bool call_may_need_tls(const struct call *c);

/*
 * Calls.  One line in the log for each connection.  Returns how the last one ended: END_NOT_REACHED
 * when no address could be, END_GREETED_* when none took us.
 */
enum ending call_run(struct call *c);

#endif
