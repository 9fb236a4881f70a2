/* Accepting connections: limits for all clients together and for one client. */
#include "servers.h"

#include "children.h"

#include <arpa/inet.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

static void
close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static void
no_more_than_sessions(void **state)
{
	int fds[3];

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions = 3;
	start(LONG_MS);
	fds[0] = served("127.0.0.1");
	fds[1] = served("127.0.0.2");
	fds[2] = served("127.0.0.3");
	turned_away("127.0.0.4");
	turned_away("127.0.0.4");
	close(fds[1]);
	fds[1] = served_in_the_end("127.0.0.4");
	turned_away("127.0.0.5");
	close_all(fds, 3);
}

static void
no_more_than_sessions_of_a_client(void **state)
{
	int fds[3];

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions_per_client = 2;
	start(LONG_MS);
	fds[0] = served("127.0.0.1");
	fds[1] = served("127.0.0.1");
	turned_away("127.0.0.1");
	fds[2] = served("127.0.0.2");	/* another address is another client */
	close(fds[0]);
	fds[0] = served_in_the_end("127.0.0.1");
	turned_away("127.0.0.1");
	close_all(fds, 3);
}

/* A proxy connects for many clients, so it is not limited as one. */
static void
a_proxy_is_no_client(void **state)
{
	int fds[3];

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions = 3;
	server.settings.sessions_per_client = 1;
	assert_int_equal(settings_option(&server.settings, "proxy-from=127.0.0.8/30"), 0);
	start(LONG_MS);
	for (int i = 0; i < 3; i++)
		fds[i] = served("127.0.0.9");
	turned_away("127.0.0.9");
	close_all(fds, 3);
}

/* In our own network namespace: adds this address to the loopback device. */
static void
add_address(const char *text)
{
	struct in6_ifreq request = { .ifr6_prefixlen = 128, .ifr6_ifindex = 1 };
	struct address a = address(text, 0);
	struct ifreq up;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	int64_t deadline_ms = clock_ms() + PATIENCE_MS;

	memset(&up, 0, sizeof(up));
	strcpy(up.ifr_name, "lo");
	up.ifr_flags = IFF_UP | IFF_RUNNING;
	need_or_skip(fd >= 0 && inet_pton(AF_INET6, text, &request.ifr6_addr) == 1 &&
	    ioctl(fd, SIOCSIFFLAGS, &up) == 0 && ioctl(fd, SIOCSIFADDR, &request) == 0);
	/* the kernel needs some time */
	while (bind(fd, (struct sockaddr *)&a.at, a.len) < 0)
		need(clock_ms() < deadline_ms);
	close(fd);
}

static void
in_a_network(void)
{
	need_or_skip(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	add_address("2001:db8:1:1::1");
	add_address("2001:db8:1:1:ffff:ffff:ffff:ffff");
	add_address("2001:db8:1:2::1");
	listen_on("2001:db8:1:2::1");
	server.settings.sessions_per_client = 2;
	start(LONG_MS);
	need(hears("2001:db8:1:1::1", SERVED));
	need(hears("2001:db8:1:1:ffff:ffff:ffff:ffff", SERVED));
	need(hears("2001:db8:1:1::1", TURNED_AWAY));
	need(hears("2001:db8:1:2::1", SERVED));	/* another /64 is another client */
}

static void
an_ipv6_client_is_a_64(void **state)
{
	(void)state;
	in_child(in_a_network);
}

/* On a listener for both families, IPv4 clients are not all in one /64. */
static void
ipv4_by_an_ipv6_listener(void **state)
{
	(void)state;
	listen_on("::");
	server.settings.sessions_per_client = 1;
	start(LONG_MS);
	server.at = address("127.0.0.1", address_port(&server.at));
	int first = served("127.0.0.1"), second = served("127.0.0.2");
	turned_away("127.0.0.1");
	close(first);
	close(second);
}

/* A client or proxy that has already sent something gets the reply instead of a reset. */
static void
turned_away_in_the_middle_of_a_word(void **state)
{
	int error = -1;
	socklen_t len = sizeof(error);

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions = 1;
	start(LONG_MS);
	int first = served("127.0.0.1");
	kill(server.pid, SIGSTOP);
	int fd = call("127.0.0.1");
	assert_int_equal(write(fd, "EHLO x\r\n", 8), 8);
	kill(server.pid, SIGCONT);
	turned_away("127.0.0.1");	/* so that the server is done with the other one */
	assert_string_equal(hear(fd), TURNED_AWAY);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, 0);
	close(fd);
	close(first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(no_more_than_sessions),
		WITH_SERVER(no_more_than_sessions_of_a_client),
		WITH_SERVER(a_proxy_is_no_client),
		WITH_SERVER(an_ipv6_client_is_a_64),
		WITH_SERVER(ipv4_by_an_ipv6_listener),
		WITH_SERVER(turned_away_in_the_middle_of_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
