#include "stage.h"

#include <stdio.h>
#include "crypt/suite.h"

#include <string.h>

enum { ACT = 0xff };

static bool
has_octets(void *context)
{
	struct stage *s = context;

	return buf_len(&s->wire_next) > 0;
}

void
stage_start(struct stage *s, struct machine machine, bool single)
{
	struct buf *const bufs[4] = { &s->io.from_wire, &s->io.to_wire, &s->io.from_local,
		&s->io.to_local };

	memset(s, 0, offsetof(struct stage, mem));
	s->machine = machine;
	s->single = single;
	s->piece = 1;
	for (size_t i = 0; i < 4; i++)
		buf_init(bufs[i], s->mem[i], STAGE_BUFFER);
	buf_init(&s->wire, s->said_mem[0], STAGE_SAID);
	buf_init(&s->local, s->said_mem[1], STAGE_SAID);
	buf_init(&s->clear, s->said_mem[2], STAGE_SAID);
	buf_init(&s->wire_next, s->next_mem[0], STAGE_OCTETS_MAX);
	buf_init(&s->local_next, s->next_mem[1], STAGE_OCTETS_MAX);
	buf_init(&s->local_heard, s->heard_mem, STAGE_OCTETS_MAX);
	s->io.wire_has_octets = has_octets;
	s->io.context = s;
	fixed_start(1);
}

static void
drain(struct stage *s, bool all)
{
	if (!s->wire_stuck || all) {
		if (!s->encrypted)
			buf_put(&s->clear, buf_peek(&s->io.to_wire));
		buf_move(&s->wire, &s->io.to_wire);
	}
	if (!s->local_stuck)
		buf_move(&s->local, &s->io.to_local);
}

/* What was sent before goes in the clear; what came before is not taken as encrypted. */
static void
encrypt(struct stage *s)
{
	bool records = s->io.encrypt != NULL && !s->io.encrypt->server &&
	    s->io.encrypt->suite->cipher->seal != NULL;

	assert(!s->encrypted);
	/* octets after a 2.0 answer are records, but a script never has valid ones */
	s->not_records = records && (buf_len(&s->io.from_wire) > 0 || buf_len(&s->wire_next) > 0);
	if (records) {
		buf_clear(&s->io.from_wire);
		buf_clear(&s->wire_next);
	}
	assert(buf_len(&s->io.from_wire) == 0 && buf_len(&s->wire_next) == 0);
	drain(s, true);
	s->encrypted = true;
	s->local_clear = buf_len(&s->local) + buf_len(&s->io.to_local);
	s->tls_begun = s->io.start_tls != NULL;
	s->io.encrypt = NULL;
	s->io.start_tls = NULL;
}

static void
step_once(struct stage *s)
{
	struct io *io = &s->io;

	if (!io->pipe && io->end == OUTCOME_NONE)
		s->machine.step(s->machine.machine, io);
	if (io->encrypt != NULL || io->start_tls != NULL)
		encrypt(s);
	if (s->not_records && io->end == OUTCOME_NONE)
		s->machine.fault(s->machine.machine, io, OUTCOME_BAD_RECORD);
	s->not_records = false;
	if (io->pipe) {
		buf_move(&io->to_local, &io->from_wire);
		buf_move(&io->to_wire, &io->from_local);
	}
	drain(s, false);
}

/* Statement 32: nothing waits while it could move, so another step changes nothing. */
void
stage_step(struct stage *s)
{
	struct io_mark before;

	do {
		before = io_mark(&s->io);
		step_once(s);
	} while (!io_mark_same(before, io_mark(&s->io)));
	step_once(s);
	assert(io_mark_same(before, io_mark(&s->io)));
}

/* One octet, or as many as fit. */
static bool
bring(struct stage *s, bool from_wire)
{
	struct buf *next = from_wire ? &s->wire_next : &s->local_next;
	struct buf *into = from_wire ? &s->io.from_wire : &s->io.from_local;

	if (s->io.end != OUTCOME_NONE || buf_len(next) == 0 || buf_room(into) == 0 ||
	    (from_wire && s->tls_begun))
		return false;
	struct span come = buf_peek(next);
	size_t most = s->single && s->piece < buf_room(into) ? s->piece : buf_room(into);
	if (come.len > most)
		come.len = most;
	uint8_t last = come.at[come.len - 1];
	if (s->before != NULL && s->single)
		s->before(s, from_wire);
	if (!from_wire)
		buf_put(&s->local_heard, come);
	buf_put(into, come);
	buf_take(next, come.len);
	stage_step(s);
	if (s->after != NULL && s->single)
		s->after(s, from_wire, last);
	if (s->piece > 1)
		s->piece = s->piece * 7 % 1009 + 2;
	return true;
}

/* An end of file comes after everything before it. */
static bool
end(struct stage *s, bool *ends, const struct buf *next, bool *eof)
{
	if (!*ends || buf_len(next) > 0)
		return false;
	*ends = false;
	*eof = true;
	stage_step(s);
	return true;
}

static void
bring_all(struct stage *s)
{
	while (bring(s, true) || bring(s, false) ||
	    end(s, &s->wire_ends, &s->wire_next, &s->io.wire_eof) ||
	    end(s, &s->local_ends, &s->local_next, &s->io.local_eof))
		;
}

void
stage_comes(struct stage *s, bool from_wire, struct span octets)
{
	size_t left = STAGE_OCTETS_MAX - s->octets;

	if (from_wire ? s->wire_ends || s->io.wire_eof : s->local_ends || s->io.local_eof)
		return;
	if (octets.len > left)
		octets.len = left;
	s->octets += octets.len;
	/* there must be room for all of it */
	assert(buf_put(from_wire ? &s->wire_next : &s->local_next, octets));
	bring_all(s);
}

/* Enough for a line that is too long, and for a block of a message. */
static void
comes_often(struct stage *s, bool from_wire, struct span octets)
{
	uint8_t mem[20000];
	struct buf many;

	buf_init(&many, mem, sizeof(mem));
	while (octets.len > 0 && buf_put(&many, octets))
		;
	s->piece = 2;
	stage_comes(s, from_wire, buf_peek(&many));
	s->piece = 1;
}

static void
fault(struct stage *s, uint8_t which)
{
	static const enum outcome faults[] = { OUTCOME_TIMEOUT, OUTCOME_LOCAL_BROKEN,
		OUTCOME_WIRE_BROKEN, OUTCOME_BAD_RECORD, OUTCOME_NO_MEMORY };

	if (s->io.end == OUTCOME_NONE && !s->io.pipe)
		s->machine.fault(s->machine.machine, &s->io, faults[which % 5]);
}

static void
act(struct stage *s, struct span octets)
{
	switch (s->letter) {
	case 'W':
	case 'L':
		stage_comes(s, s->letter == 'W', octets);
		break;
	case 'w':
	case 'l':
		comes_often(s, s->letter == 'w', octets);
		break;
	case 'T':
		s->io.wire_truncated = s->encrypted;
		s->wire_ends = true;
		break;
	case 'E':
		s->wire_ends = true;
		break;
	case 'e':
		s->local_ends = true;
		break;
	case 'F':
		fault(s, octets.len > 0 ? octets.at[0] : 0);
		break;
	case 'K':
	case 'k':
		if (s->tls_begun)
			s->io.tls = s->letter == 'K' ? IO_TLS_OPEN : IO_TLS_FAILED;
		s->tls_begun = false;
		break;
	case 'S':
		s->wire_stuck = !s->wire_stuck;
		break;
	case 's':
		s->local_stuck = !s->local_stuck;
		break;
	default:
		if (s->act != NULL)
			s->act(s, octets);
		break;
	}
	bring_all(s);
	stage_step(s);
}

void
stage_play(struct stage *s, struct span script)
{
	struct span octets;

	span_word(&script, ACT, &octets);	/* octets before the first act are ignored */
	while (span_word(&script, ACT, &octets)) {
		if (octets.len == 0)
			continue;
		s->letter = octets.at[0];
		act(s, span_from(octets, 1));
	}
	s->wire_stuck = s->local_stuck = false;
	stage_step(s);
	bring_all(s);
}

void
stage_call_again(struct stage *s)
{
	struct io *io = &s->io;

	buf_clear(&io->from_wire);
	buf_clear(&io->to_wire);
	buf_clear(&s->wire_next);
	io->wire_eof = io->wire_truncated = io->shut_wire = s->encrypted = s->wire_ends = false;
	s->tls_begun = false;
	io->tls = IO_TLS_NONE;
	io->end = OUTCOME_NONE;
}

static void
assert_said_same(const char *where, const struct buf *a, const struct buf *b)
{
	struct span x = buf_peek(a), y = buf_peek(b);

	if (!span_equal(x, y))
		fprintf(stderr, "to the %s, whole:\n%.*s\noctet by octet:\n%.*s\n", where,
		    (int)x.len, (const char *)x.at, (int)y.len, (const char *)y.at);
	assert(span_equal(x, y));
}

void
stage_assert_same(const struct stage *a, const struct stage *b)
{
	assert_said_same("wire", &a->wire, &b->wire);
	assert_said_same("wire in the clear", &a->clear, &b->clear);
	assert_said_same("local side", &a->local, &b->local);
	assert(a->io.end == b->io.end);
	assert(a->io.pipe == b->io.pipe && a->io.settled == b->io.settled);
	assert(a->encrypted == b->encrypted && a->local_clear == b->local_clear);
	if (a->io.end != OUTCOME_NONE)
		return;
	assert(a->io.shut_wire == b->io.shut_wire && a->io.shut_local == b->io.shut_local);
	assert(a->io.pipe || a->io.wait == b->io.wait);
}

bool
stage_line(struct span *rest, struct span *line)
{
	size_t len = span_find(*rest, '\n');

	if (len == rest->len)
		return false;
	*line = span(rest->at, len > 0 && rest->at[len - 1] == '\r' ? len - 1 : len);
	*rest = span_from(*rest, len + 1);
	return true;
}

struct span
stage_last_line(struct span said)
{
	struct span line = span(NULL, 0);

	while (stage_line(&said, &line))
		;
	return line;
}
