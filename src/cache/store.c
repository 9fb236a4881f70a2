/*
 * What a crash can leave behind, and what becomes of it:
 *
 *   a record cut short at the journal's end    readers stop there; the next append cuts it off
 *   NAME.cdb.new, whole or not                 nobody reads it; the next rebuilding removes it
 *   the new CDB, and the journal not emptied   its entries are there twice, or out of date; the
 *                                              next rebuilding sorts it out
 *   after a power cut, holes in the journal    a hole is no record, or fails its check
 *
 * The commit is rename(2): the new CDB is synced before it and the directory after it, and only
 * then is the journal emptied, so an entry is always in one of the two.
 *
 * Reading takes no lock.  The journal is read before the CDB is opened, so that a rebuilding in
 * between shows an entry twice rather than not at all.  A journal that is emptied and written to
 * while it is being read can come out as a mixture: lengths keep the reader inside it, and checks
 * keep the mixture from being used.  Whoever writes has the lock, and reads the journal again under
 * it.
 */
#include "cache/store.h"

#include "base/log.h"
#include "cache/dir.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME_MAX 64
/* Never longer: who cannot have the lock can do without what it is for. */
#define APPEND_TIMEOUT_MS 100
#define LOCK_TIMEOUT_MS 1000
#define CDB_LEN_MAX (1u << 30)	/* octets; above any sensible cache-entries */

static void
complain(struct store *s, const char *suffix, const char *why)
{
	int saved = errno;

	if (!s->complained)
		log_line(LOG_WARNING, "%s/%s%s: %s", s->directory, s->name, suffix, why);
	s->complained = true;
	errno = saved;
}

static const char *
file_name(char out[FILE_NAME_MAX], const struct store *s, const char *suffix)
{
	snprintf(out, FILE_NAME_MAX, "%s%s", s->name, suffix);
	return out;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int
open_file(const struct store *s, const char *suffix, int flags, struct stat *st)
{
	char name[FILE_NAME_MAX];

	return dir_file(s->dirfd, file_name(name, s, suffix), flags, s->owner, st);
}

static void
complain_open(struct store *s, const char *suffix)
{
	bool foreign = errno == EINVAL || errno == ELOOP || errno == EISDIR;

	s->doubtful = s->doubtful || errno != ENOENT;
	if (errno != ENOENT)
		complain(s, suffix, foreign ? "not used: not a file of ours; please remove it" :
		    strerror(errno));
}

/* The tables in front say where the records end. */
static bool
begins_well(int fd, off_t size)
{
	uint8_t end[4];

	return size >= FOLD_CDB_LEAST && size <= CDB_LEN_MAX &&
	    dir_read(fd, end, sizeof(end)) == (ssize_t)sizeof(end) &&
	    cdb_unpack(end) >= FOLD_CDB_LEAST && cdb_unpack(end) <= size;
}

static void
open_cdb(struct store *s)
{
	struct stat st;

	close_fd(&s->cdbfd);
	s->cdbfd = open_file(s, ".cdb", O_RDONLY, &st);
	s->cdb_len = 0;
	if (s->cdbfd < 0) {
		complain_open(s, ".cdb");
	} else if (!begins_well(s->cdbfd, st.st_size)) {
		complain(s, ".cdb", "not used: damaged, or no database");
		s->doubtful = true;
		close_fd(&s->cdbfd);
	} else {
		s->cdb_len = (size_t)st.st_size;
	}
}

struct span
store_journal(const struct store *s)
{
	return journal_copy_records(&s->journal);
}

/* Reads the journal, `size` octets long a moment ago. */
static int
read_journal(struct store *s, off_t size)
{
	bool damaged = false;
	int result = journal_copy_read(&s->journal, s->journalfd, size, &damaged);

	if (damaged) {
		complain(s, ".journal", "damaged, and not only where it ends");
		s->doubtful = true;
	}
	return result;
}

static void
open_journal(struct store *s)
{
	struct stat st;

	close_fd(&s->journalfd);
	journal_copy_drop(&s->journal);
	s->journalfd = open_file(s, ".journal", O_RDWR | O_APPEND | O_CREAT, &st);
	s->writable = s->journalfd >= 0;
	if (!s->writable && (errno == EROFS || errno == EACCES)) {
		complain(s, ".journal", "cannot be written, so nothing new is remembered");
		s->journalfd = open_file(s, ".journal", O_RDONLY, &st);
	}
	if (s->journalfd < 0) {
		complain_open(s, ".journal");
	} else if (journal_copy_size(&s->journal, st.st_size) < 0 || read_journal(s, st.st_size) < 0) {
		complain(s, ".journal", strerror(errno));
		close_fd(&s->journalfd);
		s->writable = false;
		s->doubtful = true;
	}
}

void
store_none(struct store *s)
{
	memset(s, 0, offsetof(struct store, journal) + JOURNAL_COPY_HEAD);
	s->dirfd = s->cdbfd = s->journalfd = -1;
}

int
store_open(struct store *s, const char *directory, const char *name)
{
	store_none(s);
	s->directory = directory;
	s->name = name;
	s->owner = geteuid();
	s->dirfd = dir_open(directory, s->owner);
	return store_reopen(s);
}

int
store_reopen(struct store *s)
{
	if (s->dirfd < 0)
		return -1;
	open_journal(s);
	open_cdb(s);
	return 0;
}

static bool
find_in_cdb(struct store *s, struct span key, uint8_t *sealed, size_t *len)
{
	unsigned found_len;

	if (s->cdbfd < 0)
		return false;
	/* the read-based look-up: mapping the file costs four times as much */
	int found = cdb_seek(s->cdbfd, key.at, (unsigned)key.len, &found_len);
	if (found == 0)
		return false;
	if (found < 0 || found_len > ENTRY_SEALED_MAX ||
	    cdb_bread(s->cdbfd, sealed, (int)found_len) < 0) {
		complain(s, ".cdb", "damaged");
		s->doubtful = true;
		return false;
	}
	*len = found_len;
	return true;
}

bool
store_find(struct store *s, struct span key, void *value, size_t room, size_t *len)
{
	uint8_t sealed[ENTRY_SEALED_MAX];
	size_t sealed_len = 0;
	struct entry entry = { .key = key };
	struct span sound;
	bool found = false;

	if ((s->journalled != NULL && !s->journalled(key)) ||
	    !journal_find(store_journal(s), key, &entry)) {
		if (!find_in_cdb(s, key, sealed, &sealed_len))
			return false;
		entry.sealed = span(sealed, sealed_len);
	}
	if (!entry_open(&sound, key, entry.sealed)) {
		complain(s, sealed_len ? ".cdb" : ".journal", "a damaged entry is not used");
		s->doubtful = true;
	} else if (sound.len <= room) {
		memcpy(value, sound.at, sound.len);
		*len = sound.len;
		found = true;
	}
	octets_wipe(sealed, sealed_len);
	return found;
}

static int
lock(const struct store *s, int64_t timeout_ms)
{
	if (!s->writable) {
		errno = EROFS;
		return -1;
	}
	return dir_lock(s->journalfd, timeout_ms);
}

void
store_unlock(struct store *s)
{
	flock(s->journalfd, LOCK_UN);
}

/* Under the lock: what the journal is now.  A journal that was removed locks nobody out. */
static int
stat_locked(const struct store *s, struct stat *st)
{
	if (fstat(s->journalfd, st) < 0)
		return -1;
	if (st->st_nlink == 0) {
		errno = ESTALE;
		return -1;
	}
	return 0;
}

/* Is the entry the newest of its key already?  Two sessions may learn the same at the same time. */
static bool
known_already(const struct store *s, struct span key, struct span value)
{
	struct entry entry;
	struct span sound;

	return journal_find(store_journal(s), key, &entry) &&
	    entry_open(&sound, key, entry.sealed) && sound.len == value.len &&
	    octets_equal_secret(sound.at, value.at, value.len);
}

static int
append(struct store *s, struct span key, struct span value)
{
	struct stat st;

	if (stat_locked(s, &st) < 0 || read_journal(s, st.st_size) < 0)
		return -1;
	if (known_already(s, key, value))
		return 0;
	/* above the limit it is not of our making, and cut */
	if (journal_copy_outgrown(&s->journal, st.st_size)) {
		errno = EFBIG;
		return -1;
	}
	off_t end = (off_t)s->journal.len;
	if (st.st_size > end && s->careful && s->doubtful) {
		errno = EBADMSG;
		return -1;
	}
	if (st.st_size > end) {
		complain(s, ".journal", "has a damaged end, which is cut off");
		if (ftruncate(s->journalfd, end) < 0)
			return -1;
	}
	return journal_copy_append(&s->journal, s->journalfd, key, value);
}

int
store_append_locked(struct store *s, struct span key, struct span value)
{
	int result = append(s, key, value);

	if (result < 0)
		complain(s, ".journal", strerror(errno));
	return result;
}

int
store_append(struct store *s, struct span key, struct span value)
{
	if (lock(s, APPEND_TIMEOUT_MS) < 0)
		return -1;
	int result = store_append_locked(s, key, value);
	store_unlock(s);
	return result;
}

int
store_lock_to_append(struct store *s)
{
	char name[FILE_NAME_MAX];
	struct stat st;
	int why = ESTALE;

	if (lock(s, APPEND_TIMEOUT_MS) < 0)
		return -1;
	if (stat_locked(s, &st) < 0 || read_journal(s, st.st_size) < 0)
		why = errno;
	else if (dir_unchanged(s->dirfd, file_name(name, s, ".cdb"), s->cdbfd))
		return 0;
	store_unlock(s);
	errno = why;
	return -1;
}

int
store_lock(struct store *s)
{
	struct stat st;

	if (lock(s, LOCK_TIMEOUT_MS) < 0)
		return -1;
	if (stat_locked(s, &st) < 0 || journal_copy_size(&s->journal, st.st_size) < 0 ||
	    read_journal(s, st.st_size) < 0) {
		int why = errno;
		store_unlock(s);
		errno = why;
		return -1;
	}
	open_cdb(s);
	return 0;
}

/* What is added is taken as if it stood at the journal's end.  To be freed. */
static int
format_added(const struct store_rebuilding *r, struct span *journal)
{
	uint8_t *mem = malloc(r->added_count * JOURNAL_RECORD_MAX + 1);
	size_t len = 0;

	if (mem == NULL)
		return -1;
	for (size_t i = 0; i < r->added_count; i++)
		len += journal_format(mem + len, r->added[i].key, r->added[i].value);
	*journal = span(mem, len);
	return 0;
}

static void
wipe_and_free(struct span mem)
{
	if (mem.at != NULL)
		octets_wipe((void *)(uintptr_t)mem.at, mem.len);
	free((void *)(uintptr_t)mem.at);
}

/* Puts the new CDB in the old one's place and empties the journal. */
static int
replace_cdb(struct store *s, const struct fold *fold)
{
	char made[FILE_NAME_MAX], name[FILE_NAME_MAX];

	file_name(made, s, ".cdb.new");
	file_name(name, s, ".cdb");
	unlinkat(s->dirfd, made, 0);
	int fd = openat(s->dirfd, made, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (fold_write(fold, fd) < 0 || fsync(fd) < 0 ||
	    renameat(s->dirfd, made, s->dirfd, name) < 0) {
		int why = errno;
		close(fd);
		unlinkat(s->dirfd, made, 0);
		errno = why;
		return -1;
	}
	/* from here on it counts; until its name is safe, the journal stays beside it */
	if (fsync(s->dirfd) < 0 || ftruncate(s->journalfd, 0) < 0)
		complain(s, ".journal", strerror(errno));
	else
		journal_copy_drop(&s->journal);
	close(fd);
	open_cdb(s);
	return 0;
}

static bool
may_replace(struct store *s, const struct fold *fold)
{
	if (!s->careful || fold_is_sound(fold))
		return true;
	s->doubtful = true;
	errno = EBADMSG;
	return false;
}

int
store_rebuild(struct store *s, const struct store_rebuilding *r)
{
	struct fold fold = { .damaged = s->doubtful };
	struct span cdb = span(NULL, 0), added = span(NULL, 0);
	int result = -1;

	if (dir_load(s->cdbfd, s->cdb_len, &cdb) == 0 && format_added(r, &added) == 0 &&
	    fold_add_cdb(&fold, cdb) == 0 &&
	    fold_add_journal(&fold, store_journal(s), s->journalled) == 0 && may_replace(s, &fold) &&
	    fold_add_journal(&fold, added, NULL) == 0 &&
	    fold_choose(&fold, r->judge, r->context, r->entries_max) == 0)
		result = replace_cdb(s, &fold);
	if (result < 0)
		complain(s, ".cdb", errno == EBADMSG ? "left as it is: damaged" : strerror(errno));
	fold_free(&fold);
	wipe_and_free(added);
	wipe_and_free(cdb);
	return result;
}

void
store_close(struct store *s)
{
	close_fd(&s->cdbfd);
	close_fd(&s->journalfd);
	close_fd(&s->dirfd);
	journal_copy_free(&s->journal);
	s->writable = false;
}
