/*
 * The holder: a process that keeps its connection after its message has been sent, and sends the
 * messages of later runs of blackpony over it (client/kept.h).
 *
 * It is split off before anything is looked up, so that it is a run like any other: it looks up,
 * connects, and sends the first message in its jail, whose only addition is to accept(2) on the
 * one socket of its lane.  The process that the local MTA has started waits for its exit code.
 * Later runs pass it their descriptors.  When one of those processes ends, its message is
 * abandoned, as if the process itself had sent it.
 *
 * A holder takes no message after KEEP_MESSAGES or KEEP_MS, nor after `keep-open` without one, and
 * then says QUIT; so it does at SIGTERM, after the message that it is sending.
 */
#ifndef CLIENT_HOLDER_H
#define CLIENT_HOLDER_H

#include "client/kept.h"
#include "smtp/rest.h"
#include "smtp/transparent.h"

#define KEEP_MESSAGES 100	/* over one connection, as Postfix has it */
#define KEEP_MS (5 * 60 * 1000)	/* age of a connection that takes another message, likewise */

struct client;

/* Memory of a holder, allocated before the jail. */
struct holder_memory {
	struct rest rest;
	uint8_t job[sizeof(struct kept_job) + KEPT_STRINGS_MAX];
	char *recipients[KEPT_STRINGS_MAX / 4];
	uint8_t answer[sizeof(struct kept_answer) + KEPT_SAID_MAX];
};

struct holder {
	bool active;			/* this process is one */
	int client_fd;			/* to the process whose message is sent; -1: none */
	int signal_fd;			/* SIGTERM, which is blocked */
	unsigned messages;		/* over this connection */
	int64_t since_ms;		/* clock_ms() at the split */
	struct deliver_message message;	/* of a later run */
	struct holder_memory *memory;
};

/*
 * Splits off a holder if c->kept says KEPT_BURST and nothing fails.  Returns true in the process
 * that waits, at the end, with the exit code.  Returns false in the process that is to do the
 * work: the holder, with c->in_fd and c->out_fd in place of standard input and output, or, if none
 * was split off, the same process.
 */
bool holder_split(struct client *c, int *exit_code);

/*
 * In the holder, after the first message: gives the exit code to the process that waits, and
 * serves later runs if the connection can be kept.  Returns when the holder is to end.
 */
void holder_run(struct client *c, int exit_code);

#endif
