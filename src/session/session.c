#include "session/session_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "smtp/outcome.h"
#include "sys/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEM_FROM_WIRE, MEM_TO_WIRE, MEM_FROM_LOCAL, MEM_TO_LOCAL, MEM_WIRE_IN, MEM_WIRE_OUT,
	MEM_COUNT };

static bool
wire_has_octets(void *context)
{
	struct session *s = context;

	return fd_has_octets(s->wire_read_fd);
}

/* Under -v: a line of the clear dialogue, or a change of state. */
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

int
session_make_room(struct session *s)
{
	void *mem;

	if (s->mem != NULL)
		return 0;
	mem = mmap(NULL, MEM_COUNT * SESSION_BUFFER, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -1;
	s->mem = mem;
	return 0;
}

void
session_start(struct session *s, struct machine machine, const struct session_limits *limits)
{
	if (session_make_room(s) < 0)
		abort();	/* the mains have called it, and it succeeded */
	memset(s, 0, offsetof(struct session, mem));
	s->machine = machine;
	s->limits = *limits;
	s->wire_read_fd = s->wire_write_fd = s->local_read_fd = s->local_write_fd = -1;
	session_watch(s, -1, -1);
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

	session_stop_layer(s);
	s->wire_read_fd = read_fd;
	s->wire_write_fd = write_fd;
	s->wire_shut = s->wire_closed = s->wire_full = false;
	s->spoken = s->proof_seen = false;
	s->heard = 0;
	buf_clear(&io->from_wire);
	buf_clear(&io->to_wire);
	buf_clear(&s->wire_in);
	buf_clear(&s->wire_out);
	io->wire_eof = io->wire_truncated = io->shut_wire = io->elsewhere = io->keeps = false;
	io->encrypt = NULL;
	io->start_tls = NULL;
	io->tls = IO_TLS_NONE;
	io->gathers = false;
	io->hides = 0;
	s->layer_fault = NULL;
	io->end = OUTCOME_NONE;
	s->wire_read = s->wire_written = 0;
	s->since_ms = clock_ms();
}

void
session_local(struct session *s, int read_fd, int write_fd)
{
	s->local_read_fd = read_fd;
	s->local_write_fd = write_fd;
	s->local_full = false;
	s->io.local_eof = read_fd < 0;
}

void
session_watch(struct session *s, int one, int other)
{
	s->watch_fd[0] = one;
	s->watch_fd[1] = other;
	s->watch_ready[0] = s->watch_ready[1] = false;
}

void
session_continue(struct session *s, struct machine machine)
{
	struct io *io = &s->io;
	struct buf *const wire[] = { &io->from_wire, &io->to_wire, &s->wire_in, &s->wire_out };

	buf_wipe(&io->from_local);
	buf_wipe(&io->to_local);
	/* the replies to io->resets may be there */
	for (size_t i = 0; i < sizeof(wire) / sizeof(wire[0]); i++)
		if (buf_len(wire[i]) == 0)
			buf_wipe(wire[i]);
	s->machine = machine;
	session_local(s, -1, -1);
	session_watch(s, -1, -1);
	s->local_shut = false;
	s->ended = io->end = OUTCOME_NONE;
	s->layer_fault = NULL;
	io->keeps = io->shut_wire = io->shut_local = io->elsewhere = io->midway = false;
	s->wire_read = s->wire_written = 0;
	io->progress++;
}

void
session_wipe(struct session *s)
{
	session_stop_layer(s);
	buf_wipe(&s->io.from_wire);
	buf_wipe(&s->io.to_wire);
	buf_wipe(&s->io.from_local);
	buf_wipe(&s->io.to_local);
	buf_wipe(&s->wire_in);
	buf_wipe(&s->wire_out);
}

static void
read_wire(struct session *s)
{
	bool direct = s->layer == NULL && !s->by_hand;
	struct buf *into = direct ? session_plain_from_wire(s) : &s->wire_in;
	size_t before = buf_len(into), held = buf_len(&s->io.from_wire) + buf_len(&s->wire_in);
	enum fd_result result = fd_read(s->wire_read_fd, into);

	s->wire_read += buf_len(into) - before;
	bool first = held == 0 && s->wait == WAIT_COMMAND && !s->io.midway;	/* of a command */
	if (buf_len(into) > before && (s->io.pipe ? !session_only_hears(s) : first))
		s->io.progress++;
	if (result == FD_EOF)
		s->wire_closed = true;
	else if (result == FD_BROKEN)
		session_wire_broken(s);
}

static void
read_local(struct session *s)
{
	struct buf *into = session_plain_from_local(s);
	size_t before = buf_len(into);

	switch (fd_read(s->local_read_fd, into)) {
	case FD_EOF:
		s->io.local_eof = true;
		break;
	case FD_BROKEN:
		s->io.local_eof = true;
		session_local_broken(s);
		break;
	case FD_DONE:
		if (s->local_seen != NULL)
			s->local_seen(s->local_seen_context, span_from(buf_peek(into), before));
		break;
	case FD_WAIT:
		break;
	}
	if (buf_len(into) > before && (s->io.pipe || (before == 0 && !s->io.midway)) &&
	    s->wait != WAIT_HANDSHAKE)
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

/*
 * Milliseconds until the deadline; 0: it has passed.  It also starts the deadline: anew whenever
 * the kind of wait has changed or there was progress.
 */
static int64_t
time_left(struct session *s)
{
	enum io_wait wait = s->io.wait;
	int64_t now = clock_ms();

	if (s->io.pipe && wait != WAIT_LINGER)
		wait = session_only_hears(s) && s->limits.command_ms < s->limits.idle_ms ?
		    WAIT_COMMAND : WAIT_IDLE;
	if (wait != s->wait || s->progress != s->io.progress) {
		s->wait = wait;
		s->progress = s->io.progress;
		s->since_ms = now;
	}
	int64_t until = s->since_ms + limit_ms(s);

	if (s->until_ms != 0 && s->until_ms < until)
		until = s->until_ms;
	return until > now ? until - now : 0;
}

/* The directions to poll for, derived from the buffers. */
struct wishes {
	bool wire_read, wire_write, local_read, local_write;
};

static struct wishes
wishes(struct session *s)
{
	struct io *io = &s->io;
	bool direct = s->layer == NULL && !s->by_hand;
	struct buf *wire_into = direct ? session_plain_from_wire(s) : &s->wire_in;
	bool going = io->end == OUTCOME_NONE;

	/* in a pipe, leftovers go out before anything is read */
	return (struct wishes){
		.wire_read = going && !s->wire_closed && buf_room(wire_into) > 0 &&
		    !(io->pipe && buf_len(&io->from_wire) > 0),
		.wire_write = !s->wire_shut && (buf_len(&s->wire_out) > 0 ||
		    (buf_len(&io->to_wire) > 0 && !session_gathers(s))),
		.local_read = going && !io->local_eof && s->local_read_fd >= 0 &&
		    buf_room(session_plain_from_local(s)) > 0 &&
		    !(io->pipe && buf_len(&io->from_local) > 0),
		.local_write = !s->local_shut && s->local_write_fd >= 0 &&
		    buf_len(&io->to_local) > 0,
	};
}

static bool
any(struct wishes w)
{
	return w.wire_read || w.wire_write || w.local_read || w.local_write;
}

/* Waits until one of the directions is ready, and sets `*w` to those.  0, or -1 on timeout. */
static int
await(struct session *s, struct wishes *w, bool watches)
{
	/* a local MTA that only reads may go away: POLLHUP comes without being asked for */
	bool ask_local = w->local_write || (session_only_hears(s) && !s->local_shut);
	struct pollfd fds[4 + SESSION_WATCHES] = {
		{ .fd = w->wire_read ? s->wire_read_fd : -1, .events = POLLIN },
		{ .fd = w->wire_write ? s->wire_write_fd : -1, .events = POLLOUT },
		{ .fd = w->local_read ? s->local_read_fd : -1, .events = POLLIN },
		{ .fd = ask_local ? s->local_write_fd : -1,
		    .events = w->local_write ? POLLOUT : 0 },
		{ .fd = s->watch_fd[0], .events = POLLIN },
		{ .fd = s->watch_fd[1], .events = POLLIN },
	};
	/* poll(2) fails for more than the limit of descriptors, which may be 4 */
	bool watched = watches && (s->watch_fd[0] >= 0 || s->watch_fd[1] >= 0);
	nfds_t count = watched ? 4 + SESSION_WATCHES : 4;
	int64_t left = time_left(s);
	int ready;

	do
		ready = left == 0 ? 0 : poll(fds, count, left > INT32_MAX ? INT32_MAX : (int)left);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		return -1;
	w->wire_read = fds[0].revents != 0;
	w->wire_write = fds[1].revents != 0;
	w->local_read = fds[2].revents != 0;
	w->local_write = fds[3].revents != 0;
	s->wire_full = s->wire_full && !w->wire_write;
	s->local_full = s->local_full && !w->local_write;
	if (session_only_hears(s) && (fds[3].revents & (POLLERR | POLLHUP)) != 0)
		session_local_broken(s);
	for (size_t i = 0; watched && i < SESSION_WATCHES; i++)
		s->watch_ready[i] = fds[4 + i].revents != 0;
	return 0;
}

/* Polls once and reads what is ready.  False on timeout or when there is nothing to wait for. */
static bool
turn(struct session *s)
{
	struct wishes w = wishes(s);

	if (!any(w) || await(s, &w, true) < 0)
		return false;
	if (w.wire_read)
		read_wire(s);
	if (w.local_read)
		read_local(s);
	if (s->watch_ready[0] || s->watch_ready[1])
		session_fault(s, OUTCOME_LOCAL_GONE);
	return true;
}

/*
 * Reads until the client's FIN: closing with unread octets would reset, and lose our last reply.
 */
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

/* The wire is broken or cannot be trusted any more. */
static bool
abrupt(enum outcome end)
{
	return end == OUTCOME_TRUNCATED || end == OUTCOME_BAD_RECORD ||
	    end == OUTCOME_WIRE_BROKEN || end == OUTCOME_WIRE_GONE;
}

/* Writes out what is left, in order; then the FIN. */
static void
finish(struct session *s)
{
	/* a machine that waits for nothing but the reply to QUIT may leave it unsent */
	bool brief = s->ended == OUTCOME_TIMEOUT || s->io.wait == WAIT_LINGER ||
	    (session_only_hears(s) && s->local_shut);

	s->io.wait = brief ? WAIT_LINGER : WAIT_COMMAND;
	s->io.progress++;
	s->io.shut_wire = s->ended != OUTCOME_BAD_RECORD && !s->io.keeps;
	session_move(s);
	while (!session_wire_flushed(s) || buf_len(&s->io.to_local) > 0) {
		struct wishes w = wishes(s);

		if (!any(w) || await(s, &w, false) < 0)
			break;
		session_move(s);
	}
	if (abrupt(s->ended) && s->local_write_fd >= 0 && s->serving) {
		/* a reset, so that the backend does not take it for a clean end */
		struct linger reset = { .l_onoff = 1, .l_linger = 0 };
		setsockopt(s->local_write_fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	if (s->serving && s->wire_shut) {
		linger(s);
	} else if (s->wire_shut && !s->wire_closed) {
		/* an unread reply to QUIT would make close(2) reset the connection */
		buf_clear(&s->wire_in);
		(void)fd_read(s->wire_read_fd, &s->wire_in);
	}
}

enum outcome
session_run(struct session *s)
{
	struct io *io = &s->io;

	for (;;) {
		session_move(s);
		if (io->end != OUTCOME_NONE)
			break;
		if (!turn(s) && io->end == OUTCOME_NONE)
			session_fault(s, OUTCOME_TIMEOUT);
		if (io->end != OUTCOME_NONE)
			break;
	}
	s->ended = io->end;
	io_trace(io, "session", io->pipe ? "pipe" : "dialogue", outcome_row(s->ended)->log);
	/* nobody waits for the result: what the wire has not taken must not complete a message */
	if ((s->watch_ready[0] || s->watch_ready[1]) && !io->keeps) {
		buf_clear(&io->to_wire);
		buf_clear(&s->wire_out);
	}
	if (!s->stays_open)
		finish(s);
	return s->ended;
}
