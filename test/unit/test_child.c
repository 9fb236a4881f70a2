#include "unit.h"
#include "emulated.h"

#include "base/clock.h"
#include "descriptors.h"
#include "sys/child.h"
#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct client_info nobody = { .remote = { .len = 0 }, .local = { .len = 0 } };
static char output[8192];
static struct buf out;

/* Starts the program, sends `input`, stores its output in `output`; returns its exit status. */
static int
run(char *const argv[], const struct client_info *client, const char *input)
{
	pid_t pid = -1;
	int status, low[2], ends[2], fd;

	/* a descriptor well above 2, as 2 may be closed */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, low), 0);
	for (int i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 50);
		close(low[i]);
	}
	fd = ends[0];
	assert_int_equal(fd_prepare(fd), 0);
	assert_int_equal(child_start(argv, client, ends[1], &pid), 0);
	close(ends[1]);
	assert_true(pid > 0);
	assert_int_equal(fd_write_all(fd, span_of(input), 10000), 0);
	shutdown(fd, SHUT_WR);
	buf_init(&out, output, sizeof(output) - 1);
	enum fd_result result;
	while ((result = fd_read(fd, &out)) == FD_DONE || result == FD_WAIT)
		assert_int_equal(fd_wait(fd, POLLIN, clock_ms() + 10000), 0);
	output[buf_len(&out)] = '\0';
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define ARGS(...) ((char *[]){ __VA_ARGS__, NULL })

static struct client_info
client(const char *remote, uint16_t remote_port, const char *local, uint16_t local_port)
{
	struct client_info c;

	assert_int_equal(address_read(&c.remote, span_of(remote), remote_port), 0);
	assert_int_equal(address_read(&c.local, span_of(local), local_port), 0);
	return c;
}

static void
it_speaks_on_a_socket_pair(void **state)
{
	(void)state;
	assert_int_equal(run(ARGS("cat"), &nobody, "hello"), 0);
	assert_string_equal(output, "hello");
	assert_int_equal(run(ARGS("/bin/cat"), &nobody, "again"), 0);
	assert_string_equal(output, "again");
	/* never pipes, which mailers trust */
	run(ARGS("sh", "-c",
		"cd /proc/self/fd; test -S 0 && test -S 1 && test 0 -ef 1 && echo yes"),
	    &nobody, "");
	assert_string_equal(output, "yes\n");
}

static const char show[] = "echo $TCPREMOTEIP/$TCPREMOTEPORT/$TCPLOCALIP/$TCPLOCALPORT/$PROTO;"
    " echo ${TCPREMOTEIP+set}${TCPREMOTEPORT+set}${TCPLOCALIP+set}${TCPLOCALPORT+set}${PROTO+set}";

/* statement 31 */
static void
threat_31_the_environment_names_the_client(void **state)
{
	struct client_info c = client("198.51.100.77", 40025, "192.0.2.1", 25);

	(void)state;
	run(ARGS("sh", "-c", (char *)show), &c, "");
	assert_string_equal(output, "198.51.100.77/40025/192.0.2.1/25/TCP\nsetsetsetsetset\n");
	c = client("2001:db8::9", 1, "2001:db8::1", 65535);
	run(ARGS("sh", "-c", (char *)show), &c, "");
	assert_string_equal(output, "2001:db8::9/1/2001:db8::1/65535/TCP6\nsetsetsetsetset\n");
	c = client("::ffff:198.51.100.77", 40025, "::ffff:192.0.2.1", 25);
	run(ARGS("sh", "-c", (char *)show), &c, "");
	assert_string_equal(output, "198.51.100.77/40025/192.0.2.1/25/TCP\nsetsetsetsetset\n");
}

/* statement 31: variables left by a super-server are removed */
static void
threat_31_an_unknown_client_is_not_shown_as_another(void **state)
{
	(void)state;
	setenv("TCPREMOTEIP", "127.0.0.1", 1);
	setenv("TCPREMOTEPORT", "1", 1);
	setenv("TCPLOCALIP", "127.0.0.1", 1);
	setenv("TCPLOCALPORT", "25", 1);
	setenv("PROTO", "TCP", 1);
	run(ARGS("sh", "-c", (char *)show), &nobody, "");
	assert_string_equal(output, "////\n\n");
}

static void
the_client_is_put_into_arguments(void **state)
{
	struct client_info c = client("198.51.100.77", 40025, "192.0.2.1", 25);

	(void)state;
	run(ARGS("printf", "%s|", "-oMa", "%{client-address}.%{client-port}",
	    "%{client-port}%{client-port}",
	    "plain", "%{client-addres}", "%{client-address", "%%{client-address}", ""), &c, "");
	assert_string_equal(output, "-oMa|198.51.100.77.40025|4002540025|plain|%{client-addres}|"
	    "%{client-address|%198.51.100.77||");
	run(ARGS("printf", "%s|", "%{client-address}.%{client-port}"), &nobody, "");
	assert_string_equal(output, "unknown.0|");
}

static void
arguments_have_a_limit(void **state)
{
	char *argv[CHILD_ARGUMENTS_MAX + 2] = { "echo" };
	pid_t pid;

	(void)state;
	for (size_t i = 1; i < CHILD_ARGUMENTS_MAX; i++)
		argv[i] = "a";
	assert_int_equal(run(argv, &nobody, ""), 0);
	assert_int_equal(strlen(output), 2 * (CHILD_ARGUMENTS_MAX - 1));
	argv[CHILD_ARGUMENTS_MAX] = "a";
	assert_int_equal(child_start(argv, &nobody, STDIN_FILENO, &pid), -1);
	assert_int_equal(errno, E2BIG);
}

static void
replaced_text_has_a_limit(void **state)
{
	char text[CHILD_TEXT_MAX + 32];
	pid_t pid;

	(void)state;
	memset(text, 'a', sizeof(text));
	/* the port takes one octet, which leaves one for the NUL */
	memcpy(text + CHILD_TEXT_MAX - 2, "%{client-port}", sizeof("%{client-port}"));
	assert_int_equal(run(ARGS("echo", text), &nobody, ""), 0);
	assert_int_equal(strlen(output), CHILD_TEXT_MAX - 1 + 1);
	memcpy(text + CHILD_TEXT_MAX - 1, "%{client-port}", sizeof("%{client-port}"));
	text[CHILD_TEXT_MAX - 2] = 'a';
	assert_int_equal(child_start(ARGS("echo", text), &nobody, STDIN_FILENO, &pid), -1);
	assert_int_equal(errno, E2BIG);
}

/* statement 27: the error reaches the caller, who can answer 421 */
static void
threat_27_a_program_that_cannot_run_is_an_error_here(void **state)
{
	size_t before = open_descriptors();
	pid_t pid;

	(void)state;
	skip_where_emulated();
	assert_int_equal(child_start(ARGS("/nonexistent/sendmail"), &nobody, STDIN_FILENO, &pid),
	    -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(child_start(ARGS("no-such-mailer"), &nobody, STDIN_FILENO, &pid), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(child_start(ARGS("/etc/passwd"), &nobody, STDIN_FILENO, &pid), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(open_descriptors(), before);
}

static void
nothing_else_is_inherited(void **state)
{
	int leaked = open("/dev/null", O_RDONLY), high = fcntl(leaked, F_DUPFD, 200);

	(void)state;
	assert_true(leaked >= 0 && high >= 200);
	/* 3 is the directory that ls has opened */
	run(ARGS("ls", "/proc/self/fd"), &nobody, "");
	assert_string_equal(output, "0\n1\n2\n3\n");
	close(leaked);
	close(high);
}

static void
forbid_close_range(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* Must run last, because the filter stays.  The limit may be lower than an open descriptor. */
static void
nothing_else_is_inherited_where_the_kernel_knows_no_range(void **state)
{
	int leaked = open("/dev/null", O_RDONLY), high = fcntl(leaked, F_DUPFD, 200);
	struct rlimit before, low;

	(void)state;
	skip_where_emulated();
	assert_true(leaked >= 0 && high >= 200);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = (struct rlimit){ 100, before.rlim_max };
	forbid_close_range();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	run(ARGS("ls", "/proc/self/fd"), &nobody, "");
	assert_string_equal(output, "0\n1\n2\n3\n");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(leaked);
	close(high);
}

static void
signals_are_as_they_should_be(void **state)
{
	sigset_t some, before;

	(void)state;
	skip_where_emulated();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigprocmask(SIG_BLOCK, &some, &before);
	run(ARGS("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), &nobody, "");
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGHUP, SIG_DFL);
	unsigned long long blocked, ignored;
	assert_int_equal(sscanf(output, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	assert_int_equal(blocked, 0);
	/* glibc reserves 32 and 33 */
	assert_int_equal(ignored & ~(3ULL << 31), 0);
}

/* Where the child's descriptor 2 leads if ours is `fd`, or closed if that is -1. */
static void
with_stderr(int fd)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);

	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
	else
		close(STDERR_FILENO);
	run(ARGS("readlink", "/proc/self/fd/2"), &nobody, "");
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static void
complaints_never_reach_the_peer(void **state)
{
	int ends[2], saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	dup2(ends[0], STDIN_FILENO);
	with_stderr(STDIN_FILENO);
	assert_string_equal(output, "/dev/null\n");
	with_stderr(STDOUT_FILENO);
	assert_string_equal(output, "/dev/null\n");
	with_stderr(-1);
	assert_string_equal(output, "/dev/null\n");
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	with_stderr(zero);
	assert_string_equal(output, "/dev/zero\n");
	if (saved >= 0)
		dup2(saved, STDIN_FILENO);
	close(zero);
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_speaks_on_a_socket_pair),
		cmocka_unit_test(threat_31_the_environment_names_the_client),
		cmocka_unit_test(threat_31_an_unknown_client_is_not_shown_as_another),
		cmocka_unit_test(the_client_is_put_into_arguments),
		cmocka_unit_test(arguments_have_a_limit),
		cmocka_unit_test(replaced_text_has_a_limit),
		cmocka_unit_test(threat_27_a_program_that_cannot_run_is_an_error_here),
		cmocka_unit_test(nothing_else_is_inherited),
		cmocka_unit_test(signals_are_as_they_should_be),
		cmocka_unit_test(complaints_never_reach_the_peer),
		cmocka_unit_test(nothing_else_is_inherited_where_the_kernel_knows_no_range),
	};

	setenv("PATH", "/usr/bin:/bin",
	    1); /* an unreadable directory in PATH would give EACCES */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
