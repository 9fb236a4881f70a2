/*
 * The jail, tried from inside.  Each attempt is made by a process of its own, which enters and says by its
 * exit status what came of it.
 */
#include "unit.h"

#include "base/log.h"
#include "sys/jail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)
#define NO_JAIL 250		/* what a child says that did not get in */
#define DIED 251

enum way { SESSION, DIAL, BOTH };	/* the second: the inner one inside the outer */

static int pair[2] = { -1, -1 }, file_fd;	/* what every child has */

/* As at first: a shutdown reaches every process that has the socket, and a file's offset is one. */
static void
start_anew(void)
{
	assert_int_equal(ftruncate(file_fd, 0), 0);
	assert_int_equal(lseek(file_fd, 0, SEEK_SET), 0);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void
enter(enum way way)
{
	const char *step;

	if (way != SESSION && jail_enter(JAIL_DIAL, FILE_MAX, &step) == -1)
		_exit(NO_JAIL);
	if (way != DIAL && jail_enter(JAIL_SESSION, FILE_MAX, &step) == -1)
		_exit(NO_JAIL);
}

/* What `attempt` returns in there: 0, or an errno. */
static int
inside(enum way way, int (*attempt)(void))
{
	int status;

	start_anew();
	pid_t pid = fork();
	if (pid == 0) {
		enter(way);
		_exit(attempt());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : DIED;
}

static int
result(long returned)
{
	return returned == -1 ? errno : 0;
}

/* A call by its number, with arguments that a kernel without a jail would at least look at. */
#define ATTEMPT(name, ...) \
	static int try_##name(void) { return result(syscall(SYS_##name, __VA_ARGS__)); }

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
skip_where_wide(void)
{
	if (!jail_is_wide)
		return;
	print_message("the jail of a test build is wide\n");
	skip();
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

/* What a session does.  Says the line of the first thing that failed. */
#define NEED(what) do { if (!(what)) return __LINE__ % 200 + 1; } while (0)

static int
a_session(void)
{
	struct linger linger = { .l_onoff = 1 };
	struct pollfd fds[4] = { { .fd = pair[1], .events = POLLIN }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
	struct timespec nap = { .tv_nsec = 1000 };
	struct stat st;
	int waiting;
	char *memory = malloc(100000);

	NEED(memory != NULL && (memory = realloc(memory, 9000000)) != NULL);
	memset(memory, 'x', 9000000);
	free(memory);
	NEED(write(pair[0], "hello", 5) == 5 && send(pair[0], "!", 1, MSG_NOSIGNAL) == 1);
	NEED(poll(fds, 4, 1000) == 1);
	NEED(recv(pair[1], text, 1, MSG_PEEK | MSG_DONTWAIT) == 1);
	NEED(ioctl(pair[1], FIONREAD, &waiting) == 0 && waiting == 6);
	NEED(read(pair[1], text, 6) == 6 && memcmp(text, "hello!", 6) == 0);
	NEED(flock(file_fd, LOCK_EX | LOCK_NB) == 0 && fstat(file_fd, &st) == 0);
	NEED(fstatat(AT_FDCWD, "/", &st, AT_SYMLINK_NOFOLLOW) == 0);
	NEED(write(file_fd, "more", 4) == 4 && ftruncate(file_fd, 4) == 0);
	NEED(lseek(file_fd, 0, SEEK_SET) == 0 && pread(file_fd, text, 4, 0) == 4);
	NEED(flock(file_fd, LOCK_UN) == 0);
	NEED(getrandom(text, 32, 0) == 32 && getpid() > 0 && time(NULL) > 0);
	NEED(clock_gettime(CLOCK_MONOTONIC, &nap) == 0);
	nap = (struct timespec){ .tv_nsec = 1000 };
	NEED(nanosleep(&nap, NULL) == 0);
	log_line(LOG_NOTICE, "from inside");
	NEED(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	NEED(shutdown(pair[0], SHUT_WR) == 0 && close(pair[0]) == 0);
	return 0;
}

static void
a_session_works(void **state)
{
	(void)state;
	for (enum way way = SESSION; way <= BOTH; way++)
		assert_int_equal(inside(way, a_session), 0);
}

/* Nobody listens at port 1. */
static int
a_call(void)
{
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1) };
	socklen_t len = sizeof(on);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	NEED(fd >= 0 && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
	NEED(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	NEED(connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1);
	NEED(errno == ECONNREFUSED || errno == EINPROGRESS);
	NEED(getsockopt(fd, SOL_SOCKET, SO_ERROR, &on, &len) == 0);
	/* one at a time */
	NEED(jail_is_wide ||
	    (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) == -1 && errno == EMFILE));
	close(fd);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0 || errno == EAFNOSUPPORT);
	return a_session();
}

static void
the_outer_one_lets_tcp_out(void **state)
{
	(void)state;
	assert_int_equal(inside(DIAL, a_call), 0);
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

/* A line of /proc/PID/`file` that begins with `name`; what stands behind it. */
static char *
proc_line(pid_t pid, const char *file, const char *name)
{
	static char line[256];
	char path[64];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strncmp(line, name, strlen(name)) == 0;
	fclose(f);
	if (!found)
		fail_msg("%s has no %s", path, name);
	return line + strlen(name);
}

static void
assert_limits(pid_t pid, enum way way)
{
	unsigned long next = (unsigned long)dup(0);

	close((int)next);
	assert_int_equal(strtoul(proc_line(pid, "status", "NoNewPrivs:"), NULL, 10), 1);
	assert_int_equal(strtoul(proc_line(pid, "status", "Seccomp:"), NULL, 10), 2);
	assert_int_equal(strtoul(proc_line(pid, "limits", "Max core file size"), NULL, 10), 0);
	assert_int_equal(strtoul(proc_line(pid, "limits", "Max file size"), NULL, 10), FILE_MAX);
	if (jail_is_wide)
		return;
	assert_int_equal(strtoul(proc_line(pid, "limits", "Max processes"), NULL, 10), 0);
	assert_int_equal(strtoul(proc_line(pid, "limits", "Max open files"), NULL, 10),
	    next + (way != SESSION));
}

/* statement 23: no core files; and the others */
static void
limits_are_what_they_should_be(void **state)
{
	char octet;

	(void)state;
	for (enum way way = SESSION; way <= BOTH; way++) {
		start_anew();
		pid_t pid = fork();
		if (pid == 0) {
			enter(way);
			_exit(write(pair[0], "x", 1) == 1 && read(pair[0], &octet, 1) == 1 ? 0 : 1);
		}
		assert_int_equal(read(pair[1], &octet, 1), 1);
		assert_limits(pid, way);
		assert_int_equal(write(pair[1], "x", 1), 1);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static int
grow(void)
{
	if (lseek(file_fd, FILE_MAX - 1, SEEK_SET) == -1 || write(file_fd, "x", 1) != 1)
		return 1;
	return write(file_fd, "x", 1) == -1 && errno == EFBIG ? 0 : 2;
}

static void
files_stay_below_their_size(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);	/* as the programs do */
	assert_int_equal(inside(SESSION, grow), 0);
	signal(SIGXFSZ, SIG_DFL);
}

/* From now on, that call is answered with `why`: a kernel that lacks something. */
static void
lack(long call, int why)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)why),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		_exit(NO_JAIL);
}

/*
 * Enters on a kernel that answers `call` with `why`, and then tries; what was logged comes to `said`.
 */
static int
enter_lacking(long call, int why, int (*attempt)(void), char said[1024])
{
	int status, log[2];

	start_anew();
	assert_int_equal(pipe(log), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(log[1], STDERR_FILENO);
		close(log[0]);
		close(log[1]);
		log_open("test", LOG_MAIL, true);
		lack(call, why);
		enter(SESSION);
		_exit(attempt());
	}
	close(log[1]);
	size_t len = 0;
	ssize_t got;
	while ((got = read(log[0], said + len, 1023 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	close(log[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : DIED;
}

/* Without the filter, Landlock has the word, once there is a descriptor to be had. */
static int
open_a_file(void)
{
	close(file_fd);
	return try_openat();
}

static void
what_the_kernel_lacks_is_said_and_the_rest_done(void **state)
{
	char said[1024];

	(void)state;
	skip_where_wide();
	assert_int_equal(enter_lacking(SYS_landlock_create_ruleset, ENOSYS, try_openat, said), EPERM);
	assert_non_null(strstr(said, "no Landlock for us"));
	assert_ptr_equal(strchr(said, '\n'), strrchr(said, '\n'));
	assert_int_equal(enter_lacking(SYS_landlock_restrict_self, EOPNOTSUPP, try_openat, said), EPERM);
	assert_non_null(strstr(said, "no Landlock for us"));
	assert_int_equal(enter_lacking(SYS_seccomp, ENOSYS, open_a_file, said), EACCES);
	assert_non_null(strstr(said, "no seccomp filter for us"));
	assert_int_equal(enter_lacking(SYS_seccomp, ENOSYS, try_socket, said), EMFILE);
	assert_int_equal(enter_lacking(SYS_getppid, ENOSYS, a_session, said), 0);
	assert_null(strstr(said, "for us"));
}

static void
no_room_for_it_is_no_way_in(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(enter_lacking(SYS_seccomp, ENOMEM, try_openat, said), NO_JAIL);
	assert_int_equal(enter_lacking(SYS_prctl, EINVAL, try_openat, said), NO_JAIL);
	assert_int_equal(enter_lacking(SYS_prlimit64, EPERM, try_openat, said), NO_JAIL);
	if (!jail_is_wide)
		assert_int_equal(enter_lacking(SYS_landlock_create_ruleset, ENFILE, try_openat, said),
		    NO_JAIL);
}

static int
set_up(void **state)
{
	char name[] = "/tmp/jail.XXXXXX";

	(void)state;
	if ((file_fd = mkstemp(name)) == -1)
		return -1;
	return unlink(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_else_it_tries_is_eperm),
		cmocka_unit_test(even_a_wide_one_runs_nothing),
		cmocka_unit_test(a_session_works),
		cmocka_unit_test(the_outer_one_lets_tcp_out),
		cmocka_unit_test(the_outer_one_lets_nothing_else_out),
		cmocka_unit_test(limits_are_what_they_should_be),
		cmocka_unit_test(files_stay_below_their_size),
		cmocka_unit_test(what_the_kernel_lacks_is_said_and_the_rest_done),
		cmocka_unit_test(no_room_for_it_is_no_way_in),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
