#include "unit.h"

#include "base/clock.h"
#include "scratch.h"
#include "base/octets.h"
#include "sys/nameserver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct nameservers servers;
static uint8_t answer[DNS_MESSAGE_MAX];
static size_t answer_len;

/* Binds a socket to 127.0.0.1, at any port or at that of another socket. */
static int
bound(int type, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&at, len) < 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void
read_servers(const char *text, uint16_t port)
{
	FILE *file = fopen(scratch_path("resolv.conf"), "w");

	fputs(text, file);
	fclose(file);
	nameservers_read(&servers, scratch_path("resolv.conf"), port);
}

/* Answers each query with these flags, after a message that answers no query. */
static pid_t
serve(int fd, unsigned int flags)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (;;) {
		uint8_t message[512];
		struct sockaddr_in from;
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(fd, message, sizeof(message), 0, (struct sockaddr *)&from,
		    &from_len);

		if (len < 12)
			_exit(1);
		sendto(fd, message, (size_t)len, 0, (struct sockaddr *)&from, from_len);
		octets_put16(message + 2, (uint16_t)flags);
		message[0] ^= 1;
		sendto(fd, message, (size_t)len, 0, (struct sockaddr *)&from, from_len);
		message[0] ^= 1;
		sendto(fd, message, (size_t)len, 0, (struct sockaddr *)&from, from_len);
	}
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int
ask(int64_t patience_ms)
{
	return nameservers_ask(&servers, "example.org", DNS_A, clock_ms() + patience_ms, answer,
	    &answer_len);
}

static void
the_file_names_servers_and_a_domain(void **state)
{
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	read_servers("# nameserver 192.0.2.9\n\nnameserver 192.0.2.1 # first\nsearch old.example\n"
	    "nameserver\nnameserver nonsense\n\tnameserver\t2001:db8::1\ndomain b.example\n"
	    "search c.example d.example\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n", 5353);
	assert_int_equal(servers.count, NAMESERVER_MAX);
	address_text(&servers.at[0], text);
	assert_string_equal(text, "192.0.2.1");
	address_text(&servers.at[1], text);
	assert_string_equal(text, "2001:db8::1");
	address_text(&servers.at[2], text);
	assert_string_equal(text, "192.0.2.3");
	assert_int_equal(address_port(&servers.at[2]), 5353);
	assert_string_equal(servers.search, "c.example d.example");

	nameservers_read(&servers, scratch_path("none"), 53);
	assert_int_equal(servers.count, 1);
	assert_true(address_is_loopback(&servers.at[0]));
}

static void
the_root_is_no_domain_to_search(void **state)
{
	(void)state;
	read_servers("search .\n", 53);
	assert_string_equal(servers.search, "");
	read_servers("search b.example. . c.example\r\n", 53);
	assert_string_equal(servers.search, "b.example c.example");
	read_servers("search b.example\nsearch\n", 53);
	assert_string_equal(servers.search, "");
}

/* A name that just fits, and one that is one octet longer. */
static void
names_to_search_are_whole_or_not_there(void **state)
{
	char text[NAMESERVER_SEARCH_MAX + 32];
	const size_t most = NAMESERVER_SEARCH_MAX - 1 - 2;

	(void)state;
	for (size_t len = most; len <= most + 1; len++) {
		snprintf(text, sizeof(text), "search b %0*d.\n", (int)len, 0);
		read_servers(text, 53);
		assert_int_equal(strlen(servers.search),
		    len == most ? NAMESERVER_SEARCH_MAX - 1 : 1);
	}
}

static void
the_first_that_answers_is_asked_first_the_next_time(void **state)
{
	uint16_t port = 0;
	int fd = bound(SOCK_DGRAM, &port);
	pid_t pid = serve(fd, 0x8183);

	(void)state;
	close(fd);
	read_servers("nameserver 127.0.0.2\nnameserver 127.0.0.1\n", port);
	assert_int_equal(ask(20000), 0);
	assert_int_equal(dns_code(span(answer, answer_len)), DNS_NXDOMAIN);
	end(pid);
	address_text(&servers.at[0], (char *)answer);
	assert_string_equal((char *)answer, "127.0.0.1");
}

static void
failures_are_no_answers(void **state)
{
	/* SERVFAIL, REFUSED; NOERROR and NXDOMAIN without recursion and without authority */
	static const unsigned int flags[] = { 0x8182, 0x8185, 0x8100, 0x8103 };

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		uint16_t port = 0;
		int fd = bound(SOCK_DGRAM, &port);
		pid_t pid = serve(fd, flags[i]);

		close(fd);
		read_servers("nameserver 127.0.0.1\n", port);
		assert_int_equal(ask(20000), -1);
		end(pid);
	}
}

static void
silence_lasts_until_the_deadline_and_no_longer(void **state)
{
	uint16_t port = 0;
	int fd = bound(SOCK_DGRAM, &port);
	int64_t begun = clock_ms();

	(void)state;
	read_servers("nameserver 127.0.0.1\n", port);
	assert_int_equal(ask(200), -1);
	assert_in_range(clock_ms() - begun, 190, 2000);
	assert_int_equal(ask(0), -1);
	assert_int_equal(ask(-5000), -1);
	close(fd);
}

/* Over TCP: sends `said` octets of an answer after the length of all of it. */
static void
cut_answers_come_again(size_t said, int expected)
{
	uint16_t port = 0;
	int fd = bound(SOCK_DGRAM, &port), listener;

	/* the TCP port with that number may be in use */
	while ((listener = bound(SOCK_STREAM, &port)) < 0) {
		close(fd);
		port = 0;
		fd = bound(SOCK_DGRAM, &port);
	}
	listen(listener, 1);
	pid_t pid = serve(fd, 0x8380), stream = fork();
	if (stream == 0) {
		uint8_t message[512];
		int client = accept(listener, NULL, NULL);
		ssize_t len = client < 0 ? -1 : recv(client, message, sizeof(message), 0);

		if (len < 14)
			_exit(1);
		octets_put16(message + 4, 0x8180);
		send(client, message, said < (size_t)len ? said : (size_t)len, 0);
		_exit(0);
	}
	close(fd);
	close(listener);
	read_servers("nameserver 127.0.0.1\n", port);
	assert_int_equal(ask(20000), expected);
	end(pid);
	end(stream);
}

static void
what_did_not_fit_comes_over_tcp(void **state)
{
	(void)state;
	cut_answers_come_again(512, 0);
	assert_false(dns_is_cut(span(answer, answer_len)));
}

static void
half_of_it_over_tcp_is_nothing(void **state)
{
	(void)state;
	cut_answers_come_again(1, -1);
	cut_answers_come_again(20, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_file_names_servers_and_a_domain),
		cmocka_unit_test(the_root_is_no_domain_to_search),
		cmocka_unit_test(names_to_search_are_whole_or_not_there),
		cmocka_unit_test(the_first_that_answers_is_asked_first_the_next_time),
		cmocka_unit_test(failures_are_no_answers),
		cmocka_unit_test(silence_lasts_until_the_deadline_and_no_longer),
		cmocka_unit_test(what_did_not_fit_comes_over_tcp),
		cmocka_unit_test(half_of_it_over_tcp_is_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
