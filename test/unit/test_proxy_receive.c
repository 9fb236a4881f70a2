/* Receiving a PROXY header: exactly its octets, in time. */
#include "unit.h"

#include "base/clock.h"
#include "sys/proxy.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V1 "PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\n"
#define V2 SIGNATURE "\x21\x11\0\x0c" "\xc6\x33\x64\x4d\xc0\0\x02\x01\x9c\x59\0\x19"
#define V2_SIX SIGNATURE "\x21\x21\0\x24" \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09" "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
	"\x9c\x59\0\x19"

static struct address remote, local;

static void
assert_address(const struct address *a, const char *text, uint16_t port)
{
	char got[ADDRESS_TEXT_MAX];

	address_text(a, got);
	assert_string_equal(got, text);
	assert_int_equal(address_port(a), port);
}

static void
pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void
put(int fd, struct span s)
{
	assert_int_equal(write(fd, s.at, s.len), s.len);
}

struct parts {
	int fd;
	struct span s;
	size_t each;
};

/* Writes each part after the previous one was read. */
static void *
dribble(void *argument)
{
	struct parts *p = argument;

	while (p->s.len > 0) {
		size_t len = p->s.len < p->each ? p->s.len : p->each;
		int waiting = 1;

		if (write(p->fd, p->s.at, len) != (ssize_t)len)
			return NULL;
		p->s = span_from(p->s, len);
		while (p->s.len > 0 && waiting > 0) {
			if (ioctl(p->fd, TIOCOUTQ, &waiting) < 0)
				return NULL;
			sched_yield();
		}
	}
	return p;
}

/* However it is cut, exactly the header is consumed, and what follows stays in the socket. */
static void
received_in_parts(struct span header, size_t each, enum proxy want)
{
	char behind[8] = "";
	uint8_t all[256];
	pthread_t writer;
	int ends[2];
	void *good;

	pair(ends);
	memcpy(all, header.at, header.len);
	memcpy(all + header.len, "EHLO\r\n", 6);
	struct parts p = { .fd = ends[0], .s = span(all, header.len + 6), .each = each };
	assert_int_equal(pthread_create(&writer, NULL, dribble, &p), 0);
	assert_int_equal(proxy_receive(ends[1], &remote, &local, PATIENCE_MS), want);
	for (size_t have = 0; have < 6;) {
		ssize_t len = read(ends[1], behind + have, 6 - have);

		assert_true(len > 0);
		have += (size_t)len;
	}
	assert_string_equal(behind, "EHLO\r\n");
	assert_int_equal(pthread_join(writer, &good), 0);
	assert_non_null(good);
	close(ends[0]);
	close(ends[1]);
}

/* statement 16 */
static void
threat_16_exactly_the_header_is_consumed(void **state)
{
	(void)state;
	for (size_t each = 1; each <= sizeof(V2_SIX) + 6; each++) {
		received_in_parts(SPAN(V1), each, PROXY_GOOD);
		assert_address(&remote, "198.51.100.77", 40025);
		received_in_parts(SPAN(V2_SIX), each, PROXY_GOOD);
		assert_address(&remote, "2001:db8::9", 40025);
		received_in_parts(SPAN("PROXY UNKNOWN\r\n"), each, PROXY_LOCAL);
		received_in_parts(SPAN(SIGNATURE "\x20\0\0\x04" "\x04\0\x01\0"), each, PROXY_LOCAL);
	}
}

/* statement 16: too late with nothing, with a part of it, or with a piece from time to time */
static void
threat_16_late(void **state)
{
	static const struct span begun[] = { { (const uint8_t *)"", 0 }, { (const uint8_t *)V1, 1 },
	    { (const uint8_t *)V1, sizeof(V1) - 2 }, { (const uint8_t *)V2, 15 },
	    { (const uint8_t *)V2, sizeof(V2) - 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
		int ends[2];
		int64_t before_ms = clock_ms();

		pair(ends);
		put(ends[0], begun[i]);
		assert_int_equal(proxy_receive(ends[1], &remote, &local, 20), PROXY_MORE);
		assert_in_range(clock_ms() - before_ms, 20, PATIENCE_MS);
		close(ends[0]);
		close(ends[1]);
	}
}

/* statement 16: the connection is closed, or something else is sent */
static void
threat_16_missing(void **state)
{
	static const struct span said[] = { { (const uint8_t *)"", 0 }, { (const uint8_t *)V1, 9 },
	    { (const uint8_t *)V2, 20 }, { (const uint8_t *)"EHLO a.example\r\n", 16 } };

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		int ends[2];

		pair(ends);
		put(ends[0], said[i]);
		close(ends[0]);
		assert_int_equal(proxy_receive(ends[1], &remote, &local, PATIENCE_MS), PROXY_BAD);
		close(ends[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_16_exactly_the_header_is_consumed),
		cmocka_unit_test(threat_16_late),
		cmocka_unit_test(threat_16_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
