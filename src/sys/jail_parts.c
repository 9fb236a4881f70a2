#include "sys/jail_parts.h"

#include "sys/jail.h"

#include <errno.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *
jail_part_name(enum jail_part part)
{
	static const char *const names[JAIL_PARTS] = {
		[JAIL_LANDLOCK] = "Landlock",
		[JAIL_SECCOMP] = "seccomp filter",
		[JAIL_MEMORY_LIMIT] = "memory limit",
	};

	return names[part];
}

long
jail_landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

const char *
jail_landlock_without(long abi)
{
	return abi >= 6 ? NULL : abi >= 4 ? "signals" : "connections and signals";
}

/* Why jail_landlock_abi() failed with `error`. */
static const char *
landlock_lacking(int error)
{
	switch (error) {
	case EOPNOTSUPP:
		return "disabled at boot; add landlock to the kernel parameter lsm=";
	case ENOSYS:
		return "Linux before 5.13, or without CONFIG_SECURITY_LANDLOCK";
	default:
		return "landlock_create_ruleset(2) is forbidden, perhaps by a container";
	}
}

/* Why seccomp(2) failed with `error`, which is EFAULT where filters can be installed. */
static const char *
seccomp_lacking(int error)
{
	switch (error) {
	case EFAULT:
		return NULL;
	case EINVAL:
	case ENOSYS:
		return "Linux without CONFIG_SECCOMP_FILTER, or an emulation of it";
	default:
		return "seccomp(2) is forbidden, perhaps by a container";
	}
}

/*
 * Sets a lower soft limit, reads it and restores it.  NULL also if that fails: jail_enter() then
 * fails and says why.
 */
static const char *
memory_limit_lacking(void)
{
	struct rlimit old, lower, now;

	if (getrlimit(RLIMIT_DATA, &old) < 0 || old.rlim_cur <= JAIL_MEMORY)
		return NULL;
	lower = old;
	lower.rlim_cur = JAIL_MEMORY;
	if (setrlimit(RLIMIT_DATA, &lower) < 0)
		return NULL;
	int ignored = getrlimit(RLIMIT_DATA, &now) == 0 && now.rlim_cur != JAIL_MEMORY;
	setrlimit(RLIMIT_DATA, &old);
	return ignored ? "RLIMIT_DATA has no effect, perhaps in an emulation of Linux" : NULL;
}

static const char *
seccomp_asked(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

#ifndef JAIL_ARCH
	return "not written for the system calls of this architecture";
#endif
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return NULL;
	/* Linux before 4.14 cannot answer that */
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL);
	return seccomp_lacking(errno);
}

const char *
jail_part_lacking(enum jail_part part)
{
	switch (part) {
	case JAIL_LANDLOCK:
		return jail_landlock_abi() >= 1 ? NULL : landlock_lacking(errno);
	case JAIL_SECCOMP:
		return seccomp_asked();
	default:
		return memory_limit_lacking();
	}
}
