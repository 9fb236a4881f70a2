#include "unit.h"

#include "children.h"
#include "sys/netns.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define PLAIN_USER 65534

static struct address
address(const char *text, uint16_t port)
{
	struct address a = { .len = 0 };

	if (address_read(&a, span_of(text), port) == -1)
		abort();
	return a;
}

/* Is it that address in that family, IPv6's clothes taken off? */
static bool
is_address(const struct address *a, const char *want, uint16_t port)
{
	char text[FD_ADDRESS_MAX];

	address_text(a, text);
	return strcmp(text, want) == 0 && address_port(a) == port &&
	    a->at.ss_family == address_family(a);
}

static size_t
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	if (dir == NULL)
		abort();
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* What there is here for everybody: root's way, or a user namespace. */
static bool
is_forbidden(int result)
{
	return result == -1 && (errno == EPERM || errno == EACCES || errno == ENOSPC);
}

static void
connect_or_skip(const struct address *remote, const struct address *local, int ends[2])
{
	const char *step = "none";
	int result = netns_connect(remote, local, ends, &step);

	if (is_forbidden(result))
		skip();
	if (result == -1)
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
	const char *remote_shown, *local_shown;		/* NULL: as above */
};

static void
check_names(const struct pair *p)
{
	struct address remote = address(p->remote, p->remote_port);
	struct address local = address(p->local, p->local_port), got;
	const char *far = p->remote_shown != NULL ? p->remote_shown : p->remote;
	const char *near = p->local_shown != NULL ? p->local_shown : p->local;
	int ends[2];

	connect_or_skip(&remote, &local, ends);
	fd_peer(ends[1], &got);
	assert_true(is_address(&got, far, p->remote_port));
	fd_own(ends[1], &got);
	assert_true(is_address(&got, near, p->local_port));
	fd_peer(ends[0], &got);
	assert_true(is_address(&got, near, p->local_port));
	fd_own(ends[0], &got);
	assert_true(is_address(&got, far, p->remote_port));
	close_ends(ends);
}

/* statement 31: the mailer behind is shown who calls */
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
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
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
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		check_names(&pairs[i]);
}

/* Their scope is a device that is not there. */
static void
link_local_addresses(void **state)
{
	struct address remote = address("fe80::9", 40025), local = address("fe80::1", 25), got;
	int ends[2];

	(void)state;
	((struct sockaddr_in6 *)(void *)&remote.at)->sin6_scope_id = 4711;
	((struct sockaddr_in6 *)(void *)&local.at)->sin6_scope_id = 4711;
	connect_or_skip(&remote, &local, ends);
	fd_peer(ends[1], &got);
	assert_true(is_address(&got, "fe80::9", 40025));
	fd_own(ends[1], &got);
	assert_true(is_address(&got, "fe80::1", 25));
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
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
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
	struct address remote = address("198.51.100.77", 40025), local = address("192.0.2.1", 25);
	int ends[2];
	char octet;

	(void)state;
	connect_or_skip(&remote, &local, ends);
	passes(ends[0], ends[1], "EHLO client.example\r\n");
	passes(ends[1], ends[0], "250 mailer.example\r\n");
	assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
	assert_int_equal(recv(ends[1], &octet, 1, 0), 0);
	passes(ends[1], ends[0], "221 Bye\r\n");
	close(ends[1]);
	assert_int_equal(recv(ends[0], &octet, 1, 0), 0);
	close(ends[0]);
}

static ssize_t
namespace_name(const char *kind, char out[64])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	memset(out, 0, 64);
	return readlink(path, out, 63);
}

static void
our_own_namespaces_stay(void **state)
{
	static const char *const kinds[] = { "net", "user", "mnt" };
	struct address remote = address("198.51.100.77", 40025), local = address("192.0.2.1", 25);
	char before[3][64], after[64];
	int ends[2];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(namespace_name(kinds[i], before[i]) > 0);
	connect_or_skip(&remote, &local, ends);
	for (size_t i = 0; i < 3; i++) {
		assert_true(namespace_name(kinds[i], after) > 0);
		assert_string_equal(after, before[i]);
	}
	close_ends(ends);
	/* the process that was inside is gone and has been waited for */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
no_descriptor_is_left_open(void **state)
{
	struct address remote = address("198.51.100.77", 40025), local = address("192.0.2.1", 25);
	size_t before = open_descriptors();
	int ends[2];

	(void)state;
	connect_or_skip(&remote, &local, ends);
	assert_int_equal(open_descriptors(), before + 2);
	assert_int_equal(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
	close_ends(ends);
	assert_int_equal(open_descriptors(), before);
	/* the same two names again at once: each time in a namespace of its own */
	for (int i = 0; i < 20; i++) {
		connect_or_skip(&remote, &local, ends);
		close_ends(ends);
	}
	assert_int_equal(open_descriptors(), before);
}

/* With room for so many more descriptors. */
static int
connect_with_room(rlim_t room, const struct address *remote, const struct address *local,
    const char **step)
{
	struct rlimit old, limit;
	int ends[2], probe = dup(STDIN_FILENO);

	need(probe != -1 && close(probe) == 0 && getrlimit(RLIMIT_NOFILE, &old) == 0);
	limit = (struct rlimit){ .rlim_cur = (rlim_t)probe + room, .rlim_max = old.rlim_max };
	need(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	int result = netns_connect(remote, local, ends, step), why = errno;
	need(setrlimit(RLIMIT_NOFILE, &old) == 0);
	if (result == 0)
		need(close(ends[0]) == 0 && close(ends[1]) == 0);
	errno = why;
	return result;
}

static void
run_out_of_descriptors(void)
{
	struct address remote = address("198.51.100.77", 40025), local = address("192.0.2.1", 25);
	size_t before = open_descriptors();
	const char *step = NULL;
	int ends[2];

	need(dup(STDIN_FILENO) != -1);
	before++;
	need_or_skip(!is_forbidden(netns_connect(&remote, &local, ends, &step)));
	need(close(ends[0]) == 0 && close(ends[1]) == 0);
	for (rlim_t room = 0; room < 3; room++) {
		step = NULL;
		need(connect_with_room(room, &remote, &local, &step) == -1);
		need(errno == EMFILE);
		need(step != NULL && strcmp(step, "the namespace itself") != 0);
		need(open_descriptors() == before);
	}
	need(connect_with_room(3, &remote, &local, &step) == 0);
	need(open_descriptors() == before);
}

/* statement 27: three are needed, and with fewer it says so and leaves none */
static void
threat_27_out_of_descriptors(void **state)
{
	(void)state;
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
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *step = NULL;
		int ends[2];

		assert_int_equal(netns_connect(wrong[i][0], wrong[i][1], ends, &step), -1);
		assert_int_equal(errno, EAFNOSUPPORT);
		assert_non_null(step);
	}
	/* nor does an address with itself */
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
	struct address remote = address("198.51.100.77", 40025), local = address("192.0.2.1", 25);
	struct sigaction action = { .sa_handler = ignore };
	const char *step;
	int ends[2];

	need(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	need_or_skip(!is_forbidden(netns_connect(&remote, &local, ends, &step)));
	need(close(ends[0]) == 0 && close(ends[1]) == 0);
	need(sigaction(SIGCHLD, &action, NULL) == 0);
	need(netns_connect(&remote, &local, ends, &step) == 0);
}

/* A super-server may have left it so. */
static void
whatever_happens_to_sigchld(void **state)
{
	(void)state;
	in_child(connect_with_signals);
}

static void
lose_all_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	need(syscall(SYS_capset, &header, none) == 0);
}

static void
make_namespaces(void)
{
	need_or_skip(unshare(CLONE_NEWUSER) == 0 && unshare(CLONE_NEWNET) == 0);
}

/* May everybody have a user namespace here, and do something in it? */
static bool
everybody_may(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		make_namespaces();
		_exit(CHILD_GOOD);
	}
	return pid != -1 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void
connect_unprivileged(void)
{
	struct address remote = address("198.51.100.77", 25), local = address("192.0.2.1", 25), got;
	struct address remote6 = address("2001:db8::9", 25), local6 = address("2001:db8::1", 25);
	char before[64], after[64];
	const char *step = "none";
	int ends[2];

	if (geteuid() == 0)
		need(setresgid(PLAIN_USER, PLAIN_USER, PLAIN_USER) == 0 &&
		    setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER) == 0);
	lose_all_capabilities();
	need_or_skip(everybody_may());
	need(namespace_name("user", before) > 0);
	need(netns_connect(&remote, &local, ends, &step) == 0);
	fd_peer(ends[1], &got);
	need(is_address(&got, "198.51.100.77", 25));
	fd_own(ends[1], &got);
	need(is_address(&got, "192.0.2.1", 25));
	need(netns_connect(&remote6, &local6, ends, &step) == 0);
	fd_peer(ends[1], &got);
	need(is_address(&got, "2001:db8::9", 25));
	/* and no privilege came of it */
	need(namespace_name("user", after) > 0 && strcmp(before, after) == 0);
	need(unshare(CLONE_NEWNET) == -1 && errno == EPERM);
}

static void
without_privileges_by_a_user_namespace(void **state)
{
	(void)state;
	in_child(connect_unprivileged);
}

static void
allow_no_more(const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kind);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	need_or_skip(fd != -1 && write(fd, "0\n", 2) == 2);
	close(fd);
}

static void
need_forbidden(int why)
{
	struct address remote = address("198.51.100.77", 40025), local = address("192.0.2.1", 25);
	size_t before = open_descriptors();
	const char *step = NULL;
	int ends[2];

	need(netns_connect(&remote, &local, ends, &step) == -1);
	need(errno == why);
	need(step != NULL && strcmp(step, "the namespace itself") == 0);
	need(open_descriptors() == before);
}

static void
connect_where_forbidden(void)
{
	need_or_skip(unshare(CLONE_NEWUSER) == 0);
	allow_no_more("user");
	lose_all_capabilities();
	need_forbidden(ENOSPC);
}

static void
connect_where_net_is_forbidden(void)
{
	need_or_skip(unshare(CLONE_NEWUSER) == 0);
	allow_no_more("net");
	need_forbidden(ENOSPC);
}

/* Network namespaces may be made, and nothing done in them. */
static void
connect_without_net_admin(void)
{
	struct address remote = address("198.51.100.77", 40025), local = address("192.0.2.1", 25);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct some[2] = { { 0 } };
	const char *step = NULL;
	int ends[2];

	some[0].effective = some[0].permitted = 1U << CAP_SYS_ADMIN | 1U << CAP_SYS_RESOURCE;
	need(syscall(SYS_capset, &header, some) == 0);
	/* a user namespace gives what is missing ... */
	need(netns_connect(&remote, &local, ends, &step) == 0);
	need(close(ends[0]) == 0 && close(ends[1]) == 0);
	/* ... and without one it is that which is told */
	allow_no_more("user");
	need_forbidden(ENOSPC);
}

static void
where_neither_is_possible_it_says_so(void **state)
{
	(void)state;
	in_child(connect_where_forbidden);
	in_child(connect_where_net_is_forbidden);
}

static void
with_half_of_the_privileges(void **state)
{
	(void)state;
	in_user_namespace(connect_without_net_admin);
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
		cmocka_unit_test(without_privileges_by_a_user_namespace),
		cmocka_unit_test(where_neither_is_possible_it_says_so),
		cmocka_unit_test(with_half_of_the_privileges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
