#include "store/compact.h"

#include "base/octets.h"

#include <cdb.h>
#include <stdlib.h>
#include <string.h>

#define CDB_RECORD_HEAD_LEN 8	/* lengths of key and value, little-endian */

static int
compact_add(struct compaction *f, struct entry entry)
{
	if (f->count == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 1024;
		struct compact_entry *at = reallocarray(f->at, cap, sizeof(*at));
		if (at == NULL)
			return -1;
		f->at = at;
		f->cap = cap;
	}
	f->at[f->count++] = (struct compact_entry){ .entry = entry };
	return 0;
}

static int
left_out(struct compaction *f)
{
	f->damaged = true;
	return 0;
}

bool
compact_is_sound(const struct compaction *f)
{
	struct span value;

	for (size_t i = 0; i < f->count; i++)
		if (!entry_open(&value, f->at[i].entry.key, f->at[i].entry.sealed))
			return false;
	return !f->damaged;
}

int
compact_add_cdb(struct compaction *f, struct span file)
{
	f->damaged = f->damaged || (file.len > 0 && file.len < COMPACT_CDB_LEAST);
	if (file.len < COMPACT_CDB_LEAST)
		return 0;
	/* the first number is the offset of the first hash table, where the records end */
	size_t end = cdb_unpack(file.at), pos = COMPACT_CDB_LEAST;
	f->damaged = f->damaged || end < COMPACT_CDB_LEAST || end > file.len;
	if (end > file.len)
		end = file.len;
	while (pos < end) {
		if (end - pos < CDB_RECORD_HEAD_LEN)
			return left_out(f);
		size_t key_len = cdb_unpack(file.at + pos);
		size_t sealed_len = cdb_unpack(file.at + pos + 4);

		pos += CDB_RECORD_HEAD_LEN;
		if (key_len > end - pos || sealed_len > end - pos - key_len)
			return left_out(f);
		struct entry entry = {
			.key = span(file.at + pos, key_len),
			.sealed = span(file.at + pos + key_len, sealed_len),
		};
		if (!entry_plausible(key_len, sealed_len))
			left_out(f);
		else if (compact_add(f, entry) < 0)
			return -1;
		pos += key_len + sealed_len;
	}
	return 0;
}

int
compact_add_journal(struct compaction *f, struct span journal, compact_filter *counts)
{
	struct entry entry;

	while (journal_next(&journal, &entry))
		if ((counts == NULL || counts(entry.key)) && compact_add(f, entry) < 0)
			return -1;
	return 0;
}

static int
compare_keys(struct span a, struct span b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.at, b.at, a.len);
}

static int
by_key_newest_first(const void *a, const void *b)
{
	const struct compact_entry *const *x = a, *const *y = b;
	int order = compare_keys((*x)->entry.key, (*y)->entry.key);

	if (order == 0)
		order = *x < *y ? 1 : -1;
	return order;
}

/* Sets `keep` for the newest entry of each key only. */
static int
mark_newest(struct compaction *f)
{
	struct compact_entry **sorted = calloc(f->count + 1, sizeof(struct compact_entry *));

	if (sorted == NULL)
		return -1;
	for (size_t i = 0; i < f->count; i++)
		sorted[i] = &f->at[i];
	qsort(sorted, f->count, sizeof(struct compact_entry *), by_key_newest_first);
	for (size_t i = 0; i < f->count; i++)
		sorted[i]->keep = i == 0 ||
		    !span_equal(sorted[i]->entry.key, sorted[i - 1]->entry.key);
	free(sorted);
	return 0;
}

/* Keeps the newest entries ranked `least` or higher until `max` are kept; returns how many are. */
static uint64_t
keep_newest(struct compaction *f, enum compact_keep least, uint64_t kept, uint64_t max)
{
	for (size_t i = f->count; i-- > 0 && kept < max; ) {
		struct compact_entry *each = &f->at[i];

		if (!each->keep && each->worth >= least) {
			each->keep = true;
			kept++;
		}
	}
	return kept;
}

int
compact_choose(struct compaction *f, compact_keep_fn *keep, void *context, uint64_t entries_max)
{
	uint64_t kept = 0, settled_max = entries_max - entries_max / 4;

	if (mark_newest(f) < 0)
		return -1;
	for (size_t i = f->count; i-- > 0; ) {
		struct compact_entry *each = &f->at[i];

		each->worth = each->keep ? keep(context, each->entry) : COMPACT_DROP;
		each->keep = each->worth == COMPACT_KEEP_ALWAYS;
	}
	for (enum compact_keep worth = COMPACT_KEEP_LONGEST; worth > COMPACT_KEEP; worth--)
		kept = keep_newest(f, worth, kept, settled_max);
	keep_newest(f, COMPACT_KEEP, kept, entries_max);
	return 0;
}

int
compact_write(const struct compaction *f, int fd)
{
	struct cdb_make cdb;
	int result = cdb_make_start(&cdb, fd);

	if (result < 0)
		return -1;
	for (size_t i = 0; i < f->count && result >= 0; i++) {
		const struct entry *e = &f->at[i].entry;

		if (f->at[i].keep)
			result = cdb_make_add(&cdb, e->key.at, (unsigned)e->key.len,
			    e->sealed.at, (unsigned)e->sealed.len);
	}
	/* needed in any case, since it frees what libcdb has allocated */
	if (cdb_make_finish(&cdb) < 0)
		result = -1;
	octets_wipe(&cdb, sizeof(cdb));
	return result < 0 ? -1 : 0;
}

void
compact_free(struct compaction *f)
{
	free(f->at);
	*f = (struct compaction){ 0 };
}
