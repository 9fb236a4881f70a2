#include "sys/dial.h"

#include "base/clock.h"
#include "sys/fd.h"
#include "sys/resolver.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int
allow_foreign_source(int fd, int family)
{
	const int on = 1;

	if (family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on));
}

/* Opens a socket and binds it to `from`, unless that is NULL. */
static int
open_socket(int family, const struct address *from, bool transparent)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || from == NULL)
		return fd;
	/*
	 * with port 0 the kernel need not reserve a port for all destinations; another port may
	 * still be in TIME_WAIT from the last connection
	 */
	int option = address_port(from) == 0 ? IP_BIND_ADDRESS_NO_PORT : SO_REUSEADDR;
	int level = address_port(from) == 0 ? IPPROTO_IP : SOL_SOCKET;
	setsockopt(fd, level, option, &on, sizeof(on));
	if ((transparent && allow_foreign_source(fd, family) < 0) ||
	    bind(fd, (const struct sockaddr *)&from->at, from->len) < 0) {
		int why = errno;
		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

static int
connect_within(int fd, const struct address *to, int64_t deadline_ms)
{
	int why;
	socklen_t len = sizeof(why);

	if (connect(fd, (const struct sockaddr *)&to->at, to->len) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -1;
	if (fd_wait(fd, POLLOUT, deadline_ms) < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		return -1;
	errno = why;
	return why == 0 ? 0 : -1;
}

/*
 * A local socket never gives EINPROGRESS: if the backlog is full, connect(2) blocks or fails with
 * EAGAIN.  So it blocks, limited by the send timeout.
 */
static int
connect_local(int fd, const struct address *to, int64_t timeout_ms)
{
	struct timeval patience = {
		.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000
	};
	int result;

	if (timeout_ms <= 0)
		patience = (struct timeval){ .tv_usec = 1 };	/* 0 would mean no timeout */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return -1;
	do {
		result = connect(fd, (const struct sockaddr *)&to->at, to->len);
	} while (result < 0 && errno == EINTR);
	if (result < 0 && errno == EAGAIN)
		errno = ETIMEDOUT;
	return result;
}

static int
dial_from(const struct address *to, const struct address *from, bool transparent,
    int64_t timeout_ms)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;
	int result, why, fd = open_socket(to->at.ss_family, from, transparent);

	if (fd < 0)
		return -1;
	if (to->at.ss_family == AF_UNIX) {
		result = connect_local(fd, to, timeout_ms);
		if (result == 0)
			result = fd_prepare(fd);
	} else {
		result = fd_prepare(fd);
		if (result == 0)
			result = connect_within(fd, to, deadline_ms);
	}
	if (result < 0)
		goto fail;
	return fd;
fail:
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

int
dial(const struct address *to, const struct address *from, int64_t timeout_ms)
{
	return dial_from(to, from, false, timeout_ms);
}

int
dial_transparent(const struct address *to, const struct address *from, int64_t timeout_ms)
{
	return dial_from(to, from, true, timeout_ms);
}

bool
dial_is_own(const struct address *to)
{
	struct address from, peer;
	/* connecting a datagram socket looks up the route, but sends nothing */
	int fd = socket(to->at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool own = fd < 0;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to->at, to->len) == 0) {
		fd_own(fd, &from);
		fd_peer(fd, &peer);	/* 0.0.0.0 has become 127.0.0.1 */
		own = address_same_host(&from, &peer) || address_is_loopback(&from) ||
		    resolver_is_own(&peer);
	}
	if (fd >= 0)
		close(fd);
	return own;
}

static int
read_path(struct address *out, struct span text)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };

	if (text.len >= sizeof(local.sun_path) || span_find(text, '\0') < text.len)
		return -1;
	memcpy(local.sun_path, text.at, text.len);
	size_t len = offsetof(struct sockaddr_un, sun_path) + text.len + 1;
	*out = (struct address){ .len = (socklen_t)len };
	_Static_assert(sizeof(local) <= sizeof(out->at), "a path fits into an address");
	memcpy(&out->at, &local, sizeof(local));
	return 0;
}

int
dial_read_backend(struct address *out, struct span text)
{
	uint64_t port;

	if (span_starts(text, SPAN("/")))
		return read_path(out, text);

	bool bracketed = span_starts(text, SPAN("["));
	if (bracketed)
		text = span_from(text, 1);
	size_t end = span_find(text, bracketed ? ']' : ':');
	struct span rest = span_from(text, end + bracketed);
	if (!span_starts(rest, SPAN(":")) || !span_number(span_from(rest, 1), UINT16_MAX, &port) ||
	    port == 0)
		return -1;
	if (address_read(out, span(text.at, end), (uint16_t)port) < 0)
		return -1;
	/* brackets are required for IPv6 and allowed only there */
	return bracketed == (address_written_family(span(text.at, end)) == AF_INET6) ? 0 : -1;
}
