/*
 * A small crash-safe database for concurrent readers and writers: a constant database (CDB) and a
 * journal of newer entries, in one directory.
 *
 * NAME.cdb      written completely, synced, and put in place by rename(2); never changed.
 * NAME.journal  records appended under a lock (store/journal.h); emptied when a new CDB has them.
 *               Otherwise never changed in place except to cut off a damaged end; replaced by a
 *               copy if its lock stays taken.
 *
 * Maintenance (compacting a full journal into a new CDB, or replacing everything) happens when a
 * store is opened; after that a process only looks up and appends.  A fault costs at worst some
 * entries, and is logged.  The store does not know what keys and values mean.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/compact.h"
#include "store/journal_image.h"

#include <sys/types.h>

#define STORE_COMPACT_AT 256	/* records in the journal that make compaction due */

struct store {
	int dirfd, cdbfd, journalfd;	/* -1: not open */
	const char *directory, *name;
	size_t cdb_len;
	uid_t owner;			/* our effective uid; files of others are not used */
	bool writable;			/* the journal can be appended to and locked */
	bool maintains;			/* we hold the directory's lock */
	bool complained;		/* a process logs at most one fault */
	bool corrupt;			/* part of the store could not be read, or is damaged */
	/* set by the owner of the store: */
	bool strict;			/* never overwrite or cut off damaged data */
	compact_filter *journalled;	/* keys that are valid in the journal; NULL: all */
	struct journal_image journal;	/* the last member, since its storage is not cleared */
};

/* The complete, plausible records of the journal as last read. */
struct span store_journal(const struct store *s);

/* Makes `s` a closed store: lookups find nothing, nothing is stored, closing has no effect. */
void store_none(struct store *s);

/*
 * Opens the store NAME in `directory`, which is created with mode 0700 if it is missing.  Both
 * pointers are kept.  Returns 0, or -1 when the directory cannot be used; the log says why.  A
 * store that is not writable is opened for lookups.
 */
int store_open(struct store *s, const char *directory, const char *name);

/*
 * Whether maintenance is due: the journal has reached STORE_COMPACT_AT records or its buffer's
 * size.
 */
bool store_is_due(const struct store *s);

/*
 * For a session: closes the directory's descriptor.  From now on the store cannot be opened,
 * locked for maintenance or rebuilt, only looked up and appended to.
 */
void store_leave_directory(struct store *s);

/* Closes the CDB and the directory.  From then on entries can only be appended. */
void store_only_append(struct store *s);

/*
 * Looks up the newest value of a key.  Entries of other processes count up to the opening, or to
 * this process's last store_append().
 * Writes up to `room` octets to `value` and their number to `*len`.  False when there is no entry,
 * its check fails, or the value is longer.
 */
bool store_find(struct store *s, struct span key, void *value, size_t room, size_t *len);

/*
 * Appends an entry; takes at most about 100 ms and allocates nothing.  Returns 0, also if the
 * newest entry of the key has this value already, or -1: the entry was not stored.
 */
int store_append(struct store *s, struct span key, struct span value);

/*
 * For maintenance: takes the lock, waiting up to about a second, and reads everything again, since
 * another process may have done the maintenance.  Returns 0, or -1 with errno.
 */
int store_lock(struct store *s);
void store_unlock(struct store *s);

/*
 * For entries that must not replace another process's: takes the lock as store_append() does; then
 * store_find() sees what others have appended.  Returns 0, or -1 with errno: ESTALE when the CDB
 * was replaced, which a session does not open again.
 */
int store_lock_to_append(struct store *s);

/* Like store_append(), with the lock already held. */
int store_append_locked(struct store *s, struct span key, struct span value);

struct store_addition {
	struct span key, value;
};

struct store_rebuilding {
	const struct store_addition *added;	/* entries newer than those in the store */
	size_t added_count;
	compact_keep_fn *keep;	/* decides about each entry, including the added ones */
	void *context;		/* for `keep` */
	uint64_t entries_max;	/* the limit of compact_choose() */
};

/*
 * With the lock held: makes a new CDB from the old one, the journal and `added`, and empties the
 * journal.  Returns 0, or -1 with errno (logged), leaving everything as it was: EBADMSG when a
 * strict store is damaged.
 */
int store_rebuild(struct store *s, const struct store_rebuilding *r);

/* Closes the files and wipes the buffers.  Has no effect on a closed store. */
void store_close(struct store *s);

#endif
