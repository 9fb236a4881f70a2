/* What a client sends in one dialogue, made from a seed. */
#ifndef SOAK_PLAN_H
#define SOAK_PLAN_H

#include "mailer.h"

enum plan_way {
	PLAN_CLEAR,	/* to blackponyd, in the clear */
	PLAN_CALLER,	/* through blackpony, in the clear */
	PLAN_INSIDE	/* through both, encrypted */
};

enum step_kind {
	STEP_LINE,
	STEP_HELLO,
	STEP_DATA,	/* `more` is sent after a 354 */
	STEP_CHUNK,	/* `more` is sent at once */
	STEP_AUTH,	/* each line of `more` is sent after a 334 */
	STEP_RAW,	/* any octets, with any number of replies */
	STEP_CUT	/* the client closes, wherever that is */
};

struct step {
	enum step_kind kind;
	bool waits;		/* for all replies, before it continues */
	bool ours;		/* inside, blackponyd answers it, not the mail server */
	unsigned code;		/* the code of that reply */
	size_t at, len;		/* position of the command in `octets` */
	size_t more_at, more_len;
};

struct plan {
	enum plan_way way;
	struct text octets;
	struct step *steps;
	size_t count, cap;
	bool early;		/* it sends before the greeting */
	bool cut;		/* it does not end with QUIT */
	bool flood;		/* it has more commands in flight than the relay's queue holds */
	unsigned messages;	/* messages that it tries to send */
};

void plan_make(struct plan *p, enum plan_way way, const struct mailer_script *script, uint64_t seed);

/* For people: each step on a line. */
void plan_show(const struct plan *p, struct text *out);

#endif
