#include "unit.h"

#include "base/clock.h"
#include "sys/dial.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

static int
listener(struct address *at)
{
	int fd = socket(at->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at->at, at->len), 0);
	assert_int_equal(listen(fd, 0), 0);
	if (at->at.ss_family != AF_UNIX)
		fd_own(fd, at);
	return fd;
}

static void
is_ready_for_use(int fd)
{
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void
calling(void **state)
{
	struct address at, peer;
	int on = 0;
	socklen_t len = sizeof(on);

	(void)state;
	address_read(&at, SPAN("127.0.0.1"), 0);
	int listening = listener(&at), fd = dial(&at, NULL, 10000);
	is_ready_for_use(fd);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_true(on);
	fd_peer(fd, &peer);
	assert_true(address_same_host(&peer, &at));
	assert_int_equal(address_port(&peer), address_port(&at));
	close(fd);
	close(listening);

	assert_int_equal(dial(&at, NULL, 10000), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

/* statement 31: the backend sees 127.0.0.25, which it does not trust */
static void
threat_31_calling_from_an_address(void **state)
{
	struct address at, from, seen;

	(void)state;
	address_read(&at, SPAN("127.0.0.1"), 0);
	address_read(&from, SPAN("127.0.0.25"), 0);
	int listening = listener(&at), fd = dial(&at, &from, 10000);
	is_ready_for_use(fd);
	int accepted = accept(listening, NULL, NULL);
	fd_peer(accepted, &seen);
	assert_true(address_same_host(&seen, &from));
	close(fd);
	close(accepted);

	address_read(&from, SPAN("192.0.2.1"), 0);
	assert_int_equal(dial(&at, &from, 10000), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	close(listening);
}

/* Connects until the backlog of a listener is full; the next attempt must time out. */
static void
runs_out_of_time(struct address *at)
{
	int listening = listener(at), calls[16], count = 0;
	int64_t begin_ms = 0;

	while (count < 16) {
		begin_ms = clock_ms();
		if ((calls[count] = dial(at, NULL, 100)) < 0)
			break;
		count++;
	}
	assert_int_equal(errno, ETIMEDOUT);
	assert_in_range(count, 1, 15);
	assert_in_range(clock_ms() - begin_ms, 100, 10000);
	while (count-- > 0)
		close(calls[count]);
	close(listening);
}

static void
no_server_answers(void **state)
{
	struct address at;

	(void)state;
	address_read(&at, SPAN("127.0.0.1"), 0);
	runs_out_of_time(&at);
}

static void
local_sockets(void **state)
{
	char dir[] = "/tmp/test_dial.XXXXXX", path[64];
	struct address at;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	assert_int_equal(dial_read_backend(&at, span_of(path)), 0);
	assert_int_equal(dial(&at, NULL, 10000), -1);
	assert_int_equal(errno, ENOENT);
	int listening = listener(&at), fd = dial(&at, NULL, 10000);
	is_ready_for_use(fd);
	close(fd);
	close(listening);
	unlink(path);
	runs_out_of_time(&at);
	unlink(path);
	rmdir(dir);
}

static void
backend_is(const char *text, const char *address, uint16_t port)
{
	struct address a;
	char got[ADDRESS_TEXT_MAX];

	assert_int_equal(dial_read_backend(&a, span_of(text)), 0);
	address_text(&a, got);
	assert_string_equal(got, address);
	assert_int_equal(address_port(&a), port);
}

static void
backends(void **state)
{
	static const char *const wrong[] = { "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
	    "127.0.0.1:65536",
		"127.0.0.1:+25", "127.0.0.1:25:", "127.0.0.1 :25", ":25", "[]:25", "[::1]",
		    "[::1]25", "[::1:25",
		"::1:25", "[127.0.0.1]:25", "localhost:25", "run/socket", "25" };
	struct address a;

	(void)state;
	backend_is("127.0.0.1:10025", "127.0.0.1", 10025);
	backend_is("127.0.0.1:65535", "127.0.0.1", 65535);
	backend_is("[::1]:1", "::1", 1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (dial_read_backend(&a, span_of(wrong[i])) == 0)
			fail_msg("%s", wrong[i]);
}

static void
paths_of_backends_have_a_limit(void **state)
{
	struct sockaddr_un local;
	char path[sizeof(local.sun_path) + 1];
	struct address a;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	assert_int_equal(dial_read_backend(&a, span(path, sizeof(local.sun_path) - 1)), 0);
	memcpy(&local, &a.at, sizeof(local));
	assert_int_equal(local.sun_family, AF_UNIX);
	assert_int_equal(strlen(local.sun_path), sizeof(local.sun_path) - 1);
	assert_int_equal(a.len, sizeof(local));
	assert_int_equal(dial_read_backend(&a, span(path, sizeof(local.sun_path))), -1);
	assert_int_equal(dial_read_backend(&a, SPAN("/a\0b")), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calling),
		cmocka_unit_test(threat_31_calling_from_an_address),
		cmocka_unit_test(no_server_answers),
		cmocka_unit_test(local_sockets),
		cmocka_unit_test(backends),
		cmocka_unit_test(paths_of_backends_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
