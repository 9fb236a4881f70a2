/* Makes a mail server from a seed. */
#include "mailer.h"

#include <stdio.h>
#include <string.h>

/* Keywords that do not matter to a relay; each is in some replies. */
static const char *const plain[] = { "DSN", "ENHANCEDSTATUSCODES", "HELP", "VRFY", "ETRN",
	"DELIVERBY", "X-ODD thing", "LIMITS MAILMAX=1000", "EXPN", "dsn-like", "VERP", "8BITMIMEX",
	"SIZEUP 5", "XFORWARD NAME ADDR" };

static void
add(struct mailer_script *s, struct dice *d, const char *keyword)
{
	if (s->keyword_count == MAILER_KEYWORDS)
		return;
	size_t at = dice_below(d, s->keyword_count + 1);
	memmove(s->keywords + at + 1, s->keywords + at,
	    (s->keyword_count - at) * sizeof(s->keywords[0]));
	snprintf(s->keywords[at], sizeof(s->keywords[at]), "%s", keyword);
	s->keyword_count++;
}

static bool
maybe(struct mailer_script *s, struct dice *d, unsigned in_thousand, const char *keyword)
{
	bool there = dice_chance(d, in_thousand);

	if (there)
		add(s, d, keyword);
	return there;
}

void
mailer_script(struct mailer_script *s, uint64_t seed, bool inside, bool tls, bool letter,
    bool sender)
{
	static const char *const sizes[] = { "SIZE", "SIZE 0", "SIZE 20000000", "SIZE 4294967296",
		"SIZE 10485760" };
	static const char *const auths[] = { "AUTH LOGIN PLAIN CRAM-MD5",
		"AUTH DIGEST-MD5 LOGIN GSSAPI",
		"AUTH PLAIN LOGIN XOAUTH2 SCRAM-SHA-256 SCRAM-SHA-256-PLUS EXTERNAL" };
	struct dice d = dice_start(seed, 1);

	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->pipelining = maybe(s, &d, 750, "PIPELINING");
	s->chunking = maybe(s, &d, 600, "CHUNKING");
	s->auth = maybe(s, &d, 400, auths[dice_below(&d, 3)]);
	if (!s->auth)
		maybe(s, &d, 100, "AUTH GSSAPI DIGEST-MD5");
	s->size = maybe(s, &d, 700, sizes[dice_below(&d, 5)]);
	s->eight_bit = maybe(s, &d, 800, "8BITMIME");
	s->utf8 = maybe(s, &d, 500, "SMTPUTF8");
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		maybe(s, &d, dice_chance(&d, 500) ? 100 : 400, plain[i]);
	if (tls) {
		s->starttls = maybe(s, &d, 1000, "STARTTLS");
		s->refuses_tls = dice_chance(&d, 100);
	}
	s->no_ehlo = !inside && !tls && dice_chance(&d, 40);
	s->one_ehlo = !tls && dice_chance(&d, 120);
	s->refuses = dice_chance(&d, 400) ? 0 : (unsigned)dice_order(&d, 5, 400);
	s->closes = dice_chance(&d, 800) ? 0 : (unsigned)dice_order(&d, 5, 300);
	s->mail_apart = sender && !letter && s->pipelining;
	s->lines_max = letter ? 8 : 150;
	s->odd = dice_chance(&d, 700);
	s->talks = (unsigned)dice_order(&d, 10, 400);
}

void
mailer_show(const struct mailer *m, struct text *out)
{
	static const char *const kinds[] = { "hello", "line", "continued", "message", "chunk",
		"part" };

	for (size_t i = 0; i < m->count; i++) {
		const struct event *e = &m->events[i];

		text_say(out, "%5zu %-9s %s%s%s", i, kinds[e->kind], e->begins ? "begins " : "",
		    e->last ? "last " : "", e->stray ? "stray " : "");
		text_show(out, m->in.at + e->at, e->len, 90);
		text_say(out, "\n");
	}
}
