/*
 * The reply to EHLO: a first line, and then a keyword a line with what belongs to it
 * (RFC 5321 section 4.1.1.1).
 */
#ifndef SMTP_EHLO_H
#define SMTP_EHLO_H

#include "smtp/line.h"

/* Takes the next line off the front of `*rest`; `*text` is what is behind its separator. */
bool ehlo_next(struct span *rest, struct span *text);

/* Is this line's keyword the one named, in any case? */
bool ehlo_is(struct span text, struct span keyword);

/* Is this keyword in the reply, behind its first line?  `*parameters`, unless NULL, gets the rest. */
bool ehlo_offers(const struct reply *reply, const char *keyword, struct span *parameters);

/* Is the word among those of `words`, which blanks separate, in any case? */
bool ehlo_has_word(struct span words, const char *word);

#endif
