/*
 * The jail: what a session process may still do once it has everything it needs.  It can read and write the
 * descriptors it has, grow its memory, ask for time and randomness, and end.  Whatever else it tries is an
 * error (EPERM), never its death.
 *
 * There is no way out and no setting that leaves it out.  What the kernel lacks is said in the log, once in
 * each process, and the rest is done.
 */
#ifndef SYS_JAIL_H
#define SYS_JAIL_H

#include <stddef.h>
#include <stdint.h>

enum jail {
	JAIL_SESSION,
	JAIL_CALL	/* the same, but the process outside (sys/outside.h) can hand over a connection */
};

/*
 * Octets of memory that are its own.  A session with TLS and Debian's 220 KB of certificates takes 2.2 MB; the
 * largest file of certificates that is read, of 4 MB, takes some 12.
 */
#define JAIL_MEMORY (32u << 20)

/*
 * Goes in.  `file_max` is the size no file of ours may grow beyond, in octets.  0, or -1 with errno and
 * `*step`, a literal that says what failed: the caller must not go on then.
 */
int jail_enter(enum jail jail, uint64_t file_max, const char **step);

/* Is this a build for tests (sanitizers, coverage, valgrind), which needs a wider jail? */
extern const int jail_is_wide;

#endif
