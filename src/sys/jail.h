/*
 * The jail restricts a session process that has everything it needs.  It can read and write its
 * open descriptors, allocate memory, get time and randomness, and exit.  Any other system call
 * fails with EPERM and does not kill the process.
 *
 * The jail cannot be left or switched off.  If the kernel lacks a part (sys/jail_parts.h) and not
 * the whole jail is required, the other parts apply.
 */
#ifndef SYS_JAIL_H
#define SYS_JAIL_H

#include <stddef.h>
#include <stdint.h>

enum jail {
	JAIL_SESSION,
	JAIL_CALL,	/* can also receive connections from the process outside (sys/outside.h) */
	/*
	 * As JAIL_CALL.  Can also accept connections on JAIL_LISTEN_FD, ask for the user at the
	 * other end, and set a timer that ends it.
	 */
	JAIL_KEEP
};

enum jail_need {
	JAIL_AVAILABLE,	/* the parts that the kernel has */
	JAIL_WHOLE
};

#define JAIL_LISTEN_FD 20	/* above the descriptors of a session */

/*
 * Octets of private memory.  A session with TLS and Debian's 220 KB of certificates needs 2.2 MB;
 * with the largest certificate file that is read, 4 MB, about 12 MB.
 */
#define JAIL_MEMORY (32u << 20)

/*
 * Enters the jail.  `file_max` is the size in octets beyond which no file may grow.  0, or -1 with
 * errno and in `*step` a literal that says what failed: the caller must not continue.
 */
int jail_enter(enum jail jail, uint64_t file_max, enum jail_need need, const char **step);

/* Non-zero in builds for tests (sanitizers, coverage, valgrind), which need a wider jail. */
extern const int jail_is_wide;

#endif
