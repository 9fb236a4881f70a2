/* The mail server's replies. */
#include "mailer_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void
mailer_verb(const uint8_t *line, size_t len, char verb[12])
{
	size_t n = 0;

	while (n < 11 && n < len && isalnum(line[n])) {
		verb[n] = (char)toupper(line[n]);
		n++;
	}
	verb[n] = '\0';
}

/* The dice for the next reply: no two replies have the same. */
static struct dice
next_answer(struct mailer *m)
{
	return dice_start(m->script->seed, 1000 + m->answers++);
}

/* Sends a reply in one of the possible forms.  Its number tells it from all others. */
static void
say(struct mailer *m, struct dice *d, unsigned code, const char *text)
{
	bool talks = m->script->odd && dice_chance(d, m->script->talks);
	size_t lines = !talks ? 0 : dice_chance(d, 900) ? dice_between(d, 1, 6) :
	    dice_between(d, m->script->lines_max / 3, m->script->lines_max);

	if (m->script->odd && !talks && dice_chance(d, 20)) {
		text_say(&m->out, "%u%s\r\n", code, dice_chance(d, 500) ? "" : " ");
		return;
	}
	for (size_t i = 0; i < lines; i++) {
		size_t len = dice_chance(d, 950) ? dice_below(d, 70) : dice_below(d, 1500);

		text_say(&m->out, "%u-", code);
		for (size_t at = 0; at < len; at++) {
			uint8_t octet = (uint8_t)dice_between(d, ' ',
			    dice_chance(d, 900) ? '~' : 255);
			text_put(&m->out, &octet, 1);
		}
		text_say(&m->out, "\r\n");
	}
	text_say(&m->out, "%u %u.%u.0 %s, answer %llu\r\n", code, code / 100,
	    (unsigned)dice_below(d, 8), text, (unsigned long long)m->answers);
}

static void
close_now(struct mailer *m)
{
	m->state = MAILER_CLOSED;
}

/* Refuses if this reply's dice say so.  Returns false if not. */
static bool
refuses(struct mailer *m, struct dice *d)
{
	static const unsigned codes[] = { 450, 451, 452, 550, 552, 554, 553, 503 };

	if (!dice_chance(d, m->script->refuses))
		return false;
	if (dice_chance(d, m->script->closes)) {
		say(m, d, 421, "closing now");
		close_now(m);
		return true;
	}
	say(m, d, codes[dice_below(d, sizeof(codes) / sizeof(codes[0]))], "refused by lot");
	return true;
}

/* Sends the good reply, or refuses.  True: it was the good one. */
bool
mailer_answer(struct mailer *m, unsigned code, const char *text)
{
	struct dice d = next_answer(m);

	if (refuses(m, &d))
		return false;
	say(m, &d, code, text);
	return true;
}

void
mailer_answer_always(struct mailer *m, unsigned code, const char *text)
{
	struct dice d = next_answer(m);

	say(m, &d, code, text);
}

void
mailer_forget(struct mailer *m)
{
	m->mail = m->message_begun = m->chunked = false;
	m->rcpts = 0;
}

static void
say_keywords(struct mailer *m)
{
	const struct mailer_script *s = m->script;

	text_say(&m->out, "250%cmailer.example at your service\r\n",
	    s->keyword_count > 0 ? '-' : ' ');
	for (size_t i = 0; i < s->keyword_count; i++)
		text_say(&m->out, "250%c%s\r\n", i + 1 < s->keyword_count ? '-' : ' ',
		    s->keywords[i]);
}

static void
hello(struct mailer *m, bool helo)
{
	bool first = m->hellos_only;

	m->hellos++;
	if (!helo && m->script->no_ehlo) {
		text_say(&m->out, "502 5.5.1 EHLO is not known here\r\n");
		return;
	}
	if (!helo && m->script->one_ehlo && m->hellos > 1) {
		text_say(&m->out, "503 5.5.1 Once is enough\r\n");
		return;
	}
	if (!first) {
		struct dice d = next_answer(m);
		if (refuses(m, &d))
			return;
	}
	m->helo = helo;
	mailer_forget(m);
	if (helo)
		text_say(&m->out, "250 mailer.example at your service\r\n");
	else
		say_keywords(m);
}

static void
mail(struct mailer *m)
{
	if (m->script->mail_apart) {
		text_say(&m->out, "250 2.1.0 Ok\r\n");
		mailer_forget(m);
		m->mail = true;
	} else if (m->mail)
		mailer_answer_always(m, 503, "nested MAIL");
	else if (mailer_answer(m, 250, "sender ok"))
		m->mail = true;
}

static void
rcpt(struct mailer *m)
{
	if (!m->mail)
		mailer_answer_always(m, 503, "need MAIL");
	else if (mailer_answer(m, 250, "recipient ok"))
		m->rcpts++;
}

static void
data(struct mailer *m)
{
	if (m->rcpts == 0) {
		mailer_answer_always(m, 503, "need RCPT");
	} else if (m->chunked) {
		mailer_answer_always(m, 503, "no DATA behind BDAT");	/* RFC 3030, section 3 */
	} else if (mailer_answer(m, 354, "go ahead")) {
		m->state = MAILER_DATA;
		m->begun_at = m->seen = m->at;
	}
}

void
mailer_bdat(struct mailer *m, size_t at, size_t len)
{
	char line[80] = "", more[8] = "";
	unsigned long long size;

	memcpy(line, m->in.at + at, len < sizeof(line) ? len : sizeof(line) - 1);
	if (sscanf(line, "%*s %llu %7s", &size, more) < 1) {
		mailer_answer_always(m, 501, "what size?");
		return;
	}
	m->chunk_last = strcasecmp(more, "LAST") == 0;
	m->chunk_left = size;
	m->chunk_at = at;
	m->chunk_len = len;
	m->begun_at = m->at;
	m->state = MAILER_CHUNK;
}

static void
auth(struct mailer *m)
{
	struct dice d = next_answer(m);

	if (!m->script->auth) {
		say(m, &d, 502, "no AUTH here");
	} else if (!refuses(m, &d)) {
		m->rounds = (unsigned)dice_below(&d, 4);
		if (m->rounds > 0)
			m->state = MAILER_CONTINUED;
		say(m, &d, m->rounds > 0 ? 334 : 235, m->rounds > 0 ? "VXNlcm5hbWU6" : "welcome");
	}
}

void
mailer_continued(struct mailer *m, const uint8_t *line, size_t len)
{
	struct dice d = next_answer(m);

	m->state = MAILER_COMMAND;
	m->rounds--;
	if (len > 0 && line[0] == '*')
		say(m, &d, 501, "cancelled");
	else if (refuses(m, &d))
		return;
	else if (m->rounds > 0) {
		m->state = MAILER_CONTINUED;
		say(m, &d, 334, "UGFzc3dvcmQ6");
	} else {
		say(m, &d, 235, "welcome");
	}
}

static void
starttls(struct mailer *m)
{
	if (!m->script->starttls || m->script->refuses_tls) {
		/* blackpony sends it before anything else, so it does not count */
		text_say(&m->out, "454 4.7.0 not now\r\n");
	} else {
		text_say(&m->out, "220 2.0.0 go\r\n");
		m->state = MAILER_TLS;
		if (m->in.len > m->at)
			m->fault = "octets behind STARTTLS";
	}
}

static void
other(struct mailer *m, const char *verb)
{
	if (strcmp(verb, "RSET") == 0) {
		if (mailer_answer(m, 250, "reset"))
			mailer_forget(m);
	} else if (strcmp(verb, "NOOP") == 0) {
		mailer_answer(m, 250, "nothing done");
	} else if (strcmp(verb, "VRFY") == 0) {
		mailer_answer(m, 252, "try and see");
	} else if (strcmp(verb, "HELP") == 0) {
		mailer_answer(m, 214, "help yourself");
	} else if (strcmp(verb, "QUIT") == 0) {
		mailer_answer_always(m, 221, "bye");
		close_now(m);
	} else {
		mailer_answer_always(m, 500, "not known");
	}
}

/* without PIPELINING, a client that has sent more did not wait */
static void
check_wait(struct mailer *m, const char *verb)
{
	bool ends_group = strcmp(verb, "DATA") == 0 || strcmp(verb, "EHLO") == 0 ||
	    strcmp(verb, "QUIT") == 0;

	if (m->in.len > m->at && (ends_group || m->helo || !m->script->pipelining) &&
	    strcmp(verb, "BDAT") != 0)
		m->fault = "octets behind a command that has to be waited for";
}

void
mailer_command(struct mailer *m, size_t at, size_t len)
{
	const uint8_t *line = m->in.at + at;
	char verb[12];

	mailer_verb(line, len, verb);
	bool ehlo = strcmp(verb, "EHLO") == 0, helo = strcmp(verb, "HELO") == 0;
	bool tls = strcmp(verb, "STARTTLS") == 0;

	check_wait(m, verb);
	mailer_note(m, m->hellos_only && (ehlo || helo || tls) ? EVENT_HELLO : EVENT_LINE, at, len);
	if (ehlo || helo) {
		hello(m, helo);
		return;
	}
	if (tls) {
		starttls(m);
		return;
	}
	m->hellos_only = false;
	if (strcmp(verb, "MAIL") == 0)
		mail(m);
	else if (strcmp(verb, "RCPT") == 0)
		rcpt(m);
	else if (strcmp(verb, "DATA") == 0)
		data(m);
	else if (strcmp(verb, "AUTH") == 0)
		auth(m);
	else
		other(m, verb);
}

