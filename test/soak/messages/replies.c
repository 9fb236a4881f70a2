/* Compares the client's replies with those that it gets directly. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX 40

struct lines {
	const uint8_t *at[LINES_MAX];
	size_t len[LINES_MAX];	/* of the text after code and separator, without CRLF */
	size_t count;
};

static const uint8_t *
start_of(const struct client *c, const struct heard *h)
{
	return c->in.at + h->at;
}

/* Splits a reply into lines.  False: one of them is malformed. */
static bool
split(struct lines *l, const uint8_t *at, size_t len)
{
	const uint8_t *end = at + len;

	l->count = 0;
	while (at < end && l->count < LINES_MAX) {
		const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
		bool last = newline + 1 == end;

		if (newline - at < 5 || newline[-1] != '\r' || memcmp(at, "250", 3) != 0 ||
		    at[3] != (last ? ' ' : '-'))
			return false;
		l->at[l->count] = at + 4;
		l->len[l->count++] = (size_t)(newline - 1 - (at + 4));
		at = newline + 1;
	}
	return true;
}

static bool
is_keyword(const uint8_t *at, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && strncasecmp((const char *)at, word, n) == 0 &&
	    (len == n || at[n] == ' ');
}

/* Whether a line may be ours; in the clear there must be no other one. */
static bool
is_ours(const uint8_t *at, size_t len)
{
	return is_keyword(at, len, "XCRYPT") ||
	    (len > 7 && strncasecmp((const char *)at, "XCRYPT-", 7) == 0);
}

/* blackponyd(8) names the keywords that pass unchanged inside. */
static bool
passes(const uint8_t *at, size_t len)
{
	static const char *const words[] = { "PIPELINING", "8BITMIME", "CHUNKING", "BINARYMIME",
		"SMTPUTF8", "DSN", "DELIVERBY", "SUBMITTER", "FUTURERELEASE", "MT-PRIORITY", "MTRK",
		"NO-SOLICITING", "RRVS", "XVERP", "ENHANCEDSTATUSCODES", "LIMITS", "HELP", "VRFY",
		"EXPN", "ETRN" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_keyword(at, len, words[i]))
			return true;
	return false;
}

static void
put_mechanisms(struct text *out, const uint8_t *at, size_t len)
{
	static const char *const good[] = { "PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2",
		"SCRAM-SHA-256" };
	char line[100], *rest = NULL;
	bool any = false;

	snprintf(line, sizeof(line), "%.*s", (int)len, (const char *)at);
	for (char *word = strtok_r(line + 5, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
			if (strcasecmp(word, good[i]) == 0) {
				text_say(out, "%s %s", any ? "" : "AUTH", word);
				any = true;
			}
}

/* Appends what a keyword becomes inside.  False: it is left out. */
static bool
put_inside(struct text *out, const uint8_t *at, size_t len, bool mark)
{
	size_t before = out->len;

	if (is_keyword(at, len, "SIZE") && len > 6 && mark)
		text_say(out, "SIZE %llu",
		    strtoull((const char *)at + 5, NULL, 10) - COMPARE_GROWS);
	else if (is_keyword(at, len, "AUTH"))
		put_mechanisms(out, at, len);
	else if (passes(at, len) || is_keyword(at, len, "SIZE"))
		text_put(out, at, len);
	return out->len > before;
}

/* The keywords are the expected ones, in their order. */
static bool
keywords_match(const struct lines *a, const struct lines *b, bool inside, bool mark)
{
	static struct text due;
	size_t j = 1;

	if (b->count == 0 || a->len[0] != b->len[0] || memcmp(a->at[0], b->at[0], a->len[0]) != 0)
		return false;
	for (size_t i = 1; i <= a->count; i++) {
		while (j < b->count && is_ours(b->at[j], b->len[j]))
			j++;
		if (i == a->count)
			break;
		text_clear(&due);
		if (!inside)
			text_put(&due, a->at[i], a->len[i]);
		else if (!put_inside(&due, a->at[i], a->len[i], mark))
			continue;
		if (j == b->count || due.len != b->len[j] || memcmp(due.at, b->at[j], due.len) != 0)
			return false;
		j++;
	}
	return j == b->count;
}

static bool
is_hello(const struct client *c, const struct heard *h)
{
	return h->step < c->plan->count && c->plan->steps[h->step].kind == STEP_HELLO;
}

/* blackpony answers QUIT itself. */
static bool
is_bye(const struct client *c, const struct heard *h)
{
	static const char bye[] = "221 2.0.0 Bye\r\n";

	return h->len == sizeof(bye) - 1 && memcmp(start_of(c, h), bye, h->len) == 0;
}

static bool
same_reply(const struct comparison *c, const struct client *a, const struct heard *x,
    const struct client *b, const struct heard *y)
{
	struct lines direct, through;

	if (x->step != y->step)
		return false;
	if (is_bye(b, y))
		return x->len > 3 && memcmp(start_of(a, x), "221", 3) == 0;
	/* inside, a reply to EHLO that passes unchanged may be a difference */
	if (!is_hello(a, x) || !split(&direct, start_of(a, x), x->len) ||
	    !split(&through, start_of(b, y), y->len))
		return x->len == y->len && memcmp(start_of(a, x), start_of(b, y), x->len) == 0;
	return keywords_match(&direct, &through, c->suite[0] != '\0', c->mark);
}

static bool
is_own(const struct client *c, const struct heard *h)
{
	return h->step < c->plan->count && c->plan->steps[h->step].ours;
}

/*
 * blackpony may answer MAIL, and QUIT after it, before it sees that the mail server has closed,
 * which is seen by the client that reaches it directly.
 */
static bool
is_last_mail(const struct comparison *c, const struct client *through, size_t number)
{
	static const char answer[] = "250 2.1.0 Ok\r\n";
	const struct heard *h = &through->heard[number];
	const struct plan *plan = through->plan;
	char verb[12];

	size_t after = through->count - number - 1;

	if (!c->direct->script->mail_apart || h->step >= plan->count ||
	    after > 1 || (after == 1 && !is_bye(through, h + 1)))
		return false;
	mailer_verb(plan->octets.at + plan->steps[h->step].at, plan->steps[h->step].len, verb);
	return strcmp(verb, "MAIL") == 0 && h->len == sizeof(answer) - 1 &&
	    memcmp(start_of(through, h), answer, h->len) == 0;
}

static void
show_reply(struct text *why, const char *whose, const struct client *c, size_t number)
{
	text_say(why, "    %s: ", whose);
	if (number < c->count) {
		text_say(why, "to step %zu: ", c->heard[number].step);
		text_show(why, start_of(c, &c->heard[number]), c->heard[number].len, 700);
	} else {
		text_say(why, "none");
		if (c->in.len > c->at)
			text_show(why, c->in.at + c->at, c->in.len - c->at, 80);
	}
	text_say(why, "\n");
}

bool
compare_clients(const struct comparison *c, const struct client *direct,
    const struct client *through)
{
	size_t i = 0, j = 0;

	if (through->fault[0] != '\0') {
		text_say(c->why, "%s\n", through->fault);
		return false;
	}
	for (; i < direct->count || j < through->count; i++, j++) {
		while (j < through->count && is_own(through, &through->heard[j]))
			j++;
		if (i == direct->count && j == through->count)
			break;
		if (i < direct->count && j < through->count &&
		    same_reply(c, direct, &direct->heard[i], through, &through->heard[j]))
			continue;
		if (i == direct->count && (is_last_mail(c, through, j) ||
			(c->sender && j + 1 == through->count && is_bye(through, &through->heard[j]))))
			break;
		text_say(c->why, "reply %zu differs\n", i);
		show_reply(c->why, "directly", direct, i);
		show_reply(c->why, "through ", through, j);
		return false;
	}
	if (direct->in.len - direct->at != through->in.len - through->at) {
		text_say(c->why, "octets behind the last reply\n");
		return false;
	}
	return true;
}
