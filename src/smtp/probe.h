/*
 * The machine of `blackponyd -t`: tests whether the backend is an open relay.  It gives a
 * recipient in a foreign domain, as any client could, and takes it back with RSET.  No message
 * is sent.
 */
#ifndef SMTP_PROBE_H
#define SMTP_PROBE_H

#include "smtp/io.h"
#include "smtp/reply.h"

enum probe_step { PROBE_GREETING, PROBE_EHLO, PROBE_MAIL, PROBE_RCPT, PROBE_RSET, PROBE_QUIT };

struct probe {
	enum probe_step step;
	struct reply reply;
	const char *hostname;
	bool relays;			/* the backend is an open relay */
	char said[256];			/* the reply that shows it, printable, NUL-terminated */
};

void probe_start(struct probe *p, const char *hostname);

/* For struct machine, with dialog_fault().  The backend is on the wire side. */
void probe_step(void *probe, struct io *io);

#endif
