/*
 * The process outside: it does for a session what the jail (sys/jail.h) forbids the session.
 *
 * It is forked before the session enters the jail and before anything from a peer is read.  All that it ever
 * reads are requests of one fixed form.  What each means, and what is refused, is for its owner to say: a
 * session that a peer has taken over can ask for anything that the form allows, and must not gain by it.
 */
#ifndef SYS_OUTSIDE_H
#define SYS_OUTSIDE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OUTSIDE_OCTETS 224

struct outside_request {
	uint16_t what, about;		/* the owner's */
	uint32_t number;
	uint8_t octets[OUTSIDE_OCTETS];
};

/*
 * Does what was asked for.  0, or -1 with errno.  A descriptor in `*fd`, where it is not -1, goes to the
 * session, and is closed here.
 */
typedef int outside_serve(void *context, const struct outside_request *request, int *fd);

struct outside {
	int fd;				/* -1: there is none */
};

/*
 * Starts it.  Its standard input and output are /dev/null, its standard error stays where the log goes there.
 * It ends when the session does, at the latest.  0, or -1 with errno.
 */
int outside_start(struct outside *o, outside_serve *serve, void *context);

/*
 * Asks, and waits for the answer.  0, or -1 with errno, which may be its own.  `fd`, where it is not NULL,
 * gets the descriptor that came with the answer, or -1.
 */
int outside_ask(const struct outside *o, const struct outside_request *request, int *fd);

/* Ends it, and waits until it is gone, for a second at most.  Harmless where there is none. */
void outside_end(struct outside *o);

#endif
