/*
 * The files of the key cache, as anybody who can write to them might leave them.  An input is
 * the length of a CDB, the CDB, and a journal.  Entries lie within the files; compaction keeps
 * what is to be kept and nothing else.
 */
#include "fuzz.h"

#include "store/cdb_look.h"
#include "store/compact.h"

#include <cdb.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, ENTRIES_MAX = 20 };

static struct span whole;

static void
look_at_entry(const struct entry *e)
{
	struct span value;

	assert(entry_plausible(e->key.len, e->sealed.len));
	assert(e->key.at >= whole.at && e->sealed.at + e->sealed.len <= whole.at + whole.len);
	if (entry_open(&value, e->key, e->sealed))
		assert(value.len + ENTRY_CHECK_LEN == e->sealed.len);
}

/* A record written again is the same; the newest one of a key is found. */
static void
look_at_journal(struct span journal)
{
	struct span rest = journal, value;
	struct entry entry, found;
	uint8_t record[JOURNAL_RECORD_MAX];
	size_t count, at = 0, seen = 0, len = journal_measure(journal, &count);

	assert(len <= journal.len);
	for (; journal_next(&rest, &entry); seen++) {
		look_at_entry(&entry);
		size_t record_len = journal.len - rest.len - at;
		if (entry_open(&value, entry.key, entry.sealed)) {
			assert(journal_format(record, entry.key, value) == record_len);
			assert(memcmp(record, journal.at + at, record_len) == 0);
		}
		at += record_len;
		assert(journal_find(journal, entry.key, &found));
		assert(found.sealed.at >= entry.sealed.at);
	}
	assert(seen == count && at == len);
}

static enum compact_keep
keep(void *context, struct entry entry)
{
	size_t *asked = context;

	++*asked;
	look_at_entry(&entry);
	switch (entry.key.at[0]) {
	case '-':
		return COMPACT_DROP;
	case '+':
		return COMPACT_KEEP_LONGER;
	case '*':
		return COMPACT_KEEP_LONGEST;
	case '!':
		return COMPACT_KEEP_ALWAYS;
	default:
		return COMPACT_KEEP;
	}
}

/* The file that is written has the chosen entries in their order, each found by its key. */
static void
look_at_written(const struct compaction *f, int fd)
{
	static uint8_t mem[FILE_MAX], sealed[ENTRY_SEALED_MAX];
	struct compaction again = { 0 };
	ssize_t len = pread(fd, mem, sizeof(mem), 0);
	size_t n = 0, merely = 0;
	unsigned found_len;

	assert(len >= 0 && compact_add_cdb(&again, span(mem, (size_t)len)) == 0);
	for (size_t i = 0; i < f->count; i++) {
		const struct entry *e = &f->at[i].entry;

		if (!f->at[i].keep)
			continue;
		merely += e->key.at[0] != '!';
		assert(n < again.count && span_equal(again.at[n].entry.key, e->key) &&
		    span_equal(again.at[n].entry.sealed, e->sealed));
		assert(cdb_seek(fd, e->key.at, (unsigned)e->key.len, &found_len) == 1 &&
		    found_len == e->sealed.len);
		/* our look-up finds the same, or reports too many entries in one place */
		size_t found_by_us = 0;
		int found = cdb_look(fd, e->key, sealed, sizeof(sealed), &found_by_us);
		assert(found < 0 || (found == 1 && found_by_us == e->sealed.len));
		n++;
		/* the newest one; so many are enough to see that */
		for (size_t j = i + 1; j < f->count && j < i + 100; j++)
			assert(!span_equal(f->at[j].entry.key, e->key));
	}
	assert(n == again.count && merely <= ENTRIES_MAX);
	compact_free(&again);
}

/* A look-up in an arbitrary file. */
static void
look_up(struct span file)
{
	static uint8_t sealed[ENTRY_SEALED_MAX];
	int fd = memfd_create("cdb", MFD_CLOEXEC);
	size_t len;

	assert(fd >= 0 && write(fd, file.at, file.len) == (ssize_t)file.len);
	if (cdb_look(fd, SPAN("key"), sealed, sizeof(sealed), &len) > 0)
		assert(len <= sizeof(sealed));
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span(data, size), cdb;
	struct compaction compaction = { 0 };
	size_t asked = 0;
	int fd = memfd_create("new", MFD_CLOEXEC);

	whole = input;
	cdb = take_octets(&input, take_number(&input));
	look_at_journal(input);
	look_up(cdb);
	assert(compact_add_cdb(&compaction, cdb) == 0 &&
	    compact_add_journal(&compaction, input, NULL) == 0);
	assert(compact_choose(&compaction, keep, &asked, ENTRIES_MAX) == 0 &&
	    asked <= compaction.count);
	assert(fd >= 0 && compact_write(&compaction, fd) == 0);
	look_at_written(&compaction, fd);
	close(fd);
	compact_free(&compaction);
	return 0;
}
