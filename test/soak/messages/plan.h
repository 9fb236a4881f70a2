/* What a client says in one dialogue, made of a seed. */
#ifndef SOAK_PLAN_H
#define SOAK_PLAN_H

#include "mailer.h"

enum plan_way {
	PLAN_CLEAR,	/* before blackponyd, in the clear */
	PLAN_CALLER,	/* through blackpony, in the clear */
	PLAN_INSIDE	/* through both, encrypted */
};

enum step_kind {
	STEP_LINE,
	STEP_HELLO,
	STEP_DATA,	/* `more` is said when the answer is 354 */
	STEP_CHUNK,	/* `more` is said at once */
	STEP_AUTH,	/* each line of `more` is said when the answer is 334 */
	STEP_RAW,	/* octets that are anything, with any number of answers */
	STEP_CUT	/* the client goes, wherever that is */
};

struct step {
	enum step_kind kind;
	bool waits;		/* for all answers, before it goes on */
	bool ours;		/* blackponyd answers it, in encrypted sessions, and the mailer never hears of it */
	unsigned code;		/* ... with this */
	size_t at, len;		/* the command, in `octets` */
	size_t more_at, more_len;
};

struct plan {
	enum plan_way way;
	struct text octets;
	struct step *steps;
	size_t count, cap;
	bool early;		/* it speaks before the greeting */
	bool cut;		/* it does not end in QUIT */
	bool flood;		/* it has more commands in flight than the relay's queue holds */
	unsigned messages;	/* that it tries to send */
};

void plan_make(struct plan *p, enum plan_way way, const struct mailer_script *script, uint64_t seed);

/* For people: each step on a line. */
void plan_show(const struct plan *p, struct text *out);

#endif
