/*
 * A journal is a sequence of entries, each of them
 *
 *     length       4 octets, the number of octets that follow
 *     key length   2 octets
 *     key
 *     check        8 octets, over key and value
 *     value
 *
 * Reading is pure and accepts any octets.  It follows the lengths and stops at the first record
 * that is incomplete or implausible.  It does not verify checks; entry_open() does when an entry
 * is used.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/entry.h"

#define JOURNAL_HEAD_LEN 6	/* length and key length */
#define JOURNAL_RECORD_MAX (JOURNAL_HEAD_LEN + ENTRY_KEY_MAX + ENTRY_SEALED_MAX)

/*
 * Takes the next record off the front of `*rest`; the entry points into it.  False at the end, and
 * at anything that is not a record: `*rest` is then unchanged.
 */
bool journal_next(struct span *rest, struct entry *entry);

/* The octets of `journal` that are complete records; `*count` gets the number of records. */
size_t journal_measure(struct span journal, size_t *count);

/* Finds the newest entry with that key.  False when there is none. */
bool journal_find(struct span journal, struct span key, struct entry *entry);

/*
 * Whether a sound record follows after the first octet of `end`, the octets left over by
 * journal_measure().  If so, more than the journal's end is damaged.  Also true when the search
 * would take too long: only a hostile session produces so many octets that look like records.
 */
bool journal_has_record(struct span end);

/* Writes a record to `out`, at most JOURNAL_RECORD_MAX octets; returns its length. */
size_t journal_format(uint8_t *out, struct span key, struct span value);

/*
 * Appends `record` to the journal `fd`, which is `end` octets long, opened with O_APPEND and
 * locked by the caller.  0, or -1 with errno: the journal is unchanged, or has an incomplete
 * record at its end, where journal_next() stops.
 */
int journal_append(int fd, size_t end, struct span record);

#endif
