/*
 * Shared by plan.c, which makes dialogues, and commands.c, which makes their commands, and used
 * nowhere else.
 */
#ifndef SOAK_PLAN_PARTS_H
#define SOAK_PLAN_PARTS_H

#include "plan.h"

struct making {
	struct plan *p;
	const struct mailer_script *script;
	struct dice d;
	bool helo;		/* HELO was sent last, not EHLO */
	bool groups, floods;	/* where it need not wait, it hardly ever or never does */
	size_t name_at, name_len;	/* the last name in EHLO or HELO, in the octets */
};

/* Begins a step; what is put to `octets` until end_command() is its command. */
struct step *plan_step(struct making *m, enum step_kind kind);
void plan_end_command(struct making *m, struct step *s);

/*
 * Whether the client may go on without the reply: only after commands that may be inside a
 * group.
 */
bool plan_hurries(struct making *m);

/* Each adds a command, or a command and what follows it. */
void plan_plain(struct making *m, const char *text, bool waits);
void plan_hello(struct making *m, bool helo);
void plan_mail(struct making *m);
void plan_rcpt(struct making *m, bool waits);
void plan_data(struct making *m);
void plan_chunk(struct making *m, const uint8_t *octets, size_t len, bool last);
void plan_auth(struct making *m);
void plan_ours(struct making *m);	/* what blackponyd itself answers inside */
void plan_long(struct making *m);	/* of every length, acceptable or not */

#endif
