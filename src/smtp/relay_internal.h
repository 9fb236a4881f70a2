/*
 * What the files of the relay share: relay.c (start, step, queue), relay_commands.c, relay_turn.c and
 * relay_message.c (wire to mailer), relay_replies.c (mailer to wire).  For them only.
 *
 * What passes something on returns false when it cannot now (no room, or replies still to come);
 * nothing has been taken then, and the same is there again next time.
 */
#ifndef SMTP_RELAY_INTERNAL_H
#define SMTP_RELAY_INTERNAL_H

#include "smtp/relay.h"

/* Each moves one thing in its direction; false when nothing can be moved now. */
bool relay_command(struct relay *r, struct io *io);
bool relay_reply(struct relay *r, struct io *io);

/* An answer of our own, behind all the mailer still owes, to a line of so many octets. */
bool relay_answer(struct relay *r, struct io *io, size_t octets, const char *text);

/* Becomes a pipe, in the clear; `why` for the log, or NULL: nobody asked for encryption. */
bool relay_become_pipe(struct relay *r, struct io *io, const char *why);

/* The next command waits until all replies have come.  True: it did not, and the session has changed or ended. */
bool relay_while_waiting(struct relay *r, struct io *io);

/* Half of a reply to EHLO is with the client: what was held back of it goes, and its other half as it comes. */
void relay_put_held(struct relay *r, struct io *io);

/* So many octets from the wire are done with. */
void relay_take(struct io *io, size_t octets);

/* Messages: DATA was taken, octets of what follows, a BDAT command, octets of its chunk. */
void relay_message_follows(struct relay *r);
bool relay_message(struct relay *r, struct io *io);
bool relay_chunk(struct relay *r, struct io *io, const struct line *line, struct span arguments);
bool relay_chunk_octets(struct relay *r, struct io *io);

/* `text` for a BDAT that goes no further.  Nobody would know what its octets are: with any, the session ends. */
bool relay_refuse_chunk(struct relay *r, struct io *io, const struct line *line, struct span arguments,
    const char *text);

/* The queue of verbs whose replies have not come. */
bool relay_queue_full(const struct relay *r);
void relay_queue_put(struct relay *r, enum verb verb);
enum verb relay_queue_first(const struct relay *r);	/* VERB_OTHER when it is empty */
enum verb relay_queue_last(const struct relay *r);	/* the same */
void relay_queue_take(struct relay *r);

/*
 * Whether a message has begun is known from the replies: each changes what holds for the transaction that its
 * command belonged to, if it is good, and nothing otherwise.
 */
void relay_note_message(struct relay *r, enum verb verb, bool good);

/* Will no command that is still unanswered change `begun`? */
bool relay_begun_is_settled(const struct relay *r);

/*
 * Has the mailer said why it goes?  A 421 or 521, a greeting that refuses, or any refusal with nothing owed, was
 * its last word, and another one from us would only contradict it.
 */
static inline bool
relay_has_parted(const struct relay *r)
{
	return r->gone || (r->queue_len == 0 && r->last_code >= 400);
}

/* Octets put to the mailer so far, and gone from us. */
static inline uint64_t
relay_sent(const struct io *io)
{
	return io->to_local.taken + buf_len(&io->to_local);
}

#endif
