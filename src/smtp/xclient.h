/*
 * Tells a mailer, before the session, who its client is (XCLIENT, as Postfix has it).
 *
 * The mailer answers with a greeting of its own, which is kept in `reply`: it is the client's.
 */
#ifndef SMTP_XCLIENT_H
#define SMTP_XCLIENT_H

#include "smtp/io.h"
#include "smtp/line.h"

enum introduce_step { INTRODUCE_GREETING, INTRODUCE_EHLO, INTRODUCE_XCLIENT };

struct introduce {
	enum introduce_step step;
	struct reply reply;
	const char *hostname;
	const char *address;	/* as XCLIENT writes it: "192.0.2.1", "IPV6:2001:db8::1" */
	unsigned port;		/* 0: not known */
};

/* The strings must outlive it. */
void introduce_start(struct introduce *i, const char *hostname, const char *address, unsigned port);

/* For struct machine, with ask_fault(); the mailer is on the wire side.  END_DONE: it has the address. */
void introduce_step(void *introduce, struct io *io);

#endif
