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
enum fold_fate {
	FOLD_FORGET,
	FOLD_KEEP,		/* what anybody can bring about */
	FOLD_KEEP_LONGER,	/* what was of use since */
	FOLD_KEEP_LONGEST,	/* what others rely on */
	FOLD_KEEP_ALWAYS	/* and not counted */
};

/*
 * What becomes of an entry; asked once for each key, about the newest one.  `context` is the
 * caller's.  The value's check has not been looked at.
 */
typedef enum fold_fate fold_judge(void *context, struct entry entry);

/* Does an entry of this key count where it stands in a journal? */
typedef bool fold_filter(struct span key);

struct fold {
	struct fold_entry {
		struct entry entry;
		enum fold_fate fate;
		bool keep;
	} *at;			/* oldest first */
	size_t count, cap;
	bool damaged;		/* a file was not what is written here, and something may be missing */
};

#define FOLD_CDB_LEAST 2048	/* octets: where a CDB's hash tables are; the records follow */

/*
 * Adds the entries of a CDB (a whole file) or a journal, both of which must outlive the fold,
 * after those that are there.  What cannot be an entry is left out (`damaged`), and so is what
 * `counts` refuses; NULL: nothing.  0, or -1 with errno: no memory.
 */
int fold_add_cdb(struct fold *f, struct span file);
int fold_add_journal(struct fold *f, struct span journal, fold_filter *counts);

/* Is all there that was written, each entry as it was?  A journal's torn end is none of it. */
bool fold_is_sound(const struct fold *f);

/*
 * Chooses: the newest of each key, as `judge` says, and of those that it would merely keep
 * `entries_max`.  A quarter of these is for the newest, whatever their fate: what is new needs
 * time to be of use.  0, or -1 with errno: no memory.
 */
int fold_choose(struct fold *f, fold_judge *judge, void *context, uint64_t entries_max);

/* Writes what was chosen to the empty file `fd`, oldest first; not synced.  0, or -1 with errno. */
int fold_write(const struct fold *f, int fd);

void fold_free(struct fold *f);

#endif
