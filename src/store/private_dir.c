#include "store/private_dir.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define NAP_NS 2000000

int
private_dir_open(const char *path, uid_t owner)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char why[64];
	struct stat st;
	int fd = open(path, flags);

	/* where several processes make it at once, one does */
	if (fd < 0 && errno == ENOENT && (mkdir(path, 0700) == 0 || errno == EEXIST))
		fd = open(path, flags);
	if (fd < 0 || fstat(fd, &st) < 0)
		snprintf(why, sizeof(why), "%s", strerror(errno));
	else if (st.st_uid != owner)
		snprintf(why, sizeof(why), "it belongs to uid %lu", (unsigned long)st.st_uid);
	else if ((st.st_mode & 07777) != 0700)
		snprintf(why, sizeof(why), "its mode is %04o", (unsigned)st.st_mode & 07777);
	else
		return fd;
	log_line(LOG_WARNING, "%s: not used, so nothing is remembered: %s; make it a directory of "
	    "mode 0700 that belongs to uid %lu", path, why, (unsigned long)owner);
	if (fd >= 0)
		close(fd);
	return -1;
}

int
private_file_open(int dirfd, const char *name, int flags, uid_t owner, struct stat *st)
{
	int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

	if (fd < 0 || (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_uid == owner))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
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
