/*
 * Compaction: selects in memory the entries of a new CDB from those of the old one and the
 * journal.  Knows both formats, but not where the files are.
 */
#ifndef STORE_COMPACT_H
#define STORE_COMPACT_H

#include "store/journal.h"

/*
 * What a keep callback says of an entry.  If there are more entries than the store may have, those
 * with a lower value are dropped first, and of equal ones the oldest.
 */
enum compact_keep {
	COMPACT_DROP,
	COMPACT_KEEP,		/* an entry that any other host can cause */
	COMPACT_KEEP_LONGER,	/* an entry that has been useful since */
	COMPACT_KEEP_LONGEST,	/* decisions rely on it, or no other host can cause it */
	COMPACT_KEEP_ALWAYS	/* never dropped, and not counted */
};

/*
 * The keep callback: called once for each key, with its newest entry and the caller's `context`.
 * The entry's check has not been verified.
 */
typedef enum compact_keep compact_keep_fn(void *context, struct entry entry);

/* Whether an entry with this key is valid in a journal. */
typedef bool compact_filter(struct span key);

struct compaction {
	struct compact_entry {
		struct entry entry;
		enum compact_keep worth;	/* the keep callback's result */
		bool keep;		/* to be written */
	} *at;			/* oldest first */
	size_t count, cap;
	bool damaged;		/* a file was not as we write it, and entries may be missing */
};

#define COMPACT_CDB_LEAST 2048	/* octets of a CDB's header; the records follow it */

/*
 * Adds the entries of a whole CDB file or of a journal as newer than those added before.  The
 * memory must outlive the compaction.  What cannot be an entry is left out, and sets `damaged` in
 * a CDB.  Journal entries for which `counts` (unless NULL) returns false are left out too.  0, or
 * -1 with errno: no memory.
 */
int compact_add_cdb(struct compaction *f, struct span file);
int compact_add_journal(struct compaction *f, struct span journal, compact_filter *counts);

/*
 * Whether the files were complete and every entry's check matches.  An incomplete record at the
 * journal's end does not count as damage.
 */
bool compact_is_sound(const struct compaction *f);

/*
 * Chooses the entries to write: the newest of each key unless `keep` drops it, and of those that
 * may be dropped at most `entries_max`.  Three quarters of these are chosen by the value that
 * `keep` returned; the rest are the newest whatever their value, because new entries need time to
 * become useful.  0, or -1 with errno: no memory.
 */
int compact_choose(struct compaction *f, compact_keep_fn *keep, void *context,
    uint64_t entries_max);

/*
 * Writes the chosen entries to the empty file `fd`, oldest first, without syncing.  0, or -1,
 * errno.
 */
int compact_write(const struct compaction *f, int fd);

void compact_free(struct compaction *f);

#endif
