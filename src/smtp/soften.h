/*
 * Replies on their way to a mailer, each 5yz made the 4yz of the same digits: 530 5.7.0 becomes 430 4.7.0.
 *
 * For a session in which an attempt to encrypt has failed: what the far end refuses for good there, it may
 * take in one that encrypts, and so the message waits.
 */
#ifndef SMTP_SOFTEN_H
#define SMTP_SOFTEN_H

#include "base/buf.h"

struct soften {
	bool midway;		/* the start of the present line has gone */
};

/*
 * Moves what it can from `from` to `to`.  The first octets of a line are kept until it can be told what
 * they are, unless `all`: no more will come.  False: a line begins as no text does, but as the records of
 * a TLS that the mailer has begun do; nothing from there on is moved.
 */
bool soften_move(struct soften *s, struct buf *to, struct buf *from, bool all);

#endif
