/* The client of the campaign: says what its plan says, and keeps every reply. */
#ifndef SOAK_CLIENT_H
#define SOAK_CLIENT_H

#include "plan.h"

struct heard {
	size_t at, len;		/* in `in` */
	size_t step;		/* that it answers; (size_t)-1: none, or the greeting */
};

struct client {
	const struct plan *plan;
	bool inside;		/* steps that are blackponyd's to answer are said */
	struct text in, out;
	size_t sent;		/* of `out` */
	size_t at, seen;	/* of `in`: replies done with, and looked at */
	size_t line_at;
	size_t next;		/* step */
	size_t *owed, owed_first, owed_end, owed_cap;	/* steps whose replies have not come */
	bool waits;
	size_t auth_at;		/* what is left of an AUTH step's lines */
	struct heard *heard;
	size_t count, cap;
	bool over;		/* it has nothing more to say */
	char fault[200];	/* "" or what blackponyd answered and should not have */
};

void client_start(struct client *c, const struct plan *plan, bool inside);
void client_step(struct client *c);

#endif
