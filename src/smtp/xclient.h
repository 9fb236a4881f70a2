/*
 * Passes the client info to the backend before the session, with Postfix's XCLIENT command.
 *
 * The backend answers with a new greeting.  It is kept in `reply` and belongs to the client.
 */
#ifndef SMTP_XCLIENT_H
#define SMTP_XCLIENT_H

#include "smtp/io.h"
#include "smtp/reply.h"

enum xclient_step { XCLIENT_GREETING, XCLIENT_EHLO, XCLIENT_ANSWER };

struct xclient {
	enum xclient_step step;
	struct reply reply;
	const char *hostname;
	const char *address;	/* as XCLIENT writes it: "192.0.2.1", "IPV6:2001:db8::1" */
	unsigned port;		/* 0: not known */
};

/* `hostname` is for our EHLO; see the struct for the others.  The strings must outlive `i`. */
void xclient_start(struct xclient *i, const char *hostname, const char *address, unsigned port);

/*
 * For struct machine, with dialog_fault().  The backend is on the wire side.  OUTCOME_DONE: it
 * has accepted the address.
 */
void xclient_step(void *xclient, struct io *io);

#endif
