#include "letter.h"
#include "shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

/* Appends the message with CRLF line ends and dots stuffed, and one CRLF at its end. */
static void
make_wire(struct letter *l)
{
	const uint8_t *at = l->octets.at, *end = at + l->octets.len;
	size_t stuffed = 0;

	text_clear(&l->wire);
	while (at < end) {
		const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline != NULL ? newline : end) - at);
		bool has_cr = len > 0 && at[len - 1] == '\r';

		if (len > 0 && *at == '.') {
			text_put(&l->wire, ".", 1);
			stuffed++;
		}
		text_put(&l->wire, at, len);
		text_put(&l->wire, has_cr ? "\n" : "\r\n", has_cr ? 1 : 2);
		at += len + (newline != NULL);
	}
	l->size = l->wire.len - stuffed;
	text_put(&l->wire, ".\r\n", 3);
}

void
letter_make(struct letter *l, uint64_t seed)
{
	struct dice d = dice_start(seed, 3);
	size_t count = dice_chance(&d, 980) ? dice_order(&d, 1, 6) : dice_order(&d, 6, 300);

	text_clear(&l->octets);
	text_clear(&l->names);
	shapes_message(&l->octets, &d);
	make_wire(l);
	l->eight_bit = false;
	for (size_t i = 0; i < l->octets.len && !l->eight_bit; i++)
		l->eight_bit = l->octets.at[i] > 0x7f;
	/* pointers come last, as the text moves while it grows */
	text_say(&l->names, "-f%c%s%c", 0, dice_chance(&d, 100) ? "<>" : "alice@a.example", 0);
	for (size_t i = 0; i < count; i++) {
		text_say(&l->names, "user%zu@%zu.example%c", i, dice_below(&d, 10), 0);
	}
	size_t n = 0;
	for (size_t at = 0; at < l->names.len; at += strlen((char *)l->names.at + at) + 1)
		l->words[n++] = (char *)l->names.at + at;
	l->words[n] = NULL;
	l->recipients = count;
}

/* Sends it, and returns the code of the last reply, or 0. */
static unsigned
say(struct mailer *m, const char *line)
{
	size_t before = m->out.len;
	unsigned code = 0;

	text_say(&m->in, "%s\r\n", line);
	mailer_step(m);
	for (size_t at = before; at < m->out.len; at++)
		if (at == before || m->out.at[at - 1] == '\n')
			code = (unsigned)atoi((char *)m->out.at + at);
	return code;
}

static void
end(struct letter *l, struct mailer *m, unsigned code)
{
	/* if STARTTLS has failed, a refusal is temporary */
	bool failed = m->script->starttls && m->script->refuses_tls;

	l->outcome = code >= 500 && !failed ? LETTER_REFUSED :
	    code >= 200 && code < 300       ? LETTER_SENT :
					      LETTER_LATER;
	if (m->state != MAILER_CLOSED)
		say(m, "QUIT");
}

static unsigned
say_mail(struct letter *l, struct mailer *m)
{
	const struct mailer_script *s = m->script;
	char line[400];
	bool null = strcmp(l->words[1], "<>") == 0;

	int len = snprintf(line, sizeof(line), "MAIL FROM:<%s>", null ? "" : l->words[1]);
	if (!m->helo && s->size)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " SIZE=%zu", l->size);
	if (!m->helo && s->eight_bit && l->eight_bit)
		snprintf(line + len, sizeof(line) - (size_t)len, " BODY=8BITMIME");
	return say(m, line);
}

/* What DATA comes to that was said together with a refused command. */
static void
end_in_vain(struct letter *l, struct mailer *m, unsigned code)
{
	/* blackpony does not send a dot then, which would be an empty message: it closes */
	bool asks = say(m, "DATA") == 354;

	if (asks)
		m->state = MAILER_CLOSED;
	end(l, m, code);
}

/* MAIL and every RCPT; DATA too, where it is said together with them.  False: the attempt is over. */
static bool
say_envelope(struct letter *l, struct mailer *m)
{
	bool groups = m->script->pipelining && !m->helo;
	unsigned code = say_mail(l, m), worst = 0;
	bool mail_good = code / 100 == 2;
	size_t good = 0, refused = 0;
	char line[400];

	if (!mail_good && (!groups || m->state == MAILER_CLOSED)) {
		end(l, m, code);
		return false;
	}
	for (size_t i = 0; i < l->recipients; i++) {
		snprintf(line, sizeof(line), "RCPT TO:<%s>", l->words[2 + i]);
		unsigned answer = say(m, line);

		if (m->state == MAILER_CLOSED) {
			end(l, m, mail_good ? 421 : code);
			return false;
		}
		good += answer / 100 == 2;
		refused += answer >= 500;
		worst = answer / 100 != 2 ? answer : worst;
	}
	if (mail_good && good == l->recipients)
		return true;
	/* the message is refused permanently only if every recipient was */
	code = !mail_good ? code : refused == l->recipients ? worst : 450;
	if (groups && l->recipients == 1)
		end_in_vain(l, m, code);
	else
		end(l, m, code);
	return false;
}

void
letter_say(struct letter *l, struct mailer *m, bool tls, bool must)
{
	unsigned code = say(m, "EHLO host.a.example");

	if (code / 100 != 2)
		say(m, "HELO host.a.example");
	if (must && (!tls || code / 100 != 2)) {
		/* how it ends does not matter, as long as it sends nothing more */
		l->outcome = LETTER_LATER;
		return;
	}
	if (!say_envelope(l, m))
		return;
	code = say(m, "DATA");
	if (code != 354) {
		end(l, m, code);
		return;
	}
	size_t before = m->out.len;
	text_put(&m->in, l->wire.at, l->wire.len);
	mailer_step(m);
	for (size_t at = before; at < m->out.len; at++)
		if (at == before || m->out.at[at - 1] == '\n')
			code = (unsigned)atoi((char *)m->out.at + at);
	end(l, m, code);
}

bool
letter_ended_well(const struct letter *l, int status, const struct text *said, struct text *why)
{
	static const char first[] = { '2', '4', '5' };
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	bool good = l->outcome == LETTER_SENT ? code == 0 :
	    l->outcome == LETTER_LATER        ? code == EX_TEMPFAIL :
						code == EX_NOUSER || code == EX_NOHOST ||
		code == EX_UNAVAILABLE;
	bool one_line = said->len > 0 &&
	    memchr(said->at, '\n', said->len) == said->at + said->len - 1;

	if (good && one_line && said->at[0] == (uint8_t)first[l->outcome])
		return true;
	text_say(why, "exit %d and \"", code);
	text_show(why, said->at, said->len, 200);
	text_say(why, "\" where outcome %d (0 sent, 1 later, 2 refused) was due\n",
	    (int)l->outcome);
	return false;
}
