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

/* Makes both ends of a TCP connection over loopback. */
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
peers_and_our_own_end(void **state)
{
	struct address peer, own;
	char text[ADDRESS_TEXT_MAX];
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

/* statement 31: a client that resets at once is not taken for a terminal */
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
	assert_int_equal(fd_read(ends[0], &b), FD_WAIT);	/* no room is not end of file */
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

/* statements 1 and 2 depend on this */
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
		assert_false(fd_has_octets(ends[0]));		/* end of file is not an octet */
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
		/* the descriptor blocks and nobody reads, yet the call returns */
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
