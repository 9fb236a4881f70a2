/*
 * Starts a program in a kernel that lacks a part of the jail:
 *     lacking landlock|seccomp|limit PROGRAM [ARGUMENT ...]
 * Landlock is then disabled at boot, seccomp(2) is not there, or limits of memory have no effect.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
install(const struct sock_fprog *program)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program);
}

/* From now on that call fails with `why`. */
static int
lack(long call, int why)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)why),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install(&(struct sock_fprog){ sizeof(filter) / sizeof(filter[0]), filter });
}

/* prlimit(2) with a new RLIMIT_DATA succeeds and does nothing, as under qemu-user. */
static int
ignore_limit(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RLIMIT_DATA, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install(&(struct sock_fprog){ sizeof(filter) / sizeof(filter[0]), filter });
}

static int
lack_part(const char *name)
{
	if (strcmp(name, "landlock") == 0)
		return lack(SYS_landlock_create_ruleset, EOPNOTSUPP);
	return strcmp(name, "seccomp") == 0 ? lack(SYS_seccomp, ENOSYS) : ignore_limit();
}

int
main(int argc, char *argv[])
{
	if (argc < 3)
		return 64;
	if (lack_part(argv[1]) == 0)
		execv(argv[2], argv + 2);
	perror(argv[2]);
	return 71;
}
