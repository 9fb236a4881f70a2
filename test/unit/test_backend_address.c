/* A backend at an address: from where it is connected to, and what it is told of the client. */
#include "backends.h"
#include "emulated.h"

#include "sys/fd.h"


/*
 * Binds a socket to `bind_at` and names it as the backend by `call_at`; also for use in a child.
 */
static int
backend_at(const char *bind_at, const char *call_at)
{
	struct address at;
	char assignment[128];
	int fd = bound_to(bind_at);

	if (fd < 0)
		return -1;
	fd_own(fd, &at);
	snprintf(assignment, sizeof(assignment), "backend=%s:%u", call_at, address_port(&at));
	if (settings_option(&s, assignment) < 0)
		abort();
	return fd;
}

/* Returns the backend's end of the connection that backend_open() makes. */
static int
open_backend(const char *listen_at, const char *call_at, const struct client_info *c)
{
	int listener = backend_at(listen_at, call_at);

	if (listener < 0)
		skip();
	assert_int_equal(listen(listener, 1), 0);
	if (backend_open(&m, no_program, &s, c) < 0)
		fail_msg("%s: %s: %s", s.backend, m.error, strerror(errno));
	assert_int_equal(m.pid, 0);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(fd, -1);
	close(listener);
	return fd;
}

static void
assert_peer(int fd, const char *want)
{
	char text[ADDRESS_TEXT_MAX];
	struct address peer;

	fd_peer(fd, &peer);
	address_text(&peer, text);
	assert_string_equal(text, want);
}

static void
called_from(const char *listen_at, const char *call_at, const char *want)
{
	struct client_info c = client("198.51.100.77", "192.0.2.1");
	int fd = open_backend(listen_at, call_at, &c);

	assert_peer(fd, want);
	assert_true(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(m.fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	close(m.fd);
}

/* statement 31: sendmail and others relay for 127.0.0.1, which 0.0.0.0 reaches too */
static void
threat_31_loopback_is_reached_from_an_untrusted_address(void **state)
{
	(void)state;
	set("client-address=none");
	called_from("127.0.0.1", "127.0.0.1", "127.0.0.25");
	called_from("127.0.0.2", "127.0.0.2", "127.0.0.25");
	called_from("127.255.255.254", "127.255.255.254", "127.0.0.25");
	called_from("127.0.0.25", "127.0.0.25", "127.0.0.25");
	called_from("0.0.0.0", "0.0.0.0", "127.0.0.25");
	called_from("127.0.0.1", "[::ffff:127.0.0.1]", "127.0.0.25");
}

/* statement 31: an untrusted source address too, in case the backend skips the header */
static void
threat_31_nor_is_it_by_header_alone(void **state)
{
	(void)state;
	set("client-address=proxy-v1");
	called_from("127.0.0.1", "127.0.0.1", "127.0.0.25");
	set("client-address=proxy-v2");
	called_from("127.0.0.1", "127.0.0.1", "127.0.0.25");
}

/* statement 31: without the client's address in the header, the backend would use ours */
static void
threat_31_no_address_no_header(void **state)
{
	static const char *const ways[] = { "client-address=proxy-v1", "client-address=proxy-v2" };
	struct client_info nobody = { .by_hand = false };
	struct client_info two_families = client("198.51.100.77", "2001:db8::1");
	const struct client_info *const callers[] = { &nobody, &two_families };
	char octet;
	int listener = backend_at("127.0.0.1", "127.0.0.1");

	(void)state;
	assert_int_equal(listen(listener, 1), 0);
	for (size_t i = 0; i < 4; i++) {
		set(ways[i % 2]);
		assert_int_equal(backend_open(&m, no_program, &s, callers[i / 2]), -1);
		assert_int_equal(m.error_number, 0);
		assert_non_null(strstr(m.error, "client-address = none"));
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_int_equal(recv(fd, &octet, 1, 0), 0);
		close(fd);
	}
	close(listener);
}

/* In a namespace with known addresses. */
static void
open_own_addresses(void)
{
	static const char *const own[] = { "192.0.2.1", "192.0.2.9", "10.1.2.3" };
	struct client_info c = client("198.51.100.77", "192.0.2.1");
	struct address peer;
	char text[ADDRESS_TEXT_MAX];

	need_or_skip(unshare(CLONE_NEWNET) == 0);
	need_or_skip(
	    system(
		"ip link set lo up && "
		"ip address add 192.0.2.1/24 dev lo && ip address add 192.0.2.9/24 dev lo && "
		"ip route add local 10.0.0.0/8 dev lo && ip address add 2001:db8::1/128 dev lo nodad") ==
	    0);
	need(settings_option(&s, "client-address=none") == 0);
	for (size_t i = 0; i < COUNT(own); i++) {
		int listener = backend_at(own[i], own[i]);

		need(listener >= 0 && listen(listener, 1) == 0);
		need(backend_open(&m, no_program, &s, &c) == 0);
		int fd = accept(listener, NULL, NULL);
		fd_peer(fd, &peer);
		address_text(&peer, text);
		need(strcmp(text, "127.0.0.25") == 0);
		close(listener);
	}
	need(settings_option(&s, "backend=[2001:db8::1]:25") == 0);
	need(backend_open(&m, no_program, &s, &c) < 0);
	need(strstr(m.error, "IPv6 address of this host") != NULL);
	/* not our own address */
	need(settings_option(&s, "backend=[2001:db8::2]:25") == 0);
	need(backend_check(&m, no_program, &s) == 0);
}

/* statement 31: mailers relay for their own addresses as for 127.0.0.1 */
static void
threat_31_own_addresses_are_reached_from_an_untrusted_one(void **state)
{
	(void)state;
	as_root(open_own_addresses);
}

/* statement 31: IPv6 has one loopback address, so none is untrusted */
static void
threat_31_own_ipv6_addresses_need_client_info(void **state)
{
	static const char *const backends[] = { "backend=[::1]:25", "backend=[::]:25" };

	(void)state;
	for (size_t i = 0; i < COUNT(backends); i++) {
		set(backends[i]);
		set("client-address=none");
		assert_int_equal(backend_check(&m, no_program, &s), -1);
		assert_non_null(strstr(m.error, "IPv6 address of this host"));
		set("client-address=proxy-v2");
		assert_int_equal(backend_check(&m, no_program, &s), 0);
	}
}

static void
hears_first(const char *way, const void *header, size_t len)
{
	struct client_info c = client("::ffff:198.51.100.77", "::ffff:192.0.2.1");
	uint8_t got[128];

	set(way);
	int fd = open_backend("127.0.0.1", "127.0.0.1", &c);
	assert_int_equal(recv(fd, got, sizeof(got), 0), len);
	assert_memory_equal(got, header, len);
	close(fd);
	close(m.fd);
}

/* statement 31 */
static void
threat_31_proxy_header_comes_first(void **state)
{
	static const char v1[] = "PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\n";
	static const uint8_t v2[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49,
	    0x54, 0x0a, 0x21, 0x11, 0, 12, 198, 51, 100, 77, 192, 0, 2, 1, 0x9c, 0x59, 0, 25 };

	(void)state;
	hears_first("client-address=proxy-v1", v1, sizeof(v1) - 1);
	hears_first("client-address=proxy-v2", v2, sizeof(v2));
}

/* On a listener for both families, an IPv4 client has an IPv4-mapped IPv6 address. */
static void
open_transparent(void)
{
	static const char *const clients[] = { "198.51.100.77", "::ffff:198.51.100.77" };
	struct address peer;
	char text[ADDRESS_TEXT_MAX];

	need_or_skip(unshare(CLONE_NEWNET) == 0);
	need_or_skip(system("ip link set lo up && ip route add local 198.51.100.0/24 dev lo") == 0);
	int listener = backend_at("127.0.0.1", "127.0.0.1");
	need(listener >= 0 && listen(listener, 1) == 0);
	need(settings_option(&s, "client-address=transparent") == 0);
	for (size_t i = 0; i < 2; i++) {
		struct client_info c = { .remote = address(clients[i], (uint16_t)(40025 + i)) };

		need(backend_open(&m, no_program, &s, &c) == 0);
		int fd = accept(listener, NULL, NULL);
		fd_peer(fd, &peer);
		address_text(&peer, text);
		need(strcmp(text, "198.51.100.77") == 0 && address_port(&peer) == 40025 + i);
	}
	struct client_info c = { .remote = address("2001:db8::9", 40025) };
	need(backend_open(&m, no_program, &s, &c) < 0);
	need(strstr(m.error, "family") != NULL);
}

/* statement 31 */
static void
threat_31_transparent_is_the_client_itself(void **state)
{
	(void)state;
	skip_where_emulated();
	as_root(open_transparent);
}

static void
nobody_at_the_address(void **state)
{
	struct client_info c = client("198.51.100.77", "192.0.2.1");
	/* bound and not listening, so that nothing else can listen there */
	int taken = backend_at("127.0.0.1", "127.0.0.1");

	(void)state;
	assert_int_not_equal(taken, -1);
	set("client-address=none");
	assert_int_equal(backend_open(&m, no_program, &s, &c), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_string_equal(m.error, "it cannot be reached");
	assert_int_equal(m.fd, -1);
	close(taken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(threat_31_loopback_is_reached_from_an_untrusted_address),
		TEST(threat_31_nor_is_it_by_header_alone),
		TEST(threat_31_no_address_no_header),
		TEST(threat_31_own_addresses_are_reached_from_an_untrusted_one),
		TEST(threat_31_own_ipv6_addresses_need_client_info),
		TEST(threat_31_proxy_header_comes_first),
		TEST(threat_31_transparent_is_the_client_itself),
		TEST(nobody_at_the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
