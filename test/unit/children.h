/*
 * For tests that change the process's identity: each runs in a child, which reports a failure by a
 * line and its exit status.  cmocka's own assertions work only in the parent.
 */
#ifndef TEST_CHILDREN_H
#define TEST_CHILDREN_H

#include "unit.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_GOOD, CHILD_BAD, CHILD_SKIPS };

/* Assertions for a child. */
#define need(what) do { \
	if (!(what)) { \
		dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
		_exit(CHILD_BAD); \
	} \
} while (0)

#define need_or_skip(what) do { \
	if (!(what)) \
		_exit(CHILD_SKIPS); \
} while (0)

/* Waits for a child and checks its exit status; skips the test if the child said so. */
static inline void
child_ends(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPS)
		skip();
	assert_int_equal(status, 0);
}

static inline void
in_child(void (*body)(void))
{
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		body();
		_exit(CHILD_GOOD);
	}
	child_ends(pid);
}

static inline void
as_root(void (*body)(void))
{
	if (geteuid() != 0)
		skip();
	in_child(body);
}

static inline void
write_file(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		skip();
	close(fd);
}

/*
 * Runs `body` in a child as root of a user namespace with the IDs 0 to 69999, where setgroups(2)
 * is forbidden.  Needs root outside of it.
 */
static inline void
in_user_namespace(void (*body)(void))
{
	int inside[2], mapped[2];
	char octet = 0;

	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe2(inside, O_CLOEXEC), 0);
	assert_int_equal(pipe2(mapped, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		need_or_skip(unshare(CLONE_NEWUSER) == 0);
		close(mapped[1]);
		need(write(inside[1], "", 1) == 1);
		need_or_skip(read(mapped[0], &octet, 1) == 1);
		body();
		_exit(CHILD_GOOD);
	}
	close(inside[1]);
	if (read(inside[0], &octet, 1) == 1) {
		write_file(pid, "setgroups", "deny");
		write_file(pid, "uid_map", "0 0 70000");
		write_file(pid, "gid_map", "0 0 70000");
		assert_int_equal(write(mapped[1], "", 1), 1);
	}
	close(inside[0]);
	close(mapped[0]);
	close(mapped[1]);
	child_ends(pid);
}

/* For a child. */
static inline void
lose_all_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	need(syscall(SYS_capset, &header, none) == 0);
}

/* For a child in its own user namespace; `kind` is "user" or "net". */
static inline void
allow_no_more_namespaces(const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", kind);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	need_or_skip(fd >= 0 && write(fd, "0\n", 2) == 2);
	close(fd);
}

#endif
