#include "base/buf.h"

#include "base/octets.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
buf_init(struct buf *b, void *mem, size_t cap)
{
	*b = (struct buf){ .mem = mem, .cap = cap };
}

struct span
buf_peek(const struct buf *b)
{
	return span(b->mem + b->head, buf_len(b));
}

void
buf_take(struct buf *b, size_t len)
{
	assert(len <= buf_len(b));
	b->head += len;
	b->taken += len;
	if (b->head == b->tail)
		b->head = b->tail = 0;
}

static void
raise_tail(struct buf *b, size_t len)
{
	b->tail += len;
	if (b->high < b->tail)
		b->high = b->tail;
}

/* Moves the contents to the front of the storage, so that all free space follows them. */
static void
compact(struct buf *b)
{
	if (b->head == 0)
		return;
	memmove(b->mem, b->mem + b->head, buf_len(b));
	b->tail -= b->head;
	b->head = 0;
}

uint8_t *
buf_space(struct buf *b, size_t *room)
{
	compact(b);
	*room = b->cap - b->tail;
	return b->mem + b->tail;
}

void
buf_added(struct buf *b, size_t len)
{
	assert(len <= b->cap - b->tail);
	raise_tail(b, len);
}

bool
buf_put(struct buf *b, struct span s)
{
	if (s.len > buf_room(b))
		return false;
	if (s.len > b->cap - b->tail)
		compact(b);
	if (s.len > 0)
		memcpy(b->mem + b->tail, s.at, s.len);
	raise_tail(b, s.len);
	return true;
}

bool
buf_printf(struct buf *b, const char *format, ...)
{
	size_t room;
	uint8_t *space = buf_space(b, &room);
	va_list args;

	va_start(args, format);
	int len = vsnprintf((char *)space, room, format, args);
	va_end(args);

	/* vsnprintf() needs room for a NUL, which is not kept */
	if (len < 0 || (size_t)len >= room)
		return false;
	raise_tail(b, (size_t)len);
	return true;
}

size_t
buf_move(struct buf *to, struct buf *from)
{
	struct span s = buf_peek(from);

	if (s.len > buf_room(to))
		s.len = buf_room(to);
	buf_put(to, s);
	buf_take(from, s.len);
	return s.len;
}

void
buf_clear(struct buf *b)
{
	b->taken += buf_len(b);
	b->head = b->tail = 0;
}

void
buf_wipe(struct buf *b)
{
	buf_clear(b);
	octets_wipe(b->mem, b->high);
	b->high = 0;
}
