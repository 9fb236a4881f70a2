/*
 * The table of outcomes: exit code, enhanced status code, and texts for the log and for people.
 */
#ifndef SMTP_OUTCOME_H
#define SMTP_OUTCOME_H

#include "smtp/io.h"

/* Exit codes of blackpony with recipients (sysexits.h).  Only 75 is temporary to every MTA. */
#define EXIT_SENT 0
#define EXIT_NO_USER 67
#define EXIT_NO_HOST 68
#define EXIT_REFUSED 69
#define EXIT_LATER 75

struct outcome_row {
	const char *log;	/* the value of end= in the log */
	int exit_code;		/* of blackpony with recipients, unless a reply says more */
	const char *status;	/* enhanced status code (RFC 3463) */
	const char *text;	/* what happened, for people */
};

/* Returns the row of an outcome.  Never NULL. */
const struct outcome_row *outcome_row(enum outcome end);

/*
 * Returns the exit code for a permanent refusal.  `code` and `text` are the reply's code and what
 * follows it.  The enhanced status code in the text decides if there is one, else the code.
 * `to_rcpt`: it answers RCPT; only then can it be about a recipient.
 */
int outcome_refusal_exit(unsigned code, struct span text, bool to_rcpt);

/*
 * Writes the enhanced status code in the text after a reply's code, such as "5.1.1", to `out`.
 * If there is none, writes one of the class of the reply's code.
 */
void outcome_status(char out[13], unsigned code, struct span text);

#endif
