/*
 * The machine of a connection that is kept between two messages (client/holder.h).  There is no
 * local side.
 *
 * rest_start() says RSET, unless that was the last command, and ends with io->keeps when it has
 * been answered.  rest_wait() then waits: anything that the server says or does ends
 * it, because no reply is due.  rest_leave() says QUIT.
 */
#ifndef SMTP_REST_H
#define SMTP_REST_H

#include "smtp/io.h"
#include "smtp/reply.h"

enum rest_state {
	REST_RESET,		/* replies to RSET are due */
	REST_IDLE,		/* nothing is due: a message may be sent */
	REST_LEAVE,		/* QUIT is to be sent */
	REST_QUIT		/* QUIT was sent */
};

struct rest {
	enum rest_state state;
	bool said;		/* RSET */
	unsigned due;		/* replies to RSET */
	bool waits;		/* REST_IDLE is not the end */
	struct reply reply;
};

/* Prepares `r`.  `reset` and `resets` are those of struct io at the end of the last message. */
void rest_start(struct rest *r, bool reset, unsigned resets);
void rest_wait(struct rest *r);
void rest_leave(struct rest *r);

/*
 * For struct machine.  OUTCOME_LOCAL_GONE (session_watch()) ends an idle machine with io->keeps.
 * At any other time, and at a timeout, the machine says QUIT and ends when the reply has come.
 */
void rest_step(void *rest, struct io *io);
void rest_fault(void *rest, struct io *io, enum outcome fault);

#endif
