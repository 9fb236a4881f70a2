/*
 * Memory that is never swapped out.
 */
#ifndef SYS_LOCKED_H
#define SYS_LOCKED_H

/*
 * Locks static variables, which include all keys; each page is locked when it is first used.
 * Locks are not inherited by a forked process.  Needs root or a sufficient RLIMIT_MEMLOCK: 0, or
 * -1 with errno.
 */
int locked_static(void);

#endif
