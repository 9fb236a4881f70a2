/*
 * The process outside does for a session what the session's jail (sys/jail.h) forbids.
 *
 * It is forked before the session enters the jail and before anything from a peer is read.  It
 * only ever reads requests of one fixed form.  Its owner defines what they mean and which are
 * refused.  A session that a peer has taken over can send any request of that form, and must not
 * gain by it.
 */
#ifndef SYS_OUTSIDE_H
#define SYS_OUTSIDE_H

#include "base/span.h"

#include <sys/types.h>

#define OUTSIDE_OCTETS 256

struct outside_request {
	uint16_t what, about;		/* defined by the owner */
	uint32_t number;
	uint8_t octets[OUTSIDE_OCTETS];
};

struct outside_answer {
	int fd;				/* a descriptor, which is sent and then closed; -1: none */
	struct span octets;		/* valid until the next request */
};

/* Handles a request.  0 with `*answer`, which is empty before the call, or -1 with errno. */
typedef int outside_serve(void *context, const struct outside_request *request,
    struct outside_answer *answer);

struct outside {
	int fd;				/* -1: not started */
};

/*
 * Starts the process.  Its standard input and output are /dev/null; its standard error stays open
 * if the log goes there.  It ends with the session at the latest.  0, or -1 with errno.
 */
int outside_start(struct outside *o, outside_serve *serve, void *context);

/*
 * Sends a request and waits for the answer.  0, or -1 with errno, possibly from the process
 * outside.  `*fd` (unless `fd` is NULL) gets the descriptor that came with the answer, or -1.
 */
int outside_ask(const struct outside *o, const struct outside_request *request, int *fd);

/*
 * The same for an answer of at most `size` octets, which are stored at `to`.  Returns their
 * number, or -1 with errno.
 */
ssize_t outside_ask_for(const struct outside *o, const struct outside_request *request, void *to,
    size_t size);

/* Ends the process and waits up to a second for it.  Has no effect if it was not started. */
void outside_end(struct outside *o);

#endif
