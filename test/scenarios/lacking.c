/*
 * Starts a program in a kernel that lacks a part of the jail:
 *     lacking landlock|seccomp PROGRAM [ARGUMENT ...]
 * Landlock is then disabled at boot, and seccomp(2) is not there.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int
main(int argc, char *argv[])
{
	if (argc < 3)
		return 64;
	int result = strcmp(argv[1], "landlock") == 0
	    ? lack(SYS_landlock_create_ruleset, EOPNOTSUPP) : lack(SYS_seccomp, ENOSYS);
	if (result == 0)
		execv(argv[2], argv + 2);
	perror(argv[2]);
	return 71;
}
