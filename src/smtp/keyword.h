/*
 * Which of the backend's EHLO keywords a client may see inside an encrypted session.  The relay
 * follows that dialogue: it needs lines in both directions and one reply to each command, and it
 * adds octets to messages.  Only extensions that are known to work with that are passed on.
 */
#ifndef SMTP_KEYWORD_H
#define SMTP_KEYWORD_H

#include "base/buf.h"

/*
 * Appends to `out` what the client is to see of `text`, a line of the backend's reply other
 * than its first.  `out` has room for `text`.  `added`: the octets that the relay may add to a
 * message.  Returns false if the line is left out.
 */
bool keyword_inside(struct span text, uint64_t added, struct buf *out);

/* Whether the relay can carry a session in which this AUTH mechanism is used. */
bool keyword_mechanism(struct span name);

/*
 * Appends to `out` a MAIL command with the given arguments and its SIZE parameter raised by
 * `added` octets.  Returns false and appends nothing if there is no SIZE parameter, or if the
 * arguments are malformed.
 */
bool keyword_mail(struct span arguments, uint64_t added, struct buf *out);

#endif
