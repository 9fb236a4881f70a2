/*
 * What came of a call, in words: for the mailer that waits for a reply, and for people.
 */
#ifndef CLIENT_LAST_WORDS_H
#define CLIENT_LAST_WORDS_H

#include "client/attempt.h"

#define WORDS_REPLY_MAX 511	/* with CRLF that is RFC 5321's limit, section 4.5.3.1.5 */

/* "blackpony: ", or nothing in front of a text that names a command, which is to be seen whole. */
const char *words_own(const char *text);

/* Why nobody took the conversation.  Good until the next call. */
const char *words_why(const struct attempt *c, enum outcome end);

/* The reply to the mailer when no call is left to be made, without CRLF. */
void words_reply(char text[WORDS_REPLY_MAX], const struct attempt *c, enum outcome end);

#endif
