#include "sys/jail.h"

#include "base/log.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
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

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define PERMIT(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), ALLOW
#define REFUSE(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), DENY

#ifdef ARCH
/* Another architecture's calls have other numbers. */
#define PROLOGUE LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0), DENY, LOAD(nr)

#ifndef JAIL_WIDE
/* What a session does, the most frequent first. */
#define SESSION_CALLS \
	PERMIT(SYS_read), PERMIT(SYS_write), PERMIT(SYS_ppoll), PERMIT(SYS_recvfrom), \
	PERMIT(SYS_sendto), PERMIT(SYS_close), PERMIT(SYS_shutdown), PERMIT(SYS_lseek), \
	PERMIT(SYS_pread64), PERMIT(SYS_flock), PERMIT(SYS_fstat), PERMIT(SYS_newfstatat), \
	PERMIT(SYS_ftruncate), PERMIT(SYS_getrandom), PERMIT(SYS_brk), PERMIT(SYS_munmap), \
	PERMIT(SYS_mremap), PERMIT(SYS_setsockopt), PERMIT(SYS_getsockopt), PERMIT(SYS_fcntl), \
	PERMIT(SYS_ioctl), PERMIT(SYS_clock_gettime), PERMIT(SYS_clock_nanosleep), \
	PERMIT(SYS_restart_syscall), PERMIT(SYS_rt_sigreturn), PERMIT(SYS_rt_sigprocmask), \
	PERMIT(SYS_getpid), PERMIT(SYS_exit_group)

#ifdef SYS_poll
#define OLD_CALLS PERMIT(SYS_poll),
#else
#define OLD_CALLS
#endif

/* Memory, but none that can be run. */
#define PLAIN_MEMORY \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 4), LOAD(args[2]), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4 /* PROT_EXEC */, 0, 1), DENY, ALLOW

static struct sock_filter dial_filter[] = {
	PROLOGUE,
	OLD_CALLS SESSION_CALLS,
	/* before any other, for it loads something else */
	PERMIT(SYS_connect),
	PERMIT(SYS_bind),
	PERMIT(SYS_getpeername),
	PERMIT(SYS_getsockname),
	/* the next filter has to be put on, and Landlock's next rules */
	PERMIT(SYS_dup),
	PERMIT(SYS_seccomp),
	PERMIT(SYS_prlimit64),
	PERMIT(SYS_landlock_create_ruleset),
	PERMIT(SYS_landlock_restrict_self),
	PERMIT(SYS_prctl),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
	ALLOW,
	DENY,
	PLAIN_MEMORY,
	DENY,
};

static struct sock_filter session_filter[] = {
	PROLOGUE,
	OLD_CALLS SESSION_CALLS,
	PLAIN_MEMORY,
	DENY,
};
#else
/* Sanitizers read files and start threads of their own. */
static struct sock_filter dial_filter[] = { PROLOGUE, REFUSE(SYS_execve), REFUSE(SYS_listen), ALLOW };
static struct sock_filter session_filter[] = { PROLOGUE, REFUSE(SYS_execve), REFUSE(SYS_listen),
	REFUSE(SYS_connect), ALLOW };
#endif
#endif

#ifdef ARCH
static int
put_on_filter(enum jail jail)
{
	struct sock_fprog program = jail == JAIL_DIAL
	    ? (struct sock_fprog){ sizeof(dial_filter) / sizeof(dial_filter[0]), dial_filter }
	    : (struct sock_fprog){ sizeof(session_filter) / sizeof(session_filter[0]), session_filter };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
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
	close(fd);
	return result;
}

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
 * No more descriptors than there are: the lowest free number is the limit, for the kernel always gives
 * the lowest.  (poll(2) takes four at once, and wants the limit to be no less.)
 */
static int
limit_descriptors(void)
{
	int next = dup(STDIN_FILENO);

	if (next == -1)
		return errno == EMFILE ? 0 : -1;
	close(next);
	return limit(RLIMIT_NOFILE, next > 4 ? (uint64_t)next : 4);
}

static int
limit_everything(enum jail jail, uint64_t file_max, const char **step)
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
	return jail == JAIL_SESSION ? limit_descriptors() : 0;
}

static void
lacking(const char *what)
{
	static int said;

	if (!said)
		log_line(LOG_NOTICE, "jail: this kernel has no %s; going on with the rest", what);
	said = 1;
}

int
jail_enter(enum jail jail, uint64_t file_max, const char **step)
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
	if (!jail_is_wide && shut_files() == -1)
		lacking("Landlock");
	if (limit_everything(jail, file_max, step) == -1)
		return -1;
	/* last, for it forbids all of the above */
	if (put_on_filter(jail) == -1)
		lacking("seccomp filters for this architecture");
	return 0;
}
