/*
 * Turns each 5yz reply to the local MTA into the 4yz with the same digits: 530 5.7.0 becomes
 * 430 4.7.0.
 *
 * Used in a session in which an attempt to encrypt has failed: a server that refuses a message
 * permanently there may accept it in an encrypted session, so the message must wait.
 */
#ifndef SMTP_SOFTEN_H
#define SMTP_SOFTEN_H

#include "base/buf.h"

struct soften {
	bool midway;		/* the start of the current line was moved */
};

/*
 * Moves octets from `from` to `to`.  The start of a line stays in `from` until the code and the
 * class of the status code are there, unless `all`: nothing more will come.  Returns false
 * where a line begins like a TLS record: the local MTA has started TLS, and nothing from there
 * on is moved.
 */
bool soften_move(struct soften *s, struct buf *to, struct buf *from, bool all);

#endif
