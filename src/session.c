#include "session.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { MEM_FROM_WIRE, MEM_TO_WIRE, MEM_FROM_LOCAL, MEM_TO_LOCAL, MEM_WIRE_IN, MEM_WIRE_OUT };

static bool
wire_has_octets(void *context)
{
	struct session *s = context;

	return fd_has_octets(s->wire_read_fd);
}

static void
show(void *context, const char *arrow, struct span line)
{
	uint8_t mem[LOG_VALUE_MAX * 4];
	struct buf text;

	(void)context;
	if (!log_verbose())
		return;
	buf_init(&text, mem, sizeof(mem));
	for (struct span word; span_word(&line, ' ', &word);) {
		buf_put(&text, SPAN(" "));
		log_escape(&text, word);
	}
	log_debug("%s%.*s", arrow, (int)buf_len(&text), (const char *)buf_peek(&text).at);
}

void
session_start(struct session *s, struct machine machine, const struct session_limits *limits)
{
	memset(s, 0, offsetof(struct session, mem));
	s->machine = machine;
	s->limits = *limits;
	s->wire_read_fd = s->wire_write_fd = s->local_read_fd = s->local_write_fd = -1;
	buf_init(&s->io.from_wire, s->mem[MEM_FROM_WIRE], SESSION_BUFFER);
	buf_init(&s->io.to_wire, s->mem[MEM_TO_WIRE], SESSION_BUFFER);
	buf_init(&s->io.from_local, s->mem[MEM_FROM_LOCAL], SESSION_BUFFER);
	buf_init(&s->io.to_local, s->mem[MEM_TO_LOCAL], SESSION_BUFFER);
	buf_init(&s->wire_in, s->mem[MEM_WIRE_IN], SESSION_BUFFER);
	buf_init(&s->wire_out, s->mem[MEM_WIRE_OUT], SESSION_BUFFER);
	s->io.wire_has_octets = wire_has_octets;
	s->io.show = show;
	s->io.context = s;
}

void
session_wire(struct session *s, int read_fd, int write_fd)
{
	struct io *io = &s->io;

	if (s->encrypted)
		channel_stop(&s->channel);
	s->encrypted = false;
	s->wire_read_fd = read_fd;
	s->wire_write_fd = write_fd;
	s->wire_shut = s->wire_closed = false;
	buf_clear(&io->from_wire);
	buf_clear(&io->to_wire);
	buf_clear(&s->wire_in);
	buf_clear(&s->wire_out);
	io->wire_eof = io->wire_truncated = io->shut_wire = false;
	io->encrypt = NULL;
	io->end = END_NONE;
	io->again = true;
	s->since_ms = clock_ms();
}

void
session_local(struct session *s, int read_fd, int write_fd)
{
	s->local_read_fd = read_fd;
	s->local_write_fd = write_fd;
	s->io.local_eof = read_fd == -1;
}

void
session_wipe(struct session *s)
{
	if (s->encrypted)
		channel_stop(&s->channel);
	s->encrypted = false;
	for (size_t i = 0; i < sizeof(s->mem) / sizeof(s->mem[0]); i++)
		octets_wipe(s->mem[i], sizeof(s->mem[i]));
}

static void
fault(struct session *s, enum ending what)
{
	struct io *io = &s->io;

	if (io->end != END_NONE)
		return;
	if (io->pipe)
		io->end = what;
	else
		s->machine.fault(s->machine.machine, io, what);
}

/* Where plain octets from the wire go: in a pipe straight on. */
static struct buf *
plain_from_wire(struct session *s)
{
	return s->io.pipe ? &s->io.to_local : &s->io.from_wire;
}

static struct buf *
plain_from_local(struct session *s)
{
	return s->io.pipe ? &s->io.to_wire : &s->io.from_local;
}

/* What was read before it became a pipe has to go first. */
static void
move_leftovers(struct session *s)
{
	buf_move(&s->io.to_local, &s->io.from_wire);
	buf_move(&s->io.to_wire, &s->io.from_local);
}

/* From the machine's word on, the wire is encrypted; what it said before that goes out in the clear. */
static void
begin_encryption(struct session *s)
{
	struct io *io = &s->io;

	buf_move(&s->wire_out, &io->to_wire);
	if (channel_start(&s->channel, io->encrypt) == -1) {
		io->encrypt = NULL;
		fault(s, END_NO_MEMORY);
		return;
	}
	io->encrypt = NULL;
	s->encrypted = true;
}

/* Typed lines: LF becomes CRLF, and CRLF stays. */
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

/* A stream cipher by hand, in small pieces, for each may double. */
static void
open_by_hand(struct session *s)
{
	uint8_t mem[1024];
	struct buf plain;

	buf_init(&plain, mem, sizeof(mem));
	while (buf_len(&s->wire_in) > 0 && buf_room(plain_from_wire(s)) >= 2 * sizeof(mem)) {
		channel_open(&s->channel, &plain, &s->wire_in);
		lines_by_hand(s, plain_from_wire(s), &plain);
	}
	octets_wipe(mem, sizeof(mem));
}

/* From what is on the wire to what is inside. */
static void
open_wire(struct session *s)
{
	struct io *io = &s->io;

	if (s->encrypted && s->by_hand && s->channel.suite->cipher->stream != NULL) {
		open_by_hand(s);
	} else if (s->encrypted) {
		if (channel_open(&s->channel, plain_from_wire(s), &s->wire_in) == -1) {
			s->channel_fault = s->channel.fault;
			fault(s, END_BAD_RECORD);
		}
	} else if (s->by_hand) {
		lines_by_hand(s, plain_from_wire(s), &s->wire_in);
	}
	/* the end is only there when everything before it is through */
	if (s->wire_closed && !io->wire_eof &&
	    (buf_len(&s->wire_in) == 0 || buf_room(plain_from_wire(s)) >= RECORD_MAX)) {
		io->wire_eof = true;
		io->wire_truncated = s->encrypted && !channel_ended(&s->channel);
	}
}

/* From what is inside to what goes on the wire. */
static void
seal_wire(struct session *s)
{
	if (s->encrypted && channel_seal(&s->channel, &s->wire_out, &s->io.to_wire) == -1) {
		s->channel_fault = s->channel.fault;
		fault(s, END_BAD_RECORD);
	}
}

static void
wire_broken(struct session *s)
{
	s->wire_shut = s->wire_closed = true;
	s->io.wire_eof = true;
	buf_clear(&s->wire_out);
	buf_clear(&s->io.to_wire);
	fault(s, END_WIRE_BROKEN);
}

/* Nobody reads what the machine has for the local side any more. */
static void
local_broken(struct session *s)
{
	s->local_shut = true;
	buf_clear(&s->io.to_local);
}

static bool
wire_flushed(const struct session *s)
{
	return buf_len(&s->io.to_wire) == 0 && buf_len(&s->wire_out) == 0;
}

static void
flush_wire(struct session *s)
{
	struct buf *out = s->encrypted || buf_len(&s->wire_out) > 0 ? &s->wire_out : &s->io.to_wire;

	if (s->wire_shut)
		return;
	for (;;) {
		seal_wire(s);
		size_t before = buf_len(out);
		enum fd_result result = fd_write(s->wire_write_fd, out);

		s->wire_written += before - buf_len(out);
		if (result == FD_BROKEN)
			wire_broken(s);
		/* a large message fills the room more than once */
		if (result != FD_DONE || !s->encrypted || buf_len(&s->io.to_wire) == 0)
			return;
	}
}

static void
flush_local(struct session *s)
{
	struct io *io = &s->io;

	if (s->local_shut || s->local_write_fd == -1) {
		buf_clear(&io->to_local);
		return;
	}
	if (buf_len(&io->to_local) > 0 && fd_write(s->local_write_fd, &io->to_local) == FD_BROKEN)
		local_broken(s);
	if (io->shut_local && buf_len(&io->to_local) == 0) {
		shutdown(s->local_write_fd, SHUT_WR);
		s->local_shut = true;
	}
}

/* Our last octet on the wire: close_notify, where there is one, and a FIN. */
static void
shut_wire(struct session *s)
{
	if (s->wire_shut || !wire_flushed(s))
		return;
	if (s->encrypted && !channel_end(&s->channel, &s->wire_out))
		return;
	flush_wire(s);
	if (s->wire_shut || !wire_flushed(s))
		return;
	shutdown(s->wire_write_fd, SHUT_WR);
	s->wire_shut = true;
}

static void
flush(struct session *s)
{
	if (buf_len(&s->io.to_wire) > 0 || buf_len(&s->wire_out) > 0)
		flush_wire(s);
	flush_local(s);
	if (s->io.shut_wire)
		shut_wire(s);
}

/* In a pipe, one side's end of file is passed on behind its last octet; the service's ends it. */
static void
pipe_ends(struct session *s)
{
	struct io *io = &s->io;
	bool wire_done = io->wire_eof && buf_len(&io->from_wire) == 0;
	bool local_done = io->local_eof && buf_len(&io->from_local) == 0;

	if (wire_done && io->wire_truncated)
		io->end = END_TRUNCATED;
	else if (s->serving ? local_done : wire_done)
		io->end = END_DONE;
	else if (wire_done)
		io->shut_local = true;
	else if (local_done)
		io->shut_wire = true;
}

/* Octets that have left, by either side. */
static uint64_t
written(const struct session *s)
{
	return s->io.to_local.taken + s->io.to_wire.taken + s->wire_out.taken;
}

/* Is anything there that was read and has not found its way? */
static bool
pending(const struct session *s)
{
	return buf_len(&s->io.from_wire) > 0 || buf_len(&s->io.from_local) > 0 ||
	    buf_len(&s->wire_in) > 0;
}

/* Moves everything that can be moved without waiting. */
static void
move(struct session *s)
{
	struct io *io = &s->io;
	uint64_t before;

	do {
		before = written(s);
		io->again = false;
		if (io->pipe)
			move_leftovers(s);
		open_wire(s);
		if (!io->pipe && io->end == END_NONE)
			s->machine.step(s->machine.machine, io);
		if (io->encrypt != NULL)
			begin_encryption(s);
		if (io->pipe) {
			move_leftovers(s);
			pipe_ends(s);
		}
		flush(s);
		/* what went out made room for what waited for it */
	} while (io->end == END_NONE && ((io->again && wire_flushed(s)) ||
	    (written(s) != before && pending(s))));
}

static void
read_wire(struct session *s)
{
	bool direct = !s->encrypted && !s->by_hand;
	struct buf *into = direct ? plain_from_wire(s) : &s->wire_in;
	size_t before = buf_len(into), held = buf_len(&s->io.from_wire);
	enum fd_result result = fd_read(s->wire_read_fd, into);

	s->wire_read += buf_len(into) - before;
	if (s->io.pipe && buf_len(into) > before)
		s->io.progress++;
	if (held == 0 && buf_len(into) > before && s->wait == WAIT_COMMAND)
		s->io.progress++;	/* a command's first octet */
	if (result == FD_EOF)
		s->wire_closed = true;
	else if (result == FD_BROKEN)
		wire_broken(s);
}

static void
read_local(struct session *s)
{
	struct buf *into = plain_from_local(s);
	size_t before = buf_len(into);

	switch (fd_read(s->local_read_fd, into)) {
	case FD_EOF:
		s->io.local_eof = true;
		break;
	case FD_BROKEN:
		s->io.local_eof = true;
		local_broken(s);
		break;
	case FD_DONE:
	case FD_WAIT:
		break;
	}
	if (buf_len(into) > before && (s->io.pipe || before == 0) && s->wait != WAIT_HANDSHAKE)
		s->io.progress++;
}

static int64_t
limit_ms(const struct session *s)
{
	switch (s->wait) {
	case WAIT_GREETING:
		return s->limits.greeting_ms;
	case WAIT_DATA:
		return s->limits.data_ms;
	case WAIT_FINAL:
		return s->limits.final_ms;
	case WAIT_HANDSHAKE:
		return s->limits.handshake_ms;
	case WAIT_IDLE:
		return s->limits.idle_ms;
	case WAIT_LINGER:
		return s->limits.linger_ms;
	case WAIT_COMMAND:
		break;
	}
	return s->limits.command_ms;
}

/* Milliseconds until the deadline; 0: it has passed. */
static int64_t
time_left(struct session *s)
{
	enum io_wait wait = s->io.pipe && s->io.wait != WAIT_LINGER ? WAIT_IDLE : s->io.wait;
	int64_t now = clock_ms();

	if (wait != s->wait || s->progress != s->io.progress) {
		s->wait = wait;
		s->progress = s->io.progress;
		s->since_ms = now;
	}
	int64_t left = s->since_ms + limit_ms(s) - now;
	return left > 0 ? left : 0;
}

/* Which way of which descriptor is worth waiting for, from what the buffers hold. */
struct wishes {
	bool wire_read, wire_write, local_read, local_write;
};

static struct wishes
wishes(struct session *s)
{
	struct io *io = &s->io;
	bool direct = !s->encrypted && !s->by_hand;
	struct buf *wire_into = direct ? plain_from_wire(s) : &s->wire_in;
	bool going = io->end == END_NONE;

	/* in a pipe, leftovers go before what is read straight behind them */
	return (struct wishes){
		.wire_read = going && !s->wire_closed && buf_room(wire_into) > 0 &&
		    !(io->pipe && buf_len(&io->from_wire) > 0),
		.wire_write = !s->wire_shut && !wire_flushed(s),
		.local_read = going && !io->local_eof && s->local_read_fd != -1 &&
		    buf_room(plain_from_local(s)) > 0 &&
		    !(io->pipe && buf_len(&io->from_local) > 0),
		.local_write = !s->local_shut && s->local_write_fd != -1 &&
		    buf_len(&io->to_local) > 0,
	};
}

static bool
any(struct wishes w)
{
	return w.wire_read || w.wire_write || w.local_read || w.local_write;
}

/*
 * Waits for one of the wishes, and says in `*w` which came true.  0, or -1 when the deadline passed.
 */
static int
await(struct session *s, struct wishes *w)
{
	struct pollfd fds[4] = {
		{ .fd = w->wire_read ? s->wire_read_fd : -1, .events = POLLIN },
		{ .fd = w->wire_write ? s->wire_write_fd : -1, .events = POLLOUT },
		{ .fd = w->local_read ? s->local_read_fd : -1, .events = POLLIN },
		{ .fd = w->local_write ? s->local_write_fd : -1, .events = POLLOUT },
	};
	int64_t left = time_left(s);
	int ready;

	do
		ready = left == 0 ? 0 : poll(fds, 4, left > INT32_MAX ? INT32_MAX : (int)left);
	while (ready == -1 && errno == EINTR);
	if (ready <= 0)
		return -1;
	w->wire_read = fds[0].revents != 0;
	w->wire_write = fds[1].revents != 0;
	w->local_read = fds[2].revents != 0;
	w->local_write = fds[3].revents != 0;
	return 0;
}

/* One wait, and what came of it.  False: nothing to wait for, or the deadline passed. */
static bool
turn(struct session *s)
{
	struct wishes w = wishes(s);

	if (!any(w) || await(s, &w) == -1)
		return false;
	if (w.wire_read)
		read_wire(s);
	if (w.local_read)
		read_local(s);
	return true;
}

/* Reads until the far end's FIN, so that a reset does not destroy our last word on its way. */
static void
linger(struct session *s)
{
	int64_t until = clock_ms() + s->limits.linger_ms, now;

	while (!s->wire_closed && (now = clock_ms()) < until) {
		struct pollfd fd = { .fd = s->wire_read_fd, .events = POLLIN };

		if (poll(&fd, 1, (int)(until - now)) <= 0)
			return;
		buf_clear(&s->wire_in);
		enum fd_result result = fd_read(s->wire_read_fd, &s->wire_in);
		if (result == FD_EOF || result == FD_BROKEN)
			return;
	}
}

/* The wire is no longer to be believed, or gone. */
static bool
abrupt(enum ending end)
{
	return end == END_TRUNCATED || end == END_BAD_RECORD || end == END_WIRE_BROKEN ||
	    end == END_WIRE_GONE;
}

/* Last words out, in order; then the FIN. */
static void
finish(struct session *s)
{
	s->io.wait = s->ended == END_TIMEOUT ? WAIT_LINGER : WAIT_COMMAND;
	s->io.progress++;
	flush(s);
	while (!wire_flushed(s) || buf_len(&s->io.to_local) > 0) {
		struct wishes w = wishes(s);

		if (!any(w) || await(s, &w) == -1)
			break;
		flush(s);
	}
	if (abrupt(s->ended) && s->local_write_fd != -1 && s->serving) {
		/* a clean end is not what the mailer should take it for */
		struct linger reset = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(s->local_write_fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	if (s->ended != END_BAD_RECORD)
		shut_wire(s);
	if (s->serving && s->wire_shut)
		linger(s);
}

enum ending
session_run(struct session *s)
{
	struct io *io = &s->io;

	for (;;) {
		move(s);
		if (io->end != END_NONE)
			break;
		if (!turn(s) && io->end == END_NONE)
			fault(s, END_TIMEOUT);
		if (io->end != END_NONE)
			break;
	}
	s->ended = io->end;
	finish(s);
	return s->ended;
}
