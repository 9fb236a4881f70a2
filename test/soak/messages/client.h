/* The client of the campaign: sends what its plan says, and keeps every reply. */
#ifndef SOAK_CLIENT_H
#define SOAK_CLIENT_H

#include "plan.h"

struct heard {
	size_t at, len;		/* position in `in` */
	size_t step;		/* the step that it answers; (size_t)-1: none, or the greeting */
};

struct client {
	const struct plan *plan;
	bool inside;		/* send the steps that blackponyd answers itself */
	struct text in, out;
	size_t sent;		/* octets of `out` sent */
	size_t at, seen;	/* octets of `in` handled, and looked at */
	size_t line_at;
	size_t next;		/* index of the next step */
	size_t *owed, owed_first, owed_end, owed_cap;	/* steps whose replies have not come */
	bool waits;
	size_t auth_at;		/* the rest of an AUTH step's lines */
	struct heard *heard;
	size_t count, cap;
	bool over;		/* it has nothing more to send */
	char fault[200];	/* "" or an impossible reply of blackponyd */
};

void client_start(struct client *c, const struct plan *plan, bool inside);
void client_step(struct client *c);

#endif
