/*
 * One dialogue, or one message, through the programs: starts them, moves the octets, and waits
 * for the end.
 */
#ifndef SOAK_RUN_H
#define SOAK_RUN_H

#include "client.h"
#include "end.h"
#include "mailer.h"

#include <sys/types.h>

/* What a worker has for all its dialogues. */
struct host {
	const char *bin, *folder;	/* directories of the programs and of their caches */
	unsigned number;		/* the worker's number */
	int mail_fd, wire_fd, daemon_fd;	/* listening sockets: mail server, us, blackponyd */
	unsigned mail_port, wire_port, daemon_port;
	pid_t daemon;			/* blackponyd on its listening socket; 0: none yet */
	int log_fd, message_fd;		/* the programs' log; a message in a file */
	bool verbose;
	int stall_ms;
};

struct setup {
	uint64_t seed;
	bool daemon, sender;	/* blackponyd takes part; blackpony does */
	bool each;		/* blackponyd is started for this connection only */
	bool cutter;		/* we cut what is on the wire */
	bool mark;		/* the trace line is on */
	bool no_cache;
	const char *suite, *policy;	/* of blackpony; "" for no suite */
	struct text *letter;	/* NULL: a dialogue, with `client` */
	bool letter_in_file;
	char *const *words;	/* of a message: -f, sender, recipients; ended by NULL */
};

struct run {
	struct host *host;
	const struct setup *set;
	struct mailer *mailer;
	struct client *client;
	struct end mail, user, near, far;
	struct text up, down, said;	/* both directions; blackpony's standard output */
	size_t up_sent, down_sent, letter_sent, said_sent;
	int lazy_ms;		/* of the mail server, outside floods */
	bool called;		/* the mail server has been called */
	pid_t children[2];
	int statuses[2];
	unsigned child_count;
	char fault[200];	/* "" or the fault, such as a stall */
	uint64_t octets;
};

void host_start(struct host *h);
void host_stop(struct host *h);
void run_through(struct run *r, struct host *h, const struct setup *set, struct mailer *m, struct client *c);

#endif
