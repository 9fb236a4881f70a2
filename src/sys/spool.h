/*
 * A message from standard input, kept where it can be read from its beginning: what has to be said
 * about it (its size, 8-bit octets) has to be said before it is sent.
 */
#ifndef SYS_SPOOL_H
#define SYS_SPOOL_H

#include "base/octets.h"

#include <stdint.h>

struct spool {
	int fd;			/* at the message's first octet; the caller closes it */
	uint64_t length;	/* octets from there on; a file may have grown since */
	uint64_t octets;	/* when every line ends in CRLF */
	bool eight_bit;		/* has octets above 127 */
};

/*
 * Reads `infd` to its end, which has to come before `deadline_ms` (base/clock.h).  A regular file is read where
 * it is; anything else goes to a file without a name in TMPDIR, /var/tmp or /tmp, readable by nobody else.
 * 0, or -1 with errno (ETIMEDOUT: the end did not come in time).
 */
int spool_open(struct spool *spool, int infd, int64_t deadline_ms);

#endif
