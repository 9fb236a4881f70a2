/*
 * Shared by the relay's own files and used nowhere else: relay.c (start, step, queue),
 * relay_command.c, relay_encrypt.c, relay_turn.c and relay_data.c (wire to backend), relay_reply.c
 * (backend to wire).
 *
 * A function that passes something on returns false when it cannot do so now (no room, or
 * replies are outstanding).  It has taken nothing then, and is called again later.
 */
#ifndef SMTP_RELAY_INTERNAL_H
#define SMTP_RELAY_INTERNAL_H

#include "smtp/relay.h"

/* Pass on one command or one line of a reply.  False when nothing can be moved now. */
bool relay_command(struct relay *r, struct io *io);
bool relay_reply(struct relay *r, struct io *io);

/*
 * Answers a command ourselves: takes its `octets` off the wire and sends `text`, which has no
 * CRLF.  False while the backend owes replies, so that the order of the replies is kept.
 */
bool relay_answer(struct relay *r, struct io *io, size_t octets, const char *text);

/* Whether we may answer now: not before the backend has sent all replies that it owes. */
bool relay_can_answer(const struct relay *r, const struct io *io);

/*
 * Answer a client's commands in the clear: `XCRYPT ...`; XCRYPT OK or XCRYPT FAIL after our 250
 * XCRYPT; and STARTTLS (RFC 3207), where it is ours.
 */
bool relay_xcrypt(struct relay *r, struct io *io, const struct line *line);
bool relay_confirm(struct relay *r, struct io *io, const struct line *line);
bool relay_starttls(struct relay *r, struct io *io, const struct line *line, struct span arguments);

/* The only attempt with XCRYPT has failed: the session continues in the clear. */
void relay_give_up(struct relay *r, const struct io *io, const char *why);

/*
 * Becomes a pipe of octets, in the clear.  `why` is the reason for the log, a literal, or NULL:
 * the client did not ask for encryption.
 */
bool relay_become_pipe(struct relay *r, struct io *io, const char *why);

/*
 * Called while the next command has to wait for all replies.  True: the client did not wait,
 * and so the session has become a pipe or has ended.
 */
bool relay_while_waiting(struct relay *r, struct io *io);

/* Passes on the line of a reply to EHLO that is held back.  The rest passes through the pipe. */
void relay_put_held(struct relay *r, struct io *io);

/* Set what octets from the wire belong to, and how far encryption is; traced with -v. */
void relay_enter(struct relay *r, const struct io *io, enum relay_input input);
void relay_set_crypt(struct relay *r, const struct io *io, enum relay_crypt crypt);

/* Takes `octets` off the wire and restarts the deadline. */
void relay_take(struct io *io, size_t octets);

/* The backend has answered 354: a message follows. */
void relay_message_follows(struct relay *r, struct io *io);

/* Passes on octets of a message after DATA, with the trace line in front. */
bool relay_message(struct relay *r, struct io *io);

/* Passes on a BDAT command, with the trace line where its chunk is the first of a message. */
bool relay_chunk(struct relay *r, struct io *io, const struct line *line, struct span arguments);

/* Passes on octets of a chunk. */
bool relay_chunk_octets(struct relay *r, struct io *io);

/*
 * Refuses a BDAT with `text`.  The session ends unless its chunk is empty, since the octets that
 * follow might be read as commands.
 */
bool relay_refuse_chunk(struct relay *r, struct io *io, const struct line *line, struct span arguments,
    const char *text);

/* Whether we answer STARTTLS ourselves. */
static inline bool
relay_has_starttls(const struct relay *r)
{
	return r->set->starttls == RELAY_STARTTLS_OWN;
}

/* The queue of verbs that wait for their replies. */
bool relay_queue_full(const struct relay *r);
void relay_queue_put(struct relay *r, enum verb verb);
enum verb relay_queue_first(const struct relay *r);	/* VERB_OTHER when empty */
enum verb relay_queue_last(const struct relay *r);	/* VERB_OTHER when empty */
void relay_queue_take(struct relay *r);

/*
 * Keeps `begun` up to date from the reply to `verb`.  Only a good reply (2yz) begins or ends a
 * message; a refused command changes nothing.
 */
void relay_note_message(struct relay *r, enum verb verb, bool good);

/* Whether no outstanding reply can change `begun`. */
bool relay_begun_is_settled(const struct relay *r);

/*
 * Whether the backend has announced that it closes: with 421 or 521, a greeting that refuses,
 * or any refusal when no other reply is outstanding.  A 421 of our own would only contradict
 * it.
 */
static inline bool
relay_has_parted(const struct relay *r)
{
	return r->gone || (r->queue_len == 0 && r->last_code >= 400);
}

/* Octets put into to_local so far, including those not written yet. */
static inline uint64_t
relay_sent(const struct io *io)
{
	return io->to_local.taken + buf_len(&io->to_local);
}

#endif
