/*
 * The machine behind `blackponyd -t`: asks a mailer, as a stranger would, to relay to a foreign domain, and
 * takes it back.  Nothing is sent.
 */
#ifndef SMTP_PROBE_H
#define SMTP_PROBE_H

#include "smtp/io.h"
#include "smtp/line.h"

enum probe_step { PROBE_GREETING, PROBE_EHLO, PROBE_MAIL, PROBE_RCPT, PROBE_RSET, PROBE_QUIT };

struct probe {
	enum probe_step step;
	struct reply reply;
	const char *hostname;
	bool relays;			/* it would: an open relay */
	char said[256];			/* the reply it was seen by, printable, NUL-terminated */
};

void probe_start(struct probe *p, const char *hostname);

/* For struct machine, with dialog_fault(); the mailer is on the wire side. */
void probe_step(void *probe, struct io *io);

#endif
