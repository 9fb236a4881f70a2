/*
 * Follows a dialogue between the local MTA and the server that passes through, just closely enough
 * to know where a command begins and how many replies are owed.
 *
 * Everything that it does not expect makes it lost: the dialogue then goes on unread.  Where a
 * reply could then be taken for another command's, the dialogue ends.
 *
 * Where the server takes several commands at once, MAIL is answered here and waits for the next
 * command: they take one round trip.  If the server then refuses MAIL, RCPT and DATA get its reply.
 *
 * Where the connection is to be kept for another session, each message is followed by RSET, whose
 * reply the local MTA does not get.  On a connection that was kept, the server may have gone or
 * not want another message.  That shows at the first reply.  Until then, what the local MTA says
 * is remembered, so that it can be said again to a new connection.
 */
#ifndef SMTP_FOLLOW_H
#define SMTP_FOLLOW_H

#include "smtp/io.h"
#include "smtp/line.h"
#include "smtp/message.h"
#include "smtp/reply.h"

enum follow_state {
	FOLLOW_COMMAND,		/* a command begins here */
	FOLLOW_WAITS,		/* after DATA or AUTH: what follows depends on the reply */
	FOLLOW_CONTINUATION,	/* a line that a 334 reply asked for (AUTH) */
	FOLLOW_MESSAGE,		/* a message after DATA, up to CRLF.CRLF */
	FOLLOW_QUIT,		/* QUIT is next, and the local MTA has all its replies */
	FOLLOW_BROKEN,		/* lost where replies could be misplaced: the session ends */
	FOLLOW_LOST		/* not followed any more */
};

/* For -v, such as "command"; a literal. */
const char *follow_state_name(enum follow_state state);

struct follow {
	enum follow_state state;
	enum verb verb;		/* the last command that was passed on */
	unsigned owed;		/* replies that the server owes */
	enum dots dots;
	uint8_t head[4];	/* the start of the current line of a reply */
	size_t head_len;

	bool pipelining;	/* the server takes several commands at once (RFC 2920) */
	bool quiet;		/* all that it has said has been moved */
	bool answered;		/* MAIL is next, and the local MTA has a reply to it */
	bool mail_owed;		/* the server's reply to it is next */
	struct reply mail;	/* that reply */
	bool refused;		/* it was a refusal; so is the reply to RCPT and DATA, */
	unsigned refusals;	/* as to so many commands that the server has got; */
	unsigned dropped;	/* the server's own replies to these are dropped */

	bool resets;		/* say RSET after each message */
	bool reset;		/* RSET is the last thing that was said */
	bool reset_owed;	/* its reply is owed, */
	unsigned before_reset;	/* after so many others, */
	bool reset_begun;	/* and its last line is missing */
	bool stale;		/* do not keep the connection */
	bool gone;		/* the server has closed or said 421: nothing is read any more */
	struct buf *said;	/* what is remembered; NULL: a reply has come, or no need */
};

/*
 * Begins where the local MTA says a command and no reply is owed.  `pipelining`: the server offers
 * it.
 */
void follow_start(struct follow *f, bool pipelining);

/*
 * The same, on a connection that is to be kept.  With `pipelining`, RSET is sent together with the
 * end of a message.  `said`: NULL, or, on a connection that was kept, where to remember what is
 * said; it must outlive `f`.
 */
void follow_keep(struct follow *f, bool pipelining, struct buf *said);

/*
 * The server has closed.  True if the local MTA needs no more replies of it, so that its QUIT can
 * still be answered.
 */
bool follow_left(struct follow *f);

/* From the answer to MAIL until the replies have come that the local MTA does not get. */
bool follow_is_midway(const struct follow *f);

/*
 * Moves what the local MTA says to the wire, as far as it can be now: whole commands, and any part
 * of a message.  From FOLLOW_QUIT on it moves nothing; the QUIT line remains in io->from_local.
 */
void follow_local(struct follow *f, struct io *io);

/*
 * The local MTA says nothing more; what comes to nothing without the rest is forgotten.  True if
 * the dialogue can go on unread.
 */
bool follow_local_ended(struct follow *f, struct io *io);

/*
 * Moves part of a reply of the server, at most up to its end, since what the local MTA may say
 * next depends on it.  False if nothing was moved.
 */
bool follow_wire(struct follow *f, struct io *io);

#endif
