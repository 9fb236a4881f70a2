#include "plan.h"
#include "shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OCTETS_MAX (6u << 20)	/* of one dialogue, about */

struct making {
	struct plan *p;
	const struct mailer_script *script;
	struct dice d;
	bool helo;		/* HELO was the last hello */
	bool groups;		/* it does not wait where it need not */
	size_t name_at, name_len;	/* in the octets: the last hello's */
};

static struct step *
step(struct making *m, enum step_kind kind)
{
	struct plan *p = m->p;

	if (p->count == p->cap) {
		p->cap = p->cap == 0 ? 256 : 2 * p->cap;
		p->steps = realloc(p->steps, p->cap * sizeof(*p->steps));
		if (p->steps == NULL)
			give_up("memory");
	}
	p->steps[p->count] = (struct step){ .kind = kind, .at = p->octets.len, .waits = true };
	return &p->steps[p->count++];
}

/* The command that was put to `octets` is the step's. */
static void
end_command(struct making *m, struct step *s)
{
	text_put(&m->p->octets, "\r\n", 2);
	s->len = m->p->octets.len - s->at;
}

/* May the client go on without the answer?  Only behind what need not be the last of a group. */
static bool
hurries(struct making *m)
{
	return m->groups && !dice_chance(&m->d, 60);
}

/* Verbs in either case, for they are the same. */
static void
verb(struct making *m, const char *text)
{
	size_t at = m->p->octets.len;

	text_put(&m->p->octets, text, strlen(text));
	if (dice_chance(&m->d, 100))
		for (size_t i = at; i < m->p->octets.len; i++)
			if (m->p->octets.at[i] >= 'A' && m->p->octets.at[i] <= 'Z')
				m->p->octets.at[i] |= 0x20;
}

static void
plain(struct making *m, const char *text, bool waits)
{
	struct step *s = step(m, STEP_LINE);

	verb(m, text);
	end_command(m, s);
	s->waits = waits;
}

/* A name as clients give it, or the one that was given before. */
static void
say_name(struct making *m)
{
	static const char *const names[] = { "me.example", "[127.0.0.1]", "mail.a.example", "x",
		"a_b.example", "[IPv6:::1]", "MX.A.Example" };
	struct text *o = &m->p->octets;
	size_t at = o->len;

	if (m->name_len > 0 && dice_chance(&m->d, 600)) {
		uint8_t *to = text_room(o, m->name_len);

		memcpy(to, o->at + m->name_at, m->name_len);
		o->len += m->name_len;
	} else if (dice_chance(&m->d, 850)) {
		text_say(o, "%s", names[dice_below(&m->d, 7)]);
	} else {
		shapes_word(o, &m->d, dice_order(&m->d, 1, 200), dice_chance(&m->d, 300));
	}
	m->name_at = at;
	m->name_len = o->len - at;
}

static void
hello(struct making *m, bool helo)
{
	struct step *s = step(m, STEP_HELLO);

	verb(m, helo ? "HELO" : "EHLO");
	text_put(&m->p->octets, " ", 1);
	say_name(m);
	end_command(m, s);
	m->helo = m->helo || helo;	/* an EHLO that follows may be refused */
}

static void
address(struct making *m, const char *before)
{
	struct text *o = &m->p->octets;

	verb(m, before);
	text_put(o, ":<", 2);
	if (dice_chance(&m->d, 900))
		text_say(o, "user%zu@%zu.example", dice_below(&m->d, 1000), dice_below(&m->d, 10));
	else
		shapes_word(o, &m->d, dice_order(&m->d, 1, dice_chance(&m->d, 970) ? 250 : 9000),
		    dice_chance(&m->d, 300));
	text_put(o, ">", 1);
}

static void
mail(struct making *m)
{
	struct step *s = step(m, STEP_LINE);

	address(m, "MAIL FROM");
	if (m->script->size && !m->helo && dice_chance(&m->d, 500))
		text_say(&m->p->octets, " SIZE=%zu", dice_below(&m->d, 100000));
	if (m->script->eight_bit && !m->helo && dice_chance(&m->d, 500))
		text_say(&m->p->octets, " BODY=8BITMIME");
	end_command(m, s);
	s->waits = !hurries(m);
}

static void
rcpts(struct making *m)
{
	size_t count = dice_chance(&m->d, 995) ? dice_order(&m->d, 1, 8) :
						 dice_order(&m->d, 8, 3000);

	for (size_t i = 0; i < count; i++) {
		struct step *s = step(m, STEP_LINE);

		address(m, "RCPT TO");
		end_command(m, s);
		s->waits = !hurries(m);
	}
}

static void
data(struct making *m)
{
	struct step *s = step(m, STEP_DATA);
	struct text *o = &m->p->octets;

	verb(m, "DATA");
	end_command(m, s);
	s->waits = !hurries(m);
	size_t at = o->len;
	shapes_message(o, &m->d);
	shapes_end_data(o, at);
	s = &m->p->steps[m->p->count - 1];
	s->more_at = at;
	s->more_len = o->len - at;
	m->p->messages++;
}

static void
chunk(struct making *m, const uint8_t *octets, size_t len, bool last)
{
	struct step *s = step(m, STEP_CHUNK);

	verb(m, "BDAT");
	text_say(&m->p->octets, dice_chance(&m->d, 950) ? " %zu%s" : "  %03zu%s ", len,
	    !last ? "" : dice_chance(&m->d, 800) ? " LAST" : " last");
	end_command(m, s);
	s->more_at = m->p->octets.len;
	s->more_len = len;
	text_put(&m->p->octets, octets, len);
	s->waits = !hurries(m);
}

/* A message in chunks, of which some are empty; and now and then one that is given up on the way. */
static void
chunks(struct making *m)
{
	struct text message = { 0 };
	size_t at = 0;
	bool given_up = dice_chance(&m->d, 60);

	shapes_message(&message, &m->d);
	bool whole = dice_chance(&m->d, 300);
	for (unsigned i = 0; at < message.len && !whole && i < 40; i++) {
		size_t left = message.len - at;
		size_t len = dice_chance(&m->d, 80) ? 0 : dice_order(&m->d, 1, left);

		if (dice_chance(&m->d, 150))
			break;
		chunk(m, message.at + at, len, false);
		at += len;
		if (dice_chance(&m->d, 20))
			plain(m, "NOOP", true);
	}
	if (!given_up)
		chunk(m, message.at + at, dice_chance(&m->d, 50) ? 0 : message.len - at, true);
	else if (dice_chance(&m->d, 700))
		plain(m, "RSET", !hurries(m));
	free(message.at);
	m->p->messages++;
}

static void
auth(struct making *m)
{
	static const char
	    base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct step *s = step(m, STEP_AUTH);
	struct text *o = &m->p->octets;

	verb(m, "AUTH");
	text_say(o, " LOGIN");
	end_command(m, s);
	s->more_at = o->len;
	for (int i = 0; i < 3; i++) {
		size_t len = dice_chance(&m->d, 900) ? dice_order(&m->d, 1, 100) :
						       dice_order(&m->d, 100, 12000);

		if (dice_chance(&m->d, 100))
			text_put(o, "*", 1);
		else if (dice_chance(&m->d, 900))
			for (size_t n = 0; n < len; n++)
				text_put(o, base64 + dice_below(&m->d, 64), 1);
		text_put(o, "\r\n", 2);
	}
	s->more_len = o->len - s->more_at;
}

/* What blackponyd answers itself inside: see blackponyd(8). */
static void
ours(struct making *m)
{
	struct text *o = &m->p->octets;
	struct step *s = step(m, STEP_LINE);

	s->ours = true;
	s->code = 503;
	switch (dice_below(&m->d, 6)) {
	case 0:
		text_say(o, "XCRYPT rotn_0.1 0 4");
		break;
	case 1:
		text_say(o, "STARTTLS");
		break;
	case 4:
		text_say(o, "AUTH DIGEST-MD5");
		s->code = 504;
		break;
	case 2:
		text_say(o, "RCPT TO:<a@a>\nRCPT TO:<b@b>");
		s->code = 500;
		break;
	case 3:
		text_put(o, "NOOP \0\rx", 8);
		s->code = 500;
		break;
	default:
		shapes_word(o, &m->d, dice_between(&m->d, 12287, 140000), false);
		s->code = 500;
		break;
	}
	end_command(m, s);
}

/* Commands of every length, up to where blackponyd takes none any more. */
static void
long_command(struct making *m)
{
	struct step *s = step(m, STEP_LINE);

	text_say(&m->p->octets, "XLONG ");
	shapes_word(&m->p->octets, &m->d, dice_order(&m->d, 1, 12270), true);
	end_command(m, s);
}

/* Something between transactions, or in the middle of one. */
static void
aside(struct making *m)
{
	static const char *const odd[] = { "HELP", "VRFY postmaster", "EXPN list", "XODD \xff\xfe",
		"X", "", "MAIL", "RCPT", "NOOP with words", "ETRN example.org", "  NOOP", "RSET ",
		"DATAX", "BDATX 5", "TURN", "mail from:<>" };

	switch (dice_below(&m->d, 12)) {
	case 0:
	case 1:
		plain(m, "RSET", !hurries(m));
		break;
	case 2:
	case 3:
		plain(m, "NOOP", !hurries(m) || m->p->way != PLAN_INSIDE);
		break;
	case 4:
		hello(m, dice_chance(&m->d, 100));
		break;
	case 5:
	case 6:
		if (m->script->auth && m->p->way != PLAN_CALLER)
			auth(m);
		break;
	case 7:
		if (m->p->way == PLAN_INSIDE)
			ours(m);
		break;
	case 8:
		long_command(m);
		break;
	default:
		plain(m, odd[dice_below(&m->d, sizeof(odd) / sizeof(odd[0]))], true);
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
		mail(m);
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
		data(m);
	else
		plain(m, "RSET", !hurries(m));
}

/* More commands in a flight than the relay keeps account of. */
static void
flood(struct making *m)
{
	size_t count = dice_between(&m->d, 1500, 6000);
	bool groups = m->groups;

	m->groups = true;
	for (size_t i = 0; i < count; i++) {
		size_t kind = dice_below(&m->d, 10);

		if (kind == 0)
			plain(m, "RSET", false);
		else if (kind == 1)
			mail(m);
		else if (kind == 2 && m->script->chunking && !m->helo)
			chunk(m, (const uint8_t *)"12345678901234567890", dice_below(&m->d, 20),
			    dice_chance(&m->d, 300));
		else {
			struct step *s = step(m, STEP_LINE);
			address(m, "RCPT TO");
			end_command(m, s);
			s->waits = false;
		}
	}
	m->groups = groups;
	plain(m, "RSET", true);
}

/* In the clear nobody reads along: anything may be said, in any order. */
static void
raw(struct making *m)
{
	struct step *s;

	mail(m);
	m->p->steps[m->p->count - 1].waits = true;
	s = step(m, STEP_RAW);
	shapes_message(&m->p->octets, &m->d);
	/* should that have been DATA, here it ends */
	text_say(&m->p->octets, "\r\n.\r\nRSET\r\nQUIT\r\n");
	s->len = m->p->octets.len - s->at;
	m->p->cut = true;
	step(m, STEP_CUT);
}

static void
goodbye(struct making *m)
{
	if (m->p->way == PLAN_INSIDE ? dice_chance(&m->d, 850) : dice_chance(&m->d, 900)) {
		plain(m, "QUIT", true);
		return;
	}
	m->p->cut = true;
	struct step *last = &m->p->steps[m->p->count - 1];
	if (last->kind == STEP_DATA && dice_chance(&m->d, 700))
		last->more_len = dice_below(&m->d, last->more_len - 2);
	else if (last->kind == STEP_CHUNK && last->more_len > 0 && dice_chance(&m->d, 700))
		last->more_len = dice_below(&m->d, last->more_len);
	last->waits = false;
	/* some go with commands in flight that have to be waited for */
	for (size_t i = m->p->count, n = dice_below(&m->d, 10); n > 0 && i > 1; n--) {
		struct step *s = &m->p->steps[--i];

		if ((s->kind != STEP_LINE && s->kind != STEP_CHUNK) || s->ours)
			break;
		s->waits = false;
	}
	step(m, STEP_CUT);
}

void
plan_make(struct plan *p, enum plan_way way, const struct mailer_script *script, uint64_t seed)
{
	struct making m = { .p = p, .script = script, .d = dice_start(seed, 2) };

	text_clear(&p->octets);
	p->way = way;
	p->count = 0;
	p->cut = false;
	p->messages = 0;
	m.groups = script->pipelining && dice_chance(&m.d, 800);
	if (way == PLAN_CLEAR && dice_chance(&m.d, 100))
		plain(&m, dice_chance(&m.d, 500) ? "NOOP" : "RSET", true);
	bool helo = way != PLAN_INSIDE && dice_chance(&m.d, 100);
	p->early = way != PLAN_INSIDE && dice_chance(&m.d, 60);
	hello(&m, helo);
	if (script->no_ehlo && !helo)
		hello(&m, true);
	/* inside, who does not wait is refused; in the clear, the mailer sees it */
	else if (way != PLAN_INSIDE && dice_chance(&m.d, 80))
		p->steps[p->count - 1].waits = false;
	size_t count = dice_order(&m.d, 1, dice_chance(&m.d, 900) ? 24 : 120);
	for (size_t i = 0; i < count && p->octets.len < OCTETS_MAX; i++)
		transaction(&m);
	if (m.groups && dice_chance(&m.d, 15))
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
