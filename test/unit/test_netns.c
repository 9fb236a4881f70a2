/* Connections with an arbitrary peer address: both ends, and what must stay unchanged. */
#include "namespaces.h"
#include "emulated.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Whether the result says that neither root's way nor a user namespace is permitted here. */
static bool
is_forbidden(int result)
{
	return result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSPC);
}

static void
connect_or_skip(const struct address *remote, const struct address *local, int ends[2])
{
	const char *step = "none";
	int result = netns_connect(remote, local, ends, &step);

	if (is_forbidden(result))
		skip();
	if (result < 0)
		fail_msg("%s: %s", step, strerror(errno));
}

static void
close_ends(const int ends[2])
{
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
}

struct pair {
	const char *remote;
	uint16_t remote_port;
	const char *local;
	uint16_t local_port;
	const char *remote_shown, *local_shown;		/* NULL: the same as asked for */
};

static void
check_names(const struct pair *p)
{
	struct address remote = address(p->remote, p->remote_port);
	struct address local = address(p->local, p->local_port);
	const char *far = p->remote_shown != NULL ? p->remote_shown : p->remote;
	const char *near = p->local_shown != NULL ? p->local_shown : p->local;
	int ends[2];

	connect_or_skip(&remote, &local, ends);
	assert_true(peer_is(ends[1], far, p->remote_port));
	assert_true(own_is(ends[1], near, p->local_port));
	assert_true(peer_is(ends[0], near, p->local_port));
	assert_true(own_is(ends[0], far, p->remote_port));
	close_ends(ends);
}

/* statement 31: the backend sees the client's address */
static void
threat_31_names_are_those_asked_for(void **state)
{
	static const struct pair pairs[] = {
		{ "198.51.100.77", 40025, "192.0.2.1", 25, NULL, NULL },
		{ "10.0.0.1", 65535, "255.255.255.254", 1, NULL, NULL },
		{ "0.0.0.1", 40025, "240.0.0.1", 25, NULL, NULL },
		{ "127.0.0.1", 40025, "127.0.0.1", 25, NULL, NULL },
		{ "198.51.100.77", 40025, "127.0.0.1", 25, NULL, NULL },
		{ "2001:db8::9", 40025, "2001:db8::1", 25, NULL, NULL },
		{ "::1", 40025, "::1", 25, NULL, NULL },
		{ "fd00::9", 1, "2001:db8::1", 65535, NULL, NULL },
	};

	(void)state;
	skip_where_emulated();
	for (size_t i = 0; i < COUNT(pairs); i++)
		check_names(&pairs[i]);
}

static void
threat_31_mapped_addresses_are_ipv4(void **state)
{
	static const struct pair pairs[] = {
		{ "::ffff:198.51.100.77", 40025, "::ffff:192.0.2.1", 25, "198.51.100.77",
		    "192.0.2.1" },
		{ "::ffff:198.51.100.77", 40025, "192.0.2.1", 25, "198.51.100.77", NULL },
		{ "198.51.100.77", 40025, "::ffff:192.0.2.1", 25, NULL, "192.0.2.1" },
	};

	(void)state;
	skip_where_emulated();
	for (size_t i = 0; i < COUNT(pairs); i++)
		check_names(&pairs[i]);
}

/* Their scope is a device that does not exist in the namespace. */
static void
link_local_addresses(void **state)
{
	struct address remote = address("fe80::9", 40025), local = address("fe80::1", 25);
	int ends[2];

	(void)state;
	skip_where_emulated();
	((struct sockaddr_in6 *)(void *)&remote.at)->sin6_scope_id = 4711;
	((struct sockaddr_in6 *)(void *)&local.at)->sin6_scope_id = 4711;
	connect_or_skip(&remote, &local, ends);
	assert_true(peer_is(ends[1], "fe80::9", 40025));
	assert_true(own_is(ends[1], "fe80::1", 25));
	close_ends(ends);
	check_names(&(struct pair){ "fe80::9", 40025, "2001:db8::1", 25, NULL, NULL });
	check_names(&(struct pair){ "2001:db8::9", 40025, "fe80::1", 25, NULL, NULL });
}

static void
privileged_ports_and_the_same_address(void **state)
{
	static const struct pair pairs[] = {
		{ "198.51.100.77", 25, "192.0.2.1", 25, NULL, NULL },
		{ "198.51.100.77", 1, "192.0.2.1", 1023, NULL, NULL },
		{ "2001:db8::9", 25, "2001:db8::1", 25, NULL, NULL },
		{ "192.0.2.1", 40025, "192.0.2.1", 25, NULL, NULL },
		{ "192.0.2.1", 24, "192.0.2.1", 25, NULL, NULL },
		{ "2001:db8::1", 40025, "2001:db8::1", 25, NULL, NULL },
	};

	(void)state;
	skip_where_emulated();
	for (size_t i = 0; i < COUNT(pairs); i++)
		check_names(&pairs[i]);
}

static void
passes(int from, int to, const char *text)
{
	char got[64];

	assert_int_equal(send(from, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	assert_int_equal(recv(to, got, strlen(text), MSG_WAITALL), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void
octets_pass_and_each_way_ends_alone(void **state)
{
	int ends[2];
	char octet;

	(void)state;
	skip_where_emulated();
	connect_or_skip(&client, &server, ends);
	passes(ends[0], ends[1], "EHLO client.example\r\n");
	passes(ends[1], ends[0], "250 mailer.example\r\n");
	assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
	assert_int_equal(recv(ends[1], &octet, 1, 0), 0);
	passes(ends[1], ends[0], "221 Bye\r\n");
	close(ends[1]);
	assert_int_equal(recv(ends[0], &octet, 1, 0), 0);
	close(ends[0]);
}

static void
our_own_namespaces_stay(void **state)
{
	static const char *const kinds[] = { "net", "user", "mnt" };
	char before[3][64], after[64];
	int ends[2];

	(void)state;
	skip_where_emulated();
	for (size_t i = 0; i < 3; i++)
		assert_true(namespace_name(kinds[i], before[i]) > 0);
	connect_or_skip(&client, &server, ends);
	for (size_t i = 0; i < 3; i++) {
		assert_true(namespace_name(kinds[i], after) > 0);
		assert_string_equal(after, before[i]);
	}
	close_ends(ends);
	/* the child has ended and has been waited for */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
no_descriptor_is_left_open(void **state)
{
	size_t before = open_descriptors();
	int ends[2];

	(void)state;
	skip_where_emulated();
	connect_or_skip(&client, &server, ends);
	assert_int_equal(open_descriptors(), before + 2);
	assert_int_equal(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
	close_ends(ends);
	assert_int_equal(open_descriptors(), before);
	/* the same addresses again at once: each connection has its own namespace */
	for (int i = 0; i < 20; i++) {
		connect_or_skip(&client, &server, ends);
		close_ends(ends);
	}
	assert_int_equal(open_descriptors(), before);
}

/* Connects with room for exactly this many more descriptors. */
static int
connect_with_room(rlim_t room, const char **step)
{
	struct rlimit old, limit;
	int ends[2], probe = dup(STDIN_FILENO);

	need(probe >= 0 && close(probe) == 0 && getrlimit(RLIMIT_NOFILE, &old) == 0);
	limit = (struct rlimit){ .rlim_cur = (rlim_t)probe + room, .rlim_max = old.rlim_max };
	need(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	int result = netns_connect(&client, &server, ends, step), why = errno;
	need(setrlimit(RLIMIT_NOFILE, &old) == 0);
	if (result == 0)
		need(close(ends[0]) == 0 && close(ends[1]) == 0);
	errno = why;
	return result;
}

static void
run_out_of_descriptors(void)
{
	size_t before = open_descriptors();
	const char *step = NULL;
	int ends[2];

	need(dup(STDIN_FILENO) >= 0);
	before++;
	need_or_skip(!is_forbidden(netns_connect(&client, &server, ends, &step)));
	need(close(ends[0]) == 0 && close(ends[1]) == 0);
	for (rlim_t room = 0; room < 3; room++) {
		step = NULL;
		need(connect_with_room(room, &step) < 0);
		need(errno == EMFILE);
		need(step != NULL && strcmp(step, "the namespace itself") != 0);
		need(open_descriptors() == before);
	}
	need(connect_with_room(3, &step) == 0);
	need(open_descriptors() == before);
}

/* statement 27: it needs three; with fewer it fails and leaves none open */
static void
threat_27_out_of_descriptors(void **state)
{
	(void)state;
	skip_where_emulated();
	in_child(run_out_of_descriptors);
}

static void
addresses_that_do_not_go_together(void **state)
{
	struct address v4 = address("198.51.100.77", 40025), v6 = address("2001:db8::1", 25);
	struct address none = { .len = 0 };
	const struct address *wrong[][2] = {
		{ &v4, &v6 }, { &v6, &v4 }, { &none, &v4 }, { &v6, &none }, { &none, &none },
	};
	size_t before = open_descriptors();

	(void)state;
	skip_where_emulated();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *step = NULL;
		int ends[2];

		assert_int_equal(netns_connect(wrong[i][0], wrong[i][1], ends, &step), -1);
		assert_int_equal(errno, EAFNOSUPPORT);
		assert_non_null(step);
	}
	/* nor does an address connect to itself */
	const char *step = NULL;
	int ends[2], result = netns_connect(&v4, &v4, ends, &step);
	if (is_forbidden(result))
		skip();
	assert_int_equal(result, -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_string_equal(step, "the connection in it");
	assert_int_equal(open_descriptors(), before);
}

static void
ignore(int signal_number)
{
	(void)signal_number;
}

static void
connect_with_signals(void)
{
	struct sigaction action = { .sa_handler = ignore };
	const char *step;
	int ends[2];

	need(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	need_or_skip(!is_forbidden(netns_connect(&client, &server, ends, &step)));
	need(close(ends[0]) == 0 && close(ends[1]) == 0);
	need(sigaction(SIGCHLD, &action, NULL) == 0);
	need(netns_connect(&client, &server, ends, &step) == 0);
}

/* A super-server may have set it like this. */
static void
whatever_happens_to_sigchld(void **state)
{
	(void)state;
	skip_where_emulated();
	in_child(connect_with_signals);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_31_names_are_those_asked_for),
		cmocka_unit_test(threat_31_mapped_addresses_are_ipv4),
		cmocka_unit_test(link_local_addresses),
		cmocka_unit_test(privileged_ports_and_the_same_address),
		cmocka_unit_test(octets_pass_and_each_way_ends_alone),
		cmocka_unit_test(our_own_namespaces_stay),
		cmocka_unit_test(no_descriptor_is_left_open),
		cmocka_unit_test(threat_27_out_of_descriptors),
		cmocka_unit_test(addresses_that_do_not_go_together),
		cmocka_unit_test(whatever_happens_to_sigchld),
	};

	return cmocka_run_group_tests(tests, name_both, NULL);
}
