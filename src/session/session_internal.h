/*
 * Shared by the two files of the session only: session.c (set-up, waiting, the end) and
 * session_flow.c (moving octets).
 */
#ifndef SESSION_SESSION_INTERNAL_H
#define SESSION_SESSION_INTERNAL_H

#include "session/session.h"

/* Tells the machine of a fault; in a pipe, `what` is the outcome. */
void session_fault(struct session *s, enum outcome what);

/* Stops the layer and wipes its state. */
void session_stop_layer(struct session *s);

/* A side is broken: drops what was to be written to it. */
void session_wire_broken(struct session *s);
void session_local_broken(struct session *s);

/*
 * In a pipe of blackpony, the local MTA has closed its direction and only reads.  Then
 * command-timeout applies, and octets do not renew it.  Only poll(2) shows if the local MTA goes
 * away.
 */
bool session_only_hears(const struct session *s);

/* The buffer for plain octets read from a side: in a pipe, the output buffer of the other. */
struct buf *session_plain_from_wire(struct session *s);
struct buf *session_plain_from_local(struct session *s);

/*
 * Moves all that can move without waiting: repeats its turn until one changes nothing.  With
 * io->end set it only writes out.
 */
void session_move(struct session *s);

bool session_wire_flushed(const struct session *s);

/* Whether what is in to_wire waits for more of the same (io->gathers). */
bool session_gathers(const struct session *s);

#endif
