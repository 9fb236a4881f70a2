#include "sys/spool.h"

#include "base/clock.h"
#include "base/octets.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Updates the counts and looks for octets above 127. */
static void
scan(struct spool *spool, uint8_t *last, struct span s)
{
	spool->length += s.len;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t octet = s.at[i];

		spool->octets += octet == '\n' && *last != '\r' ? 2 : 1;
		spool->eight_bit = spool->eight_bit || octet > 0x7f;
		*last = octet;
	}
}

static int
write_all(int fd, struct span s)
{
	while (s.len > 0) {
		ssize_t done = write(fd, s.at, s.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		s = span_from(s, (size_t)done);
	}
	return 0;
}

static int
nameless_file_in(const char *folder)
{
	char name[PATH_MAX];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* NFS and, before Linux 6.3, overlayfs have no O_TMPFILE: the file is unlinked at once */
	if (fd >= 0 ||
	    snprintf(name, sizeof(name), "%s/blackpony.XXXXXX", folder) >= (int)sizeof(name))
		return fd;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0 && unlink(name) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
nameless_file(void)
{
	const char *const folders[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };
	int fd = -1;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && fd < 0; i++)
		if (folders[i] != NULL)
			fd = nameless_file_in(folders[i]);
	return fd;
}

/* Reads some octets.  Standard input may be a pipe or socket, blocking or not, that stalls. */
static ssize_t
read_some(int fd, uint8_t *chunk, size_t room, int64_t deadline_ms)
{
	for (;;) {
		/* fd_wait() looks at the clock only while nothing is ready */
		if (clock_ms() >= deadline_ms) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (fd_wait(fd, POLLIN, deadline_ms) < 0)
			return -1;
		ssize_t len = read(fd, chunk, room);
		if (len >= 0 || (errno != EINTR && errno != EAGAIN))
			return len;
	}
}

int
spool_open(struct spool *spool, int infd, int64_t deadline_ms)
{
	uint8_t chunk[16384], last = 0;
	struct stat st;
	off_t start = 0;
	ssize_t len;

	*spool = (struct spool){ .fd = -1 };
	if (fstat(infd, &st) < 0)
		return -1;
	bool in_place = S_ISREG(st.st_mode) && (start = lseek(infd, 0, SEEK_CUR)) >= 0;
	spool->fd = in_place ? fcntl(infd, F_DUPFD_CLOEXEC, 3) : nameless_file();
	if (spool->fd < 0)
		return -1;
	while ((len = read_some(infd, chunk, sizeof(chunk), deadline_ms)) != 0) {
		if (len < 0)
			goto fail;
		scan(spool, &last, span(chunk, (size_t)len));
		if (!in_place && write_all(spool->fd, span(chunk, (size_t)len)) < 0)
			goto fail;
	}
	if (last != '\n' && spool->octets > 0)
		spool->octets += last == '\r' ? 1 : 2;
	octets_wipe(chunk, sizeof(chunk));
	if (lseek(spool->fd, in_place ? start : 0, SEEK_SET) < 0)
		goto fail;
	return 0;
fail:
	octets_wipe(chunk, sizeof(chunk));
	close(spool->fd);
	spool->fd = -1;
	return -1;
}
