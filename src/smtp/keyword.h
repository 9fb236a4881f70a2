/*
 * What a mailer offers in its reply to EHLO, as the client may use it through blackponyd inside
 * an encrypted session.  The relay follows that dialogue: it needs lines in both directions and
 * one reply to each command, and it adds octets to messages.  Only what is known to keep to that
 * is offered.
 */
#ifndef SMTP_KEYWORD_H
#define SMTP_KEYWORD_H

#include "base/buf.h"

/*
 * Puts to `out` what this line of the mailer's reply, not its first one, becomes inside; `out`
 * has room for it as it came.  False: it is left out.  `added`: by how many octets the relay may
 * make a message longer.
 */
bool keyword_inside(struct span text, uint64_t added, struct buf *out);

/* Can the relay carry a session in which this mechanism of AUTH was used? */
bool keyword_mechanism(struct span name);

/*
 * Puts to `out` a MAIL command, `arguments` following its verb, with `added` octets more in its
 * SIZE parameter. False, and nothing is put: there is no such parameter, or the line cannot be
 * read.
 */
bool keyword_mail(struct span arguments, uint64_t added, struct buf *out);

#endif
