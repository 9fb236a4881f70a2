/*
 * The parts of the jail (sys/jail.h) that a kernel may lack, found out without entering it.
 */
#ifndef SYS_JAIL_PARTS_H
#define SYS_JAIL_PARTS_H

#include <linux/audit.h>

/* What the kernel calls this machine in a filter; undefined: there is no filter for it. */
#if defined(__x86_64__)
#define JAIL_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define JAIL_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define JAIL_ARCH AUDIT_ARCH_RISCV64
#endif

enum jail_part { JAIL_LANDLOCK, JAIL_SECCOMP, JAIL_MEMORY_LIMIT, JAIL_PARTS };

const char *jail_part_name(enum jail_part part);

/*
 * Asks the kernel for a part; not for use in the jail.  NULL: it has the part.  Else a literal,
 * for the log: why not, and where there is one, the kernel parameter to change.
 */
const char *jail_part_lacking(enum jail_part part);

/* The kernel's Landlock ABI, 1 or more; 0 or less: no Landlock. */
long jail_landlock_abi(void);

/* What an ABI has no rules for, as a literal: the seccomp filter covers it.  NULL: nothing. */
const char *jail_landlock_without(long abi);

#endif
