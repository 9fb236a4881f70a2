#include "sys/proxy.h"

#include "base/clock.h"
#include "base/octets.h"
#include "sys/fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49,
	0x54, 0x0a };

enum { V2_LOCAL = 0x20, V2_PROXY = 0x21, V2_TCP4 = 0x11, V2_TCP6 = 0x21 };

/* The family of both addresses, or AF_UNSPEC. */
static int
common_family(const struct address *remote, const struct address *local)
{
	int family = remote->len > 0 ? address_family(remote) : AF_UNSPEC;

	return local->len > 0 && address_family(local) == family ? family : AF_UNSPEC;
}

void
proxy_put_v1(struct buf *out, const struct address *remote, const struct address *local)
{
	char from[ADDRESS_TEXT_MAX], to[ADDRESS_TEXT_MAX];
	int family = common_family(remote, local);

	if (family == AF_UNSPEC) {
		buf_put(out, SPAN("PROXY UNKNOWN\r\n"));
		return;
	}
	address_text(remote, from);
	address_text(local, to);
	buf_printf(out, "PROXY %s %s %s %u %u\r\n", family == AF_INET ? "TCP4" : "TCP6", from, to,
	    address_port(remote), address_port(local));
}

void
proxy_put_v2(struct buf *out, const struct address *remote, const struct address *local)
{
	int family = common_family(remote, local);
	uint8_t head[4] = { V2_LOCAL, 0, 0, 0 }, ports[4];

	if (family != AF_UNSPEC) {
		head[0] = V2_PROXY;
		head[1] = family == AF_INET ? V2_TCP4 : V2_TCP6;
		octets_put16(head + 2, family == AF_INET ? 12 : 36);
	}
	buf_put(out, span(signature, sizeof(signature)));
	buf_put(out, span(head, sizeof(head)));
	if (family == AF_UNSPEC)
		return;
	buf_put(out, address_octets(remote));
	buf_put(out, address_octets(local));
	octets_put16(ports, address_port(remote));
	octets_put16(ports + 2, address_port(local));
	buf_put(out, span(ports, sizeof(ports)));
}

/* Parses a port as version 1 writes it, without leading zeros. */
static bool
read_port(struct span text, uint16_t *port)
{
	uint64_t number;

	if (text.len == 0 || (text.len > 1 && text.at[0] == '0') ||
	    !span_number(text, UINT16_MAX, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* Parses a version 1 header without its CRLF. */
static enum proxy
read_v1_line(struct span line, struct address *remote, struct address *local)
{
	struct span rest = line, word, from, to, from_text, to_text;
	uint16_t from_port, to_port;
	int family;

	span_word(&rest, ' ', &word);
	if (!span_word(&rest, ' ', &word))
		return PROXY_BAD;
	if (span_equal(word, SPAN("UNKNOWN")))
		return PROXY_LOCAL;
	if (span_equal(word, SPAN("TCP4")))
		family = AF_INET;
	else if (span_equal(word, SPAN("TCP6")))
		family = AF_INET6;
	else
		return PROXY_BAD;
	if (!span_word(&rest, ' ', &from_text) || !span_word(&rest, ' ', &to_text) ||
	    !span_word(&rest, ' ', &from) || !span_word(&rest, ' ', &to) || rest.at != NULL ||
	    !read_port(from, &from_port) || !read_port(to, &to_port) ||
	    address_read(remote, from_text, from_port) < 0 ||
	    address_read(local, to_text, to_port) < 0)
		return PROXY_BAD;
	if (address_written_family(from_text) != family ||
	    address_written_family(to_text) != family)
		return PROXY_BAD;
	return PROXY_GOOD;
}

static enum proxy
read_v1(struct span s, struct address *remote, struct address *local, size_t *used)
{
	size_t end = span_find(span(s.at, s.len < PROXY_V1_MAX ? s.len : PROXY_V1_MAX), '\n');

	if (end == s.len && s.len < PROXY_V1_MAX) {
		*used = s.len;
		return PROXY_MORE;
	}
	if (end >= PROXY_V1_MAX || end == 0 || s.at[end - 1] != '\r')
		return PROXY_BAD;
	*used = end + 1;
	return read_v1_line(span(s.at, end - 1), remote, local);
}

static enum proxy
read_v2(struct span s, struct address *remote, struct address *local, size_t *used)
{
	*used = s.len < PROXY_V2_HEAD ? s.len : PROXY_V2_HEAD;
	if (s.len < PROXY_V2_HEAD)
		return PROXY_MORE;
	size_t len = octets_get16(s.at + 14), whole = PROXY_V2_HEAD + len;
	if (whole > PROXY_MAX || (s.at[12] != V2_LOCAL && s.at[12] != V2_PROXY))
		return PROXY_BAD;
	*used = s.len < whole ? s.len : whole;
	if (s.len < whole)
		return PROXY_MORE;
	if (s.at[12] == V2_LOCAL)
		return PROXY_LOCAL;
	const uint8_t *body = s.at + PROXY_V2_HEAD;
	size_t octets = s.at[13] == V2_TCP4 ? 4 : s.at[13] == V2_TCP6 ? 16 : 0;
	if (octets == 0 || len < 2 * octets + 4)
		return PROXY_BAD;
	address_make(remote, span(body, octets), octets_get16(body + 2 * octets));
	address_make(local, span(body + octets, octets), octets_get16(body + 2 * octets + 2));
	return PROXY_GOOD;
}

/* Whether one is a prefix of the other. */
static bool
agrees(struct span s, struct span whole)
{
	size_t len = s.len < whole.len ? s.len : whole.len;

	return span_equal(span(s.at, len), span(whole.at, len));
}

enum proxy
proxy_read(struct span s, struct address *remote, struct address *local, size_t *used)
{
	enum proxy result = PROXY_BAD;

	*used = 0;
	if (s.len == 0)
		return PROXY_MORE;
	if (agrees(s, SPAN("PROXY ")))
		result = read_v1(s, remote, local, used);
	else if (agrees(s, span(signature, sizeof(signature))))
		result = read_v2(s, remote, local, used);
	/* if one end is IPv4 and the other IPv6, haproxy writes an IPv4-mapped address */
	if (result == PROXY_GOOD)
		address_join_family(local, address_family(remote));
	return result;
}

enum proxy
proxy_receive(int fd, struct address *remote, struct address *local, int64_t timeout_ms)
{
	uint8_t header[PROXY_MAX];
	size_t have = 0;
	int64_t deadline_ms = clock_ms() + timeout_ms;

	for (;;) {
		size_t used;

		if (fd_wait(fd, POLLIN, deadline_ms) < 0)
			return PROXY_MORE;
		/* only peeked at, because octets after the header must stay in the socket */
		ssize_t len = recv(fd, header + have, sizeof(header) - have,
		    MSG_PEEK | MSG_DONTWAIT);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (len <= 0)
			return PROXY_BAD;
		enum proxy result = proxy_read(span(header, have + (size_t)len), remote, local,
		    &used);
		if (result == PROXY_BAD)
			return result;
		if (used > have &&
		    recv(fd, header + have, used - have, 0) != (ssize_t)(used - have))
			return PROXY_BAD;
		if (result != PROXY_MORE)
			return result;
		have = used;
	}
}
