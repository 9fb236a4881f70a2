#include "unit.h"

#include "base/clock.h"
#include "sys/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

static struct address
address(const char *text, uint16_t port)
{
	struct address a;

	assert_int_equal(address_read(&a, span_of(text), port), 0);
	return a;
}

static int
listener(void)
{
	struct address a = address("127.0.0.1", 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a.at, a.len), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Both ends of a TCP connection over loopback. */
static void
tcp_pair(int ends[2])
{
	struct address a;
	int fd = listener();

	fd_own(fd, &a);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ends[0], (struct sockaddr *)&a.at, a.len), 0);
	ends[1] = accept(fd, NULL, NULL);
	assert_true(ends[1] >= 0);
	close(fd);
}

static void
close_both(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static void
reset(int fd)
{
	struct linger now = { .l_onoff = 1 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
}

static void
is_text(const char *in, const char *want, int family)
{
	struct address a = address(in, 4660);
	char text[FD_ADDRESS_MAX];

	address_text(&a, text);
	assert_string_equal(text, want);
	assert_int_equal(address_family(&a), family);
	assert_int_equal(address_port(&a), 4660);
}

static void
addresses_are_text_and_back(void **state)
{
	(void)state;
	is_text("192.0.2.1", "192.0.2.1", AF_INET);
	is_text("2001:DB8:0:0::1", "2001:db8::1", AF_INET6);
	is_text("::ffff:192.0.2.1", "192.0.2.1", AF_INET);
	is_text("1111:2222:3333:4444:5555:6666:7777:8888",
	    "1111:2222:3333:4444:5555:6666:7777:8888", AF_INET6);
}

static void
what_is_no_address(void **state)
{
	static const char *const wrong[] = { "", "127.1", "0x7f.0.0.1", "192.0.2.1.", "192.0.2.256",
	    " 192.0.2.1",
		"2001:db8::1%lo", "[::1]", "::1::", "localhost", "192.0.2.1:25",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee" };
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(address_read(&a, span_of(wrong[i]), 25), -1);
	assert_int_equal(address_read(&a, SPAN("192.0.2.1\0"), 25), -1);
}

static void
the_unspecified_address(void **state)
{
	static const char *const others[] = { "0.0.0.1", "127.0.0.1", "::1", "::ffff:0.0.0.1" };
	struct address a, none = { .len = 0 };

	(void)state;
	a = address("0.0.0.0", 25);
	assert_true(address_is_unspecified(&a));
	a = address("::", 25);
	assert_true(address_is_unspecified(&a));
	a = address("::ffff:0.0.0.0", 25);
	assert_true(address_is_unspecified(&a));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		a = address(others[i], 0);
		assert_false(address_is_unspecified(&a));
	}
	assert_false(address_is_unspecified(&none));
}

/* statement 44: an address has one form, whatever it was made from */
static void
threat_44_mapped_addresses_are_ipv4(void **state)
{
	static const uint8_t octets[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct address want = address("192.0.2.1", 40025), a;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(40025),
		.sin6_scope_id = 3 };

	(void)state;
	a = address("::FFFF:c000:201", 40025);
	assert_int_equal(a.len, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	address_make(&a, span(octets, 16), 40025);
	assert_int_equal(a.len, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	memcpy(&in6.sin6_addr, octets, 16);
	address_from(&a, &in6, sizeof(in6));
	assert_int_equal(a.len, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	address_from(&a, &want.at, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	/* another one stays what it is, its device as well */
	in6.sin6_addr.s6_addr[9] = 1;
	address_from(&a, &in6, sizeof(in6));
	assert_int_equal(a.len, sizeof(in6));
	assert_memory_equal(&a.at, &in6, sizeof(in6));
}

static void
what_is_no_socket_address(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr local = { .sa_family = AF_UNIX };
	struct address a;

	(void)state;
	address_from(&a, &in, sizeof(in) - 1);
	assert_int_equal(a.len, 0);
	address_from(&a, &in6, sizeof(in6) - 1);
	assert_int_equal(a.len, 0);
	address_from(&a, &local, sizeof(local));
	assert_int_equal(a.len, 0);
	address_from(&a, &in, 0);
	assert_int_equal(a.len, 0);
	address_make(&a, span("12345", 5), 25);
	assert_int_equal(a.len, 0);
	address_make(&a, span(NULL, 0), 25);
	assert_int_equal(a.len, 0);
}

/* statement 44 */
static void
threat_44_both_ends_in_one_family(void **state)
{
	static const struct { const char *text; int family; const char *want; } cases[] = {
		{ "192.0.2.1", AF_INET, "192.0.2.1" },
		{ "192.0.2.1", AF_INET6, "64:ff9b::c000:201" },
		{ "2001:db8::1", AF_INET6, "2001:db8::1" },
		{ "2001:db8::1", AF_INET, "192.0.0.8" },
		{ "192.0.2.1", AF_UNSPEC, "192.0.2.1" },
	};
	char text[FD_ADDRESS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address a = address(cases[i].text, 25);

		address_join_family(&a, cases[i].family);
		address_text(&a, text);
		assert_string_equal(text, cases[i].want);
		assert_int_equal(address_port(&a), 25);
	}
}

static void
loopback_and_the_same_host(void **state)
{
	static const struct { const char *text; bool loopback; } hosts[] = {
		{ "127.0.0.1", true }, { "127.255.0.1", true }, { "128.0.0.1", false }, { "::1",
		    true },
		{ "::ffff:127.0.0.9", true }, { "::", false }, { "::ffff:10.0.0.1", false },
		    { "2001:db8::1", false },
	};
	struct address a, b, none = { .len = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		a = address(hosts[i].text, 25);
		assert_int_equal(address_is_loopback(&a), hosts[i].loopback);
	}
	assert_false(address_is_loopback(&none));
	assert_false(address_same_host(&none, &none));
	a = address("192.0.2.1", 25);
	b = address("::ffff:192.0.2.1", 26);
	assert_true(address_same_host(&a, &b));
	b = address("192.0.2.2", 25);
	assert_false(address_same_host(&a, &b));
	b = address("2001:db8::1", 25);
	assert_false(address_same_host(&a, &b));
}

static void
peers_and_our_own_end(void **state)
{
	struct address peer, own;
	char text[FD_ADDRESS_MAX];
	int ends[2];

	(void)state;
	tcp_pair(ends);
	fd_peer(ends[0], &peer);
	fd_own(ends[1], &own);
	address_text(&peer, text);
	assert_string_equal(text, "127.0.0.1");
	assert_int_not_equal(address_port(&peer), 0);
	assert_int_equal(address_port(&peer), address_port(&own));
	close_both(ends);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fd_peer(ends[0], &peer);
	assert_int_equal(peer.len, 0);
	address_text(&peer, text);
	assert_string_equal(text, "");
	assert_int_equal(address_port(&peer), 0);
	assert_int_equal(address_family(&peer), AF_UNSPEC);
	close_both(ends);
	fd_peer(ends[0], &peer);
	assert_int_equal(peer.len, 0);
}

static void
kinds_of_descriptors(void **state)
{
	int ends[2], fd = listener();

	(void)state;
	assert_int_equal(fd_kind(fd), FD_LISTENING);
	close(fd);
	assert_int_equal(fd_kind(fd), FD_OTHER);
	tcp_pair(ends);
	assert_int_equal(fd_kind(ends[1]), FD_CONNECTED);
	close_both(ends);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fd_kind(ends[0]), FD_CONNECTED);
	close_both(ends);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_kind(ends[0]), FD_OTHER);
	close_both(ends);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(fd_kind(fd), FD_OTHER);
	close(fd);
}

/* statement 31: a client that resets at once is not taken for somebody at the terminal */
static void
threat_31_a_reset_client_is_still_a_socket(void **state)
{
	struct address peer;
	int ends[2];

	(void)state;
	tcp_pair(ends);
	assert_int_equal(write(ends[0], "MAIL", 4), 4);
	reset(ends[0]);
	assert_int_equal(fd_wait(ends[1], POLLHUP, clock_ms() + 10000), 0);
	assert_int_equal(fd_kind(ends[1]), FD_CONNECTED);
	fd_peer(ends[1], &peer);
	assert_int_equal(peer.len, 0);
	assert_int_equal(fd_prepare(ends[1]), 0);
	close(ends[1]);
}

static void
preparing(void **state)
{
	int ends[2], on = 0;
	socklen_t len = sizeof(on);

	(void)state;
	tcp_pair(ends);
	assert_int_equal(fd_prepare(ends[0]), 0);
	assert_true(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(getsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_true(on);
	close_both(ends);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_prepare(ends[0]), 0);
	assert_true(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
	close_both(ends);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fd_prepare(ends[0]), 0);
	close_both(ends);
	assert_int_equal(fd_prepare(ends[0]), -1);
	assert_int_equal(errno, EBADF);
}

static void
the_same_file(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	int copy = dup(ends[0]);
	assert_true(fd_same(ends[0], copy));
	assert_false(fd_same(ends[0], ends[1]));
	close_both(ends);
	assert_false(fd_same(ends[0], ends[1]));
	assert_false(fd_same(ends[0], copy));
	close(copy);
}

static void
reading(void **state)
{
	uint8_t mem[8];
	struct buf b;
	int ends[2];

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	tcp_pair(ends);
	fd_prepare(ends[0]);
	assert_int_equal(fd_read(ends[0], &b), FD_WAIT);
	assert_int_equal(write(ends[1], "0123456789", 10), 10);
	shutdown(ends[1], SHUT_WR);
	assert_int_equal(fd_wait(ends[0], POLLIN | POLLRDHUP, clock_ms() + 10000), 0);
	assert_int_equal(fd_read(ends[0], &b), FD_DONE);
	assert_span(buf_peek(&b), "01234567");
	assert_int_equal(fd_read(ends[0], &b), FD_WAIT);	/* no room is not the end */
	buf_take(&b, 6);
	assert_int_equal(fd_read(ends[0], &b), FD_DONE);
	assert_span(buf_peek(&b), "6789");
	assert_int_equal(fd_read(ends[0], &b), FD_EOF);
	close_both(ends);

	tcp_pair(ends);
	fd_prepare(ends[0]);
	reset(ends[1]);
	fd_wait(ends[0], POLLIN, clock_ms() + 10000);
	assert_int_equal(fd_read(ends[0], &b), FD_BROKEN);
	close(ends[0]);
}

static void
writing(void **state)
{
	static uint8_t mem[4 << 20];
	struct buf b;
	int ends[2];

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fd_prepare(ends[0]);
	assert_int_equal(fd_write(ends[0], &b), FD_DONE);
	buf_put(&b, SPAN("abc"));
	assert_int_equal(fd_write(ends[0], &b), FD_DONE);
	assert_int_equal(buf_len(&b), 0);
	buf_added(&b, sizeof(mem));
	assert_int_equal(fd_write(ends[0], &b), FD_WAIT);
	assert_true(buf_len(&b) > 0 && buf_len(&b) < sizeof(mem));
	close(ends[1]);
	assert_int_equal(fd_write(ends[0], &b), FD_BROKEN);
	close(ends[0]);
}

/* statements 1 and 2 rest on this */
static void
threat_01_octets_that_wait_are_seen_and_not_taken(void **state)
{
	char octet;
	int ends[2];

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		if (kind == 0)
			tcp_pair(ends);
		else if (kind == 1)
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		else
			assert_int_equal(pipe(ends), 0);
		assert_false(fd_has_octets(ends[0]));
		assert_int_equal(write(ends[1], "x", 1), 1);
		fd_wait(ends[0], POLLIN, clock_ms() + 10000);
		assert_true(fd_has_octets(ends[0]));
		assert_true(fd_has_octets(ends[0]));
		assert_int_equal(read(ends[0], &octet, 1), 1);
		assert_false(fd_has_octets(ends[0]));
		close(ends[1]);
		fd_wait(ends[0], POLLIN, clock_ms() + 10000);
		assert_false(fd_has_octets(ends[0]));		/* an end is not an octet */
		close(ends[0]);
		assert_false(fd_has_octets(ends[0]));
	}
}

static void
last_words(void **state)
{
	static char big[4 << 20];
	char text[8];
	int ends[2];

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		if (kind == 0)
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		else
			assert_int_equal(pipe(ends), 0);
		assert_int_equal(fd_write_all(ends[1], SPAN("421 no\r\n"), 10000), 0);
		assert_int_equal(read(ends[0], text, 8), 8);
		assert_memory_equal(text, "421 no\r\n", 8);
		/* nobody reads: the descriptor blocks, and yet it ends */
		assert_int_equal(fd_write_all(ends[1], span(big, sizeof(big)), 20), -1);
		assert_int_equal(errno, ETIMEDOUT);
		close(ends[0]);
		assert_int_equal(fd_write_all(ends[1], SPAN("x"), 10000), -1);
		assert_int_equal(errno, EPIPE);
		close(ends[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_text_and_back),
		cmocka_unit_test(what_is_no_address),
		cmocka_unit_test(the_unspecified_address),
		cmocka_unit_test(threat_44_mapped_addresses_are_ipv4),
		cmocka_unit_test(what_is_no_socket_address),
		cmocka_unit_test(threat_44_both_ends_in_one_family),
		cmocka_unit_test(loopback_and_the_same_host),
		cmocka_unit_test(peers_and_our_own_end),
		cmocka_unit_test(kinds_of_descriptors),
		cmocka_unit_test(threat_31_a_reset_client_is_still_a_socket),
		cmocka_unit_test(preparing),
		cmocka_unit_test(the_same_file),
		cmocka_unit_test(reading),
		cmocka_unit_test(writing),
		cmocka_unit_test(threat_01_octets_that_wait_are_seen_and_not_taken),
		cmocka_unit_test(last_words),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
