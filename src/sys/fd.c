#include "sys/fd.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int
fd_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL), on = 1;

	if (flags < 0)
		return -1;
	if (isatty(fd))
		return 0;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 &&
	    errno != ENOTSOCK && errno != EOPNOTSUPP && errno != ENOPROTOOPT)
		return -1;
	return 0;
}

enum fd_kind
fd_kind(int fd)
{
	int type, listening;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM)
		return FD_OTHER;
	len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening)
		return FD_LISTENING;
	/* whether getpeername() works is the peer's to say: a reset undoes it */
	return FD_CONNECTED;
}

bool
fd_is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

void
fd_fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

void
fd_close_rest(void)
{
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0)
		return;
	/* kernels before 5.9; a table may be too large to go through all of it */
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		close(fd);
}

bool
fd_same(int a, int b)
{
	struct stat file_a, file_b;

	return fstat(a, &file_a) == 0 && fstat(b, &file_b) == 0 &&
	    file_a.st_dev == file_b.st_dev && file_a.st_ino == file_b.st_ino;
}

static void
ask_name(int fd, struct address *out,
    int (*ask)(int, struct sockaddr *restrict, socklen_t *restrict))
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	*out = (struct address){ .len = 0 };
	if (ask(fd, (struct sockaddr *)&name, &len) == 0)
		address_from(out, &name, len);
}

void
fd_peer(int fd, struct address *out)
{
	ask_name(fd, out, getpeername);
}

void
fd_own(int fd, struct address *out)
{
	ask_name(fd, out, getsockname);
}

enum fd_result
fd_read(int fd, struct buf *b)
{
	size_t room;
	uint8_t *space = buf_space(b, &room);
	ssize_t len;

	if (room == 0)
		return FD_WAIT;		/* read() would say 0, as at the end */
	do {
		len = read(fd, space, room);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == EAGAIN ? FD_WAIT : FD_BROKEN;
	if (len == 0)
		return FD_EOF;
	buf_added(b, (size_t)len);
	return FD_DONE;
}

enum fd_result
fd_write(int fd, struct buf *b)
{
	while (buf_len(b) > 0) {
		struct span s = buf_peek(b);
		ssize_t len = write(fd, s.at, s.len);

		if (len > 0)
			buf_take(b, (size_t)len);
		else if (len < 0 && errno == EAGAIN)
			return FD_WAIT;
		else if (len == 0 || errno != EINTR)
			return FD_BROKEN;
	}
	return FD_DONE;
}

bool
fd_has_octets(int fd)
{
	uint8_t octet;
	int waiting = 0;
	ssize_t len = recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT);

	if (len < 0 && errno == ENOTSOCK)
		return ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
	return len > 0;
}

int
fd_wait(int fd, short events, int64_t deadline_ms)
{
	struct pollfd set = { .fd = fd, .events = events };

	for (;;) {
		int64_t left_ms = deadline_ms - clock_ms();
		if (left_ms < 0)
			left_ms = 0;
		int ready = poll(&set, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -1;
		if (left_ms == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

int
fd_write_all(int fd, struct span s, int64_t timeout_ms)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;

	while (s.len > 0) {
		if (fd_wait(fd, POLLOUT, deadline_ms) < 0)
			return -1;
		/* it may block: a socket is told not to, a pipe takes PIPE_BUF at POLLOUT */
		ssize_t len = send(fd, s.at, s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (len < 0 && errno == ENOTSOCK)
			len = write(fd, s.at, s.len < PIPE_BUF ? s.len : PIPE_BUF);
		if (len < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (len > 0)
			s = span_from(s, (size_t)len);
	}
	return 0;
}
