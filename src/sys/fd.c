#include "sys/fd.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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
	return fcntl(fd, F_GETFD) != -1;
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
	socklen_t len = sizeof(out->at);

	*out = (struct address){ .len = 0 };
	if (ask(fd, (struct sockaddr *)&out->at, &len) == 0 && address_family(out) != AF_UNSPEC)
		out->len = len;
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

struct span
address_octets(const struct address *a)
{
	const struct sockaddr_in *in = (const void *)&a->at;
	const struct sockaddr_in6 *in6 = (const void *)&a->at;

	if (a->at.ss_family == AF_INET)
		return span(&in->sin_addr, 4);
	if (a->at.ss_family != AF_INET6)
		return span(NULL, 0);
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return span(in6->sin6_addr.s6_addr + 12, 4);
	return span(&in6->sin6_addr, 16);
}

bool
address_same_network(const struct address *a, const struct address *b, unsigned bits)
{
	struct span x = address_octets(a), y = address_octets(b);
	unsigned whole = bits / 8, rest = bits % 8;

	if (x.len == 0 || x.len != y.len || bits > 8 * x.len || memcmp(x.at, y.at, whole) != 0)
		return false;
	return rest == 0 || (x.at[whole] ^ y.at[whole]) >> (8 - rest) == 0;
}

void
address_text(const struct address *a, char out[FD_ADDRESS_MAX])
{
	int family = address_family(a);

	out[0] = '\0';
	if (a->len > 0 && family != AF_UNSPEC)
		inet_ntop(family, address_octets(a).at, out, FD_ADDRESS_MAX);
}

uint16_t
address_port(const struct address *a)
{
	if (a->len == 0 || address_family(a) == AF_UNSPEC)
		return 0;
	if (a->at.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)&a->at)->sin_port);
	return ntohs(((const struct sockaddr_in6 *)(const void *)&a->at)->sin6_port);
}

int
address_family(const struct address *a)
{
	switch (address_octets(a).len) {
	case 4:
		return AF_INET;
	case 16:
		return AF_INET6;
	default:
		return AF_UNSPEC;
	}
}

void
address_unmap(struct address *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(address_port(a)) };

	if (address_family(a) != AF_INET || a->at.ss_family == AF_INET)
		return;
	memcpy(&in.sin_addr, address_octets(a).at, sizeof(in.sin_addr));
	*a = (struct address){ .len = sizeof(in) };
	memcpy(&a->at, &in, sizeof(in));
}

bool
address_is_loopback(const struct address *a)
{
	struct span octets = address_octets(a);

	if (octets.len == 4)
		return octets.at[0] == 127;
	return octets.len == 16 && memcmp(octets.at, &in6addr_loopback, 16) == 0;
}

bool
address_is_unspecified(const struct address *a)
{
	struct span octets = address_octets(a);

	return octets.len > 0 && memcmp(octets.at, &in6addr_any, octets.len) == 0;
}

bool
address_same_host(const struct address *a, const struct address *b)
{
	return address_octets(a).len > 0 && span_equal(address_octets(a), address_octets(b));
}

int
address_read(struct address *out, struct span text, uint16_t port)
{
	char copy[FD_ADDRESS_MAX];
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (text.len == 0 || text.len >= sizeof(copy) || span_find(text, '\0') < text.len)
		return -1;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	*out = (struct address){ .len = 0 };
	if (inet_pton(AF_INET, copy, &in.sin_addr) == 1) {
		memcpy(&out->at, &in, sizeof(in));
		out->len = sizeof(in);
		return 0;
	}
	if (inet_pton(AF_INET6, copy, &in6.sin6_addr) == 1) {
		memcpy(&out->at, &in6, sizeof(in6));
		out->len = sizeof(in6);
		return 0;
	}
	return -1;
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
