/*
 * A machine on the bench: a struct io without descriptors.
 *
 * The octets that a test feeds arrive as a whole, one by one, or cut at one place, as the test
 * chooses.  What the machine says is kept for inspection.  wire_has_octets() reports octets that
 * were fed and have not arrived, as it would report them in a socket.
 */
#ifndef TEST_MACHINE_H
#define TEST_MACHINE_H

#include "unit.h"

#include "smtp/io.h"

#define BENCH_BUFFER 65536		/* octets; half of a session's buffers */
#define BENCH_SAID (1u << 20)

struct bench {
	struct machine machine;
	struct io io;
	struct buf wire, local;		/* what the machine said, on either side */
	size_t wire_seen, local_seen;	/* octets of it that the test has asserted */
	bool wire_stuck, local_stuck;	/* this side accepts no octets */
	bool rest_behind;		/* more octets are on their way to the wire */
	bool encrypted;
	size_t encrypted_at;		/* octets said on the wire before encryption began */
	size_t first, piece;		/* octets that arrive at once, first and later */
	uint8_t mem[4][BENCH_BUFFER];
	uint8_t wire_mem[BENCH_SAID], local_mem[BENCH_SAID];
};

static inline bool
bench_has_octets(void *context)
{
	struct bench *b = context;

	return b->rest_behind;
}

/* Sets the bench up for a machine.  Input arrives as it is fed unless bench_cut() is called. */
static inline void
bench_start(struct bench *b, struct machine machine)
{
	memset(b, 0, offsetof(struct bench, mem));
	b->machine = machine;
	b->first = b->piece = SIZE_MAX;
	buf_init(&b->io.from_wire, b->mem[0], BENCH_BUFFER);
	buf_init(&b->io.to_wire, b->mem[1], BENCH_BUFFER);
	buf_init(&b->io.from_local, b->mem[2], BENCH_BUFFER);
	buf_init(&b->io.to_local, b->mem[3], BENCH_BUFFER);
	buf_init(&b->wire, b->wire_mem, BENCH_SAID);
	buf_init(&b->local, b->local_mem, BENCH_SAID);
	b->io.wire_has_octets = bench_has_octets;
	b->io.context = b;
}

/* Makes input arrive in two parts, the first of `cut` octets; 0: octet by octet. */
static inline void
bench_cut(struct bench *b, size_t cut)
{
	b->first = cut > 0 ? cut : 1;
	b->piece = cut > 0 ? SIZE_MAX : 1;
}

static inline void
bench_drain(struct bench *b)
{
	/* octets before the encryption are sent; gathered octets after it wait */
	if (!b->wire_stuck && (!b->io.gathers || b->io.encrypt != NULL))
		buf_move(&b->wire, &b->io.to_wire);
	if (!b->local_stuck)
		buf_move(&b->local, &b->io.to_local);
}

static inline void
bench_step_once(struct bench *b)
{
	struct io *io = &b->io;

	if (!io->pipe && io->end == OUTCOME_NONE)
		b->machine.step(b->machine.machine, io);
	if (io->pipe) {
		buf_move(&io->to_local, &io->from_wire);
		buf_move(&io->to_wire, &io->from_local);
	}
	bench_drain(b);
	if (io->encrypt != NULL) {
		assert_false(b->encrypted);
		b->encrypted = true;
		b->encrypted_at = buf_len(&b->wire);
		io->encrypt = NULL;
	}
}

/* Steps until nothing moves, as session/session_flow.c does; another step must change nothing. */
static inline void
bench_step(struct bench *b)
{
	struct io_mark before;

	do {
		before = io_mark(&b->io);
		bench_step_once(b);
	} while (!io_mark_same(before, io_mark(&b->io)));
	bench_step_once(b);
	assert_true(io_mark_same(before, io_mark(&b->io)));
}

/* Feeds as much of `s` as is accepted; returns its length. */
static inline size_t
bench_feed(struct bench *b, struct buf *into, struct span s)
{
	size_t piece = b->first, fed = 0;

	while (fed < s.len) {
		size_t len = s.len - fed < piece ? s.len - fed : piece;

		if (len > buf_room(into))
			len = buf_room(into);
		if (len == 0)
			break;
		buf_put(into, span(s.at + fed, len));
		fed += len;
		b->rest_behind = into == &b->io.from_wire && fed < s.len;
		bench_step(b);
		piece = b->piece;
	}
	b->rest_behind = false;
	return fed;
}

static inline size_t
bench_wire_octets(struct bench *b, struct span s)
{
	return bench_feed(b, &b->io.from_wire, s);
}

static inline size_t
bench_local_octets(struct bench *b, struct span s)
{
	return bench_feed(b, &b->io.from_local, s);
}

/* The same for text. */
static inline void
bench_wire(struct bench *b, const char *text)
{
	bench_wire_octets(b, span_of(text));
}

static inline void
bench_local(struct bench *b, const char *text)
{
	bench_local_octets(b, span_of(text));
}

static inline void
bench_wire_eof(struct bench *b)
{
	b->io.wire_eof = true;
	bench_step(b);
}

static inline void
bench_local_eof(struct bench *b)
{
	b->io.local_eof = true;
	bench_step(b);
}

static inline void
bench_fault(struct bench *b, enum outcome fault)
{
	b->machine.fault(b->machine.machine, &b->io, fault);
	bench_drain(b);
}

/* Returns what was said since the last call. */
static inline struct span
bench_said_wire(struct bench *b)
{
	struct span s = span_from(buf_peek(&b->wire), b->wire_seen);

	b->wire_seen += s.len;
	return s;
}

static inline struct span
bench_said_local(struct bench *b)
{
	struct span s = span_from(buf_peek(&b->local), b->local_seen);

	b->local_seen += s.len;
	return s;
}

/* Prints both texts if they differ. */
static inline void
bench_assert_same(struct span got, const char *text, const char *file, int line)
{
	if (!span_equal(got, span_of(text)))
		print_error("%s:%d: said\n%.*s\ninstead of\n%s\n", file, line, (int)got.len,
		    got.len > 0 ? (const char *)got.at : "", text);
	assert_true(span_equal(got, span_of(text)));
}

#define assert_wire(b, text) bench_assert_same(bench_said_wire(b), text, __FILE__, __LINE__)
#define assert_local(b, text) bench_assert_same(bench_said_local(b), text, __FILE__, __LINE__)

/* Carries what one machine says on its wire to another machine's wire. */
static inline void
bench_join(struct bench *from, struct bench *to)
{
	bench_wire_octets(to, bench_said_wire(from));
}

#endif
