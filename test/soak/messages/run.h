/* One dialogue, or one message, through the programs: starts them, moves the octets, sees it all end. */
#ifndef SOAK_RUN_H
#define SOAK_RUN_H

#include "client.h"
#include "end.h"
#include "mailer.h"

#include <sys/types.h>

/* What a worker has for all its dialogues. */
struct host {
	const char *bin, *folder;	/* of the programs; of their caches */
	unsigned number;		/* of the worker */
	int mail_fd, wire_fd, daemon_fd;	/* listening: the mailer's, ours between the two, blackponyd's */
	unsigned mail_port, wire_port, daemon_port;
	pid_t daemon;			/* blackponyd on its listening socket; 0: none yet */
	int log_fd, message_fd;		/* what the programs log; a message in a file */
	bool verbose;
	int stall_ms;
};

struct setup {
	uint64_t seed;
	bool daemon, sender;	/* blackponyd is on the way, and blackpony */
	bool each;		/* blackponyd is started for this one connection, else it has a listening socket */
	bool cutter;		/* what is on the wire is cut by us */
	bool mark;		/* the trace line is on */
	bool no_cache;
	const char *suite, *policy;	/* blackpony's; "" for no suite */
	struct text *letter;	/* NULL: a dialogue, with `client` */
	bool letter_in_file;
	char *const *words;	/* of a letter: -f, sender, recipients; ended by NULL */
};

struct run {
	struct host *host;
	const struct setup *set;
	struct mailer *mailer;
	struct client *client;
	struct end mail, user, near, far;
	struct text up, down, said;	/* the wire's two ways; blackpony's standard output */
	size_t up_sent, down_sent, letter_sent, said_sent;
	int lazy_ms;		/* the mailer's, outside floods */
	bool called;		/* the mailer has been */
	pid_t children[2];
	int statuses[2];
	unsigned child_count;
	char fault[200];	/* "" or a stall and the like */
	uint64_t octets;
};

void host_start(struct host *h);
void host_stop(struct host *h);
void run_through(struct run *r, struct host *h, const struct setup *set, struct mailer *m, struct client *c);

#endif
