/*
 * qemu-user passes most system calls to the kernel, but has no filters, namespaces or limits of
 * memory; its vfork(2) is fork(2), so that a failed execve(2) is not seen in the parent; and its
 * own code needs descriptors and signals.
 */
#ifndef TEST_EMULATED_H
#define TEST_EMULATED_H

#include "unit.h"

#include "sys/jail_parts.h"

#include <stdbool.h>

/* Every kernel limits memory. */
static inline bool
is_emulated(void)
{
	return jail_part_lacking(JAIL_MEMORY_LIMIT) != NULL;
}

static inline void
skip_where_emulated(void)
{
	if (!is_emulated())
		return;
	print_message("not with emulated system calls\n");
	skip();
}

#endif
