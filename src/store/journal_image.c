#include "store/journal_image.h"

#include "base/octets.h"
#include "sys/private_file.h"

#include <errno.h>
#include <stdlib.h>

/* Octets by which the journal may grow while we have it open; compaction comes long before. */
#define SLACK (64u << 10)

static uint8_t *
mem(struct journal_image *c)
{
	return c->more != NULL ? c->more : c->room;
}

struct span
journal_image_records(const struct journal_image *c)
{
	return span(c->more != NULL ? c->more : c->room, c->len);
}

int
journal_image_size(struct journal_image *c, off_t size)
{
	size_t len = size > JOURNAL_MAX ? JOURNAL_MAX : (size_t)size;

	if (c->cap >= len + SLACK)
		return 0;
	journal_image_free(c);
	if (len + SLACK > JOURNAL_ROOM && (c->more = malloc(len + SLACK)) == NULL)
		return -1;
	c->cap = c->more != NULL ? len + SLACK : JOURNAL_ROOM;
	return 0;
}

int
journal_image_read(struct journal_image *c, int fd, off_t size, bool *damaged)
{
	size_t most = c->cap > JOURNAL_MAX ? JOURNAL_MAX : c->cap;

	journal_image_drop(c);
	if (size <= 0)
		return 0;
	/* set before reading, so that everything is wiped even if reading fails */
	c->used = (size_t)size < most ? (size_t)size : most;
	ssize_t got = private_file_pread(fd, mem(c), c->used);
	if (got < 0)
		return -1;
	struct span journal = span(mem(c), (size_t)got);
	c->len = journal_measure(journal, &c->count);
	if (journal_has_record(span_from(journal, c->len)))
		*damaged = true;
	return 0;
}

bool
journal_image_outgrown(const struct journal_image *c, off_t size)
{
	return size > (off_t)c->cap && size <= (off_t)JOURNAL_MAX;
}

int
journal_image_append(struct journal_image *c, int fd, struct span key, struct span value)
{
	size_t end = c->len, len = JOURNAL_HEAD_LEN + key.len + ENTRY_CHECK_LEN + value.len;

	if (end + len > c->cap || end + len > JOURNAL_MAX) {
		errno = EFBIG;
		return -1;
	}
	journal_format(mem(c) + end, key, value);
	if (c->used < end + len)
		c->used = end + len;
	if (journal_append(fd, end, span(mem(c) + end, len)) < 0)
		return -1;
	c->len = end + len;
	c->count++;
	return 0;
}

void
journal_image_drop(struct journal_image *c)
{
	octets_wipe(mem(c), c->used);
	c->used = c->len = c->count = 0;
}

void
journal_image_free(struct journal_image *c)
{
	journal_image_drop(c);
	free(c->more);
	c->more = NULL;
	c->cap = 0;
}
