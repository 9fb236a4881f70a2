/*
 * The reply to EHLO: a first line, and then one keyword with its parameters on each line (RFC
 * 5321, section 4.1.1.1).
 */
#ifndef SMTP_EHLO_H
#define SMTP_EHLO_H

#include "smtp/reply.h"

/*
 * Takes the next line off `*rest`.  `*text` is what follows its code and separator.  Returns
 * false at the end.
 */
bool ehlo_next(struct span *rest, struct span *text);

/* Whether the line's keyword is `keyword`, in any case. */
bool ehlo_is(struct span text, struct span keyword);

/* Whether the reply offers `keyword`.  `*parameters`, unless NULL, becomes what follows it. */
bool ehlo_offers(const struct reply *reply, const char *keyword, struct span *parameters);

/* Whether `word` is in `words`, a list separated by spaces, in any case. */
bool ehlo_has_word(struct span words, const char *word);

/*
 * The host key statements in the reply, XCRYPT-ID and XCRYPT-NEXT, each from its keyword to the
 * end of its line.  Each is empty if there is none, or more than one.
 */
void ehlo_find_statements(const struct reply *reply, struct span *id, struct span *next);

/*
 * Finds the XCRYPT line, of at most `len_max` octets, after the first line of the reply.  NULL,
 * with `*offer` inside the reply; else a literal that says why there is no offer.  Two XCRYPT
 * lines are no offer.  A Cisco ASA on the path overwrites keywords that it does not know with X.
 */
const char *ehlo_find_offer(const struct reply *reply, size_t len_max, struct span *offer);

/*
 * Appends the reply as the local MTA is to see it: without XCRYPT and XCRYPT-... lines and, if
 * `encrypted`, without STARTTLS.  `out` has room for REPLY_MAX octets.  With
 * `one_line`: the first line only, as the reply to HELO.
 */
void ehlo_put_for_mta(struct buf *out, const struct reply *reply, bool encrypted, bool one_line);

#endif
