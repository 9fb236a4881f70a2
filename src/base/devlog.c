#include "base/devlog.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	const char *path;
	int fd;				/* -1: not open */
	bool stream;
} devlog = { .fd = -1 };

static int
reach(int fd)
{
	struct sockaddr_un there = { .sun_family = AF_UNIX };
	size_t len = strlen(devlog.path);

	if (len >= sizeof(there.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(there.sun_path, devlog.path, len);
	return connect(fd, (const struct sockaddr *)&there, sizeof(there));
}

/* Non-blocking, because connect(2) to a stream socket would wait for room in the backlog. */
static void
make_socket(bool stream)
{
	if (devlog.fd >= 0)
		close(devlog.fd);
	devlog.stream = stream;
	devlog.fd = socket(AF_UNIX,
	    (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/*
 * Connects the existing datagram socket again, which also works in a jail that allows connect(2)
 * but not socket(2).  A stream socket that has ended cannot be reused, so a new one is made.
 */
static bool
connect_again(void)
{
	if (devlog.fd < 0 || devlog.stream)
		make_socket(false);
	if (devlog.fd >= 0 && reach(devlog.fd) == 0)
		return true;
	if (devlog.fd < 0 || errno != EPROTOTYPE)
		return false;
	make_socket(true);
	return devlog.fd >= 0 && reach(devlog.fd) == 0;
}

void
devlog_open(const char *path)
{
	devlog.path = path;
	/* an open socket is shared with the process that forked us */
	if (devlog.fd >= 0)
		close(devlog.fd);
	devlog.fd = -1;
	connect_again();
}

enum sent { SENT, NO_ROOM, NOBODY };

/*
 * The kernel queues a line on a stream whole or not at all, because a line is shorter than half of
 * the smallest socket buffer.  If part of a line went out all the same, the result is NOBODY:
 * devlog_send() then starts a new stream, so that no other line follows the fragment.
 */
static enum sent
send_once(struct span line)
{
	size_t len = devlog.stream ? line.len : line.len - 1;
	ssize_t sent;

	if (devlog.fd < 0)
		return NOBODY;
	do
		sent = send(devlog.fd, line.at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)len)
		return SENT;
	if (sent < 0 &&
	    (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EMSGSIZE))
		return NO_ROOM;
	return NOBODY;
}

bool
devlog_send(struct span line)
{
	enum sent result = send_once(line);

	/* syslogd may have been restarted */
	if (result == NOBODY && connect_again())
		result = send_once(line);
	return result == SENT;
}
