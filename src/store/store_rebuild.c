/* Maintenance of a store: its lock, and replacing the CDB by a new one. */
#include "store/store_internal.h"

#include "base/log.h"
#include "base/octets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_TIMEOUT_MS 1000

/*
 * Whether the file system has no locks on directories (NFS); the journal's lock must suffice
 * then.
 */
static bool
locks_no_directories(void)
{
	return errno == EBADF || errno == EINVAL || errno == ENOLCK || errno == EOPNOTSUPP;
}

/* Writes the records to a new file, which no process that has the old one open can touch. */
static int
write_copy(struct store *s, const char *made)
{
	struct span records = store_journal(s);
	int fd = openat(s->dirfd, made,
	    O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	if (private_file_lock(fd, 0) == 0 && (records.len == 0 ||
	    write(fd, records.at, records.len) == (ssize_t)records.len))
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

/*
 * The journal's lock was not released: its holder is stopped, or under an attacker's control.
 * Replaces the journal by a copy that we have locked.
 */
static int
replace_journal(struct store *s)
{
	char made[STORE_NAME_MAX], name[STORE_NAME_MAX];

	struct stat st;

	store_file_name(made, s, ".journal.new");
	store_file_name(name, s, ".journal");
	if (fstat(s->journalfd, &st) < 0 || journal_image_size(&s->journal, st.st_size) < 0 ||
	    store_read_journal(s, st.st_size) < 0)
		return -1;
	if (s->strict && s->corrupt) {
		errno = EWOULDBLOCK;
		return -1;
	}
	unlinkat(s->dirfd, made, 0);
	int fd = write_copy(s, made);
	if (fd < 0 || renameat(s->dirfd, made, s->dirfd, name) < 0) {
		int why = errno;
		store_close_fd(&fd);
		unlinkat(s->dirfd, made, 0);
		errno = why;
		return -1;
	}
	log_line(LOG_WARNING, "%s/%s: locked for too long, so it is replaced by a copy",
	    s->directory, name);
	store_close_fd(&s->journalfd);
	s->journalfd = fd;
	return 0;
}

/* While we hold the directory's lock, no other process replaces the journal. */
static int
lock_journal(struct store *s)
{
	char name[STORE_NAME_MAX];

	if (!private_file_unchanged(s->dirfd, store_file_name(name, s, ".journal"), s->journalfd))
		store_open_journal(s);
	if (store_lock_journal(s) == 0)
		return 0;
	return errno == EWOULDBLOCK && s->maintains ? replace_journal(s) : -1;
}

static int
lock(struct store *s, int64_t timeout_ms)
{
	struct stat st;

	if (!s->writable) {
		errno = EROFS;
		return -1;
	}
	s->maintains = private_file_lock(s->dirfd, timeout_ms) == 0;
	if (!s->maintains && !locks_no_directories())
		return -1;
	if (lock_journal(s) == 0 && store_stat_locked(s, &st) == 0 &&
	    journal_image_size(&s->journal, st.st_size) == 0 &&
	    store_read_journal(s, st.st_size) == 0)
		return 0;
	int why = errno;
	store_unlock(s);
	errno = why;
	return -1;
}

int
store_lock_at_once(struct store *s)
{
	return lock(s, 0);
}

int
store_lock(struct store *s)
{
	if (lock(s, LOCK_TIMEOUT_MS) < 0)
		return -1;
	store_open_cdb(s);
	return 0;
}

/* Formats the additions as records to be read after the journal's.  The caller frees them. */
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
replace_cdb(struct store *s, const struct compaction *compaction)
{
	char made[STORE_NAME_MAX], name[STORE_NAME_MAX];

	store_file_name(made, s, ".cdb.new");
	store_file_name(name, s, ".cdb");
	unlinkat(s->dirfd, made, 0);
	int fd = openat(s->dirfd, made, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (compact_write(compaction, fd) < 0 || fsync(fd) < 0 ||
	    renameat(s->dirfd, made, s->dirfd, name) < 0) {
		int why = errno;
		close(fd);
		unlinkat(s->dirfd, made, 0);
		errno = why;
		return -1;
	}
	/* the new CDB counts from here on; the journal is emptied only when its name is synced */
	if (fsync(s->dirfd) < 0 || ftruncate(s->journalfd, 0) < 0)
		store_complain(s, ".journal", strerror(errno));
	else
		journal_image_drop(&s->journal);
	close(fd);
	store_open_cdb(s);
	return 0;
}

static bool
may_replace(struct store *s, const struct compaction *compaction)
{
	if (!s->strict || compact_is_sound(compaction))
		return true;
	s->corrupt = true;
	errno = EBADMSG;
	return false;
}

int
store_rebuild(struct store *s, const struct store_rebuilding *r)
{
	struct compaction compaction = { .damaged = s->corrupt };
	struct span cdb = span(NULL, 0), added = span(NULL, 0);
	int result = -1;

	if (private_file_load(s->cdbfd, s->cdb_len, &cdb) == 0 && format_added(r, &added) == 0 &&
	    compact_add_cdb(&compaction, cdb) == 0 &&
	    compact_add_journal(&compaction, store_journal(s), s->journalled) == 0 &&
	    may_replace(s, &compaction) && compact_add_journal(&compaction, added, NULL) == 0 &&
	    compact_choose(&compaction, r->keep, r->context, r->entries_max) == 0)
		result = replace_cdb(s, &compaction);
	if (result < 0)
		store_complain(s, ".cdb",
		    errno == EBADMSG ? "not replaced, because it is damaged" : strerror(errno));
	compact_free(&compaction);
	wipe_and_free(added);
	wipe_and_free(cdb);
	return result;
}
