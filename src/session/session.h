/*
 * The poll loop of a session: connects descriptors, a machine (smtp/io.h), a layer and the
 * deadlines.
 *
 * The poll set is derived from the buffers on every turn.  The session knows nothing of SMTP
 * beyond its machine, and nothing of policy: it returns an outcome, and its caller decides what
 * follows.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "crypt/channel.h"
#include "smtp/io.h"

#define SESSION_BUFFER 131072	/* octets of each buffer */
#define SESSION_WATCHES 2	/* descriptors that end a session */

_Static_assert(SESSION_BUFFER >= RECORD_MAX, "a whole record has to fit");
_Static_assert(SESSION_BUFFER >= 4 * IO_BLOCK, "a block of a message has to fit when it doubles");

struct session_limits {		/* timeouts in milliseconds, by enum io_wait */
	int64_t command_ms, greeting_ms, data_ms, final_ms, handshake_ms, idle_ms, linger_ms;
};

struct session {
	struct machine machine;
	struct io io;
	struct session_limits limits;
	int64_t until_ms;	/* deadline for all waits, clock_ms(); 0: none */
	/* NULL, or called once when the machine sets io->settled */
	void (*settled)(void *context);
	void *settled_context;
	/*
	 * NULL, or called once per wire when a record has verified that proves that the peer has
	 * the session keys: the peer's first record on a server, its first record after one of
	 * ours on a client.
	 */
	void (*proved)(void *context);
	void *proved_context;
	/* NULL, or sees all octets that are read from the local side */
	void (*local_seen)(void *context, struct span octets);
	void *local_seen_context;
	bool serving;		/* blackponyd: the local side ends a pipe, not the wire */
	bool stays_open;	/* at its end it does not close the wire: another session follows */
	bool by_hand;		/* a bare LF on the wire becomes CRLF */

	int wire_read_fd, wire_write_fd;	/* the same for a socket */
	int local_read_fd, local_write_fd;	/* -1: none */
	/* unless -1: OUTCOME_LOCAL_GONE when it can be read or its other end is closed */
	int watch_fd[SESSION_WATCHES];
	bool watch_ready[SESSION_WATCHES];	/* that was the reason */
	bool wire_shut, local_shut;		/* we have closed our direction */
	bool wire_closed;			/* end of file was read from the wire */
	bool wire_full, local_full;		/* a write blocked; wait for poll(2) */

	const struct layer *layer;	/* NULL: the wire is in the clear */
	void *layer_state;
	struct channel channel;		/* the layer's state with XCRYPT */
	bool layer_opening;		/* its handshake is going on */
	bool spoken;			/* client: we have sealed a record */
	uint64_t heard;			/* records received before that one */
	bool proof_seen;		/* proved() was called */
	/* Starts TLS towards `host`: 0, or -1.  NULL: not supported. */
	int (*tls_start)(const char *host, const struct layer **layer, void **state);
	struct buf wire_in, wire_out;	/* wire octets, with a layer or by hand */
	bool last_cr;			/* by hand: the last octet was CR */

	/* the deadline that runs, io->progress at its start, and when that was, clock_ms() */
	enum io_wait wait;
	uint64_t progress;
	int64_t since_ms;

	/* for the log */
	uint64_t wire_read, wire_written;	/* octets */
	enum outcome ended;
	const char *layer_fault;	/* why the layer failed; NULL: it did not */

	uint8_t (*mem)[SESSION_BUFFER];	/* storage of the buffers */
};

/*
 * Allocates the buffers, for the life of the process.  They are not static memory: the kernel
 * kills a program whose image exceeds its rlimit, whereas this can fail.  0, or -1 with errno.
 * session_start() calls it if it has not been called, and aborts if it fails.
 */
int session_make_room(struct session *s);

/*
 * Sets the session up around `machine`, which must outlive it, without descriptors (all -1).
 * `limits` is copied.
 */
void session_start(struct session *s, struct machine machine, const struct session_limits *limits);

/*
 * Sets the wire: first, and again for each new connection.  Drops all state of the last
 * connection, but keeps octets from the local side that are not processed yet.  The caller owns
 * the descriptors, which must be non-blocking.
 */
void session_wire(struct session *s, int read_fd, int write_fd);

/* Sets the local side, likewise.  -1: none. */
void session_local(struct session *s, int read_fd, int write_fd);

/* Sets the descriptors that end the session (watch_fd).  -1: none. */
void session_watch(struct session *s, int one, int other);

/*
 * Continues on the same wire and layer after io->keeps, with another machine and without a local
 * side.  The counters for the log start anew; nothing that went through remains in the buffers.
 */
void session_continue(struct session *s, struct machine machine);

/*
 * Runs until the machine sets io->end or both sides are done.  Then writes out what is left, and
 * shuts the wire down in order: close_notify, FIN, and on a server up to two seconds for the
 * client's FIN.  With io->keeps the wire stays open.  Returns the outcome.  The descriptors stay
 * open: blackpony closes its connection, blackponyd exits.
 */
enum outcome session_run(struct session *s);

/* Wipes keys and buffers. */
void session_wipe(struct session *s);

#endif
