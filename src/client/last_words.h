/*
 * An outcome in words: for the local MTA, which waits for a reply, and for people.
 */
#ifndef CLIENT_LAST_WORDS_H
#define CLIENT_LAST_WORDS_H

#include "client/attempt.h"

#define WORDS_REPLY_MAX 511	/* without CRLF, with NUL; RFC 5321 section 4.5.3.1.5 */

/*
 * The prefix of `text` in a reply: "blackpony: ", or "" if the text names a command to run, which
 * must not be cut off.
 */
const char *words_own(const char *text);

/* Why no host took the message.  Valid until the next call. */
const char *words_why(const struct attempt *c, enum outcome end);

/* The reply to the local MTA after the last attempt, without CRLF. */
void words_reply(char text[WORDS_REPLY_MAX], const struct attempt *c, enum outcome end);

#endif
