/*
 * What a crash can leave behind, and how it is handled:
 *
 *   an incomplete record at the journal's end    readers stop there; the next append cuts it off
 *   NAME.cdb.new, complete or not                never read; the next rebuilding removes it
 *   NAME.journal.new, complete or not            never read; the next replacing of a journal that
 *                                                stays locked removes it
 *   the new CDB, with the journal not emptied    its entries exist twice or are outdated; the next
 *                                                rebuilding drops them
 *   holes in the journal after a power failure   a hole is no record, or fails its check
 *
 * rename(2) is the commit point: the new CDB is synced before it and the directory after it, and
 * only then is the journal emptied.  Appends are not synced: an entry survives the death of any
 * process, but a power failure may lose the latest ones.
 *
 * There are two locks.  To append, a process takes the journal's lock.  To rebuild, it takes the
 * directory's lock and then the journal's (store/store_rebuild.c).  A session in the jail has the
 * journal open but not the directory, so with a lock it can only delay appends of others.  If the
 * journal stays locked, a copy replaces it; processes that have the old file open notice that its
 * link count is zero, and store nothing more.
 *
 * Reading takes no lock.  The journal is read before the CDB is opened, so that a rebuilding in
 * between shows an entry twice rather than not at all.  If the journal is emptied and rewritten
 * while it is being read, the reader may get a mixture: lengths keep it inside the buffer, and the
 * checks keep damaged entries from being used.  A writer reads the journal again under the lock.
 */
#include "store/store_internal.h"

#include "base/log.h"
#include "base/octets.h"
#include "store/cdb_look.h"

#include <cdb.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STUCK_MS 50		/* an append holds the journal's lock for less than this */
#define CDB_LEN_MAX (1u << 30)	/* octets; more than any sensible cache-entries needs */

void
store_complain(struct store *s, const char *suffix, const char *why)
{
	int saved = errno;

	if (!s->complained)
		log_line(LOG_WARNING, "%s/%s%s: %s", s->directory, s->name, suffix, why);
	s->complained = true;
	errno = saved;
}

const char *
store_file_name(char out[STORE_NAME_MAX], const struct store *s, const char *suffix)
{
	snprintf(out, STORE_NAME_MAX, "%s%s", s->name, suffix);
	return out;
}

void
store_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static enum private_file_result
open_file(const struct store *s, const char *suffix, int flags, int *fd, struct stat *st)
{
	char name[STORE_NAME_MAX];

	return private_file_open(s->dirfd, store_file_name(name, s, suffix), flags, s->owner, fd, st);
}

/* A missing file is no reason to complain. */
static void
complain_open(struct store *s, const char *suffix, enum private_file_result result)
{
	if (result == PRIVATE_FILE_ERROR && errno == ENOENT)
		return;
	s->corrupt = true;
	store_complain(s, suffix, result == PRIVATE_FILE_ERROR ? strerror(errno) :
	    "not used: not a file of our user; please remove it");
}

/* Whether the file begins like a CDB: its first number is the offset where the records end. */
static bool
begins_well(int fd, off_t size)
{
	uint8_t end[4];

	return size >= COMPACT_CDB_LEAST && size <= CDB_LEN_MAX &&
	    private_file_pread(fd, end, sizeof(end)) == (ssize_t)sizeof(end) &&
	    cdb_unpack(end) >= COMPACT_CDB_LEAST && cdb_unpack(end) <= size;
}

void
store_open_cdb(struct store *s)
{
	struct stat st;

	store_close_fd(&s->cdbfd);
	s->cdb_len = 0;
	enum private_file_result result = open_file(s, ".cdb", O_RDONLY, &s->cdbfd, &st);
	if (result != PRIVATE_FILE_OPEN) {
		complain_open(s, ".cdb", result);
	} else if (!begins_well(s->cdbfd, st.st_size)) {
		store_complain(s, ".cdb", "not used: damaged, or not a database");
		s->corrupt = true;
		store_close_fd(&s->cdbfd);
	} else {
		s->cdb_len = (size_t)st.st_size;
	}
}

bool
store_is_due(const struct store *s)
{
	return s->journal.count >= STORE_COMPACT_AT || s->journal.used >= JOURNAL_ROOM;
}

struct span
store_journal(const struct store *s)
{
	return journal_image_records(&s->journal);
}

int
store_read_journal(struct store *s, off_t size)
{
	bool damaged = false;
	int result = journal_image_read(&s->journal, s->journalfd, size, &damaged);

	if (damaged) {
		store_complain(s, ".journal", "damaged, and not only at its end");
		s->corrupt = true;
	}
	return result;
}

void
store_open_journal(struct store *s)
{
	struct stat st;

	store_close_fd(&s->journalfd);
	journal_image_drop(&s->journal);
	enum private_file_result result = open_file(s, ".journal", O_RDWR | O_APPEND | O_CREAT,
	    &s->journalfd, &st);
	s->writable = result == PRIVATE_FILE_OPEN;
	if (result == PRIVATE_FILE_ERROR && (errno == EROFS || errno == EACCES)) {
		store_complain(s, ".journal", "not writable, so nothing new is stored");
		result = open_file(s, ".journal", O_RDONLY, &s->journalfd, &st);
	}
	if (result != PRIVATE_FILE_OPEN) {
		complain_open(s, ".journal", result);
	} else if (journal_image_size(&s->journal, st.st_size) < 0 ||
	    store_read_journal(s, st.st_size) < 0) {
		store_complain(s, ".journal", strerror(errno));
		store_close_fd(&s->journalfd);
		s->writable = false;
		s->corrupt = true;
	}
}

void
store_none(struct store *s)
{
	memset(s, 0, offsetof(struct store, journal) + JOURNAL_IMAGE_HEAD);
	s->dirfd = s->cdbfd = s->journalfd = -1;
}

/* Replaces a journal whose lock is never released, since every append would wait for it. */
static void
free_lock(struct store *s)
{
	if (!s->writable)
		return;
	if (private_file_lock(s->journalfd, STUCK_MS) == 0)
		store_unlock(s);
	else if (errno == EWOULDBLOCK && store_lock_at_once(s) == 0)
		store_unlock(s);
}

int
store_open(struct store *s, const char *directory, const char *name)
{
	char why[PRIVATE_FILE_WHY_MAX];

	store_none(s);
	s->directory = directory;
	s->name = name;
	s->owner = geteuid();
	s->dirfd = private_dir_open(directory, s->owner, why);
	if (s->dirfd < 0) {
		log_line(LOG_WARNING, "%s: not used, so nothing is remembered: %s; make it a directory of "
		    "mode 0700 that belongs to uid %lu", directory, why, (unsigned long)s->owner);
		return -1;
	}
	store_open_journal(s);
	free_lock(s);
	store_open_cdb(s);
	return 0;
}

static bool
find_in_cdb(struct store *s, struct span key, uint8_t *sealed, size_t *len)
{
	if (s->cdbfd < 0)
		return false;
	/* with pread(2), because mapping the file costs four times as much */
	int found = cdb_look(s->cdbfd, key, sealed, ENTRY_SEALED_MAX, len);
	if (found < 0) {
		store_complain(s, ".cdb", "damaged");
		s->corrupt = true;
	}
	return found > 0;
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
		store_complain(s, sealed_len ? ".cdb" : ".journal", "a damaged entry is ignored");
		s->corrupt = true;
	} else if (sound.len <= room) {
		memcpy(value, sound.at, sound.len);
		*len = sound.len;
		found = true;
	}
	octets_wipe(sealed, sealed_len);
	return found;
}

int
store_lock_journal(const struct store *s)
{
	if (!s->writable) {
		errno = EROFS;
		return -1;
	}
	return private_file_lock(s->journalfd, APPEND_TIMEOUT_MS);
}

void
store_unlock(struct store *s)
{
	flock(s->journalfd, LOCK_UN);
	if (s->maintains)
		flock(s->dirfd, LOCK_UN);
	s->maintains = false;
}

/* Fails if the journal was removed or replaced: the lock then excludes nobody. */
int
store_stat_locked(const struct store *s, struct stat *st)
{
	if (fstat(s->journalfd, st) < 0)
		return -1;
	if (st->st_nlink == 0) {
		errno = ESTALE;
		return -1;
	}
	return 0;
}

/* Whether the journal has this entry already: two sessions may learn the same at the same time. */
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
store_append_new(struct store *s, struct span key, struct span value)
{
	struct stat st;

	if (store_stat_locked(s, &st) < 0 || store_read_journal(s, st.st_size) < 0)
		return -1;
	if (known_already(s, key, value))
		return 0;
	/* a file longer than JOURNAL_MAX was not written by us, and is cut below */
	if (journal_image_outgrown(&s->journal, st.st_size)) {
		errno = EFBIG;
		return -1;
	}
	off_t end = (off_t)s->journal.len;
	if (st.st_size > end && s->strict && s->corrupt) {
		errno = EBADMSG;
		return -1;
	}
	if (st.st_size > end) {
		store_complain(s, ".journal", "its damaged end is cut off");
		if (ftruncate(s->journalfd, end) < 0)
			return -1;
	}
	return journal_image_append(&s->journal, s->journalfd, key, value);
}

int
store_append_locked(struct store *s, struct span key, struct span value)
{
	int result = store_append_new(s, key, value);

	if (result < 0)
		store_complain(s, ".journal", strerror(errno));
	return result;
}

int
store_append(struct store *s, struct span key, struct span value)
{
	if (store_lock_journal(s) < 0)
		return -1;
	int result = store_append_locked(s, key, value);
	store_unlock(s);
	return result;
}

/* Without the directory, a session recognizes a replaced CDB by its link count of zero. */
static bool
has_same_cdb(const struct store *s)
{
	char name[STORE_NAME_MAX];
	struct stat st;

	if (s->dirfd >= 0)
		return private_file_unchanged(s->dirfd, store_file_name(name, s, ".cdb"), s->cdbfd);
	return s->cdbfd >= 0 && fstat(s->cdbfd, &st) == 0 && st.st_nlink > 0;
}

int
store_lock_to_append(struct store *s)
{
	struct stat st;
	int why = ESTALE;

	if (store_lock_journal(s) < 0)
		return -1;
	if (store_stat_locked(s, &st) < 0 || store_read_journal(s, st.st_size) < 0)
		why = errno;
	else if (has_same_cdb(s))
		return 0;
	store_unlock(s);
	errno = why;
	return -1;
}

void
store_leave_directory(struct store *s)
{
	store_close_fd(&s->dirfd);
}

void
store_only_append(struct store *s)
{
	store_close_fd(&s->dirfd);
	store_close_fd(&s->cdbfd);
}

void
store_close(struct store *s)
{
	store_close_fd(&s->cdbfd);
	store_close_fd(&s->journalfd);
	store_close_fd(&s->dirfd);
	journal_image_free(&s->journal);
	s->writable = false;
}
