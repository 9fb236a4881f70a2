/* The jail: what it permits, its limits, and kernels that lack parts of it. */
#include "jails.h"
#include "emulated.h"
#include "lacking.h"

#include "base/log.h"
#include "sys/handover.h"
#include "sys/jail_parts.h"
#include "sys/outside.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static struct outside outside;
static uid_t uid;

/* Everything that a session does.  Returns a code for the line that failed. */
#define NEED(what) do { if (!(what)) return __LINE__ % 200 + 1; } while (0)

static int
a_session(void)
{
	struct linger linger = { .l_onoff = 1 };
	struct pollfd fds[4] = { { .fd = pair[1], .events = POLLIN }, { .fd = -1 }, { .fd = -1 },
		{ .fd = -1 } };
	struct timespec nap = { .tv_nsec = 1000 };
	struct stat st;
	int waiting;
	char text[32], *known_hosts = malloc(100000);

	NEED(known_hosts != NULL && (known_hosts = realloc(known_hosts, 9000000)) != NULL);
	memset(known_hosts, 'x', 9000000);
	free(known_hosts);
	NEED(write(pair[0], "hello", 5) == 5 && send(pair[0], "!", 1, MSG_NOSIGNAL) == 1);
	NEED(poll(fds, 4, 1000) == 1);
	NEED(recv(pair[1], text, 1, MSG_PEEK | MSG_DONTWAIT) == 1);
	NEED(ioctl(pair[1], FIONREAD, &waiting) == 0 && waiting == 6);
	NEED(read(pair[1], text, 6) == 6 && memcmp(text, "hello!", 6) == 0);
	NEED(flock(file_fd, LOCK_EX | LOCK_NB) == 0 && fstat(file_fd, &st) == 0);
	NEED(write(file_fd, "more", 4) == 4 && ftruncate(file_fd, 4) == 0);
	NEED(pread(file_fd, text, 4, 0) == 4);
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
	for (size_t i = 0; i < JAILS; i++)
		assert_int_equal(inside(jails[i], a_session), 0);
}

/* Passes the file that every child has open. */
static int
serve(void *context, const struct outside_request *request, struct outside_answer *answer)
{
	(void)context, (void)request;
	answer->fd = dup(file_fd);
	return answer->fd < 0 ? -1 : 0;
}

/* Receives one descriptor at a time. */
static int
a_call(void)
{
	struct outside_request request = { .what = 1 };
	int fd, more;

	NEED(outside_ask(&outside, &request, &fd) == 0 && fd >= 0);
	NEED(write(fd, "x", 1) == 1);
	NEED(jail_is_wide || (outside_ask(&outside, &request, &more) == 0 && more < 0));
	close(fd);
	NEED(outside_ask(&outside, &request, &fd) == 0 && fd >= 0);
	close(fd);
	outside_end(&outside);
	return a_session();
}

static void
connections_are_handed_in(void **state)
{
	(void)state;
	start_anew();
	pid_t pid = fork();
	if (pid == 0) {
		if (outside_start(&outside, serve, NULL) < 0)
			_exit(NO_JAIL);
		enter(JAIL_CALL);
		_exit(a_call());
	}
	assert_int_equal(verdict(pid), 0);
}

/* What a holder does between two messages: takes over the next, and sets its timer. */
static int
a_holder(void)
{
	struct span hello = SPAN("hello");
	int fd, error;
	socklen_t len = sizeof(error);
	struct itimerval timer = { .it_value = { .tv_sec = 1000 } };
	char text[8];

	NEED((fd = handover_accept(JAIL_LISTEN_FD, uid)) >= 0);
	NEED(handover_receive(fd, text, sizeof(text), NULL, INT64_MAX) == 5);
	NEED(handover_send(fd, &hello, 1, NULL) == 0);
	NEED(jail_is_wide || (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 && errno == EPERM));
	NEED(jail_is_wide || (accept4(fd, NULL, NULL, SOCK_CLOEXEC) < 0 && errno == EPERM));
	NEED(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	close(fd);
	return a_session();
}

static void
messages_are_handed_over(void **state)
{
	char folder[] = "/tmp/jail.XXXXXX", path[64], text[8];
	struct span hello = SPAN("hello");

	(void)state;
	skip_where_emulated();
	start_anew();
	uid = geteuid();
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	assert_int_equal(handover_listen(path, JAIL_LISTEN_FD), 0);
	int fd = handover_connect(path, uid);
	assert_true(fd >= 0);
	assert_int_equal(handover_send(fd, &hello, 1, NULL), 0);
	pid_t pid = fork();
	if (pid == 0) {
		enter(JAIL_KEEP);
		_exit(a_holder());
	}
	assert_int_equal(verdict(pid), 0);
	assert_int_equal(handover_receive(fd, text, sizeof(text), NULL, INT64_MAX), 5);
	close(fd);
	close(JAIL_LISTEN_FD);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* The number after `name` at the beginning of a line in /proc/PID/`file`. */
static unsigned long
proc_number(pid_t pid, const char *file, const char *name)
{
	char path[64], line[256];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strncmp(line, name, strlen(name)) == 0;
	fclose(f);
	if (!found)
		fail_msg("%s has no %s", path, name);
	return strtoul(line + strlen(name), NULL, 10);
}

static void
assert_limits(pid_t pid, enum jail jail)
{
	unsigned long next = (unsigned long)dup(0);

	close((int)next);
	assert_int_equal(proc_number(pid, "status", "NoNewPrivs:"), 1);
	assert_int_equal(proc_number(pid, "status", "Seccomp:"), 2);
	assert_int_equal(proc_number(pid, "limits", "Max core file size"), 0);
	assert_int_equal(proc_number(pid, "limits", "Max file size"), FILE_MAX);
	if (jail_is_wide)
		return;
	assert_int_equal(proc_number(pid, "limits", "Max processes"), 0);
	assert_int_equal(proc_number(pid, "limits", "Max data size"), JAIL_MEMORY);
	assert_int_equal(proc_number(pid, "limits", "Max open files"), next + (jail != JAIL_SESSION));
}

/* statement 23: no core files; and the other limits */
static void
limits_are_what_they_should_be(void **state)
{
	char octet;
	int status;

	(void)state;
	skip_where_emulated();
	for (size_t i = 0; i < JAILS; i++) {
		enum jail jail = jails[i];

		start_anew();
		pid_t pid = fork();
		if (pid == 0) {
			enter(jail);
			_exit(write(pair[0], "x", 1) == 1 && read(pair[0], &octet, 1) == 1 ? 0 : 1);
		}
		assert_int_equal(read(pair[1], &octet, 1), 1);
		assert_limits(pid, jail);
		assert_int_equal(write(pair[1], "x", 1), 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static int
grow(void)
{
	static char all[FILE_MAX];

	if (write(file_fd, all, sizeof(all)) != (ssize_t)sizeof(all))
		return 1;
	return write(file_fd, "x", 1) < 0 && errno == EFBIG ? 0 : 2;
}

static void
files_stay_below_their_size(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);	/* as both programs do */
	assert_int_equal(inside(JAIL_SESSION, grow), 0);
	signal(SIGXFSZ, SIG_DFL);
}

/*
 * Enters the jail in a kernel where `call` fails with `why`, then makes the attempt; `said` gets
 * what was logged.
 */
static int
enter_lacking(long call, int why, int (*attempt)(void), char said[1024])
{
	int log[2];

	start_anew();
	assert_int_equal(pipe(log), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(log[1], STDERR_FILENO);
		close(log[0]);
		close(log[1]);
		log_open("test", LOG_MAIL, true);
		lack(call, why);
		enter(JAIL_SESSION);
		_exit(attempt());
	}
	close(log[1]);
	size_t len = 0;
	ssize_t got;
	while ((got = read(log[0], said + len, 1023 - len)) > 0)
		len += (size_t)got;
	said[len] = '\0';
	close(log[0]);
	return verdict(pid);
}

ATTEMPT(openat, AT_FDCWD, "/etc/passwd", O_RDONLY)
ATTEMPT(socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)

/* Without the filter, Landlock decides, if a descriptor is available. */
static int
open_a_file(void)
{
	close(file_fd);
	return try_openat();
}

/* The kernel's Landlock ABI; 0: not enabled. */
static long
landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : abi;
}

static int
connect_out(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(25) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return result(connect(tcp_fd, (struct sockaddr *)&to, sizeof(to)));
}

static int
signal_another(void)
{
	return result(kill(getppid(), 0));
}

/* statement 39, without the filter */
static void
threat_39_landlock_forbids_to_connect(void **state)
{
	char said[1024];

	(void)state;
	skip_where_emulated();
	skip_where_wide();
	if (landlock_abi() < 4) {
		print_message("no Landlock rules for connections in this kernel\n");
		skip();
	}
	assert_int_equal(enter_lacking(SYS_seccomp, ENOSYS, connect_out, said), EACCES);
}

static void
threat_39_landlock_forbids_to_signal(void **state)
{
	char said[1024];

	(void)state;
	skip_where_emulated();
	skip_where_wide();
	if (landlock_abi() < 6) {
		print_message("no Landlock rules for signals in this kernel\n");
		skip();
	}
	assert_int_equal(enter_lacking(SYS_seccomp, ENOSYS, signal_another, said), EPERM);
}

/* Memory up to the limit, and not beyond. */
static int
take_memory(void)
{
	char *much = malloc(JAIL_MEMORY / 2), *more = malloc(JAIL_MEMORY / 2);

	return much != NULL && more == NULL ? 0 : 1;
}

static void
threat_39_memory_is_limited(void **state)
{
	(void)state;
	skip_where_emulated();
	skip_where_wide();
	assert_int_equal(inside(JAIL_SESSION, take_memory), 0);
}

/* What the kernel lacks has been logged at start; a part that fails all the same is logged here. */
static void
what_the_kernel_lacks_is_left_out(void **state)
{
	char said[1024];

	(void)state;
	skip_where_emulated();
	skip_where_wide();
	assert_int_equal(enter_lacking(SYS_landlock_create_ruleset, ENOSYS, try_openat, said),
	    EPERM);
	assert_string_equal(said, "");
	assert_int_equal(enter_lacking(SYS_landlock_restrict_self, EOPNOTSUPP, try_openat, said),
	    EPERM);
	assert_non_null(strstr(said, "jail: Landlock failed (Operation not supported); continuing"));
	assert_int_equal(enter_lacking(SYS_seccomp, ENOSYS, open_a_file, said), EACCES);
	assert_string_equal(said, "");
	assert_int_equal(enter_lacking(SYS_seccomp, ENOSYS, try_socket, said), EMFILE);
	assert_int_equal(enter_lacking(SYS_getppid, ENOSYS, a_session, said), 0);
	assert_null(strstr(said, "jail"));
}

/* statement 39: where the whole jail is required, there is no session without a part. */
static void
threat_39_a_jail_that_is_not_whole_is_no_jail(void **state)
{
	char said[1024];

	(void)state;
	skip_where_emulated();
	skip_where_wide();
	needed = JAIL_WHOLE;
	assert_int_equal(enter_lacking(SYS_getppid, ENOSYS, a_session, said), 0);
	assert_int_equal(enter_lacking(SYS_seccomp, ENOSYS, try_openat, said), NO_JAIL);
	assert_int_equal(enter_lacking(SYS_landlock_create_ruleset, ENOSYS, try_openat, said),
	    NO_JAIL);
	assert_int_equal(enter_lacking(SYS_landlock_restrict_self, EOPNOTSUPP, try_openat, said),
	    NO_JAIL);
	needed = JAIL_AVAILABLE;
}

static void
no_room_for_it_is_no_way_in(void **state)
{
	char said[1024];

	(void)state;
	skip_where_emulated();
	assert_int_equal(enter_lacking(SYS_seccomp, ENOMEM, try_openat, said), NO_JAIL);
	assert_int_equal(enter_lacking(SYS_prctl, EINVAL, try_openat, said), NO_JAIL);
	assert_int_equal(enter_lacking(SYS_prlimit64, EPERM, try_openat, said), NO_JAIL);
	if (!jail_is_wide)
		assert_int_equal(enter_lacking(SYS_landlock_create_ruleset, ENFILE, try_openat,
				     said),
		    NO_JAIL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_works),
		cmocka_unit_test(connections_are_handed_in),
		cmocka_unit_test(messages_are_handed_over),
		cmocka_unit_test(limits_are_what_they_should_be),
		cmocka_unit_test(files_stay_below_their_size),
		cmocka_unit_test(threat_39_landlock_forbids_to_connect),
		cmocka_unit_test(threat_39_landlock_forbids_to_signal),
		cmocka_unit_test(threat_39_memory_is_limited),
		cmocka_unit_test(what_the_kernel_lacks_is_left_out),
		cmocka_unit_test(threat_39_a_jail_that_is_not_whole_is_no_jail),
		cmocka_unit_test(no_room_for_it_is_no_way_in),
	};

	return cmocka_run_group_tests(tests, make_file, NULL);
}
