/*
 * A seccomp filter from a list of the system calls it is about.
 *
 * The kernel runs a new filter once for every call there is, to know which it need not run it for again.  In a
 * list of thirty comparisons that costs a session more than its encryption does, so this is a search tree.
 */
#ifndef SYS_FILTER_H
#define SYS_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_RULES_MAX 40
#define FILTER_MAX (8 * FILTER_RULES_MAX)	/* instructions */

/* What an argument must be.  Only its lower 32 bits are looked at. */
struct filter_condition {
	enum { FILTER_ANY, FILTER_IS, FILTER_IS_NOT, FILTER_HAS_NOT } how;
	unsigned argument;		/* 0 to 5 */
	uint32_t value;			/* ... that, not that, or no bit of that */
};

#define FILTER_CONDITIONS 3

/* A call is listed when all conditions of one of its rules are met. */
struct filter_rule {
	uint32_t call;
	struct filter_condition only[FILTER_CONDITIONS];	/* those with FILTER_ANY end them */
};

/*
 * Sorts `rules` and makes a program of them: for calls of architecture `arch` (AUDIT_ARCH_) that are listed
 * the kernel returns `listed` (SECCOMP_RET_), for other calls `others`, and for other architectures EPERM.
 * `count` is at most FILTER_RULES_MAX; returns the number of instructions.
 */
size_t filter_make(struct sock_filter program[FILTER_MAX], struct filter_rule *rules, size_t count,
    uint32_t arch, uint32_t listed, uint32_t others);

#endif
