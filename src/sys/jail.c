#include "sys/jail.h"

#include "base/log.h"
#include "sys/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef JAIL_WIDE
const int jail_is_wide = 1;
#else
const int jail_is_wide = 0;
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef ARCH
#define DENY (SECCOMP_RET_ERRNO | EPERM)

#define ANY(name) { .call = SYS_ ## name }
#define WITH(name, number, wanted) \
	{ .call = SYS_ ## name, .only = { { FILTER_IS, (number), (wanted) } } }
#define WITHOUT(name, number, bits) \
	{ .call = SYS_ ## name, .only = { { FILTER_HAS_NOT, (number), (bits) } } }

#ifndef JAIL_WIDE
#ifdef SYS_poll
#define POLL ANY(poll)
#else
#define POLL ANY(ppoll)
#endif

/*
 * What a session does.  It sends where its sockets are connected, for with an address the log's would
 * reach every datagram socket on this host; and asks a descriptor only for what waits there, for a
 * terminal takes input by ioctl(2), and fcntl(2) can have signals sent and end O_APPEND.  It gets
 * memory, but none that can be run.
 */
#define SESSION_CALLS \
	ANY(read), ANY(write), POLL, ANY(recvfrom), WITH(sendto, 5, 0), ANY(close), ANY(shutdown), \
	WITH(setsockopt, 2, SO_LINGER), WITH(ioctl, 1, FIONREAD), ANY(lseek), ANY(pread64), ANY(flock), \
	ANY(fstat), ANY(newfstatat), ANY(ftruncate), ANY(getrandom), ANY(getpid), ANY(brk), \
	WITHOUT(mmap, 2, PROT_EXEC), ANY(munmap), ANY(mremap), ANY(clock_gettime), \
	ANY(clock_nanosleep), ANY(restart_syscall), ANY(rt_sigreturn), ANY(rt_sigprocmask), \
	ANY(exit_group)

/* A socket for TCP, as dial() makes it. */
#define TCP(family) { .call = SYS_socket, .only = { { FILTER_IS, 0, (family) }, \
	{ FILTER_IS, 1, SOCK_STREAM | SOCK_CLOEXEC }, { FILTER_IS, 2, 0 } } }

static struct filter_rule session_rules[] = { SESSION_CALLS };
static struct filter_rule dial_rules[] = {
	TCP(AF_INET), TCP(AF_INET6), ANY(connect), ANY(fcntl), ANY(setsockopt), ANY(getsockopt),
	ANY(seccomp),		/* for the next filter */
	SESSION_CALLS,
};
/* What a session has no more when it has dialled: the outer filter stays, and need not be repeated. */
static struct filter_rule dialled_rules[] = {
	ANY(socket), ANY(connect), ANY(fcntl), ANY(getsockopt), ANY(seccomp),
	{ .call = SYS_setsockopt, .only = { { FILTER_IS_NOT, 2, SO_LINGER } } },
};
#define LISTED SECCOMP_RET_ALLOW
#define OTHERS DENY
#else
/* Sanitizers read files and start threads of their own. */
#define REFUSED ANY(execve), ANY(execveat), ANY(listen)

static struct filter_rule session_rules[] = { REFUSED, ANY(connect) };
static struct filter_rule dial_rules[] = { REFUSED };
static struct filter_rule dialled_rules[] = { REFUSED, ANY(connect) };
#define LISTED DENY
#define OTHERS SECCOMP_RET_ALLOW
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
_Static_assert(COUNT(dial_rules) <= FILTER_RULES_MAX, "the longest list has a place");

static int
put_on_filter(enum jail jail)
{
	static bool dials;
	struct sock_filter filter[FILTER_MAX];
	struct sock_fprog program = { .filter = filter };
	size_t len;

	if (jail == JAIL_DIAL)
		len = filter_make(filter, dial_rules, COUNT(dial_rules), ARCH, LISTED, OTHERS);
	else if (!dials)
		len = filter_make(filter, session_rules, COUNT(session_rules), ARCH, LISTED, OTHERS);
	else
		len = filter_make(filter, dialled_rules, COUNT(dialled_rules), ARCH, DENY,
		    SECCOMP_RET_ALLOW);
	program.len = (unsigned short)len;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == -1)
		return -1;
	dials = dials || jail == JAIL_DIAL;
	return 0;
}
#else
static int
put_on_filter(enum jail jail)
{
	(void)jail;
	errno = ENOSYS;
	return -1;
}
#endif

/* Files: none may be opened, made, removed or run (Landlock has no rule that allows any). */
static int
shut_files(void)
{
	struct landlock_ruleset_attr nothing = { .handled_access_fs =
	    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
	    LANDLOCK_ACCESS_FS_MAKE_SYM };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &nothing,
	    sizeof(nothing.handled_access_fs), 0);

	if (fd == -1)
		return -1;
	int result = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	int why = errno;
	close(fd);
	errno = why;
	return result;
}

#ifndef __GLIBC__
typedef int __rlimit_resource_t;	/* what POSIX says; glibc has an enum */
#endif

static int
limit(int which, uint64_t most)
{
	struct rlimit now, wanted = { most, most };

	if (getrlimit((__rlimit_resource_t)which, &now) == -1)
		return -1;
	if (now.rlim_max < wanted.rlim_max)	/* it is narrower already */
		return 0;
	if (setrlimit((__rlimit_resource_t)which, &wanted) == -1 ||
	    getrlimit((__rlimit_resource_t)which, &now) == -1)
		return -1;
	return now.rlim_cur == most && now.rlim_max == most ? 0 : -1;
}

/*
 * No more descriptors than there are, and so many `more`: the lowest free number is the limit, for the
 * kernel always gives the lowest.  (poll(2) takes four at once, and wants the limit to be no less.)
 */
static int
limit_descriptors(uint64_t more)
{
	int next = dup(STDIN_FILENO);

	if (next == -1)
		return errno == EMFILE ? 0 : -1;
	close(next);
	uint64_t most = (uint64_t)next + more;
	return limit(RLIMIT_NOFILE, most > 4 ? most : 4);
}

static int
limit_everything(uint64_t file_max, uint64_t more_descriptors, const char **step)
{
	*step = "core files";
	if (limit(RLIMIT_CORE, 0) == -1)
		return -1;
	*step = "file size";
	if (limit(RLIMIT_FSIZE, file_max) == -1)
		return -1;
	if (jail_is_wide)
		return 0;
	*step = "processes";
	if (limit(RLIMIT_NPROC, 0) == -1)
		return -1;
	*step = "descriptors";
	return limit_descriptors(more_descriptors);
}

/* The kernel has no such thing: 0.  It has no room, or something else that passes: -1, as it was. */
static int
lacking(const char *what)
{
	if (errno == ENOMEM || errno == EMFILE || errno == ENFILE)
		return -1;
	log_line(LOG_NOTICE, "jail: this kernel has no %s for us (%s); going on with the rest", what,
	    strerror(errno));
	return 0;
}

/* Everything that is the same in both jails. */
static int
shut_in(uint64_t file_max, uint64_t more_descriptors, const char **step)
{
	/* no program run from here could gain rights; the kernel asks for this before a filter */
	*step = "no new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -1;
	/* nobody of our own user can look into our memory */
	*step = "not dumpable";
	if (!jail_is_wide && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0))
		return -1;
	/* files before descriptors: its rules are one */
	*step = "Landlock";
	if (!jail_is_wide && shut_files() == -1 && lacking(*step) == -1)
		return -1;
	return limit_everything(file_max, more_descriptors, step);
}

int
jail_enter(enum jail jail, uint64_t file_max, const char **step)
{
	static bool inside;

	/* of the two, one inside the other, the outer one leaves a descriptor for the call */
	if (!inside && shut_in(file_max, jail == JAIL_DIAL ? 1 : 0, step) == -1)
		return -1;
	inside = true;
	/* last, for it forbids all of the above */
	*step = "seccomp filter";
	return put_on_filter(jail) == -1 ? lacking(*step) : 0;
}
