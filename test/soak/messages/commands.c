/* The commands of a plan. */
#include "plan_parts.h"
#include "shapes.h"

#include <stdlib.h>
#include <string.h>

struct step *
plan_step(struct making *m, enum step_kind kind)
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

void
plan_end_command(struct making *m, struct step *s)
{
	text_put(&m->p->octets, "\r\n", 2);
	s->len = m->p->octets.len - s->at;
}

bool
plan_hurries(struct making *m)
{
	return m->floods || (m->groups && !dice_chance(&m->d, 60));
}

/* Verbs in any case, since they are the same. */
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

void
plan_plain(struct making *m, const char *text, bool waits)
{
	struct step *s = plan_step(m, STEP_LINE);

	verb(m, text);
	plan_end_command(m, s);
	s->waits = waits;
}

/* A name as clients give it, or the previous one. */
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

void
plan_hello(struct making *m, bool helo)
{
	struct step *s = plan_step(m, STEP_HELLO);

	verb(m, helo ? "HELO" : "EHLO");
	text_put(&m->p->octets, " ", 1);
	say_name(m);
	plan_end_command(m, s);
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

void
plan_mail(struct making *m)
{
	struct step *s = plan_step(m, STEP_LINE);

	address(m, "MAIL FROM");
	if (m->script->size && !m->helo && dice_chance(&m->d, 500))
		text_say(&m->p->octets, " SIZE=%zu", dice_below(&m->d, 100000));
	if (m->script->eight_bit && !m->helo && dice_chance(&m->d, 500))
		text_say(&m->p->octets, " BODY=8BITMIME");
	plan_end_command(m, s);
	s->waits = !plan_hurries(m);
}

void
plan_rcpt(struct making *m, bool waits)
{
	struct step *s = plan_step(m, STEP_LINE);

	address(m, "RCPT TO");
	plan_end_command(m, s);
	s->waits = waits;
}

void
plan_data(struct making *m)
{
	struct step *s = plan_step(m, STEP_DATA);
	struct text *o = &m->p->octets;

	verb(m, "DATA");
	plan_end_command(m, s);
	s->waits = !plan_hurries(m);
	size_t at = o->len;
	shapes_message(o, &m->d);
	shapes_end_data(o, at);
	s = &m->p->steps[m->p->count - 1];
	s->more_at = at;
	s->more_len = o->len - at;
	m->p->messages++;
}

void
plan_chunk(struct making *m, const uint8_t *octets, size_t len, bool last)
{
	struct step *s = plan_step(m, STEP_CHUNK);

	verb(m, "BDAT");
	text_say(&m->p->octets, dice_chance(&m->d, 950) ? " %zu%s" : "  %03zu%s ", len,
	    !last ? "" : dice_chance(&m->d, 800) ? " LAST" : " last");
	plan_end_command(m, s);
	s->more_at = m->p->octets.len;
	s->more_len = len;
	text_put(&m->p->octets, octets, len);
	s->waits = !plan_hurries(m);
}

void
plan_auth(struct making *m)
{
	static const char
	    base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct step *s = plan_step(m, STEP_AUTH);
	struct text *o = &m->p->octets;

	verb(m, "AUTH");
	text_say(o, " LOGIN");
	plan_end_command(m, s);
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

void
plan_ours(struct making *m)
{
	struct text *o = &m->p->octets;
	struct step *s = plan_step(m, STEP_LINE);

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
	plan_end_command(m, s);
}

void
plan_long(struct making *m)
{
	struct step *s = plan_step(m, STEP_LINE);

	text_say(&m->p->octets, "XLONG ");
	shapes_word(&m->p->octets, &m->d, dice_order(&m->d, 1, 12270), true);
	plan_end_command(m, s);
}
