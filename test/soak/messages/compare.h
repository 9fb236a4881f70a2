/* What came through the programs beside what comes directly: only what is documented may differ. */
#ifndef SOAK_COMPARE_H
#define SOAK_COMPARE_H

#include "client.h"

#define COMPARE_GROWS 1024	/* octets that blackponyd may add to a message, by blackponyd(8) */

struct comparison {
	const struct mailer *direct, *through;
	const char *suite;	/* "": in the clear */
	bool mark;		/* the trace line is on */
	bool sender;		/* blackpony is on the way: it may say EHLO for HELO */
	struct text *why;	/* what differs, for people; untouched where nothing does */
};

/* What the mailer heard. */
bool compare_mailers(const struct comparison *c);

/* Every reply. */
bool compare_clients(const struct comparison *c, const struct client *direct, const struct client *through);

/* The length of a trace line of ours that stands at the front of `octets`, or 0. */
size_t compare_trace(const uint8_t *octets, size_t len, const char *suite);

#endif
