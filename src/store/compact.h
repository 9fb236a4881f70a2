/*
 * Folding: what is to be in a new CDB, worked out in memory from what is in the old one and in the
 * journal.  Knows the forms of both, and nothing of where they are kept.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/journal.h"

/*
 * Where there are more entries than the store may have, those of a lower fate go first, the
 * oldest before others.
 */
enum compact_keep {
	COMPACT_DROP,
	COMPACT_KEEP,		/* what anybody can bring about */
	COMPACT_KEEP_LONGER,	/* what was of use since */
	COMPACT_KEEP_LONGEST,	/* what others rely on */
	COMPACT_KEEP_ALWAYS	/* and not counted */
};

/*
 * What becomes of an entry; asked once for each key, about the newest one.  `context` is the
 * caller's.  The value's check has not been looked at.
 */
typedef enum compact_keep compact_keep_fn(void *context, struct entry entry);

/* Does an entry of this key count where it stands in a journal? */
typedef bool compact_filter(struct span key);

struct compaction {
	struct compact_entry {
		struct entry entry;
		enum compact_keep fate;
		bool keep;
	} *at;			/* oldest first */
	size_t count, cap;
	bool damaged;		/* a file was not what is written here, and something may be missing */
};

#define COMPACT_CDB_LEAST 2048	/* octets: where a CDB's hash tables are; the records follow */

/*
 * Adds the entries of a CDB (a whole file) or a journal, both of which must outlive the fold,
 * after those that are there.  What cannot be an entry is left out (`damaged`), and so is what
 * `counts` refuses; NULL: nothing.  0, or -1 with errno: no memory.
 */
int compact_add_cdb(struct compaction *f, struct span file);
int compact_add_journal(struct compaction *f, struct span journal, compact_filter *counts);

/* Is all there that was written, each entry as it was?  A journal's torn end is none of it. */
bool compact_is_sound(const struct compaction *f);

/*
 * Chooses: the newest of each key, as `judge` says, and of those that it would merely keep
 * `entries_max`.  A quarter of these is for the newest, whatever their fate: what is new needs
 * time to be of use.  0, or -1 with errno: no memory.
 */
int compact_choose(struct compaction *f, compact_keep_fn *keep, void *context, uint64_t entries_max);

/* Writes what was chosen to the empty file `fd`, oldest first; not synced.  0, or -1 with errno. */
int compact_write(const struct compaction *f, int fd);

void compact_free(struct compaction *f);

#endif
