#include "compare.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *
octets(const struct mailer *m, const struct event *e)
{
	return m->in.at + e->at;
}

static bool
differ(const struct comparison *c, const char *what, size_t number, const uint8_t *a, size_t a_len,
    const uint8_t *b, size_t b_len)
{
	size_t same = 0;

	while (same < a_len && same < b_len && a[same] == b[same])
		same++;
	size_t from = same < 20 ? 0 : same - 20;
	text_say(c->why, "%s %zu differs from octet %zu on; directly (%zu octets): ...", what,
	    number, same, a_len);
	text_show(c->why, a + from, a_len - from, 80);
	text_say(c->why, "\n    through (%zu octets): ...", b_len);
	text_show(c->why, b + from, b_len - from, 80);
	text_say(c->why, "\n");
	return false;
}

static bool
equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

/* Takes `text` off the front of the rest.  False: something else is there. */
static bool
eat(const uint8_t **at, const uint8_t *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *at) < len || memcmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool
eat_word(const uint8_t **at, const uint8_t *end, const char *allowed)
{
	const uint8_t *from = *at;

	while (*at < end && **at != '\0' && (isalnum(**at) || strchr(allowed, **at) != NULL))
		(*at)++;
	return *at > from;
}

size_t
compare_trace(const uint8_t *from, size_t len, const char *suite)
{
	const uint8_t *at = from, *end = from + len;

	if (!eat(&at, end, "Received: from ") || !eat_word(&at, end, "-._[]:?") ||
	    !eat(&at, end, " ([127.0.0.1]) by mx.b.example\r\n    with "))
		return 0;
	(void)eat(&at, end, "E");
	if (!eat(&at, end, "SMTP (XCRYPT ") || !eat(&at, end, suite) || !eat(&at, end, "); ") ||
	    !eat_word(&at, end, ",: +") || !eat(&at, end, "\r\n"))
		return 0;
	return (size_t)(at - from);
}

/*
 * Whether no line may precede this: it begins with a space or a tab, or is a mailbox's From
 * line.
 */
static bool
front_is_taken(const uint8_t *at, size_t len)
{
	size_t quotes = 0;

	if (len > 0 && (at[0] == ' ' || at[0] == '\t'))
		return true;
	while (quotes < len && quotes < 64 && at[quotes] == '>')
		quotes++;
	return len - quotes >= 5 && memcmp(at + quotes, "From ", 5) == 0;
}

/* A message's first octets, with the trace line in front if that is on. */
static bool
fronts_match(const struct comparison *c, size_t number, const uint8_t *a, size_t a_len,
    const uint8_t *b, size_t b_len, bool part)
{
	bool traced = c->mark && c->suite[0] != '\0' && !front_is_taken(a, a_len);
	size_t trace = traced ? compare_trace(b, b_len, c->suite) : 0;

	if (traced && trace == 0 && !(part && b_len == 0)) {
		text_say(c->why, "message %zu has no trace line: ", number);
		text_show(c->why, b, b_len, 120);
		text_say(c->why, "\n");
		return false;
	}
	if (part && b_len - trace <= a_len)
		a_len = b_len - trace;
	return equal(a, a_len, b + trace, b_len - trace) ||
	    differ(c, "message", number, a, a_len, b + trace, b_len - trace);
}

static bool
chunks_match(const struct comparison *c, size_t number, const struct event *a,
    const struct event *b)
{
	const uint8_t *a_at = octets(c->direct, a), *b_at = octets(c->through, b);

	if (c->suite[0] == '\0' && !equal(c->direct->in.at + a->line_at, a->line_len,
	    c->through->in.at + b->line_at, b->line_len))
		return differ(c, "BDAT", number, c->direct->in.at + a->line_at, a->line_len,
		    c->through->in.at + b->line_at, b->line_len);
	if (a->last != b->last) {
		text_say(c->why, "chunk %zu: LAST is lost or added\n", number);
		return false;
	}
	/*
	 * a chunk outside a transaction is refused, and a client that pipelines cannot know in
	 * advance
	 */
	size_t trace = a->stray && c->suite[0] != '\0' ? compare_trace(b_at, b->len, c->suite) : 0;
	if (a->begins && !a->stray)
		return fronts_match(c, number, a_at, a->len, b_at, b->len, false);
	b_at += trace;
	return equal(a_at, a->len, b_at, b->len - trace) ||
	    differ(c, "chunk", number, a_at, a->len, b_at, b->len);
}

/* What was incomplete when the client left: as far as it came, it is the same. */
static bool
parts_match(const struct comparison *c, size_t number, const struct event *a, const struct event *b)
{
	const uint8_t *a_at = octets(c->direct, a), *b_at = octets(c->through, b);

	if (c->suite[0] == '\0')
		return equal(a_at, a->len, b_at, b->len) ||
		    differ(c, "last part", number, a_at, a->len, b_at, b->len);
	if (a->begins)
		return fronts_match(c, number, a_at, a->len, b_at, b->len, true);
	size_t trace = a->stray ? compare_trace(b_at, b->len, c->suite) : 0;
	b_at += trace;
	return (b->len - trace <= a->len && equal(a_at, b->len - trace, b_at, b->len - trace)) ||
	    differ(c, "last part", number, a_at, a->len, b_at, b->len);
}

/* Inside, the SIZE of MAIL is larger by the trace line, if there is a SIZE. */
static bool
is_grown_mail(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	const uint8_t *size = memmem(a, a_len, "> SIZE=", 7);
	char verb[12], number[24];

	mailer_verb(a, a_len, verb);
	if (size == NULL || strcmp(verb, "MAIL") != 0)
		return false;
	size_t before = (size_t)(size - a) + 7;
	char *end;
	unsigned long long octets = strtoull((const char *)a + before, &end, 10);
	size_t digits = (size_t)snprintf(number, sizeof(number), "%llu", octets + COMPARE_GROWS);
	size_t behind = a_len - (size_t)((const uint8_t *)end - a);
	/* the verb may be in another case */
	return b_len == before + digits + behind && memcmp(b, "MAIL", 4) == 0 &&
	    memcmp(a + 4, b + 4, before - 4) == 0 && memcmp(b + before, number, digits) == 0 &&
	    memcmp(b + before + digits, end, behind) == 0;
}

/* blackpony says QUIT itself when the client has. */
static bool
is_quit(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	char verb[12];

	mailer_verb(a, a_len, verb);
	return strcmp(verb, "QUIT") == 0 && b_len == 6 && memcmp(b, "QUIT\r\n", 6) == 0;
}

static bool
events_match(const struct comparison *c, size_t number, const struct event *a,
    const struct event *b)
{
	const uint8_t *a_at = octets(c->direct, a), *b_at = octets(c->through, b);

	if (a->kind != b->kind) {
		text_say(c->why, "event %zu is of kind %d and was %d directly: ", number,
		    (int)b->kind, (int)a->kind);
		text_show(c->why, b_at, b->len, 100);
		text_say(c->why, "\n    directly: ");
		text_show(c->why, a_at, a->len, 100);
		text_say(c->why, "\n");
		return false;
	}
	switch (a->kind) {
	case EVENT_CHUNK:
		return chunks_match(c, number, a, b);
	case EVENT_PART:
		return parts_match(c, number, a, b);
	case EVENT_MESSAGE:
		return fronts_match(c, number, a_at, a->len, b_at, b->len, false);
	case EVENT_LINE:
		if (c->suite[0] != '\0' && c->mark && is_grown_mail(a_at, a->len, b_at, b->len))
			return true;
		if (is_quit(a_at, a->len, b_at, b->len))
			return true;
		/* FALLTHROUGH */
	default:
		return equal(a_at, a->len, b_at, b->len) ||
		    differ(c, "line", number, a_at, a->len, b_at, b->len);
	}
}

/* Whether the client itself gave this name.  blackpony may send EHLO for HELO, and STARTTLS. */
static bool
is_said_hello(const struct comparison *c, const struct event *e)
{
	const struct mailer *d = c->direct;
	const uint8_t *at = octets(c->through, e);

	for (size_t i = 0; i < d->count && d->events[i].kind == EVENT_HELLO; i++) {
		size_t skipped = c->sender ? 4 : 0;

		if (equal(octets(d, &d->events[i]) + skipped, d->events[i].len - skipped,
			at + skipped, e->len - skipped))
			return true;
	}
	return c->sender && e->len == 10 && memcmp(at, "STARTTLS\r\n", 10) == 0;
}

static bool
skip_hellos(const struct comparison *c, size_t *a, size_t *b)
{
	const struct mailer *d = c->direct, *t = c->through;

	while (*a < d->count && d->events[*a].kind == EVENT_HELLO)
		(*a)++;
	for (; *b < t->count && t->events[*b].kind == EVENT_HELLO; (*b)++)
		if (!is_said_hello(c, &t->events[*b]))
			return differ(c, "hello", *b, octets(d, d->events), d->events->len,
			    octets(t, &t->events[*b]), t->events[*b].len);
	return true;
}

static bool
is_command(const struct mailer *m, size_t number, const char *wanted)
{
	char verb[12];

	if (number >= m->count || m->events[number].kind != EVENT_LINE)
		return false;
	mailer_verb(octets(m, &m->events[number]), m->events[number].len, verb);
	return strcmp(verb, wanted) == 0;
}

/* Nothing came of a MAIL that blackpony has answered: it is left out, with half a line behind it. */
static size_t
skip_dropped(const struct comparison *c, size_t a, size_t b)
{
	const struct mailer *d = c->direct;

	if (!d->script->mail_apart || !is_command(d, a, "MAIL") || is_command(c->through, b, "MAIL"))
		return a;
	if (a + 1 < d->count && d->events[a + 1].kind == EVENT_PART)
		return a + 2;
	return a + 1 == d->count || is_command(d, a + 1, "QUIT") ? a + 1 : a;
}

bool
compare_mailers(const struct comparison *c)
{
	const struct mailer *d = c->direct, *t = c->through;
	size_t a = 0, b = 0;

	if (!skip_hellos(c, &a, &b))
		return false;
	a = skip_dropped(c, a, b);
	for (size_t number = 0; a < d->count && b < t->count; number++) {
		if (!events_match(c, number, &d->events[a], &t->events[b]))
			return false;
		b++;
		a = skip_dropped(c, a + 1, b);
	}
	/* inside, half a line at the end is dropped, and half a message may not have begun */
	if (a < d->count && d->events[a].kind == EVENT_PART && c->suite[0] != '\0')
		a++;
	/* and a message that had not begun may have our trace line already */
	if (b < t->count && t->events[b].kind == EVENT_PART && c->suite[0] != '\0' && c->mark &&
	    compare_trace(octets(t, &t->events[b]), t->events[b].len, c->suite) == t->events[b].len)
		b++;
	if (a == d->count && b == t->count)
		return true;
	const struct mailer *more = a < d->count ? d : t;
	const struct event *e = &more->events[a < d->count ? a : b];
	text_say(c->why,
	    "the mailer heard %zu things, and directly %zu; the first that is %s: ", t->count,
	    d->count, more == d ? "missing" : "more");
	text_show(c->why, octets(more, e), e->len, 120);
	text_say(c->why, "\n");
	return false;
}
