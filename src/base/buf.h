/*
 * A buffer of fixed capacity over storage that its owner brings.  Octets go in at the end and
 * out at the front; nothing is allocated and nothing is terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/octets.h"

#include <stdarg.h>

struct buf {
	uint8_t *mem;		/* storage, the owner's */
	size_t cap;		/* its size, octets */
	size_t head, tail;	/* what is held: mem[head] to mem[tail - 1] */
	size_t high;		/* storage from here on was never written to */
	uint64_t taken;		/* octets that have left at the front, ever */
};

/* An empty buffer over `cap` octets at `mem`, which must outlive it. */
void buf_init(struct buf *b, void *mem, size_t cap);

/* How much it holds, and how much more it would take. */
static inline size_t
buf_len(const struct buf *b)
{
	return b->tail - b->head;
}

static inline size_t
buf_room(const struct buf *b)
{
	return b->cap - buf_len(b);
}

/* Octets that were put in and octets that have left, ever: grows with each that moves. */
static inline uint64_t
buf_moves(const struct buf *b)
{
	return 2 * b->taken + buf_len(b);
}

/* What it holds, good until the buffer is next changed. */
struct span buf_peek(const struct buf *b);

/* `len` octets at the front are done with; len <= buf_len(). */
void buf_take(struct buf *b, size_t len);

/*
 * For writing in place: all of the room there is, in one piece.  `*room` gets its length.
 * buf_added() says how much of it was used.
 */
uint8_t *buf_space(struct buf *b, size_t *room);
void buf_added(struct buf *b, size_t len);

/* Appends all of `s`, or nothing and false when there is no room for it. */
bool buf_put(struct buf *b, struct span s);

/* The same for formatted text of ours. */
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *b, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Moves as much as fits from the front of one to the end of another; says how much. */
size_t buf_move(struct buf *to, struct buf *from);

/* Empties it; buf_wipe() zeroes what was ever in its storage too. */
void buf_clear(struct buf *b);
void buf_wipe(struct buf *b);

#endif
