/*
 * The only poll loop: binds descriptors, a machine, the records and the deadlines.
 *
 * What may move is worked out anew from the buffers on every turn.  The session knows nothing of SMTP
 * beyond its machine, and nothing of policy; it says how it ended and its caller decides what follows.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "crypt/channel.h"
#include "smtp/io.h"

#define SESSION_BUFFER 131072	/* octets of each buffer */

_Static_assert(SESSION_BUFFER >= RECORD_MAX, "a whole record has to fit");
_Static_assert(SESSION_BUFFER >= 4 * IO_BLOCK, "a block of a message has to fit when it doubles");

struct session_limits {		/* milliseconds, by enum io_wait */
	int64_t command_ms, greeting_ms, data_ms, final_ms, handshake_ms, idle_ms, linger_ms;
};

struct session {
	struct machine machine;
	struct io io;
	struct session_limits limits;
	int64_t until_ms;	/* of clock_ms(): no wait lasts longer; 0: each has its own limit only */
	/* NULL, or called once when the machine sets io->settled */
	void (*settled)(void *context);
	void *settled_context;
	bool serving;		/* blackponyd: the mailer's end of file ends it, not the client's */
	bool stays_open;	/* when it ends, the wire is left as it is for whoever is next */
	bool by_hand;		/* lines on the wire may end in a bare LF, and become CRLF */

	int wire_read_fd, wire_write_fd;	/* the same, for a socket */
	int local_read_fd, local_write_fd;	/* write -1: there is none */
	bool wire_shut, local_shut;		/* our side is closed */
	bool wire_closed;			/* the far end's is: an end of file was read */
	bool wire_full, local_full;		/* a write found no room, and poll(2) has not shown any */

	const struct layer *layer;	/* what encrypts; NULL: the wire is in the clear */
	void *layer_state;
	struct channel channel;		/* XCRYPT's, when that is the layer */
	bool layer_opening;		/* it is still shaking hands */
	/* TLS, where it is had: begins it for that host.  0, or -1. */
	int (*tls_start)(const char *host, const struct layer **layer, void **state);
	struct buf wire_in, wire_out;	/* what is on the wire, when that is not what is inside */
	bool last_cr;			/* by_hand: the last octet was a CR */

	enum io_wait wait;		/* the deadline that runs, since when, and for what */
	uint64_t progress;
	int64_t since_ms;

	/* for the log */
	uint64_t wire_read, wire_written;	/* octets */
	enum outcome ended;
	const char *layer_fault;	/* why it would not go on; NULL: it did */

	uint8_t (*mem)[SESSION_BUFFER];	/* of each buffer */
};

/*
 * Gets memory for the buffers, which stay for as long as the process; session_start() does it where it was not done.
 * It is no part of the program's image: the kernel kills a program that does not fit into its limit, and this can
 * fail.  0, or -1 with errno.
 */
int session_make_room(struct session *s);

/* Sets it up around `machine`, with no descriptors yet (all -1).  The machine's storage is its owner's. */
void session_start(struct session *s, struct machine machine, const struct session_limits *limits);

/*
 * A wire to talk on: at the start, and again for another call, when everything of the last one is
 * forgotten (what the local side has said and not been answered stays).  The descriptors are not
 * closed by the session.
 */
void session_wire(struct session *s, int read_fd, int write_fd);

/* The local side.  Descriptors are made non-blocking by the caller. */
void session_local(struct session *s, int read_fd, int write_fd);

/*
 * Runs until the machine's io->end is set or both sides are done, writes out what is left, closes in
 * order (close_notify, FIN, and for a server two seconds for the client's FIN), and says how it
 * ended.  The descriptors stay open for the caller to close.
 */
enum outcome session_run(struct session *s);

/* Wipes keys and everything that went through. */
void session_wipe(struct session *s);

#endif
