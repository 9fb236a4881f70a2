/* The jail: what it forbids. */
#include "jails.h"
#include "emulated.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

static const char *const no_words[] = { NULL };
static struct sockaddr_in nowhere = { .sin_family = AF_INET };
static char text[64];		/* zeros, for calls that read memory */

static struct stat some_stat;

ATTEMPT(openat, AT_FDCWD, "/etc/passwd", O_RDONLY)
ATTEMPT(unlinkat, AT_FDCWD, "/nonexistent", 0)
ATTEMPT(socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)
ATTEMPT(socketpair, AF_UNIX, SOCK_STREAM, 0, text)
ATTEMPT(connect, tcp_fd, &nowhere, sizeof(nowhere))
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
ATTEMPT(lseek, file_fd, 0, SEEK_SET)
ATTEMPT(newfstatat, AT_FDCWD, "/etc/passwd", &some_stat, 0)
ATTEMPT(pwrite64, file_fd, "x", 1, 0)
#ifdef SYS_fork
ATTEMPT(fork, 0)
ATTEMPT(vfork, 0)
ATTEMPT(open, "/etc/passwd", O_RDONLY)
#endif

/* Permitted calls with forbidden arguments. */

static int
try_runnable_memory(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? errno : 0;
}

static int
map(int flags, int fd)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, fd, 0);

	return at == MAP_FAILED ? errno : 0;
}

/* statement 39: writes to a shared mapping reach the file and its readers */
static int
try_shared_mapping(void)
{
	return map(MAP_SHARED, file_fd);
}

static int
try_shared_memory(void)
{
	return map(MAP_SHARED | MAP_ANONYMOUS, -1);
}

static int
try_validated_mapping(void)
{
	return map(MAP_SHARED_VALIDATE, file_fd);
}

static int
try_mapping_a_file(void)
{
	return map(MAP_PRIVATE, file_fd);
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
	NAMED(openat),
	NAMED(unlinkat),
	NAMED(socketpair),
	NAMED(bind),
	NAMED(listen),
	NAMED(accept4),
	NAMED(sendmsg),
	NAMED(clone),
	NAMED(clone3),
	NAMED(execve),
	NAMED(execveat),
	NAMED(ptrace),
	NAMED(process_vm_readv),
	NAMED(kill),
	NAMED(tgkill),
	NAMED(rt_sigaction),
	NAMED(dup),
	NAMED(mprotect),
	NAMED(prlimit64),
	NAMED(prctl),
	NAMED(setuid),
	NAMED(chdir),
	NAMED(mount),
	NAMED(unshare),
	NAMED(bpf),
	NAMED(io_uring_setup),
	NAMED(personality),
	NAMED(truncate),
	NAMED(pwrite64),
	NAMED(lseek),
	NAMED(newfstatat),
	NAMED(socket),
	NAMED(connect),
	NAMED(fcntl),
	NAMED(other_socket_options),
	NAMED(shared_mapping),
	NAMED(shared_memory),
	NAMED(validated_mapping),
	NAMED(mapping_a_file),
	NAMED(runnable_memory),
	NAMED(sending_elsewhere),
	NAMED(typing_at_a_terminal),
#ifdef SYS_fork
	NAMED(fork),
	NAMED(vfork),
	NAMED(open),
#endif
#if defined(__x86_64__)
	NAMED(x32),
#endif
};

static const struct attempt without_outside[] = { NAMED(recvmsg) };

static void
assert_denied(enum jail jail, const struct attempt *a)
{
	int what = inside(jail, a->try);

	if (what != EPERM)
		fail_msg("%s in jail %d: %d (%s)", a->name, (int)jail, what, strerror(what));
}

/* statement 39: this includes connections, by the log's socket or another one */
static void
whatever_else_it_tries_is_eperm(void **state)
{
	(void)state;
	skip_where_emulated();
	skip_where_wide();
	for (size_t jail = 0; jail < JAILS; jail++)
		for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
			assert_denied(jails[jail], &forbidden[i]);
	assert_denied(JAIL_SESSION, &without_outside[0]);
}

static void
even_a_wide_one_runs_nothing(void **state)
{
	(void)state;
	skip_where_emulated();
	for (size_t i = 0; i < JAILS; i++) {
		assert_int_equal(inside(jails[i], try_execve), EPERM);
		assert_int_equal(inside(jails[i], try_execveat), EPERM);
		assert_int_equal(inside(jails[i], try_listen), EPERM);
		assert_int_equal(inside(jails[i], try_connect), EPERM);
	}
}

static int
other_sockets(void)
{
	static const int kinds[][3] = {
		{ AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 },
		{ AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0 },
		{ AF_UNIX, SOCK_DGRAM, 0 },
		{ AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0 },
		{ AF_INET, SOCK_RAW, IPPROTO_ICMP },
		{ AF_INET6, SOCK_DGRAM, 0 },
		{ AF_NETLINK, SOCK_RAW, 0 },
		{ AF_PACKET, SOCK_RAW, 0 },
		{ AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 132 /* SCTP */ },
		{ AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 262 /* MPTCP */ },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (socket(kinds[i][0], kinds[i][1], kinds[i][2]) >= 0 || errno != EPERM)
			return (int)i + 1;
	return 0;
}

static void
no_socket_of_any_kind(void **state)
{
	(void)state;
	skip_where_emulated();
	skip_where_wide();
	for (size_t i = 0; i < JAILS; i++)
		assert_int_equal(inside(jails[i], other_sockets), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_else_it_tries_is_eperm),
		cmocka_unit_test(even_a_wide_one_runs_nothing),
		cmocka_unit_test(no_socket_of_any_kind),
	};

	return cmocka_run_group_tests(tests, make_file, NULL);
}
