/* Moves octets through a session: between the wire, the layer, the machine and the local side. */
#include "session/session_internal.h"

#include "base/clock.h"
#include "base/octets.h"
#include "sys/fd.h"

#include <assert.h>
#include <sys/socket.h>

void
session_fault(struct session *s, enum outcome what)
{
	struct io *io = &s->io;

	if (io->end != OUTCOME_NONE)
		return;
	if (io->pipe)
		io->end = what;
	else
		s->machine.fault(s->machine.machine, io, what);
}

struct buf *
session_plain_from_wire(struct session *s)
{
	return s->io.pipe ? &s->io.to_local : &s->io.from_wire;
}

struct buf *
session_plain_from_local(struct session *s)
{
	return s->io.pipe ? &s->io.to_wire : &s->io.from_local;
}

/* Octets read before the session became a pipe go first. */
static void
move_leftovers(struct session *s)
{
	buf_move(&s->io.to_local, &s->io.from_wire);
	buf_move(&s->io.to_wire, &s->io.from_local);
}

void
session_stop_layer(struct session *s)
{
	if (s->layer != NULL)
		s->layer->stop(s->layer_state);
	s->layer = NULL;
	s->layer_opening = false;
}

/* Starts the layer.  What the machine has put to the wire so far goes out in the clear. */
static void
begin_encryption(struct session *s)
{
	struct io *io = &s->io;
	int result;

	buf_move(&s->wire_out, &io->to_wire);
	if (io->encrypt != NULL) {
		io_trace(io, "session", "clear", "xcrypt");
		/* in 2.0, records may follow the last line */
		buf_move(&s->wire_in, &io->from_wire);
		io->wire_eof = io->wire_truncated = false;
		result = channel_start(&s->channel, io->encrypt);
		s->layer = &channel_layer;
		s->layer_state = &s->channel;
	} else {
		io_trace(io, "session", "clear", "tls-opening");
		result = s->tls_start(io->start_tls, &s->layer, &s->layer_state);
		s->layer_opening = true;
	}
	io->encrypt = NULL;
	io->start_tls = NULL;
	if (result < 0) {
		session_stop_layer(s);
		session_fault(s, OUTCOME_NO_MEMORY);
	}
}

/* The layer failed.  Octets for it can never be sent, so they are dropped. */
static void
layer_broke(struct session *s)
{
	s->layer_fault = s->layer->fault(s->layer_state);
	session_fault(s, OUTCOME_BAD_RECORD);
	buf_clear(&s->io.to_wire);
}

/* Tells the machine when the layer's own handshake has ended. */
static void
watch_layer(struct session *s)
{
	if (s->layer == NULL || !s->layer_opening)
		return;
	enum layer_state state = s->layer->state(s->layer_state);
	if (state == LAYER_OPENING)
		return;
	s->layer_opening = false;
	io_trace(&s->io, "session", "tls-opening", state == LAYER_OPEN ? "tls" : "tls-failed");
	s->io.tls = state == LAYER_OPEN ? IO_TLS_OPEN : IO_TLS_FAILED;
	if (state == LAYER_FAILED)
		s->layer_fault = s->layer->fault(s->layer_state);
}

/* Typed lines: a bare LF becomes CRLF. */
static void
lines_by_hand(struct session *s, struct buf *to, struct buf *from)
{
	while (buf_len(from) > 0 && buf_room(to) >= 2) {
		uint8_t octet = buf_peek(from).at[0];

		if (octet == '\n' && !s->last_cr)
			buf_put(to, SPAN("\r"));
		s->last_cr = octet == '\r';
		buf_put(to, span(&octet, 1));
		buf_take(from, 1);
	}
}

/* A stream cipher by hand, in small pieces, since each may double in length. */
static void
open_by_hand(struct session *s)
{
	uint8_t mem[1024];
	struct buf plain;

	buf_init(&plain, mem, sizeof(mem));
	while (
	    buf_len(&s->wire_in) > 0 && buf_room(session_plain_from_wire(s)) >= 2 * sizeof(mem)) {
		channel_open(&s->channel, &plain, &s->wire_in);
		lines_by_hand(s, session_plain_from_wire(s), &plain);
	}
	octets_wipe(mem, sizeof(mem));
}

static bool
layer_holds(const struct session *s)
{
	return s->layer != NULL && s->layer->holds != NULL && s->layer->holds(s->layer_state);
}

/* Decrypts: from wire_in to the plain buffer. */
static void
open_wire(struct session *s)
{
	struct io *io = &s->io;

	if (s->by_hand && s->layer == &channel_layer &&
	    s->channel.suite->cipher->stream != NULL) {
		open_by_hand(s);
	} else if (s->layer != NULL) {
		if (s->layer->open(s->layer_state, session_plain_from_wire(s), &s->wire_in) < 0)
			layer_broke(s);
	} else if (s->by_hand) {
		lines_by_hand(s, session_plain_from_wire(s), &s->wire_in);
	}
	/* end of file, once all octets before it have passed */
	if (s->wire_closed && !io->wire_eof && !layer_holds(s) &&
	    (buf_len(&s->wire_in) == 0 || buf_room(session_plain_from_wire(s)) >= RECORD_MAX)) {
		io->wire_eof = true;
		io->wire_truncated = s->layer != NULL && !s->layer->ended(s->layer_state);
	}
}

bool
session_gathers(const struct session *s)
{
	return s->io.gathers && s->io.end == OUTCOME_NONE &&
	    buf_len(&s->io.to_wire) < RECORD_CONTENT_MAX;
}

/* Encrypts: from to_wire to wire_out. */
static void
seal_wire(struct session *s)
{
	if (session_gathers(s))
		return;
	s->channel.first_hides = s->io.hides;
	if (s->layer != NULL &&
	    s->layer->seal(s->layer_state, &s->wire_out, &s->io.to_wire) < 0)
		layer_broke(s);
}

void
session_wire_broken(struct session *s)
{
	s->wire_shut = s->wire_closed = true;
	s->io.wire_eof = true;
	buf_clear(&s->wire_out);
	buf_clear(&s->io.to_wire);
	session_fault(s, OUTCOME_WIRE_BROKEN);
}

void
session_local_broken(struct session *s)
{
	s->local_shut = true;
	buf_clear(&s->io.to_local);
}

bool
session_wire_flushed(const struct session *s)
{
	return buf_len(&s->io.to_wire) == 0 && buf_len(&s->wire_out) == 0;
}

/* Encrypts what there is room for, and writes it unless the last write blocked. */
static void
flush_wire(struct session *s)
{
	struct buf *out;

	if (s->wire_shut)
		return;
	seal_wire(s);
	/* close_notify goes out with the last octets, not in a segment after them */
	if (s->io.shut_wire && s->layer != NULL && buf_len(&s->io.to_wire) == 0)
		(void)s->layer->end(s->layer_state, &s->wire_out);
	out = s->layer != NULL || buf_len(&s->wire_out) > 0 ? &s->wire_out : &s->io.to_wire;
	if (s->wire_full || buf_len(out) == 0 || (out == &s->io.to_wire && session_gathers(s)))
		return;
	size_t before = buf_len(out);
	enum fd_result result = fd_write(s->wire_write_fd, out);

	s->wire_written += before - buf_len(out);
	s->wire_full = result == FD_WAIT;
	if (result == FD_BROKEN)
		session_wire_broken(s);
}

static void
flush_local(struct session *s)
{
	struct io *io = &s->io;

	if (s->local_shut || s->local_write_fd < 0) {
		buf_clear(&io->to_local);
		return;
	}
	if (buf_len(&io->to_local) > 0 && !s->local_full) {
		enum fd_result result = fd_write(s->local_write_fd, &io->to_local);

		s->local_full = result == FD_WAIT;
		if (result == FD_BROKEN)
			session_local_broken(s);
	}
	if (io->shut_local && !s->local_shut && buf_len(&io->to_local) == 0) {
		shutdown(s->local_write_fd, SHUT_WR);
		s->local_shut = true;
	}
}

/* After our last octet: close_notify if the layer has one, then FIN. */
static void
shut_wire(struct session *s)
{
	if (s->wire_shut || !session_wire_flushed(s))
		return;
	if (s->layer != NULL && !s->layer->end(s->layer_state, &s->wire_out))
		return;
	/* FIN waits for close_notify */
	if (!session_wire_flushed(s))
		return;
	shutdown(s->wire_write_fd, SHUT_WR);
	s->wire_shut = true;
}

bool
session_only_hears(const struct session *s)
{
	return !s->serving && s->io.pipe && s->io.local_eof && s->local_write_fd >= 0;
}

/*
 * In a pipe, end of file on one side is passed on after its last octet.  End of file from the
 * server's side ends the session, and so does a local MTA that blackpony cannot write to any
 * more.
 */
static void
pipe_ends(struct session *s)
{
	struct io *io = &s->io;
	bool wire_done = io->wire_eof && buf_len(&io->from_wire) == 0;
	bool local_done = io->local_eof && buf_len(&io->from_local) == 0;

	if (io->end != OUTCOME_NONE)
		return;
	if (wire_done && io->wire_truncated)
		io->end = OUTCOME_TRUNCATED;
	else if (s->serving ? local_done : wire_done || (local_done && s->local_shut))
		io->end = OUTCOME_DONE;
	else if (wire_done)
		io->shut_local = true;
	else if (local_done)
		io->shut_wire = true;
}

static void
step_machine(struct session *s)
{
	s->io.now_ms = clock_ms();
	s->io.wall_s = clock_wall_s();
	s->machine.step(s->machine.machine, &s->io);
	if (s->io.pipe)
		io_trace(&s->io, "session", "dialogue", "pipe");
}

/* Moves octets between the buffers, by way of layer and machine. */
static void
advance(struct session *s)
{
	struct io *io = &s->io;

	if (io->pipe)
		move_leftovers(s);
	open_wire(s);
	watch_layer(s);
	if (!io->pipe && io->end == OUTCOME_NONE)
		step_machine(s);
	if (io->encrypt != NULL || io->start_tls != NULL)
		begin_encryption(s);
	if (io->settled && s->settled != NULL) {
		s->settled(s->settled_context);
		s->settled = NULL;
	}
	if (io->pipe) {
		move_leftovers(s);
		pipe_ends(s);
	}
}

/* Calls proved() at the first record that proves the peer (session.h). */
static void
watch_proof(struct session *s)
{
	const struct channel *c = &s->channel;

	if (s->proved == NULL || s->proof_seen || s->layer != &channel_layer)
		return;
	if (!s->serving && !s->spoken) {
		s->spoken = c->send.records > 0;
		s->heard = c->receive.records;
	} else if (c->receive.records > s->heard) {
		s->proof_seen = true;
		s->proved(s->proved_context);
	}
}

static void
move_once(struct session *s)
{
	if (s->io.end == OUTCOME_NONE)
		advance(s);
	watch_proof(s);
	flush_wire(s);
	flush_local(s);
	if (s->io.shut_wire)
		shut_wire(s);
}

/* The machine's mark (smtp/io.h), and all else that a turn can change. */
static struct io_mark
mark(const struct session *s)
{
	struct io_mark m = io_mark(&s->io);
	const bool flags[] = { s->layer != NULL, s->layer_opening,
		s->layer_opening && s->layer != NULL &&
		    s->layer->state(s->layer_state) != LAYER_OPENING,
		s->wire_closed, s->wire_shut, s->local_shut, s->wire_full, s->local_full };

	m.octets += buf_moves(&s->wire_in) + buf_moves(&s->wire_out);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		m.flags |= (unsigned)flags[i] << (16 + i);
	return m;
}

/*
 * In test builds, aborts if the session would wait while something could move: one more turn must
 * change nothing, and what is still to be written must have blocked.
 */
static void
check_still(struct session *s)
{
#ifdef CHECK_WAITS
	struct io_mark before = mark(s);

	move_once(s);
	assert(io_mark_same(before, mark(s)));
	assert(session_wire_flushed(s) || s->wire_full || s->wire_shut || s->layer_opening ||
	    s->io.gathers);
	assert(buf_len(&s->io.to_local) == 0 || s->local_full);
#else
	(void)s;
#endif
}

void
session_move(struct session *s)
{
	struct io_mark before, after = mark(s);

	do {
		before = after;
		move_once(s);
		after = mark(s);
	} while (!io_mark_same(before, after));
	check_still(s);
}
