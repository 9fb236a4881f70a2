/* The jail: what cannot be done in there. */
#include "jails.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/un.h>

static const char *const no_words[] = { NULL };
static struct sockaddr_in nowhere = { .sin_family = AF_INET };
static char text[64];		/* zeros, where a call wants something to look at */

ATTEMPT(openat, AT_FDCWD, "/etc/passwd", O_RDONLY)
ATTEMPT(unlinkat, AT_FDCWD, "/nonexistent", 0)
ATTEMPT(socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
ATTEMPT(socketpair, AF_UNIX, SOCK_STREAM, 0, text)
ATTEMPT(connect, pair[0], &nowhere, sizeof(nowhere))
ATTEMPT(bind, pair[0], &nowhere, sizeof(nowhere))
ATTEMPT(listen, pair[0], 1)
ATTEMPT(accept4, pair[0], NULL, NULL, 0)
ATTEMPT(sendmsg, pair[0], NULL, 0)
ATTEMPT(recvmsg, pair[0], NULL, 0)
ATTEMPT(clone, SIGCHLD, 0, 0, 0, 0)
ATTEMPT(clone3, text, 8)
ATTEMPT(execve, "/bin/true", no_words, no_words)
ATTEMPT(execveat, AT_FDCWD, "/bin/true", no_words, no_words, 0)
ATTEMPT(ptrace, PTRACE_TRACEME, 0, 0, 0)
ATTEMPT(process_vm_readv, getppid(), NULL, 0, NULL, 0, 0)
ATTEMPT(kill, 0, 0)
ATTEMPT(tgkill, getpid(), getpid(), 0)
ATTEMPT(rt_sigaction, SIGTERM, NULL, NULL, 8)
ATTEMPT(dup, 0)
ATTEMPT(fcntl, 0, F_GETFL)
ATTEMPT(mprotect, 0, 0, PROT_NONE)
ATTEMPT(prlimit64, 0, RLIMIT_NOFILE, NULL, NULL)
ATTEMPT(prctl, PR_GET_DUMPABLE, 0, 0, 0, 0)
ATTEMPT(setuid, 0)
ATTEMPT(chdir, "/")
ATTEMPT(mount, NULL, "/", NULL, 0, NULL)
ATTEMPT(unshare, 0)
ATTEMPT(bpf, 0, NULL, 0)
ATTEMPT(io_uring_setup, 1, NULL)
ATTEMPT(personality, 0)
ATTEMPT(truncate, "/nonexistent", 0)
ATTEMPT(pwrite64, file_fd, "x", 1, 0)
#ifdef SYS_fork
ATTEMPT(fork, 0)
ATTEMPT(vfork, 0)
ATTEMPT(open, "/etc/passwd", O_RDONLY)
#endif

/* Calls that are allowed, in ways that are not. */

static int
try_runnable_memory(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? errno : 0;
}

static int
try_sending_elsewhere(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/nonexistent" };

	return result(sendto(pair[0], "x", 1, 0, (struct sockaddr *)&name, sizeof(name)));
}

static int
try_typing_at_a_terminal(void)
{
	return result(ioctl(0, TIOCSTI, "x"));
}

static int
try_other_socket_options(void)
{
	const int on = 1;

	return result(setsockopt(pair[0], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
}

#if defined(__x86_64__)
static int
try_x32(void)
{
	return result(syscall(0x40000000 + SYS_getpid));
}
#endif

struct attempt {
	const char *name;
	int (*try)(void);
};

#define NAMED(name) { #name, try_##name }

static const struct attempt forbidden[] = {
	NAMED(openat), NAMED(unlinkat), NAMED(socketpair), NAMED(bind), NAMED(listen), NAMED(accept4),
	NAMED(sendmsg), NAMED(recvmsg), NAMED(clone), NAMED(clone3), NAMED(execve), NAMED(execveat),
	NAMED(ptrace), NAMED(process_vm_readv), NAMED(kill), NAMED(tgkill), NAMED(rt_sigaction), NAMED(dup),
	NAMED(mprotect), NAMED(prlimit64), NAMED(prctl), NAMED(setuid), NAMED(chdir), NAMED(mount),
	NAMED(unshare), NAMED(bpf), NAMED(io_uring_setup), NAMED(personality), NAMED(truncate),
	NAMED(pwrite64), NAMED(runnable_memory), NAMED(sending_elsewhere), NAMED(typing_at_a_terminal),
#ifdef SYS_fork
	NAMED(fork), NAMED(vfork), NAMED(open),
#endif
#if defined(__x86_64__)
	NAMED(x32),
#endif
};

/* Forbidden in the inner one only. */
static const struct attempt for_dialling[] = {
	NAMED(socket), NAMED(connect), NAMED(fcntl), NAMED(other_socket_options),
};

static void
assert_denied(enum way way, const struct attempt *a)
{
	int what = inside(way, a->try);

	if (what != EPERM)
		fail_msg("%s in jail %d: %d (%s)", a->name, (int)way, what, strerror(what));
}

static void
whatever_else_it_tries_is_eperm(void **state)
{
	(void)state;
	skip_where_wide();
	for (enum way way = SESSION; way <= BOTH; way++)
		for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
			assert_denied(way, &forbidden[i]);
	for (size_t i = 0; i < sizeof(for_dialling) / sizeof(for_dialling[0]); i++) {
		assert_denied(SESSION, &for_dialling[i]);
		assert_denied(BOTH, &for_dialling[i]);
	}
}

static void
even_a_wide_one_runs_nothing(void **state)
{
	(void)state;
	for (enum way way = SESSION; way <= BOTH; way++) {
		assert_int_equal(inside(way, try_execve), EPERM);
		assert_int_equal(inside(way, try_execveat), EPERM);
		assert_int_equal(inside(way, try_listen), EPERM);
	}
	assert_int_equal(inside(SESSION, try_connect), EPERM);
	assert_int_equal(inside(BOTH, try_connect), EPERM);
}

static int
other_sockets(void)
{
	static const int kinds[][3] = {
		{ AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0 }, { AF_UNIX, SOCK_DGRAM, 0 },
		{ AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0 }, { AF_INET, SOCK_RAW, IPPROTO_ICMP },
		{ AF_INET6, SOCK_DGRAM, 0 }, { AF_NETLINK, SOCK_RAW, 0 }, { AF_PACKET, SOCK_RAW, 0 },
		{ AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 132 /* SCTP */ },
		{ AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 262 /* MPTCP */ },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (socket(kinds[i][0], kinds[i][1], kinds[i][2]) != -1 || errno != EPERM)
			return (int)i + 1;
	return 0;
}

static void
the_outer_one_lets_nothing_else_out(void **state)
{
	(void)state;
	skip_where_wide();
	assert_int_equal(inside(DIAL, other_sockets), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_else_it_tries_is_eperm),
		cmocka_unit_test(even_a_wide_one_runs_nothing),
		cmocka_unit_test(the_outer_one_lets_nothing_else_out),
	};

	return cmocka_run_group_tests(tests, make_file, NULL);
}
