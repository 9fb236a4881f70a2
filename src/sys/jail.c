#include "sys/jail.h"

#include "base/log.h"
#include "sys/jail_parts.h"

#include <errno.h>
#include <fcntl.h>
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
#include <sys/time.h>
#include <unistd.h>

#ifdef JAIL_WIDE
const int jail_is_wide = 1;
#else
const int jail_is_wide = 0;
#endif

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
/* Skips `yes` instructions if the loaded value equals `value`, else `no`. */
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

#define PERMIT(call) IF((call), 0, 1), ALLOW
#define REFUSE(call) IF((call), 0, 1), DENY
/* Permits a call only with that argument (32 bits).  The first rule for a call decides. */
#define PERMIT_WITH(call, argument, value) \
	IF((call), 0, 4), LOAD(args[argument]), IF((value), 0, 1), ALLOW, DENY

#ifdef JAIL_ARCH
/*
 * Another architecture's calls have other numbers.  (x32 calls have numbers that no rule
 * permits.)
 */
#define PROLOGUE LOAD(arch), IF(JAIL_ARCH, 1, 0), DENY, LOAD(nr)

#ifndef JAIL_WIDE
#ifdef SYS_poll
#define PERMIT_POLL PERMIT(SYS_poll)
#else
#define PERMIT_POLL PERMIT(SYS_ppoll)
#endif

/*
 * Refuses most calls that no session makes with two rules: when a filter is installed, the kernel
 * evaluates it for every number, which takes 10 us longer without them.
 */
#ifdef __x86_64__
#define REFUSE_MOST \
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_getrandom, 0, 1), DENY, \
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_ftruncate, 0, 2), \
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_restart_syscall, 1, 0), DENY
#else
#define REFUSE_MOST LOAD(nr)
#endif

#define MAP_KIND (MAP_TYPE | MAP_ANONYMOUS)

/*
 * Permits private anonymous memory that is not executable.  Mappings of files are refused, since a
 * shared one could write where no call may.
 */
#define PERMIT_PLAIN_MEMORY \
	IF(SYS_mmap, 0, 8), LOAD(args[2]), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), DENY, \
	LOAD(args[3]), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MAP_KIND), \
	IF(MAP_PRIVATE | MAP_ANONYMOUS, 1, 0), DENY, ALLOW

/* Permits fstat(3) of descriptors only, for which musl uses SYS_fstat. */
#ifdef __GLIBC__
#define PERMIT_FSTAT PERMIT(SYS_fstat), PERMIT_WITH(SYS_newfstatat, 3, AT_EMPTY_PATH)
#else
#define PERMIT_FSTAT PERMIT(SYS_fstat)
#endif

/*
 * The calls of a session.  sendto(2) is permitted only without an address, since the log's socket
 * could otherwise reach every datagram socket of this host.  ioctl(2) is restricted to FIONREAD,
 * since another request puts input into a terminal.  fcntl(2) is missing, since it can direct
 * signals and clear O_APPEND.
 */
#define SESSION_CALLS \
	PERMIT(SYS_read), PERMIT(SYS_write), PERMIT_POLL, PERMIT(SYS_recvfrom), \
	PERMIT_WITH(SYS_sendto, 5, 0), PERMIT(SYS_close), PERMIT(SYS_shutdown), \
	PERMIT_WITH(SYS_setsockopt, 2, SO_LINGER), PERMIT_WITH(SYS_ioctl, 1, FIONREAD), \
	PERMIT(SYS_pread64), PERMIT(SYS_flock), PERMIT_FSTAT, \
	PERMIT(SYS_ftruncate), PERMIT(SYS_getrandom), PERMIT(SYS_getpid), \
	PERMIT(SYS_brk), PERMIT_PLAIN_MEMORY, PERMIT(SYS_munmap), PERMIT(SYS_mremap), \
	PERMIT(SYS_clock_gettime), PERMIT(SYS_clock_nanosleep), PERMIT(SYS_restart_syscall), \
	PERMIT(SYS_rt_sigreturn), PERMIT(SYS_rt_sigprocmask), PERMIT(SYS_exit_group)

static struct sock_filter session_filter[] = { PROLOGUE, REFUSE_MOST, SESSION_CALLS, DENY };

/* Also permits receiving connections that the process outside has made. */
static struct sock_filter call_filter[] = {
	PROLOGUE, REFUSE_MOST, PERMIT(SYS_recvmsg), SESSION_CALLS, DENY
};

/* Also permits the next message to be taken over from another process. */
static struct sock_filter keep_filter[] = {
	PROLOGUE, REFUSE_MOST, PERMIT(SYS_recvmsg), PERMIT_WITH(SYS_accept4, 0, JAIL_LISTEN_FD),
	PERMIT_WITH(SYS_getsockopt, 2, SO_PEERCRED), PERMIT_WITH(SYS_setitimer, 0, ITIMER_REAL),
	SESSION_CALLS, DENY
};
#else
/* Sanitizers read files and start threads. */
#define WIDE PROLOGUE, REFUSE(SYS_execve), REFUSE(SYS_execveat), REFUSE(SYS_listen), REFUSE(SYS_connect)

static struct sock_filter session_filter[] = { WIDE, ALLOW };
static struct sock_filter call_filter[] = { WIDE, ALLOW };
static struct sock_filter keep_filter[] = { WIDE, ALLOW };
#endif
#endif

#ifdef JAIL_ARCH
#define PROGRAM(filter) { sizeof(filter) / sizeof((filter)[0]), (filter) }

static int
put_on_filter(enum jail jail)
{
	static const struct sock_fprog programs[] = {
		[JAIL_SESSION] = PROGRAM(session_filter),
		[JAIL_CALL] = PROGRAM(call_filter),
		[JAIL_KEEP] = PROGRAM(keep_filter),
	};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &programs[jail]);
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

/* struct landlock_ruleset_attr of ABI 6; the system's headers may be older. */
struct rules {
	uint64_t files, net, scoped;
};

#define FILES_1 ((UINT64_C(1) << 13) - 1)	/* all of ABI 1: open, make, remove, execute */
#define FILES_2 (UINT64_C(1) << 13)		/* link or rename to another directory */
#define FILES_3 (UINT64_C(1) << 14)		/* truncate */
#define NET_4 UINT64_C(3)			/* bind, connect */
#define FILES_5 (UINT64_C(1) << 15)		/* ioctl(2) of devices */
#define SCOPED_6 UINT64_C(3)			/* abstract sockets of others, signals to others */

/* Everything that the kernel's ABI can restrict; no rule permits any of it. */
static struct rules
rules_of(long abi)
{
	struct rules rules = { .files = FILES_1 };

	rules.files |= (abi >= 2 ? FILES_2 : 0) | (abi >= 3 ? FILES_3 : 0) |
	    (abi >= 5 ? FILES_5 : 0);
	rules.net = abi >= 4 ? NET_4 : 0;
	rules.scoped = abi >= 6 ? SCOPED_6 : 0;
	return rules;
}

/* Older ABIs restrict less; the seccomp filter covers the difference. */
static int
landlock(void)
{
	long abi = jail_landlock_abi();
	struct rules rules = rules_of(abi);

	if (abi >= 1 && jail_landlock_without(abi) != NULL)
		log_debug("jail: no Landlock rules for %s in this kernel (ABI %ld)",
		    jail_landlock_without(abi), abi);
	/* the kernel accepts a longer struct than it knows if the rest is zero */
	int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (fd < 0)
		return -1;
	int result = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	int why = errno;
	close(fd);
	errno = why;
	return result;
}

#ifndef __GLIBC__
typedef int __rlimit_resource_t;	/* as in POSIX; glibc has an enum */
#endif

/* Sets a limit.  -1 with errno, which is ENOTSUP if the limit reads back as another one. */
static int
jail_limit(int which, uint64_t most)
{
	struct rlimit now, wanted = { most, most };

	if (getrlimit((__rlimit_resource_t)which, &now) < 0)
		return -1;
	if (now.rlim_max < wanted.rlim_max)	/* already lower */
		return 0;
	if (setrlimit((__rlimit_resource_t)which, &wanted) < 0 ||
	    getrlimit((__rlimit_resource_t)which, &now) < 0)
		return -1;
	if (now.rlim_cur == most && now.rlim_max == most)
		return 0;
	errno = ENOTSUP;
	return -1;
}

/*
 * Permits `more` descriptors beyond those that are open.  The lowest free number serves as the
 * limit, because the kernel always assigns the lowest.  A session polls at least four descriptors,
 * and poll(2) fails for more than the limit, so it is at least 4.
 */
static int
limit_descriptors(uint64_t more)
{
	int next = dup(STDIN_FILENO);

	if (next < 0)
		return errno == EMFILE ? 0 : -1;
	close(next);
	uint64_t most = (uint64_t)next + more;
	return jail_limit(RLIMIT_NOFILE, most > 4 ? most : 4);
}

/*
 * Decides about a part that failed.  0: the session goes on without it.  -1, with errno unchanged:
 * it is required, or there is no memory or descriptor for it.
 */
static int
do_without(enum jail_part part, enum jail_need need)
{
	int why = errno;

	if (need == JAIL_WHOLE || why == ENOMEM || why == EMFILE || why == ENFILE)
		return -1;
	/* what the kernel lacks has been logged at start */
	if (jail_part_lacking(part) == NULL)
		log_line(LOG_NOTICE, "jail: %s failed (%s); continuing with the other parts",
		    jail_part_name(part), strerror(why));
	return 0;
}

static int
limit_everything(uint64_t file_max, uint64_t more_descriptors, enum jail_need need,
    const char **step)
{
	*step = "core files";
	if (jail_limit(RLIMIT_CORE, 0) < 0)
		return -1;
	*step = "file size";
	if (jail_limit(RLIMIT_FSIZE, file_max) < 0)
		return -1;
	if (jail_is_wide)
		return 0;
	*step = jail_part_name(JAIL_MEMORY_LIMIT);
	if (jail_limit(RLIMIT_DATA, JAIL_MEMORY) < 0 &&
	    (errno != ENOTSUP || do_without(JAIL_MEMORY_LIMIT, need) < 0))
		return -1;
	*step = "processes";
	if (jail_limit(RLIMIT_NPROC, 0) < 0)
		return -1;
	*step = "descriptors";
	return limit_descriptors(more_descriptors);
}

/* All steps except the filter. */
static int
shut_in(uint64_t file_max, uint64_t more_descriptors, enum jail_need need, const char **step)
{
	/* no executed program can gain privileges; required for a filter without root */
	*step = "no new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -1;
	/* other processes of our user cannot read our memory */
	*step = "not dumpable";
	if (!jail_is_wide && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0))
		return -1;
	/* before the limit of descriptors, because the ruleset is a descriptor */
	*step = jail_part_name(JAIL_LANDLOCK);
	if (!jail_is_wide && landlock() < 0 && do_without(JAIL_LANDLOCK, need) < 0)
		return -1;
	return limit_everything(file_max, more_descriptors, need, step);
}

int
jail_enter(enum jail jail, uint64_t file_max, enum jail_need need, const char **step)
{
	/* the process outside passes one descriptor at a time */
	if (shut_in(file_max, jail != JAIL_SESSION ? 1 : 0, need, step) < 0)
		return -1;
	/* last, because it forbids the other steps */
	*step = jail_part_name(JAIL_SECCOMP);
	return put_on_filter(jail) < 0 ? do_without(JAIL_SECCOMP, need) : 0;
}
