#include "unit.h"

#include "children.h"
#include "mailer.h"
#include "sys/fd.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/syscall.h>

#define PATIENCE_MS 10000

static struct mailer m;
static struct settings s;
static struct session session;
static char *no_program[] = { NULL };
/* this very file, which then says who its peer is */
static char *shows_peer[] = { "/proc/self/exe", "peer", NULL };

static int
prepare(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	settings_defaults(&s);
	s.connect_timeout_ms = PATIENCE_MS;
	return 0;
}

static int
release(void **state)
{
	(void)state;
	settings_free(&s);
	return 0;
}

static void
set(const char *assignment)
{
	if (settings_option(&s, assignment) == -1)
		fail_msg("%s", s.error);
}

/* Refused, with these words and none of those in the error. */
static void
refused(char *const argv[], const char *const words[])
{
	errno = 0;
	assert_int_equal(mailer_check(&m, argv, &s), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(m.error);
	for (; *words != NULL; words++)
		if (strstr(m.error, *words) == NULL)
			fail_msg("no \"%s\" in: %s", *words, m.error);
	assert_null(strchr(m.error, '\n'));
}

#define refused_with(argv, ...) refused(argv, (const char *const[]){ __VA_ARGS__, NULL })

static void
one_mailer_and_no_more(void **state)
{
	(void)state;
	refused_with(no_program, "program", "backend");
	set("backend=127.0.0.1:25");
	set("client-address=none");
	refused_with(shows_peer, "program", "backend", "only one");
}

/* statement 31: what would be guessed is an error that names what can be chosen */
static void
threat_31_auto_does_not_guess_for_addresses(void **state)
{
	static const char *const backends[] = { "backend=127.0.0.1:25", "backend=[::1]:25",
	    "backend=192.0.2.1:25", "backend=/run/mailer" };

	(void)state;
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		set(backends[i]);
		set("client-address=auto");
		refused_with(no_program, "client-address = auto", "none", "proxy-v1", "proxy-v2",
		    "xclient", "transparent", "-t");
		assert_string_equal(m.text, s.backend);
		set("client-address=netns");
		refused_with(no_program, "client-address = netns", "program", "none", "proxy-v2",
		    "xclient");
	}
}

static void
each_way_for_what_can_take_it(void **state)
{
	static const char *const for_both[] = { "client-address=none" };
	static const char *const for_programs[] = { "client-address=auto", "client-address=netns" };
	static const char *const for_addresses[] = { "client-address=proxy-v1",
	    "client-address=proxy-v2", "client-address=xclient", "client-address=transparent" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		set(for_programs[i]);
		assert_int_equal(mailer_check(&m, shows_peer, &s), 0);
		assert_string_equal(m.text, shows_peer[0]);
	}
	for (size_t i = 0; i < 4; i++) {
		set(for_addresses[i]);
		refused_with(shows_peer, "backend", "netns", "none");
	}
	set(for_both[0]);
	assert_int_equal(mailer_check(&m, shows_peer, &s), 0);
	set("backend=[::1]:25");
	assert_int_equal(mailer_check(&m, no_program, &s), 0);
	for (size_t i = 0; i < 4; i++) {
		set(for_addresses[i]);
		assert_int_equal(mailer_check(&m, no_program, &s), 0);
	}
	set("backend=/run/mailer");
	refused_with(no_program, "transparent", "TCP", "none");
	assert_int_equal(m.fd, -1);
	assert_int_equal(m.pid, 0);
}

static struct child_caller
caller(const char *remote, uint16_t remote_port, const char *local, uint16_t local_port)
{
	struct child_caller c = { .by_hand = false };

	assert_int_equal(address_read(&c.remote, span_of(remote), remote_port), 0);
	assert_int_equal(address_read(&c.local, span_of(local), local_port), 0);
	return c;
}

/* Its address is put into `s`, and opened; the connection as the mailer sees it. */
static int
open_backend(const char *listen_at, const char *call_at, const struct child_caller *c)
{
	struct address at;
	char assignment[128];

	assert_int_equal(address_read(&at, span_of(listen_at), 0), 0);
	int listener = socket(at.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(listener, -1);
	if (bind(listener, (struct sockaddr *)&at.at, at.len) == -1) {
		close(listener);
		skip();
	}
	assert_int_equal(listen(listener, 1), 0);
	fd_own(listener, &at);
	snprintf(assignment, sizeof(assignment), "backend=%s:%u", call_at, address_port(&at));
	set(assignment);
	if (mailer_open(&m, no_program, &s, c, &session) == -1)
		fail_msg("%s: %s: %s", assignment, m.error, strerror(errno));
	assert_int_equal(m.pid, 0);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(fd, -1);
	close(listener);
	return fd;
}

static void
assert_peer(int fd, const char *want)
{
	char text[FD_ADDRESS_MAX];
	struct address peer;

	fd_peer(fd, &peer);
	address_text(&peer, text);
	assert_string_equal(text, want);
}

static void
called_from(const char *listen_at, const char *call_at, const char *want)
{
	struct child_caller c = caller("198.51.100.77", 40025, "192.0.2.1", 25);
	int fd = open_backend(listen_at, call_at, &c);

	assert_peer(fd, want);
	assert_true(fcntl(m.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(m.fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	close(m.fd);
}

/* statement 31: as a stranger, too, for one that passes over the header */
static void
threat_31_nor_is_it_by_header_alone(void **state)
{
	(void)state;
	set("client-address=proxy-v1");
	called_from("127.0.0.1", "127.0.0.1", "127.0.0.25");
	set("client-address=proxy-v2");
	called_from("127.0.0.1", "127.0.0.1", "127.0.0.25");
}

/* statement 31: a header without the caller's address would have the mailer go by ours */
static void
threat_31_no_address_no_header(void **state)
{
	static const char *const ways[] = { "client-address=proxy-v1", "client-address=proxy-v2" };
	struct address at;
	struct child_caller nobody = { .by_hand = false };
	struct child_caller two_families = caller("198.51.100.77", 40025, "2001:db8::1", 25);
	const struct child_caller *const callers[] = { &nobody, &two_families };
	char assignment[64], octet;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(address_read(&at, SPAN("127.0.0.1"), 0), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at.at, at.len), 0);
	assert_int_equal(listen(listener, 1), 0);
	fd_own(listener, &at);
	snprintf(assignment, sizeof(assignment), "backend=127.0.0.1:%u", address_port(&at));
	set(assignment);
	for (size_t i = 0; i < 4; i++) {
		set(ways[i % 2]);
		assert_int_equal(mailer_open(&m, no_program, &s, callers[i / 2], &session), -1);
		assert_int_equal(errno, EINVAL);
		assert_non_null(strstr(m.error, "client-address = none"));
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_int_equal(recv(fd, &octet, 1, 0), 0);
		close(fd);
	}
	close(listener);
}

/* statement 31: sendmail and others relay for 127.0.0.1, and 0.0.0.0 is another name of it */
static void
threat_31_loopback_is_called_by_a_stranger(void **state)
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

static void
ipv6_loopback_has_one_address(void **state)
{
	(void)state;
	set("client-address=none");
	called_from("::1", "[::1]", "::1");
}

/* statement 31 */
static void
threat_31_proxy_header_comes_first(void **state)
{
	static const char v1[] = "PROXY TCP4 198.51.100.77 192.0.2.1 40025 25\r\n";
	static const uint8_t v2[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49,
	    0x54, 0x0a, 0x21, 0x11, 0, 12, 198, 51, 100, 77, 192, 0, 2, 1, 0x9c, 0x59, 0, 25 };
	struct child_caller c = caller("::ffff:198.51.100.77", 40025, "::ffff:192.0.2.1", 25);
	uint8_t got[128];

	(void)state;
	set("client-address=proxy-v1");
	int fd = open_backend("127.0.0.1", "127.0.0.1", &c);
	assert_int_equal(recv(fd, got, sizeof(got), 0), sizeof(v1) - 1);
	assert_memory_equal(got, v1, sizeof(v1) - 1);
	close(fd);
	close(m.fd);
	set("client-address=proxy-v2");
	fd = open_backend("127.0.0.1", "127.0.0.1", &c);
	assert_int_equal(recv(fd, got, sizeof(got), 0), sizeof(v2));
	assert_memory_equal(got, v2, sizeof(v2));
	close(fd);
	close(m.fd);
}

/* A client of a listener for both families has an IPv4 address in IPv6's clothes. */
static void
open_transparent(void)
{
	static const char *const clients[] = { "198.51.100.77", "::ffff:198.51.100.77" };
	struct address at, peer;
	char assignment[64], text[FD_ADDRESS_MAX];

	need_or_skip(unshare(CLONE_NEWNET) == 0);
	need_or_skip(system("ip link set lo up && ip route add local 198.51.100.0/24 dev lo") == 0);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(listener != -1);
	need(address_read(&at, SPAN("127.0.0.1"), 0) == 0);
	need(bind(listener, (struct sockaddr *)&at.at, at.len) == 0 && listen(listener, 1) == 0);
	fd_own(listener, &at);
	snprintf(assignment, sizeof(assignment), "backend=127.0.0.1:%u", address_port(&at));
	need(settings_option(&s, assignment) == 0);
	need(settings_option(&s, "client-address=transparent") == 0);
	for (size_t i = 0; i < 2; i++) {
		struct child_caller c = { .by_hand = false };

		need(address_read(&c.remote, span_of(clients[i]), (uint16_t)(40025 + i)) == 0);
		need(mailer_open(&m, no_program, &s, &c, &session) == 0);
		int fd = accept(listener, NULL, NULL);
		fd_peer(fd, &peer);
		address_text(&peer, text);
		need(strcmp(text, "198.51.100.77") == 0 && address_port(&peer) == 40025 + i);
	}
	struct child_caller c = { .by_hand = false };
	need(address_read(&c.remote, SPAN("2001:db8::9"), 40025) == 0);
	need(mailer_open(&m, no_program, &s, &c, &session) == -1);
	need(strstr(m.error, "family") != NULL);
}

/* statement 31 */
static void
threat_31_transparent_is_the_client_itself(void **state)
{
	(void)state;
	as_root(open_transparent);
}

static void
nobody_at_the_address(void **state)
{
	struct child_caller c = caller("198.51.100.77", 40025, "192.0.2.1", 25);
	struct address at;
	char assignment[64];
	int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	/* bound and not listening: nobody else can be there */
	assert_int_equal(address_read(&at, SPAN("127.0.0.1"), 0), 0);
	assert_int_equal(bind(taken, (struct sockaddr *)&at.at, at.len), 0);
	fd_own(taken, &at);
	snprintf(assignment, sizeof(assignment), "backend=127.0.0.1:%u", address_port(&at));
	set(assignment);
	set("client-address=none");
	assert_int_equal(mailer_open(&m, no_program, &s, &c, &session), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_string_equal(m.error, "it cannot be reached");
	assert_int_equal(m.fd, -1);
	close(taken);
}

/* What the program says of its peer. */
static void
said(const char *want)
{
	char got[128] = "";
	size_t len = 0;
	ssize_t more;
	int status;
	struct pollfd set = { .fd = m.fd, .events = POLLIN };

	while (poll(&set, 1, PATIENCE_MS) == 1 &&
	    (more = read(m.fd, got + len, sizeof(got) - 1 - len)) > 0)
		len += (size_t)more;
	got[len] = '\0';
	close(m.fd);
	assert_true(m.pid > 0);
	assert_int_equal(waitpid(m.pid, &status, 0), m.pid);
	assert_int_equal(status, 0);
	assert_string_equal(got, want);
}

static void
open_program(const struct child_caller *c)
{
	if (mailer_open(&m, shows_peer, &s, c, &session) == 0)
		return;
	assert_non_null(strstr(m.error, "namespace"));
	skip();
}

/* statement 31 */
static void
threat_31_a_program_sees_the_true_client(void **state)
{
	static const char *const ways[] = { "client-address=auto", "client-address=netns" };
	struct child_caller v4 = caller("198.51.100.77", 40025, "192.0.2.1", 25);
	struct child_caller v6 = caller("2001:db8::9", 40025, "2001:db8::1", 25);
	struct child_caller mapped = caller("::ffff:198.51.100.77", 40025, "::ffff:192.0.2.1", 25);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		set(ways[i]);
		open_program(&v4);
		said("198.51.100.77 40025");
		open_program(&v6);
		said("2001:db8::9 40025");
		open_program(&mapped);
		said("198.51.100.77 40025");
	}
}

static void
a_socket_pair_where_there_is_no_client_to_show(void **state)
{
	struct child_caller c = caller("198.51.100.77", 40025, "192.0.2.1", 25);
	struct child_caller nobody = { .by_hand = true };

	(void)state;
	set("client-address=none");
	open_program(&c);
	said("local");
	set("client-address=auto");
	open_program(&nobody);
	said("local");
}

/* statement 31: a caller without an address is not shown as somebody else */
static void
threat_31_no_address_no_service(void **state)
{
	static const char *const ways[] = { "client-address=auto", "client-address=netns" };
	struct child_caller nobody = { .by_hand = false };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		set(ways[i]);
		assert_int_equal(mailer_open(&m, shows_peer, &s, &nobody, &session), -1);
		assert_int_equal(errno, EINVAL);
		assert_non_null(strstr(m.error, "client-address = none"));
	}
}

static void
a_program_that_is_not_there(void **state)
{
	struct child_caller c = caller("198.51.100.77", 40025, "192.0.2.1", 25);
	char *missing[] = { "/nonexistent/mailer", NULL };
	int before = dup(STDIN_FILENO), after;

	(void)state;
	close(before);
	set("client-address=none");
	assert_int_equal(mailer_open(&m, missing, &s, &c, &session), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(m.error, "the program cannot be started");
	assert_string_equal(m.text, "/nonexistent/mailer");
	after = dup(STDIN_FILENO);
	assert_int_equal(after, before);
	close(after);
}

static void
open_where_forbidden(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };
	struct child_caller c = { .by_hand = false };

	need(address_read(&c.remote, SPAN("198.51.100.77"), 40025) == 0);
	need(address_read(&c.local, SPAN("192.0.2.1"), 25) == 0);
	need_or_skip(unshare(CLONE_NEWUSER) == 0);
	int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
	need_or_skip(fd != -1 && write(fd, "0\n", 2) == 2);
	need(syscall(SYS_capset, &header, none) == 0);
	need(mailer_open(&m, shows_peer, &s, &c, &session) == -1);
	need(strstr(m.error, "max_user_namespaces") != NULL);
	need(strstr(m.error, "as root") != NULL);
	need(strstr(m.error, "client-address = none") != NULL);
}

/* statement 31: refused with what can be done, and never by a way that is trusted more */
static void
threat_31_where_the_kernel_forbids_it(void **state)
{
	(void)state;
	in_child(open_where_forbidden);
}

/* As the program behind. */
static int
show_peer(void)
{
	struct address peer;
	char text[FD_ADDRESS_MAX];

	fd_peer(STDIN_FILENO, &peer);
	address_text(&peer, text);
	if (peer.len == 0)
		dprintf(STDOUT_FILENO, "local");
	else
		dprintf(STDOUT_FILENO, "%s %u", text, address_port(&peer));
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, release)

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		TEST(one_mailer_and_no_more),
		TEST(threat_31_auto_does_not_guess_for_addresses),
		TEST(each_way_for_what_can_take_it),
		TEST(threat_31_loopback_is_called_by_a_stranger),
		TEST(threat_31_nor_is_it_by_header_alone),
		TEST(threat_31_no_address_no_header),
		TEST(ipv6_loopback_has_one_address),
		TEST(threat_31_proxy_header_comes_first),
		TEST(threat_31_transparent_is_the_client_itself),
		TEST(nobody_at_the_address),
		TEST(threat_31_a_program_sees_the_true_client),
		TEST(a_socket_pair_where_there_is_no_client_to_show),
		TEST(threat_31_no_address_no_service),
		TEST(a_program_that_is_not_there),
		TEST(threat_31_where_the_kernel_forbids_it),
	};

	if (argc == 2 && strcmp(argv[1], "peer") == 0)
		return show_peer();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
