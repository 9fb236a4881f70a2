/*
 * Messages on the wire: where DATA ends (RFC 5321 section 4.5.2), and the trace line in front
 * (section 4.4).
 */
#ifndef SMTP_MESSAGE_H
#define SMTP_MESSAGE_H

#include "base/buf.h"

/* How much of CRLF . CRLF has gone by.  A message begins behind a CRLF. */
enum dots { DOTS_NONE, DOTS_CR, DOTS_CRLF, DOTS_DOT, DOTS_DOT_CR };

/*
 * How many octets of `s` belong to the message whose state is `*dots`: all, or those up to the end of
 * CRLF . CRLF, and then `*ended`.  Nothing else ends a message, whatever a mailer might think.
 */
size_t message_scan(enum dots *dots, struct span s, bool *ended);

/*
 * May a line stand in front of a message that begins with `head`?  Not where mailers know its first line
 * by being the first: one that begins with a blank would go on with ours, and behind ours a mailbox's
 * From line ends the header.  `whole`: nothing is to come behind `head`.
 */
enum message_front { FRONT_UNKNOWN, FRONT_FREE, FRONT_TAKEN };
enum message_front message_front(struct span head, bool whole);

#define MESSAGE_TRACE_MAX 1024

struct message_trace {
	struct span from;	/* the name the client gave itself */
	const char *peer;	/* its address literal, "[192.0.2.1]"; "" where there is none */
	const char *by;		/* our name */
	bool esmtp;		/* it said EHLO */
	const char *suite;
};

/* Puts the trace line, CRLF included, to `out`, which has room for MESSAGE_TRACE_MAX octets. */
void message_put_trace(struct buf *out, const struct message_trace *trace);

#endif
