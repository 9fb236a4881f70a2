/*
 * The parts of the benchmark.  A source says SMTP, a sink takes it, and between them is what is
 * measured: programs started anew for every connection.  Source and sink are processes of their
 * own, so that wait4(2) charges to a program only what that program has used.
 */
#ifndef BENCH_H
#define BENCH_H

#include "crypt/suite.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define BENCH_CHUNK 65536	/* octets of text that large messages repeat */
#define BENCH_WORKERS_MAX 16

/* What programs have used, user and system, and how many of them did not end well. */
struct cost {
	unsigned processes, failures;
	double cpu_us;
};

void cost_add(struct cost *to, const struct cost *more);
/* Waits for a child and charges it to `cost`.  False: none is there, or (WNOHANG) has ended. */
bool cost_wait(struct cost *cost, pid_t pid, int options);

/* Memory that forked processes share.  These and the following end the program where they fail. */
void *shared_memory(size_t size);
int listen_on_loopback(uint16_t *port);
int call_loopback(uint16_t port);
void no_delay(int fd);
/* A forked process that ends with its parent: 0 in the child. */
pid_t fork_bound(void);
_Noreturn void give_up(const char *what);

/* The mailer at the end: `workers` processes that take a session at a time.  Returns its port. */
uint16_t sink_start(unsigned workers);

/* Accepts connections and starts a program for each on descriptors 0 and 1, like tcpserver. */
struct starter {
	pid_t pid;
	uint16_t port;
	int stop_fd;
	struct cost *cost;
};

/* `log_fd` becomes descriptor 2 of the program. */
void starter_start(struct starter *s, char *const argv[], int log_fd);
/* Waits until every program has ended; adds up what they used. */
void starter_stop(struct starter *s, struct cost *cost);

/* A client that sends one message a session. */
struct source {
	uint16_t port;			/* calls this, itself, ... */
	char *const *argv;		/* ... or says SMTP on pipes to this program, if not NULL */
	int log_fd;			/* and becomes descriptor 2 of it */
	const struct suite_list *suites;/* XCRYPT, where it calls itself; NULL: in the clear */
	uint64_t octets;		/* of the message, 3 or more */
};

/* Makes the key pair with which the source calls.  Once, before anything else. */
void source_make_keys(void);

/* One session in this process, which keeps the secret it makes for source_run().  0, or -1. */
int source_once(const struct source *s, struct cost *cost);

/*
 * `workers` processes, each `sessions` sessions one after the other.  Returns the microseconds
 * that passed.  `cost` gets what programs on pipes have used.
 */
double source_run(const struct source *s, unsigned workers, unsigned sessions, struct cost *cost);

/* What the suites alone cost, through the caller's print(). */
typedef void bench_print(const char *format, ...);
void table3(bench_print *print);

#endif
