/*
 * A small database that any number of processes read and add to at once, and that no crash can
 * spoil: a constant database (CDB) and a journal of what was learned since, in one directory.
 *
 * NAME.cdb      made whole, synced, and put in place by rename(2): it is never changed.
 * NAME.journal  records appended under a lock (store/journal.h); emptied, never replaced.
 *
 * Opening is the time for maintenance (folding a full journal into a new CDB, or replacing
 * everything); afterwards a process only looks up and appends.  Every fault is at worst something
 * forgotten, and a line in the log.  Knows nothing of what the keys and values mean.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/compact.h"
#include "store/journal_image.h"

#include <sys/types.h>

#define STORE_COMPACT_AT 256	/* records in the journal before it is folded */

struct store {
	int dirfd, cdbfd, journalfd;	/* -1: not there */
	const char *directory, *name;
	size_t cdb_len;
	uid_t owner;			/* whose files they have to be: ours */
	bool writable;			/* the journal may be appended to, and locked */
	bool maintains;			/* we have the directory's lock */
	bool complained;		/* one line in the log is enough for one process */
	bool corrupt;			/* something that is there could not be read, or is damaged */
	/* its owner's to set: */
	bool strict;			/* nothing is written over what is damaged */
	compact_filter *journalled;	/* which keys count in the journal; NULL: all.  Sessions write there */
	struct journal_image journal;	/* last: its room is not cleared */
};

/* The whole, plausible records of the journal, as it was when it was last read. */
struct span store_journal(const struct store *s);

/* No store: nothing is found in it, nothing is kept, and closing it is harmless. */
void store_none(struct store *s);

/*
 * Opens the store NAME in `directory`, which is created, mode 0700, where it is missing.  Both
 * strings are kept.  Returns 0, or -1 when the directory may not be used; the log says why.  A
 * store that cannot be written is opened all the same.
 */
int store_open(struct store *s, const char *directory, const char *name);

/* Opens the files anew, as they are now: in a forked process, as locks and offsets are shared. */
int store_reopen(struct store *s);

/* Is maintenance due: is the journal to be folded, or no journal that we would write? */
bool store_is_due(const struct store *s);

/*
 * For a session: from now on there is no opening, locking or rebuilding, only looking up and appending, and the
 * directory's descriptor is closed.
 */
void store_leave_directory(struct store *s);

/*
 * Finds the newest value of a key, as of the opening or this process's last store_append(): at most
 * `room` octets to `value`, and their number to `*len`.  False when it is not there or not sound.
 */
bool store_find(struct store *s, struct span key, void *value, size_t room, size_t *len);

/*
 * Appends an entry, within about 100 ms and without allocating.  Returns 0, also when it is there
 * already, or -1: not learned.
 */
int store_append(struct store *s, struct span key, struct span value);

/*
 * For maintenance: takes the lock, within about a second, and reads everything anew, as somebody
 * else may have done what is to be done.  Returns 0, or -1 with errno.
 */
int store_lock(struct store *s);
void store_unlock(struct store *s);

/*
 * For what only the first may add, in two steps: takes the lock as store_append() does, after which
 * store_find() knows what others have appended.  Returns 0, or -1 with errno; ESTALE when there is
 * another CDB by now, which a session does not open.
 */
int store_lock_to_append(struct store *s);

/* store_append(), under the lock. */
int store_append_locked(struct store *s, struct span key, struct span value);

struct store_addition {
	struct span key, value;
};

struct store_rebuilding {
	const struct store_addition *added;	/* newer than what is there */
	size_t added_count;
	compact_keep_fn *keep;	/* what becomes of each entry, the added ones too */
	void *context;
	uint64_t entries_max;	/* beyond it the oldest go */
};

/*
 * Under the lock: makes a new CDB out of the old one, the journal and what is added, and empties
 * the journal.  Returns 0, or -1 with errno (said in the log), and then everything is as it was:
 * EBADMSG from a careful store of which something is damaged.
 */
int store_rebuild(struct store *s, const struct store_rebuilding *r);

/* Closes and wipes.  Harmless on a store that could not be opened, or is closed. */
void store_close(struct store *s);

#endif
