/*
 * Replies of SMTP (RFC 5321 section 4.2).
 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "base/buf.h"

struct reply_line {
	unsigned code;		/* 200 to 599 */
	bool last;		/* no hyphen after the code */
	struct span text;	/* after the separator; points into the octets read */
};

/* Reads one line of a reply, given without its line ending.  False: it is not a reply line. */
bool reply_line_read(struct span text, struct reply_line *reply);

/* The longest whole reply we take, in octets; the relay passes longer ones on line by line. */
#define REPLY_MAX 16384

struct reply {
	uint8_t mem[REPLY_MAX];
	struct buf raw;		/* the reply as received, in `mem` */
	unsigned code;		/* of the last line; 0: not complete yet */
	unsigned lines;		/* lines taken */
	unsigned first_code;	/* of the line before */
	bool crlf;		/* every line ended in CRLF */
	bool lenient;		/* accept what sendmail and Postfix accept: see reply_take() */
	size_t skipped;		/* octets of the lines left out */
};

enum reply_state { REPLY_MORE, REPLY_WHOLE, REPLY_BROKEN };

/* Begins a reply; not lenient. */
void reply_start(struct reply *r);

/*
 * Takes lines from `in` until the reply is complete.  REPLY_BROKEN: not a reply, longer than
 * REPLY_MAX, a line longer than LINE_MAX_OCTETS, or lines with different codes.  If `r->lenient`,
 * lines that are not reply lines are left out (up to REPLY_MAX octets) and codes may differ; the
 * code of the last line counts.  That is for connections in the clear.
 */
enum reply_state reply_take(struct reply *r, struct buf *in);

/* True if reply_take() has taken anything since reply_start(). */
static inline bool
reply_begun(const struct reply *r)
{
	return r->lines > 0 || r->skipped > 0;
}

/* Copies the octets, code and line count of `from`; `to` may be uninitialized. */
void reply_copy(struct reply *to, const struct reply *from);

/* The text of the last line with its code, inside `*r`, for log lines and error messages. */
struct span reply_last_line(const struct reply *r);

#endif
