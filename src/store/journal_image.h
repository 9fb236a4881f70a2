/*
 * A process's copy of the journal in memory, read once as a whole and searched there.  It contains
 * secrets, so all memory that was ever used is wiped in the end.  Locks and file names are the
 * concern of store/store.h.
 */
#ifndef STORE_JOURNAL_IMAGE_H
#define STORE_JOURNAL_IMAGE_H

#include "store/journal.h"

#include <stddef.h>
#include <sys/types.h>

#define JOURNAL_MAX (1u << 20)		/* octets at which an uncompacted journal stops growing */
#define JOURNAL_ROOM (128u << 10)	/* octets; pages that are not touched cost nothing */

struct journal_image {
	size_t len, count;	/* octets and number of complete, plausible records */
	size_t cap, used;	/* octets of storage, and those that may need wiping */
	uint8_t *more;		/* allocated if the journal does not fit into `room`, or NULL */
	uint8_t room[JOURNAL_ROOM];
};

/* The part of the struct that must be zero initially. */
#define JOURNAL_IMAGE_HEAD offsetof(struct journal_image, room)

/* The records, valid until the next call that changes the image. */
struct span journal_image_records(const struct journal_image *c);

/*
 * Provides storage for a journal of `size` octets and what may be appended to it; discards the
 * records if it has to be reallocated.  Returns 0, or -1 with errno.
 */
int journal_image_size(struct journal_image *c, off_t size);

/*
 * Reads the journal `fd`, `size` octets long, as far as the storage permits.  Returns 0, or -1
 * with errno and no records.  Sets `*damaged` when the journal is damaged elsewhere than at its
 * end; never clears it.
 */
int journal_image_read(struct journal_image *c, int fd, off_t size, bool *damaged);

/* Whether a journal of `size` octets exceeds the storage, but not JOURNAL_MAX. */
bool journal_image_outgrown(const struct journal_image *c, off_t size);

/*
 * Appends an entry to the journal `fd` and to the image, which must be up to date.  Returns 0, or
 * -1 with errno: EFBIG when the storage is full.
 */
int journal_image_append(struct journal_image *c, int fd, struct span key, struct span value);

/* Wipes and discards the records.  The storage stays. */
void journal_image_drop(struct journal_image *c);

/* Also frees the storage. */
void journal_image_free(struct journal_image *c);

#endif
