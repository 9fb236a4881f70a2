/*
 * A journal: entries one behind the other, each
 *
 *     length       4 octets: of all that follows
 *     key length   2
 *     key
 *     check        8, over key and value
 *     value
 *
 * Reading is pure: octets in, entries out, whatever the octets are.  It goes by the lengths and
 * stops at the first record that is not whole and plausible; whether an entry is sound is for
 * entry_open() to say, when it is used.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/entry.h"

#define JOURNAL_HEAD_LEN 6	/* length and key length */
#define JOURNAL_RECORD_MAX (JOURNAL_HEAD_LEN + ENTRY_KEY_MAX + ENTRY_SEALED_MAX)

/*
 * Takes the next record off the front of `*rest`; the entry points into it.  False at the end and
 * at anything that is not a record: `*rest` is then what is left.
 */
bool journal_next(struct span *rest, struct entry *entry);

/* How many octets of `journal` are whole records, and how many these are. */
size_t journal_measure(struct span journal, size_t *count);

/* The newest entry of that key.  False when there is none. */
bool journal_find(struct span journal, struct span key, struct entry *entry);

/*
 * Is there a sound record somewhere behind the first octet of what journal_measure() left over?  Then more
 * is damaged than the journal's end.  True as well where finding out would take long: no accident looks so
 * much like records, and sessions can write there.
 */
bool journal_has_record(struct span end);

/* Writes a record to `out`, JOURNAL_RECORD_MAX octets at most, and returns its length. */
size_t journal_format(uint8_t *out, struct span key, struct span value);

/*
 * Appends `record` to the journal `fd` (O_APPEND, and locked by the caller), `end` octets long.  0,
 * or -1 with errno, and then the journal is as it was, or has a tail that journal_next() stops at.
 */
int journal_append(int fd, size_t end, struct span record);

#endif
