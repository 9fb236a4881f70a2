/*
 * What a process has in memory of the journal: it is read once, in one piece, and searched there.
 * Secrets stand in it, so all of it that was ever used is wiped in the end.  Knows no locks and no
 * names; whose turn it is to append is store/store.h's to say.
 */
#ifndef STORE_JOURNAL_IMAGE_H
#define STORE_JOURNAL_IMAGE_H

#include "store/journal.h"

#include <stddef.h>
#include <sys/types.h>

/* octets; a journal that cannot be folded stops growing here */
#define JOURNAL_MAX (1u << 20)
#define JOURNAL_ROOM (128u << 10)	/* octets; a page that is not used costs nothing */

struct journal_image {
	size_t len, count;	/* the whole, plausible records, as of the last reading */
	size_t cap, used;
	uint8_t *more;		/* allocated, where the journal could not be folded and has no room */
	uint8_t room[JOURNAL_ROOM];
};

/* The part of it that has to be zero in the beginning. */
#define JOURNAL_IMAGE_HEAD offsetof(struct journal_image, room)

/* The records.  Good until the next call that takes no const copy. */
struct span journal_image_records(const struct journal_image *c);

/*
 * Makes room for a journal of `size` octets and what may be added to it; what was read is forgotten
 * where that takes other memory.  Returns 0, or -1 with errno.
 */
int journal_image_size(struct journal_image *c, off_t size);

/*
 * Reads the journal `fd`, `size` octets long, into the room that there is.  Returns 0, or -1 with
 * errno and no records.  `*damaged` is set, and never cleared: it is damaged, and not only where
 * it ends.
 */
int journal_image_read(struct journal_image *c, int fd, off_t size, bool *damaged);

/* Is a journal of `size` octets longer than the room for it, though no longer than it may be? */
bool journal_image_outgrown(const struct journal_image *c, off_t size);

/*
 * Appends an entry to the journal `fd`, of which this is the copy as it is now, and to the copy.
 * Returns 0, or -1 with errno: EFBIG without room.
 */
int journal_image_append(struct journal_image *c, int fd, struct span key, struct span value);

/* Wipes what was read.  The room stays. */
void journal_image_drop(struct journal_image *c);

/* The same, and frees the room. */
void journal_image_free(struct journal_image *c);

#endif
