/* Connections with an arbitrary peer address: the privileges they need, and the errors without. */
#include "namespaces.h"

#define PLAIN_USER 65534

static void
make_namespaces(void)
{
	need_or_skip(unshare(CLONE_NEWUSER) == 0 && unshare(CLONE_NEWNET) == 0);
}

/* Whether everybody may make a usable user namespace here. */
static bool
everybody_may(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		make_namespaces();
		_exit(CHILD_GOOD);
	}
	return pid >= 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void
connect_unprivileged(void)
{
	struct address remote = address("198.51.100.77", 25), local = address("192.0.2.1", 25);
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
	need(peer_is(ends[1], "198.51.100.77", 25));
	need(own_is(ends[1], "192.0.2.1", 25));
	need(netns_connect(&remote6, &local6, ends, &step) == 0);
	need(peer_is(ends[1], "2001:db8::9", 25));
	/* and no privilege was gained */
	need(namespace_name("user", after) > 0 && strcmp(before, after) == 0);
	need(unshare(CLONE_NEWNET) < 0 && errno == EPERM);
}

static void
without_privileges_by_a_user_namespace(void **state)
{
	(void)state;
	in_child(connect_unprivileged);
}

static void
need_forbidden(void)
{
	size_t before = open_descriptors();
	const char *step = NULL;
	int ends[2];

	need(netns_connect(&client, &server, ends, &step) < 0);
	need(errno == ENOSPC);
	need(step != NULL && strcmp(step, "the namespace itself") == 0);
	need(open_descriptors() == before);
}

static void
connect_where_forbidden(void)
{
	need_or_skip(unshare(CLONE_NEWUSER) == 0);
	allow_no_more_namespaces("user");
	lose_all_capabilities();
	need_forbidden();
	need(netns_forbidden() == NETNS_USER_LIMIT);
}

static void
connect_where_net_is_forbidden(void)
{
	need_or_skip(unshare(CLONE_NEWUSER) == 0);
	allow_no_more_namespaces("net");
	need_forbidden();
	errno = ENOSPC;
	need(netns_forbidden() == NETNS_NET_LIMIT && errno == ENOSPC);
}

/* Network namespaces can be made, but not configured. */
static void
connect_without_net_admin(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct some[2] = { { 0 } };
	const char *step = NULL;
	int ends[2];

	some[0].effective = some[0].permitted = 1U << CAP_SYS_ADMIN | 1U << CAP_SYS_RESOURCE;
	need(syscall(SYS_capset, &header, some) == 0);
	/* a user namespace gives the missing privilege ... */
	need(netns_connect(&client, &server, ends, &step) == 0);
	need(close(ends[0]) == 0 && close(ends[1]) == 0);
	/* ... and without one, that is the error */
	allow_no_more_namespaces("user");
	need_forbidden();
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
		cmocka_unit_test(without_privileges_by_a_user_namespace),
		cmocka_unit_test(where_neither_is_possible_it_says_so),
		cmocka_unit_test(with_half_of_the_privileges),
	};

	return cmocka_run_group_tests(tests, name_both, NULL);
}
