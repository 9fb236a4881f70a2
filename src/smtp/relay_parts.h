/*
 * What the three files of the relay share: relay.c (start, step, queue), relay_commands.c (wire to
 * mailer) and relay_replies.c (mailer to wire).  For them only.
 */
#ifndef SMTP_RELAY_PARTS_H
#define SMTP_RELAY_PARTS_H

#include "smtp/relay.h"

/* Each moves one thing in its direction; false when nothing can be moved now. */
bool relay_command(struct relay *r, struct io *io);
bool relay_reply(struct relay *r, struct io *io);

/* The queue of verbs whose replies have not come. */
bool relay_queue_full(const struct relay *r);
void relay_queue_put(struct relay *r, enum verb verb);
enum verb relay_queue_first(const struct relay *r);	/* VERB_OTHER when it is empty */
void relay_queue_take(struct relay *r);

/* Octets put to the mailer so far, and gone from us. */
static inline uint64_t
relay_sent(const struct io *io)
{
	return io->to_local.taken + buf_len(&io->to_local);
}

#endif
