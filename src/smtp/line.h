/*
 * Lines of SMTP, and the verbs of commands (RFC 5321 sections 2.3.8, 4.1.1).
 */
#ifndef SMTP_LINE_H
#define SMTP_LINE_H

#include "base/span.h"

/*
 * The longest line we take, in octets with its CRLF.  RFC 5321 says 512, extensions add to that,
 * and AUTH allows the longest (RFC 4954 section 4).
 */
#define LINE_MAX_OCTETS 12288

enum line_found { LINE_NONE, LINE_FOUND, LINE_TOO_LONG };

struct line {
	struct span text;	/* without its line ending; points into the octets searched */
	size_t octets;		/* length with its line ending */
	bool crlf;		/* it ends in CRLF, not in a bare LF */
};

/*
 * Finds the first line in `s`.  A command ends in CRLF and nothing else.  A reply ends in LF, with
 * or without CR: old servers send bare LF, and `crlf` tells the caller.  LINE_NONE: no end of line
 * yet.
 */
enum line_found line_command(struct span s, struct line *line);
enum line_found line_reply(struct span s, struct line *line);

/* True if `text` contains NUL, CR or LF, which another program might take for its end. */
bool line_is_torn(struct span text);

enum verb {
	VERB_GREETING,		/* not a verb: the first reply belongs to it */
	VERB_EHLO, VERB_HELO, VERB_NOOP, VERB_RSET, VERB_HELP, VERB_VRFY, VERB_EXPN, VERB_QUIT,
	VERB_XCRYPT,
	VERB_MAIL, VERB_RCPT, VERB_DATA, VERB_BDAT, VERB_AUTH, VERB_STARTTLS,
	VERB_OTHER,
	VERB_CHUNK_FIRST,	/* a BDAT that begins a message and is not LAST, for its reply */
	VERB_CHUNK_LAST,	/* BDAT LAST, for its reply */
	VERB_MESSAGE,		/* not a verb: the final dot of a message in DATA */
	VERB_OWN_EHLO		/* our own EHLO: its reply is not the client's */
};

/*
 * The verb of a command, after leading blanks.  `*arguments` is the rest of `text` after the verb
 * and the blanks that follow it.
 */
enum verb verb_of(struct span text, struct span *arguments);

#endif
