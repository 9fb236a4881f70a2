#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_STEP ((size_t)-1)
#define OUTCOME_OF_DATA ((size_t)1 << 40)	/* added to a step: the reply to its message */

void
client_start(struct client *c, const struct plan *plan, bool inside)
{
	struct client old = *c;

	memset(c, 0, sizeof(*c));
	c->in = old.in;
	c->out = old.out;
	c->owed = old.owed;
	c->owed_cap = old.owed_cap;
	c->heard = old.heard;
	c->cap = old.cap;
	text_clear(&c->in);
	text_clear(&c->out);
	c->plan = plan;
	c->inside = inside;
	if (c->owed_cap < 4 * plan->count + 16) {
		c->owed_cap = 8 * plan->count + 16;
		c->owed = realloc(c->owed, c->owed_cap * sizeof(*c->owed));
		if (c->owed == NULL)
			give_up("memory");
	}
	c->owed[c->owed_end++] = NO_STEP;	/* the greeting */
	c->waits = !plan->early;
}

static void
put(struct client *c, size_t at, size_t len)
{
	text_put(&c->out, c->plan->octets.at + at, len);
}

static void
owe(struct client *c, size_t step)
{
	if (c->owed_end == c->owed_cap)
		give_up("more replies than steps");
	c->owed[c->owed_end++] = step;
}

/* Sends the next line of an AUTH exchange. */
static void
continue_auth(struct client *c, size_t number, const struct step *s)
{
	const uint8_t *from = c->plan->octets.at + c->auth_at;
	size_t left = s->more_at + s->more_len - c->auth_at;
	const uint8_t *end = left > 0 ? memchr(from, '\n', left) : NULL;
	size_t len = end != NULL ? (size_t)(end + 1 - from) : 0;

	if (len > 0)
		put(c, c->auth_at, len);
	else
		text_put(&c->out, "*\r\n", 3);
	c->auth_at += len;
	owe(c, number);
}

static void
check_ours(struct client *c, unsigned code, const struct step *s, const struct heard *h)
{
	if (code != s->code)
		snprintf(c->fault, sizeof(c->fault),
		    "a line that is blackponyd's to answer had %.*s and not %u",
		    (int)(h->len < 100 ? h->len : 100), (const char *)c->in.at + h->at, s->code);
}

static void
answered(struct client *c, unsigned code, struct heard *h)
{
	bool whole = h->step != NO_STEP && h->step >= OUTCOME_OF_DATA;
	size_t number = whole ? h->step - OUTCOME_OF_DATA : h->step;

	h->step = number;
	if (number == NO_STEP)
		return;
	const struct step *s = &c->plan->steps[number];
	if (s->ours) {
		check_ours(c, code, s, h);
	} else if (s->kind == STEP_DATA && !whole && code == 354) {
		put(c, s->more_at, s->more_len);
		owe(c, number + OUTCOME_OF_DATA);
		c->waits = s->waits;
	} else if (s->kind == STEP_AUTH && code == 334) {
		continue_auth(c, number, s);
	}
}

static void
reply(struct client *c, size_t len)
{
	if (c->count == c->cap) {
		c->cap = c->cap == 0 ? 256 : 2 * c->cap;
		c->heard = realloc(c->heard, c->cap * sizeof(*c->heard));
		if (c->heard == NULL)
			give_up("memory");
	}
	struct heard *h = &c->heard[c->count++];
	*h = (struct heard){ .at = c->at, .len = len, .step = NO_STEP };
	if (c->owed_first < c->owed_end)
		h->step = c->owed[c->owed_first++];
	unsigned code = len < 3 ? 0 : (unsigned)atoi((const char *)c->in.at + c->line_at);
	c->at += len;
	answered(c, code, h);
}

/* Handles one reply, when its last line has come. */
static bool
take_reply(struct client *c)
{
	while (c->in.len > c->seen) {
		const uint8_t *end = memchr(c->in.at + c->seen, '\n', c->in.len - c->seen);

		if (end == NULL) {
			c->seen = c->in.len;
			return false;
		}
		const uint8_t *line = c->in.at + c->line_at;
		bool last = end - line < 4 || line[3] != '-';
		c->seen = (size_t)(end + 1 - c->in.at);
		if (last) {
			reply(c, c->seen - c->at);
			c->line_at = c->seen;
			return true;
		}
		c->line_at = c->seen;
	}
	return false;
}

static void
say(struct client *c)
{
	size_t number = c->next++;
	const struct step *s = &c->plan->steps[number];

	if (s->ours && !c->inside)
		return;
	if (s->kind == STEP_CUT) {
		c->over = true;
		return;
	}
	put(c, s->at, s->len);
	c->waits = s->waits || s->kind == STEP_DATA;
	c->auth_at = s->more_at;
	if (s->kind == STEP_RAW) {
		c->waits = false;
		return;
	}
	owe(c, number);
	if (s->kind == STEP_CHUNK)
		put(c, s->more_at, s->more_len);
}

void
client_step(struct client *c)
{
	for (;;) {
		while (take_reply(c))
			;
		if (c->over || (c->waits && c->owed_first < c->owed_end))
			return;
		if (c->next == c->plan->count) {
			c->over = true;
			return;
		}
		say(c);
	}
}
