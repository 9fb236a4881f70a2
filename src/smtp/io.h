/*
 * The interface between a protocol machine and whatever runs it.
 *
 * A machine (relay, transparent, deliver, probe, xclient) has no descriptors.  It has four
 * buffers, two for each side.  `wire` is the network; the buffers hold plaintext even when the
 * connection is encrypted.  `local` is the program on this host: the backend, the local MTA, or
 * the message on standard input.  step() moves what it can and states in the other fields what
 * it needs.  session/session.c, a test or a fuzzer does the rest:
 *
 *	read into from_*; step() and write from to_* until nothing moves (io_mark()); wait
 *
 * No result may depend on how octets are cut into reads.
 */
#ifndef SMTP_IO_H
#define SMTP_IO_H

#include "base/buf.h"
#include "crypt/kex.h"

/* Which timeout applies; the settings are those of blackpony.conf(5). */
enum io_wait {
	WAIT_COMMAND,		/* for a command or a reply: command-timeout */
	/*
	 * for the greeting or the reply to EHLO: what is left of dial-timeout, half of that when
	 * other hosts remain, and at most command-timeout
	 */
	WAIT_GREETING,
	WAIT_DATA,		/* for the next block of a message: data-timeout */
	WAIT_FINAL,		/* for the reply to the end of a message: final-timeout */
	WAIT_HANDSHAKE,		/* for the end of the handshake: handshake-timeout */
	WAIT_IDLE,		/* for any octet, once the session is a pipe: idle-timeout */
	WAIT_LINGER		/* for the reply to QUIT, or to write the last octets: two seconds */
};

/*
 * Octets in a block of a message.  A deadline restarts after each block, not after each octet, so
 * that a message cannot be drawn out for ever.
 */
#define IO_BLOCK 16384

/* How a session ended.  outcome.c has the exit code, the status and the text for each. */
enum outcome {
	OUTCOME_NONE,		/* the session has not ended */
	OUTCOME_DONE,		/* normal end: QUIT, or end of file once the session is a pipe */
	OUTCOME_SENT,		/* deliver: the server has accepted the message */
	OUTCOME_WIRE_GONE,	/* the remote host closed the connection too early */
	OUTCOME_LOCAL_GONE,	/* the backend or the local MTA closed */
	OUTCOME_WIRE_BROKEN,	/* a read or write on the wire failed */
	OUTCOME_LOCAL_BROKEN,	/* a read or write on the local side failed */
	OUTCOME_TRUNCATED,	/* end of file without close_notify */
	OUTCOME_BAD_RECORD,	/* a record did not verify: the path changes octets */
	OUTCOME_TIMEOUT,	/* a deadline passed */
	OUTCOME_INJECTED,	/* octets after an XCRYPT or STARTTLS line or its reply */
	OUTCOME_CONFIRMATION,	/* the peer's key confirmation is wrong */
	OUTCOME_TLS_FAILED,	/* the TLS handshake after STARTTLS failed */
	OUTCOME_EARLY_REPLY,	/* the backend replied before it had seen the end of a message */
	OUTCOME_UNASKED_REPLY,	/* the backend sent a reply to no command */
	OUTCOME_BAD_REPLY,	/* what came is not an SMTP reply */
	OUTCOME_BAD_CHUNK,	/* BDAT of unknown length, or refused with octets to follow */
	OUTCOME_GROUPED,	/* the client did not wait for a reply that it must wait for */
	OUTCOME_NOT_ENCRYPTED,		/* encryption is required and not available */
	OUTCOME_NOT_TRUSTED,	/* the peer check failed: not the known or the pinned host */
	OUTCOME_GREETED_LATER,	/* the greeting was 4yz, or did not come */
	OUTCOME_GREETED_NEVER,	/* the greeting was 5yz, or EHLO and HELO were refused with 5yz */
	OUTCOME_REFUSED_LATER,	/* refused with 4yz, or not all recipients were accepted */
	OUTCOME_REFUSED_FOR_GOOD, /* deliver: 5yz for every recipient, or for the message */
	OUTCOME_RETRY_CLEAR,	/* the handshake failed: call the host again without XCRYPT */
	OUTCOME_RETRY_APART,	/* XCRYPT sent with EHLO failed: call again without that */
	OUTCOME_RETRY_STARTTLS,	/* XCRYPT does not authenticate the host: call for STARTTLS */
	OUTCOME_NO_MEMORY,	/* no memory for a cipher */
	OUTCOME_KEPT_LOST,	/* a kept connection failed before the reply to MAIL: call anew */
	OUTCOME_NOT_REACHED,	/* no connection could be made */
	OUTCOME_NOT_PERMITTED,	/* the policy map does not permit the host: it is not called */
	OUTCOME_TLSA_FAILED,	/* the look-up of the host's TLSA records failed: it is not called */
	OUTCOME_COUNT
};

struct io {
	struct buf from_wire, to_wire, from_local, to_local;

	/* set by the session: nothing more will be put into from_wire, from_local */
	bool wire_eof, local_eof;
	/* set by the session: the wire ended without the close_notify that should come first */
	bool wire_truncated;

	/* set by the session before each step: the time, since a machine reads no clock */
	int64_t now_ms;		/* milliseconds of the monotonic clock */
	int64_t wall_s;		/* seconds since 1970 */

	/* set by the session's caller: another host can be called after this one */
	bool others;

	/* set by the session: the result of start_tls */
	enum io_tls { IO_TLS_NONE, IO_TLS_OPEN, IO_TLS_FAILED } tls;

	/*
	 * Whether an octet can be read from the wire at this moment.  Called after an XCRYPT or
	 * STARTTLS line, where a further octet would be an attack.
	 */
	bool (*wire_has_octets)(void *context);
	/* Shows a line of the clear dialogue for -v; `arrow` is "<" or the like.  May be NULL. */
	void (*show)(void *context, const char *arrow, struct span line);
	void *context;

	/* set by the machine */
	const struct agreement *encrypt; /* encrypt the wire from here on; the session resets it */
	/* start TLS: with this host, or "" as a server; the session resets it */
	const char *start_tls;
	bool gathers;			/* hold back to_wire: the rest of a reply will follow */
	size_t hides;			/* octets by which our first record is padded more */
	bool pipe;			/* pass octets on unread from here on; no more step() */
	bool settled;			/* no further connection or handshake follows */
	bool midway;			/* inside a reply: its deadline is not restarted */
	bool shut_wire, shut_local;	/* to_wire, to_local are complete: half-close after them */
	bool elsewhere;			/* with `end`: the next host may be called */
	/*
	 * With `end`: the wire stays open for another message.  Nothing is due there but the
	 * replies to `resets` RSET commands.  `reset`: RSET was the last command.
	 */
	bool keeps, reset;
	unsigned resets;
	enum outcome end;		/* not OUTCOME_NONE: write out to_wire and close */
	enum io_wait wait;		/* the deadline that applies */
	uint64_t progress;		/* changed whenever the deadline is to be restarted */
};

/*
 * Shows whether a step moved anything: it counts octets put into and taken from the buffers and
 * restarted deadlines, and holds the flags.  If a step leaves the mark as it was, so will the
 * next.  Whatever runs a machine repeats its steps and writes until the mark stays the same,
 * and only then waits until it can read or write.
 */
struct io_mark {
	uint64_t octets, progress;
	unsigned flags;
};

struct io_mark io_mark(const struct io *io);

static inline bool
io_mark_same(struct io_mark a, struct io_mark b)
{
	return a.octets == b.octets && a.progress == b.progress && a.flags == b.flags;
}

/* The outcome of an end of file on the wire. */
static inline enum outcome
io_wire_end(const struct io *io)
{
	return io->wire_truncated ? OUTCOME_TRUNCATED : OUTCOME_WIRE_GONE;
}

/* Calls io->show, if there is one. */
void io_show(const struct io *io, const char *arrow, struct span line);

/*
 * Shows `state MACHINE: FROM -> TO`, likewise, if the two names differ.  They come from the
 * tables beside the enums (literals).
 */
void io_trace(const struct io *io, const char *machine, const char *from, const char *to);

struct machine {
	void *machine;
	void (*step)(void *machine, struct io *io);
	/*
	 * Handles an event other than octets: a deadline passed, a record did not verify, a
	 * read or write failed.  Sets io->end, to `fault` or to what it means in this state,
	 * and adds a last reply where one can be sent.  Not called once io->pipe or io->end is
	 * set.
	 */
	void (*fault)(void *machine, struct io *io, enum outcome fault);
};

#endif
