/*
 * What the two files of the session share: session/session.c (set-up, waiting, the end) and session/session_flow.c (moving
 * octets).  For them only.
 */
#ifndef SESSION_SESSION_INTERNAL_H
#define SESSION_SESSION_INTERNAL_H

#include "session/session.h"

/* Something happened that the machine has to know of, where there is still a machine. */
void session_fault(struct session *s, enum outcome what);

/* Ends and forgets what encrypts. */
void session_stop_layer(struct session *s);

/* A side can no longer be written to. */
void session_wire_broken(struct session *s);
void session_local_broken(struct session *s);

/*
 * A calling pipe whose mailer has said its last word, and waits for the end at most as long as for a reply:
 * octets do not renew that deadline.  It may go altogether, which nothing but poll(2) tells.
 */
bool session_only_hears(const struct session *s);

/* Where plain octets from a side go: in a pipe straight to the other. */
struct buf *session_plain_from_wire(struct session *s);
struct buf *session_plain_from_local(struct session *s);

/*
 * Moves everything that can be moved without waiting: turn after turn until one changes nothing.  Once
 * io->end is set, it only writes out what there is.
 */
void session_move(struct session *s);

bool session_wire_flushed(const struct session *s);

#endif
