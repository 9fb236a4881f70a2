/*
 * A message from standard input, stored so that it can be read twice: SIZE and 8BITMIME must be
 * known before it is sent.
 */
#ifndef SYS_SPOOL_H
#define SYS_SPOOL_H

#include "base/span.h"

#include <stdint.h>

struct spool {
	int fd;			/* positioned at the first octet; the caller closes it */
	uint64_t length;	/* octets of the message; a file may have grown since */
	uint64_t octets;	/* the same with CRLF at the end of every line */
	bool eight_bit;		/* it contains octets above 127 */
};

/*
 * Reads `infd` to its end, which must come before `deadline_ms` (base/clock.h).  A regular file is
 * used in place.  Anything else is copied to an unnamed file in TMPDIR, /var/tmp or /tmp that only
 * its owner can read.  0, or -1 with errno: ETIMEDOUT when the deadline has passed.
 */
int spool_open(struct spool *spool, int infd, int64_t deadline_ms);

#endif
