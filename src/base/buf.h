/*
 * A buffer of fixed capacity over storage that the caller provides.  Octets are appended at the
 * end and taken from the front.  Nothing is allocated, and the contents are not NUL-terminated.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

struct buf {
	uint8_t *mem;		/* the storage; belongs to the caller */
	size_t cap;		/* size of the storage in octets */
	size_t head, tail;	/* the contents are mem[head] to mem[tail - 1] */
	size_t high;		/* the storage from mem[high] on was never written to */
	uint64_t taken;		/* octets ever removed from the front */
};

/* Makes `b` an empty buffer over `cap` octets at `mem`, which must outlive it. */
void buf_init(struct buf *b, void *mem, size_t cap);

/* Octets in the buffer, and octets that can still be added. */
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

/* A counter that grows with every octet put in or taken out. */
static inline uint64_t
buf_moves(const struct buf *b)
{
	return 2 * b->taken + buf_len(b);
}

/* The contents, valid until the buffer is next changed. */
struct span buf_peek(const struct buf *b);

/* Removes `len` octets from the front; len <= buf_len(). */
void buf_take(struct buf *b, size_t len);

/*
 * For writing in place: returns all free space as one piece and its length in `*room`.
 * buf_added() then says how many octets were written there.
 */
uint8_t *buf_space(struct buf *b, size_t *room);
void buf_added(struct buf *b, size_t len);

/* Appends all of `s`, or nothing; false when there is not enough room. */
bool buf_put(struct buf *b, struct span s);

/* Like buf_put(), for formatted text. */
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Moves as much as fits from the front of `from` to the end of `to`; returns the octets moved. */
size_t buf_move(struct buf *to, struct buf *from);

/* Empties the buffer.  buf_wipe() also zeroes everything that was ever written to its storage. */
void buf_clear(struct buf *b);
void buf_wipe(struct buf *b);

#endif
