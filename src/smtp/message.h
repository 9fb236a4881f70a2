/*
 * Messages on the wire: the end of DATA (RFC 5321, section 4.5.2) and the trace line (section
 * 4.4).
 */
#ifndef SMTP_MESSAGE_H
#define SMTP_MESSAGE_H

#include "base/buf.h"

/* How much of CRLF . CRLF has been seen.  A message begins in DOTS_CRLF. */
enum dots { DOTS_NONE, DOTS_CR, DOTS_CRLF, DOTS_DOT, DOTS_DOT_CR };

/*
 * Returns how many octets of `s` belong to the message: all of them, or those up to the end of
 * CRLF . CRLF, and then sets `*ended`.  Updates the state `*dots`.  No other sequence ends a
 * message, even if some servers accept LF . LF.
 */
size_t message_scan(enum dots *dots, struct span s, bool *ended);

/*
 * Whether a trace line may be put in front of a message that begins with `head`.  It may not if
 * the first line begins with a space or a tab, which would make it a continuation of ours, or
 * if it is the From line of a mailbox: after another line, MTAs would end the header there.
 * `whole`: nothing follows `head`.  FRONT_UNKNOWN: more octets are needed.
 */
enum message_front { FRONT_UNKNOWN, FRONT_FREE, FRONT_TAKEN };
enum message_front message_front(struct span head, bool whole);

#define MESSAGE_TRACE_MAX 1024	/* octets of a trace line */

struct message_trace {
	struct span from;	/* the name in the client's EHLO or HELO */
	const char *peer;	/* the client's address literal, "[192.0.2.1]"; "": not known */
	const char *by;		/* our name */
	bool esmtp;		/* the client said EHLO */
	bool tls;		/* encrypted by STARTTLS, not by XCRYPT */
	bool authenticated;	/* with `tls`: the client has used AUTH */
	const char *suite;	/* the suite's name; with `tls` also the version of TLS */
	int64_t wall_s;		/* the time of receipt, in seconds since 1970 */
};

/* Appends the trace line with its CRLF to `out`, which has room for MESSAGE_TRACE_MAX octets. */
void message_put_trace(struct buf *out, const struct message_trace *trace);

#endif
