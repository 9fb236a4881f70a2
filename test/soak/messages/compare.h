/*
 * Compares what came through the programs with what comes directly: only documented differences
 * may occur.
 */
#ifndef SOAK_COMPARE_H
#define SOAK_COMPARE_H

#include "client.h"

#define COMPARE_GROWS 1024	/* octets that blackponyd may add to a message, by blackponyd(8) */

struct comparison {
	const struct mailer *direct, *through;
	const char *suite;	/* the suite's name; "": in the clear */
	bool mark;		/* the trace line is on */
	bool sender;		/* blackpony takes part: it may send EHLO for HELO */
	struct text *why;	/* the difference, for people; unchanged if there is none */
};

/* Compares what the mail servers got. */
bool compare_mailers(const struct comparison *c);

/* Compares every reply. */
bool compare_clients(const struct comparison *c, const struct client *direct, const struct client *through);

/* The length of our trace line at the front of `octets`, or 0. */
size_t compare_trace(const uint8_t *octets, size_t len, const char *suite);

#endif
