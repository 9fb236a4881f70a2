/* A program as backend: which client address it sees on its standard input. */
#include "backends.h"
#include "emulated.h"

#include "sys/fd.h"

#include <poll.h>

/* this test's own program, which prints its peer's address */
static char *const shows_peer[] = { "/proc/self/exe", "peer", NULL };

/* Asserts what the program prints. */
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
open_program(const struct client_info *c)
{
	if (backend_open(&m, shows_peer, &s, c) == 0)
		return;
	assert_non_null(strstr(m.error, "namespace"));
	skip();
}

/* statement 31 */
static void
threat_31_a_program_sees_the_true_client(void **state)
{
	static const char *const ways[] = { "client-address=auto", "client-address=netns" };
	struct client_info v4 = client("198.51.100.77", "192.0.2.1");
	struct client_info v6 = client("2001:db8::9", "2001:db8::1");
	struct client_info mapped = client("::ffff:198.51.100.77", "::ffff:192.0.2.1");

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
	struct client_info c = client("198.51.100.77", "192.0.2.1");
	struct client_info nobody = { .by_hand = true };

	(void)state;
	set("client-address=none");
	open_program(&c);
	said("local");
	set("client-address=auto");
	open_program(&nobody);
	said("local");
}

/* statement 31: a client without an address is not shown with another's */
static void
threat_31_no_address_no_service(void **state)
{
	static const char *const ways[] = { "client-address=auto", "client-address=netns" };
	struct client_info nobody = { .by_hand = false };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		set(ways[i]);
		assert_int_equal(backend_open(&m, shows_peer, &s, &nobody), -1);
		assert_int_equal(m.error_number, 0);
		assert_non_null(strstr(m.error, "client-address = none"));
	}
}

static void
a_program_that_is_not_there(void **state)
{
	struct client_info c = client("198.51.100.77", "192.0.2.1");
	char *const missing[] = { "/nonexistent/mailer", NULL };
	int before = dup(STDIN_FILENO), after;

	(void)state;
	skip_where_emulated();
	close(before);
	set("client-address=none");
	assert_int_equal(backend_open(&m, missing, &s, &c), -1);
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
	struct client_info c = client("198.51.100.77", "192.0.2.1");

	need_or_skip(unshare(CLONE_NEWUSER) == 0);
	allow_no_more_namespaces("user");
	lose_all_capabilities();
	need(backend_open(&m, shows_peer, &s, &c) < 0);
	need(strstr(m.error, "max_user_namespaces") != NULL);
	need(strstr(m.error, "as root") != NULL);
	need(strstr(m.error, "client-address = none") != NULL);
}

/* statement 31: refused with advice, and never replaced by a way that is trusted more */
static void
threat_31_where_the_kernel_forbids_it(void **state)
{
	(void)state;
	in_child(open_where_forbidden);
}

/* Runs as the backend's program. */
static int
show_peer(void)
{
	struct address peer;
	char text[ADDRESS_TEXT_MAX];

	fd_peer(STDIN_FILENO, &peer);
	address_text(&peer, text);
	if (peer.len == 0)
		dprintf(STDOUT_FILENO, "local");
	else
		dprintf(STDOUT_FILENO, "%s %u", text, address_port(&peer));
	return 0;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
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
