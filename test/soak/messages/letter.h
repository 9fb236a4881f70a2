/*
 * A message that blackpony sends with the recipients in its arguments, and an oracle of its own: what the
 * mailer has to hear, and with what blackpony has to end.
 */
#ifndef SOAK_LETTER_H
#define SOAK_LETTER_H

#include "mailer.h"

#define LETTER_WORDS 400

enum letter_outcome { LETTER_SENT, LETTER_LATER, LETTER_REFUSED };

struct letter {
	struct text octets, wire;	/* as given; as DATA carries it, with the end */
	struct text names;
	char *words[LETTER_WORDS + 1];	/* -f, sender, recipients, NULL */
	size_t recipients, size;	/* `size` as MAIL says it: without what dots are stuffed with */
	bool eight_bit;
	enum letter_outcome outcome;
};

void letter_make(struct letter *l, uint64_t seed);

/* Says to the mailer, directly, what blackpony has to say: over TLS, where `tls`, and not at all in the
 * clear where `must`. */
void letter_say(struct letter *l, struct mailer *m, bool tls, bool must);

/* Is this how it ended, and what it said of it?  `why` gets what is wrong. */
bool letter_ended_well(const struct letter *l, int status, const struct text *said, struct text *why);

#endif
