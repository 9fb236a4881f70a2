/*
 * Addresses of mail as they stand in arguments, and as they have to stand between < and > (RFC 5321 section 4.1.2).
 *
 * Arguments are read in the notation of RFC 5321: "john doe"@b.example.  A local part that is not well-formed there
 * can only be meant without quotes, and gets them: john doe@b.example is the same address.  Where quotes or
 * backslashes are in it already, what is meant is anybody's guess, and a guess would be another address.
 */
#ifndef SMTP_MAILBOX_H
#define SMTP_MAILBOX_H

#include "base/buf.h"

#define MAILBOX_MAX 512			/* octets of an argument; the longest address has 320 */
#define MAILBOX_PUT_MAX (MAILBOX_MAX + 2)

enum mailbox {
	MAILBOX_GOOD,
	MAILBOX_UNCLEAR,		/* it may be an address in another notation: not for us to refuse */
	MAILBOX_IMPOSSIBLE		/* empty, with a control character, or longer than MAILBOX_MAX */
};

enum mailbox mailbox_check(struct span address);

/*
 * A good one as it was written, with a NUL, but for a domain with letters beyond ASCII, which is converted (RFC 5891):
 * such an address needs no SMTPUTF8 then unless its local part does.  False: there can be no such domain.
 */
bool mailbox_convert(char out[MAILBOX_MAX + 1], struct span address);

/* Puts a good one to `out`, with quotes where it needs them. */
void mailbox_put(struct buf *out, struct span address);

#endif
