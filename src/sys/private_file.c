#include "sys/private_file.h"

#include "base/clock.h"
#include "base/octets.h"
#include "sys/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define NAME_LEN_MAX 64
#define NAP_NS 2000000		/* between two attempts to lock */

int
private_file_place(struct private_file_place *place, const char *settings_file, const char *user,
    const char **why)
{
	const char *slash = strrchr(settings_file, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - settings_file);

	if (len >= sizeof(place->directory)) {
		*why = "its path is too long";
		return -1;
	}
	memcpy(place->directory, settings_file, len);
	place->directory[len] = '\0';
	if (len == 0)
		memcpy(place->directory, slash == NULL ? "." : "/", 2);
	place->owner = geteuid();
	place->group = getegid();
	if (place->owner != 0 || user[0] == '\0')
		return 0;
	return ids_find(user, &place->owner, &place->group, why);
}

/* Preserves errno. */
static void
close_and_unlink(int fd, int dirfd, const char *name)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	if (name != NULL)
		unlinkat(dirfd, name, 0);
	errno = saved;
}

int
private_dir_open(const char *path, uid_t owner, char why[PRIVATE_FILE_WHY_MAX])
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd = open(path, flags);

	/* if several processes create it at the same time, one of them succeeds */
	if (fd < 0 && errno == ENOENT && (mkdir(path, 0700) == 0 || errno == EEXIST))
		fd = open(path, flags);
	if (fd < 0 || fstat(fd, &st) < 0)
		snprintf(why, PRIVATE_FILE_WHY_MAX, "%s", strerror(errno));
	else if (st.st_uid != owner)
		snprintf(why, PRIVATE_FILE_WHY_MAX, "it belongs to uid %lu", (unsigned long)st.st_uid);
	else if ((st.st_mode & 07777) != 0700)
		snprintf(why, PRIVATE_FILE_WHY_MAX, "its mode is %04o", (unsigned)st.st_mode & 07777);
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

enum private_file_result
private_file_open(int dirfd, const char *name, int flags, uid_t owner, int *fd, struct stat *st)
{
	enum private_file_result result = PRIVATE_FILE_OPEN;

	*fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (*fd < 0)
		return errno == ELOOP ? PRIVATE_FILE_LINK :
		    errno == EISDIR ? PRIVATE_FILE_NOT_REGULAR : PRIVATE_FILE_ERROR;
	if (fstat(*fd, st) < 0)
		result = PRIVATE_FILE_ERROR;
	else if (!S_ISREG(st->st_mode))
		result = PRIVATE_FILE_NOT_REGULAR;
	else if (st->st_uid != owner)
		result = PRIVATE_FILE_FOREIGN;
	if (result != PRIVATE_FILE_OPEN) {
		close_and_unlink(*fd, -1, NULL);
		*fd = -1;
	}
	return result;
}

bool
private_file_unchanged(int dirfd, const char *name, int fd)
{
	struct stat st, open_st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fd < 0 && errno == ENOENT;
	return fd >= 0 && fstat(fd, &open_st) == 0 && st.st_dev == open_st.st_dev &&
	    st.st_ino == open_st.st_ino;
}

ssize_t
private_file_pread(int fd, uint8_t *out, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, out + got, len - got, (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int
private_file_load(int fd, size_t len, struct span *file)
{
	*file = span(NULL, 0);
	if (len == 0)
		return 0;
	uint8_t *mem = malloc(len);
	ssize_t got = mem == NULL ? -1 : private_file_pread(fd, mem, len);
	if (got < 0) {
		free(mem);
		return -1;
	}
	*file = span(mem, (size_t)got);
	return 0;
}

int
private_file_lock(int fd, int64_t timeout_ms)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	int64_t deadline_ms = clock_ms() + timeout_ms;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || clock_ms() >= deadline_ms)
			return -1;
		nanosleep(&nap, NULL);
	}
	return 0;
}

static int
open_directory(const struct private_file_place *place)
{
	return open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Why a host key may not be read from this file; NULL if it may. */
static const char *
what_is_wrong(enum private_file_result result, const struct stat *st)
{
	switch (result) {
	case PRIVATE_FILE_OPEN:
		return (st->st_mode & 077) == 0 ? NULL :
		    "others may read or write it; make its mode 0600";
	case PRIVATE_FILE_LINK:
		return "it is a link";
	case PRIVATE_FILE_NOT_REGULAR:
		return "it is not a file";
	case PRIVATE_FILE_FOREIGN:
		return "it belongs to another user than the settings name";
	case PRIVATE_FILE_ERROR:
		break;
	}
	return strerror(errno);
}

ssize_t
private_file_read(const struct private_file_place *place, const char *name, void *out, size_t room,
    const char **why)
{
	int dirfd = open_directory(place), fd = -1;
	enum private_file_result result = PRIVATE_FILE_ERROR;
	struct stat st;
	ssize_t len = -1;

	if (dirfd >= 0)
		result = private_file_open(dirfd, name, O_RDONLY, place->owner, &fd, &st);
	/* a service that starts as root may keep the file readable by root only */
	if (result == PRIVATE_FILE_FOREIGN && geteuid() == 0)
		result = private_file_open(dirfd, name, O_RDONLY, 0, &fd, &st);
	if (result != PRIVATE_FILE_ERROR)
		errno = 0;		/* a file is there, so not ENOENT */
	*why = what_is_wrong(result, &st);
	if (*why == NULL) {
		len = private_file_pread(fd, out, room);
		if (len < 0)
			*why = strerror(errno);
		else if ((size_t)len == room)
			*why = "it is too long";
	}
	if (*why != NULL) {
		octets_wipe(out, room);
		len = -1;
	}
	close_and_unlink(fd, -1, NULL);
	close_and_unlink(dirfd, -1, NULL);
	return len;
}

static const char *
what_is_wrong_with(const struct stat *st, bool secret)
{
	if (!S_ISREG(st->st_mode))
		return "it is not a file";
	if (secret && st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs to another user";
	if (secret && (st->st_mode & 07) != 0)
		return "others may read or write it; make its mode 0600 or 0640";
	return NULL;
}

ssize_t
private_file_read_path(const char *path, bool secret, void *out, size_t room, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t len = -1;

	*why = fd < 0 || fstat(fd, &st) < 0 ? strerror(errno) : what_is_wrong_with(&st, secret);
	if (*why == NULL) {
		errno = 0;
		len = private_file_pread(fd, out, room);
		*why = len < 0 ? strerror(errno) : (size_t)len == room ? "it is too long" : NULL;
	}
	if (*why != NULL) {
		octets_wipe(out, room);
		len = -1;
	}
	close_and_unlink(fd, -1, NULL);
	return len;
}

/* Writes a new file and syncs it. */
static int
write_new(const struct private_file_place *place, int dirfd, const char *name, struct span octets)
{
	int fd;

	unlinkat(dirfd, name, 0);	/* left over from a crash */
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, octets.at, octets.len);
	if (n >= 0 && (size_t)n < octets.len) {
		errno = ENOSPC;
		n = -1;
	}
	/* the owner comes last: until then only we can open the file */
	if (n >= 0 && fchmod(fd, 0600) == 0 &&
	    (place->owner == geteuid() || fchown(fd, place->owner, place->group) == 0) &&
	    fsync(fd) == 0)
		return close(fd);
	close_and_unlink(fd, dirfd, name);
	return -1;
}

int
private_file_create(const struct private_file_place *place, const char *name, struct span octets)
{
	char new[NAME_LEN_MAX];
	int dirfd = open_directory(place), result = -1;

	if (dirfd < 0)
		return -1;
	snprintf(new, sizeof(new), "%s.new", name);
	if (write_new(place, dirfd, new, octets) == 0) {
		/* unlike rename(2), linkat(2) never replaces a file */
		result = linkat(dirfd, new, dirfd, name, 0);
		close_and_unlink(-1, dirfd, new);
	}
	if (result == 0)
		result = fsync(dirfd);
	close_and_unlink(dirfd, -1, NULL);
	return result;
}

int
private_file_put(const struct private_file_place *place, const char *name, struct span octets)
{
	char new[NAME_LEN_MAX];
	int dirfd = open_directory(place), result = -1;

	if (dirfd < 0)
		return -1;
	snprintf(new, sizeof(new), "%s.new", name);
	if (write_new(place, dirfd, new, octets) == 0) {
		result = renameat(dirfd, new, dirfd, name);
		if (result < 0)
			close_and_unlink(-1, dirfd, new);
	}
	if (result == 0)
		result = fsync(dirfd);
	close_and_unlink(dirfd, -1, NULL);
	return result;
}

int
private_file_replace(const struct private_file_place *place, const char *name, const char *by)
{
	int dirfd = open_directory(place);

	if (dirfd < 0)
		return -1;
	int result = renameat(dirfd, by, dirfd, name) == 0 && fsync(dirfd) == 0 ? 0 : -1;
	close_and_unlink(dirfd, -1, NULL);
	return result;
}
