/*
 * Tells a mailer, before the session, who its client is (XCLIENT, as Postfix has it).
 *
 * The mailer answers with a greeting of its own, which is kept in `reply`: it is the client's.
 */
#ifndef SMTP_XCLIENT_H
#define SMTP_XCLIENT_H

#include "smtp/io.h"
#include "smtp/line.h"

enum xclient_step { XCLIENT_GREETING, XCLIENT_EHLO, XCLIENT_ANSWER };

struct xclient {
	enum xclient_step step;
	struct reply reply;
	const char *hostname;
	const char *address;	/* as XCLIENT writes it: "192.0.2.1", "IPV6:2001:db8::1" */
	unsigned port;		/* 0: not known */
};

/* The strings must outlive it. */
void xclient_start(struct xclient *i, const char *hostname, const char *address, unsigned port);

/* For struct machine, with dialog_fault(); the mailer is on the wire side.  OUTCOME_DONE: it has the address. */
void xclient_step(void *xclient, struct io *io);

#endif
