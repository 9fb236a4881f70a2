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

/* The 12 octets in front of an IPv4 address in IPv6's form (RFC 4291 section 2.5.5.2; RFC 6052 section 2.1). */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t translated[12] = { 0x00, 0x64, 0xff, 0x9b };

void
address_make(struct address *out, struct span octets, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	*out = (struct address){ .len = 0 };
	if (octets.len == 16 && memcmp(octets.at, mapped, sizeof(mapped)) == 0)
		octets = span_from(octets, sizeof(mapped));
	if (octets.len == 4) {
		memcpy(&in.sin_addr, octets.at, octets.len);
		memcpy(&out->at, &in, sizeof(in));
		out->len = sizeof(in);
	} else if (octets.len == 16) {
		memcpy(&in6.sin6_addr, octets.at, octets.len);
		memcpy(&out->at, &in6, sizeof(in6));
		out->len = sizeof(in6);
	}
}

void
address_from(struct address *out, const void *sockaddr, socklen_t len)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	sa_family_t family = AF_UNSPEC;

	*out = (struct address){ .len = 0 };
	if (len >= sizeof(struct sockaddr))
		family = ((const struct sockaddr *)sockaddr)->sa_family;
	if (family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, sockaddr, sizeof(in));
		address_make(out, span(&in.sin_addr, 4), ntohs(in.sin_port));
	} else if (family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, sockaddr, sizeof(in6));
		address_make(out, span(&in6.sin6_addr, 16), ntohs(in6.sin6_port));
		if (address_family(out) == AF_INET6)
			memcpy(&out->at, &in6, sizeof(in6));	/* its device as well */
	}
}

void
address_join_family(struct address *a, int family)
{
	static const uint8_t dummy[4] = { 192, 0, 0, 8 };	/* RFC 7600 section 6 */
	uint8_t octets[16];

	if (address_family(a) == AF_INET && family == AF_INET6) {
		memcpy(octets, translated, sizeof(translated));
		memcpy(octets + sizeof(translated), address_octets(a).at, 4);
		address_make(a, span(octets, sizeof(octets)), address_port(a));
	} else if (address_family(a) == AF_INET6 && family == AF_INET) {
		address_make(a, span(dummy, sizeof(dummy)), address_port(a));
	}
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
	uint8_t octets[16];

	if (text.len == 0 || text.len >= sizeof(copy) || span_find(text, '\0') < text.len)
		return -1;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, octets) == 1)
		address_make(out, span(octets, 4), port);
	else if (inet_pton(AF_INET6, copy, octets) == 1)
		address_make(out, span(octets, 16), port);
	else
		return -1;
	return 0;
}

int
address_written_family(struct span text)
{
	return span_find(text, ':') < text.len ? AF_INET6 : AF_INET;
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
