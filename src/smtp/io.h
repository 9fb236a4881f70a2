/*
 * Where a machine meets the world.
 *
 * A machine (relay, caller, deliver, probe) has no descriptors.  It has four buffers, two of each side:
 * `wire` is the Internet, which may be encrypted (the buffers hold what is inside), `local` is the
 * mailer on this host, or the message on standard input.  step() moves what can be moved and says by
 * the other fields what it needs; session/session.c, a test or a fuzzer does the rest:
 *
 *	read into from_*; then step() and write what is in to_* until nothing moves (io_mark()); wait.
 *
 * Nothing here or in the machines depends on how octets are cut into reads.
 */
#ifndef SMTP_IO_H
#define SMTP_IO_H

#include "base/buf.h"
#include "crypt/kex.h"

/* Which deadline is running (blackpony.conf.5). */
enum io_wait {
	WAIT_COMMAND,		/* a command, or a reply: command-timeout */
	WAIT_GREETING,		/* the far end's first words, EHLO's reply among them: within dial-timeout */
	WAIT_DATA,		/* the next block of a message: data-timeout */
	WAIT_FINAL,		/* the reply to its end: final-timeout */
	WAIT_HANDSHAKE,		/* handshake-timeout */
	WAIT_IDLE,		/* an octet pipe: idle-timeout */
	WAIT_LINGER		/* the far end's FIN behind our last word: two seconds */
};

/* Octets of a message that count as a block, so that one octet a second is not progress. */
#define IO_BLOCK 16384

/* Every way in which a session ends; ending.c has what each means to whom. */
enum outcome {
	OUTCOME_NONE,		/* it goes on */
	OUTCOME_DONE,		/* as it should: QUIT, or end of file in an octet pipe */
	OUTCOME_SENT,		/* deliver: the far end has taken the message */
	OUTCOME_WIRE_GONE,		/* the far end closed in the middle */
	OUTCOME_LOCAL_GONE,		/* the mailer did */
	OUTCOME_WIRE_BROKEN,	/* a read or write failed */
	OUTCOME_LOCAL_BROKEN,
	OUTCOME_TRUNCATED,		/* end of file without close_notify */
	OUTCOME_BAD_RECORD,		/* channel fault: something on the way changes octets */
	OUTCOME_TIMEOUT,		/* a deadline passed */
	OUTCOME_INJECTED,		/* octets behind an XCRYPT line */
	OUTCOME_CONFIRMATION,	/* wrong confirmation */
	OUTCOME_EARLY_REPLY,	/* the mailer answered inside a message */
	OUTCOME_UNASKED_REPLY,	/* the mailer answered nothing that was asked */
	OUTCOME_BAD_REPLY,		/* not a reply at all */
	OUTCOME_BAD_CHUNK,		/* BDAT whose length nobody can know */
	OUTCOME_GROUPED,		/* octets behind EHLO or DATA, before the reply */
	OUTCOME_MUST,		/* encryption required and not to be had */
	OUTCOME_NOT_TRUSTED,		/* not the host that is remembered, or pinned */
	OUTCOME_GREETED_LATER,	/* greeting of 4yz */
	OUTCOME_GREETED_NEVER,	/* greeting of 5yz */
	OUTCOME_REFUSED_LATER,	/* deliver: 4yz, or only some recipients taken */
	OUTCOME_REFUSED_FOR_GOOD,	/* deliver: 5yz for every recipient, or for the message */
	OUTCOME_RETRY_CLEAR,		/* the handshake went wrong: same host again, without XCRYPT */
	OUTCOME_NO_MEMORY,		/* a cipher could not be set up */
	OUTCOME_NOT_REACHED,	/* no connection to begin with */
	OUTCOME_COUNT
};

struct io {
	struct buf from_wire, to_wire, from_local, to_local;

	/* set by the session: nothing more will come into from_* ... */
	bool wire_eof, local_eof;
	/* ... and on the wire, an end that the far end did not announce */
	bool wire_truncated;

	/* by whoever runs the session: another host can be called after this one */
	bool others;

	/* by the session, what came of start_tls */
	enum io_tls { IO_TLS_NONE, IO_TLS_OPEN, IO_TLS_FAILED } tls;

	/*
	 * Can an octet be read from the wire at this moment?  Asked where an octet behind an XCRYPT
	 * line would be an attack.
	 */
	bool (*wire_has_octets)(void *context);
	/* A line of the clear dialogue for -v, `arrow` such as "<" or ">".  May be NULL. */
	void (*show)(void *context, const char *arrow, struct span line);
	void *context;

	/* set by the machine */
	const struct agreement *encrypt; /* from here on, wire octets are encrypted (once) */
	const char *start_tls;		/* from here on they are TLS, with this host (once) */
	bool pipe;			/* from here on, octets: no more step() */
	bool settled;			/* this wire to the end, as it is: no other call, no other handshake */
	bool midway;			/* lines of the present reply have gone: its deadline runs on */
	bool shut_wire, shut_local;	/* no more will be put into to_*: half-close behind it */
	bool elsewhere;			/* with `end`: nothing was taken here, and the next host may be asked */
	enum outcome end;		/* over: write out to_wire, close */
	enum io_wait wait;		/* which deadline */
	uint64_t progress;		/* changes whenever the deadline should start anew */
};

/*
 * What shows that something moved: octets that went into the buffers or out of them, deadlines that began
 * anew, flags.  A step that leaves it as it was changed nothing, and neither would the next one.  So whatever
 * drives a machine repeats its turn of steps, writes and the rest until the mark stays the same, and only
 * then waits for something to read or for room to write.
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

/* What an end of file on the wire is: announced, or a truncation. */
static inline enum outcome
io_wire_end(const struct io *io)
{
	return io->wire_truncated ? OUTCOME_TRUNCATED : OUTCOME_WIRE_GONE;
}

/* Shows a line of the dialogue where anybody looks. */
void io_show(const struct io *io, const char *arrow, struct span line);

struct machine {
	void *machine;
	void (*step)(void *machine, struct io *io);
	/*
	 * Something happened that is not octets: a deadline passed, a record did not verify, a
	 * descriptor broke.  Sets io->end, to `fault` or to what it means here, and adds last words where
	 * there is a place for them.  Not called once io->pipe or io->end is set.
	 */
	void (*fault)(void *machine, struct io *io, enum outcome fault);
};

#endif
