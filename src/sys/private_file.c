#include "sys/private_file.h"

#include "base/octets.h"
#include "sys/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LEN_MAX 64

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

/* errno stays what it was. */
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

static int
open_directory(const struct private_file_place *place)
{
	return open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* NULL: one that may be used. */
static const char *
what_is_wrong(const struct stat *st, const struct private_file_place *place)
{
	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		return "it is not a file";
	}
	errno = EPERM;
	if (st->st_uid != place->owner)
		return "it belongs to another user than the settings name";
	if ((st->st_mode & 077) != 0)
		return "others may read or write it; make its mode 0600";
	return NULL;
}

static ssize_t
read_file(int fd, uint8_t *out, size_t room, const char **why)
{
	size_t len = 0;
	ssize_t n = 0;

	while (len < room && ((n = read(fd, out + len, room - len)) > 0 ||
	    (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	if (n == 0)
		return (ssize_t)len;
	if (n > 0) {
		errno = EINVAL;
		*why = "it is too long";
	} else {
		*why = strerror(errno);
	}
	octets_wipe(out, len);
	return -1;
}

ssize_t
private_file_read(const struct private_file_place *place, const char *name, void *out, size_t room,
    const char **why)
{
	int dirfd = open_directory(place), fd = -1;
	struct stat st;
	ssize_t len = -1;

	if (dirfd >= 0)
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		*why = errno == ELOOP ? "it is a link" : strerror(errno);
		goto out;
	}
	*why = what_is_wrong(&st, place);
	if (*why == NULL)
		len = read_file(fd, out, room, why);
out:
	close_and_unlink(fd, -1, NULL);
	close_and_unlink(dirfd, -1, NULL);
	return len;
}

/* A file under a name of its own, whole and safe on the disk. */
static int
write_new(const struct private_file_place *place, int dirfd, const char *name, struct span octets)
{
	int fd;

	unlinkat(dirfd, name, 0);	/* what a crash has left */
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, octets.at, octets.len);
	if (n >= 0 && (size_t)n < octets.len) {
		errno = ENOSPC;
		n = -1;
	}
	/* the owner last: until then nobody but us can have it open */
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
		/* unlike rename(2), this never takes another's place */
		result = linkat(dirfd, new, dirfd, name, 0);
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
