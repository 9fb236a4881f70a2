#include "store/compact.h"

#include <cdb.h>
#include <stdlib.h>
#include <string.h>

#define CDB_RECORD_HEAD_LEN 8	/* lengths of key and value, little-endian */

static int
add(struct fold *f, struct entry entry)
{
	if (f->count == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 1024;
		struct fold_entry *at = reallocarray(f->at, cap, sizeof(*at));
		if (at == NULL)
			return -1;
		f->at = at;
		f->cap = cap;
	}
	f->at[f->count++] = (struct fold_entry){ .entry = entry };
	return 0;
}

static int
left_out(struct fold *f)
{
	f->damaged = true;
	return 0;
}

bool
fold_is_sound(const struct fold *f)
{
	struct span value;

	for (size_t i = 0; i < f->count; i++)
		if (!entry_open(&value, f->at[i].entry.key, f->at[i].entry.sealed))
			return false;
	return !f->damaged;
}

int
fold_add_cdb(struct fold *f, struct span file)
{
	f->damaged = f->damaged || (file.len > 0 && file.len < FOLD_CDB_LEAST);
	if (file.len < FOLD_CDB_LEAST)
		return 0;
	/* the first table stands right behind the last record */
	size_t end = cdb_unpack(file.at), pos = FOLD_CDB_LEAST;
	f->damaged = f->damaged || end < FOLD_CDB_LEAST || end > file.len;
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
		else if (add(f, entry) < 0)
			return -1;
		pos += key_len + sealed_len;
	}
	return 0;
}

int
fold_add_journal(struct fold *f, struct span journal, fold_filter *counts)
{
	struct entry entry;

	while (journal_next(&journal, &entry))
		if ((counts == NULL || counts(entry.key)) && add(f, entry) < 0)
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
	const struct fold_entry *const *x = a, *const *y = b;
	int order = compare_keys((*x)->entry.key, (*y)->entry.key);

	if (order == 0)
		order = *x < *y ? 1 : -1;
	return order;
}

/* Leaves `keep` with the newest entry of each key. */
static int
mark_newest(struct fold *f)
{
	struct fold_entry **sorted = calloc(f->count + 1, sizeof(struct fold_entry *));

	if (sorted == NULL)
		return -1;
	for (size_t i = 0; i < f->count; i++)
		sorted[i] = &f->at[i];
	qsort(sorted, f->count, sizeof(struct fold_entry *), by_key_newest_first);
	for (size_t i = 0; i < f->count; i++)
		sorted[i]->keep = i == 0 ||
		    !span_equal(sorted[i]->entry.key, sorted[i - 1]->entry.key);
	free(sorted);
	return 0;
}

/* Keeps the newest of at least this fate, as long as fewer than `max` are kept.  Returns how many are. */
static uint64_t
keep_newest(struct fold *f, enum fold_fate least, uint64_t kept, uint64_t max)
{
	for (size_t i = f->count; i-- > 0 && kept < max; ) {
		struct fold_entry *each = &f->at[i];

		if (!each->keep && each->fate >= least) {
			each->keep = true;
			kept++;
		}
	}
	return kept;
}

int
fold_choose(struct fold *f, fold_judge *judge, void *context, uint64_t entries_max)
{
	uint64_t kept = 0, settled_max = entries_max - entries_max / 4;

	if (mark_newest(f) < 0)
		return -1;
	for (size_t i = f->count; i-- > 0; ) {
		struct fold_entry *each = &f->at[i];

		each->fate = each->keep ? judge(context, each->entry) : FOLD_FORGET;
		each->keep = each->fate == FOLD_KEEP_ALWAYS;
	}
	for (enum fold_fate fate = FOLD_KEEP_LONGEST; fate > FOLD_KEEP; fate--)
		kept = keep_newest(f, fate, kept, settled_max);
	keep_newest(f, FOLD_KEEP, kept, entries_max);
	return 0;
}

int
fold_write(const struct fold *f, int fd)
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
	/* frees what it has allocated, whatever happened before */
	if (cdb_make_finish(&cdb) < 0)
		result = -1;
	octets_wipe(&cdb, sizeof(cdb));
	return result < 0 ? -1 : 0;
}

void
fold_free(struct fold *f)
{
	free(f->at);
	*f = (struct fold){ 0 };
}
