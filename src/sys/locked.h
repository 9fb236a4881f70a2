/*
 * Memory that is never written to swap.
 */
#ifndef SYS_LOCKED_H
#define SYS_LOCKED_H

/*
 * Locks the static variables, where all keys are, each page as it is used.  A forked process has to do it again.
 * As root, or within RLIMIT_MEMLOCK: 0, or -1 with errno.
 */
int locked_static(void);

#endif
