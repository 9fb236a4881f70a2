/*
 * Tests of the jail from inside.  Each attempt runs in a process of its own, which enters the jail
 * and reports the result by its exit status.
 */
#ifndef TEST_JAILS_H
#define TEST_JAILS_H

#include "unit.h"

#include "sys/jail.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)
#define NO_JAIL 250		/* exit status of a child that could not enter the jail */
#define DIED 251

static const enum jail jails[] = { JAIL_SESSION, JAIL_CALL, JAIL_KEEP };
#define JAILS (sizeof(jails) / sizeof(jails[0]))

static enum jail_need needed = JAIL_AVAILABLE;
static int pair[2] = { -1, -1 }, file_fd, tcp_fd;	/* every child has these */

static inline int
make_file(void **state)
{
	char name[] = "/tmp/jail.XXXXXX";

	(void)state;
	if ((file_fd = mkstemp(name)) < 0)
		return -1;
	tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return tcp_fd < 0 ? -1 : unlink(name);
}

/* Opened anew for each attempt: shutdown(2) and file offsets affect all processes. */
static inline void
start_anew(void)
{
	assert_int_equal(ftruncate(file_fd, 0), 0);
	assert_int_equal(lseek(file_fd, 0, SEEK_SET), 0);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static inline void
enter(enum jail jail)
{
	const char *step;

	if (jail_enter(jail, FILE_MAX, needed, &step) < 0)
		_exit(NO_JAIL);
}

/* The exit status of a child: 0, an errno, or one of the above. */
static inline int
verdict(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : DIED;
}

/* What `attempt` returns in the jail. */
static inline int
inside(enum jail jail, int (*attempt)(void))
{
	start_anew();
	pid_t pid = fork();
	if (pid == 0) {
		enter(jail);
		_exit(attempt());
	}
	return verdict(pid);
}

static inline int
result(long returned)
{
	return returned < 0 ? errno : 0;
}

/* Makes a system call by number, with arguments that a kernel would process without the jail. */
#define ATTEMPT(name, ...) \
	static int try_##name(void) { return result(syscall(SYS_##name, __VA_ARGS__)); }

static inline void
skip_where_wide(void)
{
	if (!jail_is_wide)
		return;
	print_message("the jail of a test build is wide\n");
	skip();
}

#endif
