/*
 * Lines, commands and replies of SMTP (RFC 5321 sections 2.3.8, 4.1.1, 4.2).
 */
#ifndef SMTP_LINE_H
#define SMTP_LINE_H

#include "base/buf.h"

/*
 * Octets of a line, CRLF included: 512 is SMTP's, extensions add to it, and AUTH allows the longest
 * (RFC 4954 section 4).
 */
#define LINE_MAX_OCTETS 12288
#define XCRYPT_LINE_MAX 512

enum line_found { LINE_NONE, LINE_FOUND, LINE_TOO_LONG };

struct line {
	struct span text;	/* without its end; into the buffer it was found in */
	size_t octets;		/* to be taken from the buffer, end included */
	bool crlf;		/* it ended in CRLF, not in a bare LF */
};

/*
 * The first line in `s`.  A command ends in CRLF and nothing else.  A reply ends in LF, whatever is
 * before it: servers of all ages are out there, and the caller sees `crlf`.
 */
enum line_found line_command(struct span s, struct line *line);
enum line_found line_reply(struct span s, struct line *line);

/* Has it a NUL, CR or LF inside, which the next program might take for an end? */
bool line_is_torn(struct span text);

enum verb {
	VERB_GREETING,		/* not a verb: what the first reply answers */
	VERB_EHLO, VERB_HELO, VERB_NOOP, VERB_RSET, VERB_HELP, VERB_VRFY, VERB_EXPN, VERB_QUIT,
	VERB_XCRYPT,
	VERB_MAIL, VERB_RCPT, VERB_DATA, VERB_BDAT, VERB_AUTH, VERB_STARTTLS,
	VERB_OTHER,
	VERB_CHUNK_FIRST,	/* BDAT, the first of a message and not the last, for its reply */
	VERB_CHUNK_LAST,	/* BDAT ... LAST, for its reply */
	VERB_MESSAGE,		/* not a verb: the end of a message in DATA */
	VERB_OWN_EHLO		/* not the client's: its reply is ours */
};

/* The verb of a command, leading blanks skipped, and what is behind it and its blanks. */
enum verb verb_of(struct span text, struct span *arguments);

struct reply_line {
	unsigned code;		/* 200 to 599 */
	bool last;		/* no hyphen behind the code */
	struct span text;	/* what is behind the separator */
};

/* Reads one line of a reply. False: it is none. */
bool reply_line_read(struct span text, struct reply_line *reply);

/* A whole reply as it came, one that does not have to be passed on line by line. */
#define REPLY_MAX 16384

struct reply {
	uint8_t mem[REPLY_MAX];
	struct buf raw;		/* as it stood on the wire */
	unsigned code;		/* 0: not all there yet */
	unsigned lines, first_code;
	bool crlf;		/* every line ended in CRLF */
	bool lenient;		/* in the clear, as sendmail and Postfix take it: see reply_take() */
	size_t skipped;		/* octets of lines that were left out */
};

enum reply_state { REPLY_MORE, REPLY_WHOLE, REPLY_BROKEN };

void reply_start(struct reply *r);

/*
 * Takes lines from `in` until the reply is whole.  Broken: not a reply, too long, or of several codes.  Where it
 * is lenient, lines that are none of a reply are left out, and the last line's code counts.
 */
enum reply_state reply_take(struct reply *r, struct buf *in);

/* Has something of it been taken? */
static inline bool
reply_begun(const struct reply *r)
{
	return r->lines > 0 || r->skipped > 0;
}

/* Makes `to` what `from` is. */
void reply_copy(struct reply *to, const struct reply *from);

/* Its last line's text, code included, for people. */
struct span reply_last_line(const struct reply *r);

#endif
