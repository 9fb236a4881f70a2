/*
 * Mail addresses: as given in arguments, and as they are sent between < and > (RFC 5321,
 * section 4.1.2).
 *
 * Arguments are read in the notation of RFC 5321: "john doe"@b.example.  A local part that
 * needs quotes and has none gets them, so john doe@b.example is the same address.  If a
 * malformed local part has quotes or backslashes already, its meaning is unclear, and guessing
 * could send the message to a different address.
 */
#ifndef SMTP_MAILBOX_H
#define SMTP_MAILBOX_H

#include "base/buf.h"

#define MAILBOX_MAX 512			/* octets of an argument; the longest address has 320 */
#define MAILBOX_PUT_MAX (MAILBOX_MAX + 2)	/* with quotes */

enum mailbox {
	MAILBOX_GOOD,		/* can be sent with mailbox_put() */
	MAILBOX_UNCLEAR,	/* perhaps an address in another notation: do not refuse it */
	MAILBOX_IMPOSSIBLE	/* empty, with a control character, or longer than MAILBOX_MAX */
};

enum mailbox mailbox_check(struct span address);

/*
 * Copies a MAILBOX_GOOD address to `out`, with a NUL.  A domain that is not ASCII is converted
 * to A-labels (RFC 5891); the address then needs SMTPUTF8 only if its local part does.  Returns
 * false if the domain cannot be converted.
 */
bool mailbox_convert(char out[MAILBOX_MAX + 1], struct span address);

/*
 * Appends a MAILBOX_GOOD address to `out`, at most MAILBOX_PUT_MAX octets, quoted where needed.
 */
void mailbox_put(struct buf *out, struct span address);

#endif
