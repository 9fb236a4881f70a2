/*
 * A message that blackpony sends with recipients as arguments, and an oracle of its own: what
 * the mail server must get, and how blackpony must end.
 */
#ifndef SOAK_LETTER_H
#define SOAK_LETTER_H

#include "mailer.h"

#define LETTER_WORDS 400

enum letter_outcome { LETTER_SENT, LETTER_LATER, LETTER_REFUSED };

struct letter {
	struct text octets, wire;	/* as given; and as sent after DATA, with the end */
	struct text names;
	char *words[LETTER_WORDS + 1];	/* -f, sender, recipients, NULL */
	size_t recipients, size;	/* `size` as in MAIL: without dot-stuffing */
	bool eight_bit;
	enum letter_outcome outcome;
};

void letter_make(struct letter *l, uint64_t seed);

/*
 * Sends directly to the mail server what blackpony must send: over TLS with `tls`, and nothing
 * in the clear with `must`.
 */
void letter_say(struct letter *l, struct mailer *m, bool tls, bool must);

/* Whether it ended and reported as it must.  `why` gets what is wrong. */
bool letter_ended_well(const struct letter *l, int status, const struct text *said, struct text *why);

#endif
