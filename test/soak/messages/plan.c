#include "plan_parts.h"
#include "shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OCTETS_MAX (6u << 20)	/* of one dialogue, about */

static void
rcpts(struct making *m)
{
	size_t count = dice_chance(&m->d, 995) ? dice_order(&m->d, 1, 8) :
						 dice_order(&m->d, 8, 3000);

	for (size_t i = 0; i < count; i++)
		plan_rcpt(m, !plan_hurries(m));
}

/* A message in chunks, of which some are empty; some are abandoned on the way. */
static void
chunks(struct making *m)
{
	struct text message = { 0 };
	size_t at = 0;
	bool given_up = dice_chance(&m->d, 60);

	text_clear(&message);
	shapes_message(&message, &m->d);
	bool whole = dice_chance(&m->d, 300);
	for (unsigned i = 0; at < message.len && !whole && i < 40; i++) {
		size_t left = message.len - at;
		size_t len = dice_chance(&m->d, 80) ? 0 : dice_order(&m->d, 1, left);

		if (dice_chance(&m->d, 150))
			break;
		plan_chunk(m, message.at + at, len, false);
		at += len;
		if (dice_chance(&m->d, 20))
			plan_plain(m, "NOOP", true);
	}
	if (!given_up)
		plan_chunk(m, message.at + at, dice_chance(&m->d, 50) ? 0 : message.len - at, true);
	else if (dice_chance(&m->d, 700))
		plan_plain(m, "RSET", !plan_hurries(m));
	free(message.at);
	m->p->messages++;
}

/* Something between transactions, or inside one. */
static void
aside(struct making *m)
{
	static const char *const odd[] = { "HELP", "VRFY postmaster", "EXPN list", "XODD \xff\xfe",
		"X", "", "MAIL", "RCPT", "NOOP with words", "ETRN example.org", "  NOOP", "RSET ",
		"DATAX", "BDATX 5", "TURN", "mail from:<>" };

	switch (dice_below(&m->d, 12)) {
	case 0:
	case 1:
		plan_plain(m, "RSET", !plan_hurries(m));
		break;
	case 2:
	case 3:
		plan_plain(m, "NOOP", !plan_hurries(m) || m->p->way != PLAN_INSIDE);
		break;
	case 4:
		plan_hello(m, dice_chance(&m->d, 100));
		break;
	case 5:
	case 6:
		if (m->script->auth && m->p->way != PLAN_CALLER)
			plan_auth(m);
		break;
	case 7:
		if (m->p->way == PLAN_INSIDE)
			plan_ours(m);
		break;
	case 8:
		plan_long(m);
		break;
	default:
		plan_plain(m, odd[dice_below(&m->d, sizeof(odd) / sizeof(odd[0]))], true);
		break;
	}
}

static void
transaction(struct making *m)
{
	bool may_chunk = m->script->chunking && !m->helo;

	if (dice_chance(&m->d, 100))
		aside(m);
	if (!dice_chance(&m->d, 20))
		plan_mail(m);
	if (dice_chance(&m->d, 25))
		aside(m);
	if (!dice_chance(&m->d, 20))
		rcpts(m);
	if (dice_chance(&m->d, 25))
		aside(m);
	may_chunk = may_chunk && !m->helo;
	if (may_chunk && dice_chance(&m->d, 550))
		chunks(m);
	else if (dice_chance(&m->d, 960))
		plan_data(m);
	else
		plan_plain(m, "RSET", !plan_hurries(m));
}

/* A reply taken for another one shows if that is the reply to EHLO. */
static void
flood_before_hello(struct making *m, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t kind = dice_below(&m->d, 10);

		if (kind == 0)
			plan_plain(m, "RSET", false);
		else if (kind == 1)
			plan_mail(m);
		else
			plan_rcpt(m, false);
	}
	if (dice_chance(&m->d, 900))
		plan_hello(m, false);
	else
		plan_plain(m, "RSET", true);
}

/* Or that to a first chunk, which decides whether the last chunk gets a trace line. */
static void
flood_between_chunks(struct making *m, size_t count)
{
	static const uint8_t octets[20] = "1234567890123456789\n";

	plan_mail(m);
	plan_rcpt(m, false);
	plan_chunk(m, octets, dice_between(&m->d, 1, sizeof(octets)), false);
	for (size_t i = 0; i < count; i++)
		plan_rcpt(m, false);
	plan_chunk(m, octets, dice_between(&m->d, 1, sizeof(octets)), true);
	m->p->steps[m->p->count - 1].waits = true;
	m->p->messages++;
}

/* More commands in a flight than the relay's queue holds. */
static void
flood(struct making *m)
{
	size_t count = dice_between(&m->d, 1900, 6000);

	m->floods = m->p->flood = true;
	if (m->script->chunking && !m->helo && dice_chance(&m->d, 600))
		flood_between_chunks(m, count);
	else
		flood_before_hello(m, count);
	m->floods = false;
}

/* In the clear nothing is followed: anything may be sent, in any order. */
static void
raw(struct making *m)
{
	struct step *s;

	plan_mail(m);
	m->p->steps[m->p->count - 1].waits = true;
	s = plan_step(m, STEP_RAW);
	shapes_message(&m->p->octets, &m->d);
	/* if that was DATA, the message ends here */
	text_say(&m->p->octets, "\r\n.\r\nRSET\r\nQUIT\r\n");
	s->len = m->p->octets.len - s->at;
	m->p->cut = true;
	plan_step(m, STEP_CUT);
}

static void
goodbye(struct making *m)
{
	if (m->p->way == PLAN_INSIDE ? dice_chance(&m->d, 850) : dice_chance(&m->d, 900)) {
		plan_plain(m, "QUIT", true);
		return;
	}
	m->p->cut = true;
	struct step *last = &m->p->steps[m->p->count - 1];
	if (last->kind == STEP_DATA && dice_chance(&m->d, 700))
		last->more_len = dice_below(&m->d, last->more_len - 2);
	else if (last->kind == STEP_CHUNK && last->more_len > 0 && dice_chance(&m->d, 700))
		last->more_len = dice_below(&m->d, last->more_len);
	last->waits = false;
	/* some leave with commands in flight that must be waited for */
	for (size_t i = m->p->count, n = dice_below(&m->d, 10); n > 0 && i > 1; n--) {
		struct step *s = &m->p->steps[--i];

		if ((s->kind != STEP_LINE && s->kind != STEP_CHUNK) || s->ours)
			break;
		s->waits = false;
	}
	plan_step(m, STEP_CUT);
}

void
plan_make(struct plan *p, enum plan_way way, const struct mailer_script *script, uint64_t seed)
{
	struct making m = { .p = p, .script = script, .d = dice_start(seed, 2) };

	text_clear(&p->octets);
	p->way = way;
	p->count = 0;
	p->cut = p->flood = false;
	p->messages = 0;
	m.groups = script->pipelining && dice_chance(&m.d, 800);
	if (way == PLAN_CLEAR && dice_chance(&m.d, 100))
		plan_plain(&m, dice_chance(&m.d, 500) ? "NOOP" : "RSET", true);
	bool helo = way != PLAN_INSIDE && dice_chance(&m.d, 100);
	p->early = way != PLAN_INSIDE && dice_chance(&m.d, 60);
	plan_hello(&m, helo);
	if (script->no_ehlo && !helo)
		plan_hello(&m, true);
	/*
	 * inside, a client that does not wait is refused; in the clear, the mail server sees it
	 */
	else if (way != PLAN_INSIDE && dice_chance(&m.d, 80))
		p->steps[p->count - 1].waits = false;
	size_t count = dice_order(&m.d, 1, dice_chance(&m.d, 900) ? 24 : 120);
	for (size_t i = 0; i < count && p->octets.len < OCTETS_MAX; i++)
		transaction(&m);
	if (m.groups && dice_chance(&m.d, 40))
		flood(&m);
	if (way != PLAN_INSIDE && dice_chance(&m.d, 150))
		raw(&m);
	else
		goodbye(&m);
}

void
plan_show(const struct plan *p, struct text *out)
{
	static const char *const names[] = { "line", "hello", "data", "chunk", "auth", "raw",
		"cut" };

	for (size_t i = 0; i < p->count; i++) {
		const struct step *s = &p->steps[i];

		text_say(out, "%5zu %-5s %s%s ", i, names[s->kind], s->waits ? "waits " : "",
		    s->ours ? "ours" : "");
		text_show(out, p->octets.at + s->at, s->len, 60);
		if (s->more_len > 0) {
			text_say(out, " + %zu: ", s->more_len);
			text_show(out, p->octets.at + s->more_at, s->more_len, 60);
		}
		text_say(out, "\n");
	}
}
