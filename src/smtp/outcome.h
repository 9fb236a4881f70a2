/*
 * What each way a session can end means, and to whom: one table.
 */
#ifndef SMTP_OUTCOME_H
#define SMTP_OUTCOME_H

#include "smtp/io.h"

/* Exit codes of blackpony with recipients (sysexits.h; 75 is the only one temporary everywhere). */
#define EXIT_SENT 0
#define EXIT_NO_USER 67
#define EXIT_NO_HOST 68
#define EXIT_REFUSED 69
#define EXIT_LATER 75

struct outcome_row {
	const char *log;	/* end= in the log */
	int exit_code;		/* of blackpony with recipients, unless the far end's reply says more */
	const char *status;	/* enhanced status code, RFC 3463 */
	const char *text;	/* what happened, for people */
};

/* The row of an ending other than OUTCOME_NONE. */
const struct outcome_row *outcome_row(enum outcome end);

/*
 * The exit code for a refusal for good, from the far end's reply: RFC 3463's code where there is one,
 * else the reply's own.  Only a reply to RCPT can be about a recipient; others are about the sender or the message.
 */
int outcome_refusal_exit(unsigned code, struct span text, bool to_rcpt);

/*
 * The enhanced status code in the text behind a reply's code, such as "5.1.1"; if there is none, one
 * of the reply code's class.  `out` takes 12 characters and a NUL.
 */
void outcome_status(char out[13], unsigned code, struct span text);

#endif
