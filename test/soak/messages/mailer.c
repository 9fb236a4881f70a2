#include "mailer_parts.h"

#include <stdlib.h>
#include <string.h>

void
mailer_start(struct mailer *m, const struct mailer_script *script)
{
	struct text in = m->in, out = m->out;
	struct event *events = m->events;
	size_t cap = m->cap;

	memset(m, 0, sizeof(*m));
	text_clear(&in);
	text_clear(&out);
	m->in = in;
	m->out = out;
	m->events = events;
	m->cap = cap;
	m->script = script;
	m->hellos_only = true;
	text_say(&m->out, "220 mailer.example ESMTP of the campaign\r\n");
}

struct event *
mailer_note(struct mailer *m, enum event_kind kind, size_t at, size_t len)
{
	if (m->count == m->cap) {
		m->cap = m->cap == 0 ? 256 : 2 * m->cap;
		m->events = realloc(m->events, m->cap * sizeof(*m->events));
		if (m->events == NULL)
			give_up("memory");
	}
	m->events[m->count] = (struct event){ .kind = kind, .at = at, .len = len };
	return &m->events[m->count++];
}

/* Handles a line, when it is complete. */
static bool
take_line(struct mailer *m)
{
	const uint8_t *from = m->in.at + m->seen;
	const uint8_t *end = m->in.len > m->seen ? memchr(from, '\n', m->in.len - m->seen) : NULL;
	size_t at = m->at;
	char verb[12];

	if (end == NULL) {
		m->seen = m->in.len;
		return false;
	}
	size_t len = (size_t)(end + 1 - m->in.at) - at;
	m->at = m->seen = at + len;
	if (m->state == MAILER_CONTINUED) {
		mailer_note(m, EVENT_CONTINUED, at, len);
		mailer_continued(m, m->in.at + at, len);
		return true;
	}
	mailer_verb(m->in.at + at, len, verb);
	if (strcmp(verb, "BDAT") == 0) {
		m->hellos_only = false;
		mailer_bdat(m, at, len);
		if (m->state != MAILER_CHUNK)
			mailer_note(m, EVENT_LINE, at, len);
		return true;
	}
	mailer_command(m, at, len);
	return true;
}

static bool
take_data(struct mailer *m)
{
	static const char whole[] = "\r\n.\r\n";
	/* the message begins after a CRLF, that of the DATA line */
	size_t from = m->begun_at - 2;
	const uint8_t *end;

	if (m->seen < from + 4)
		m->seen = from + 4;
	if (m->in.len < m->seen)
		return false;
	end = memmem(m->in.at + m->seen - 4, m->in.len - (m->seen - 4), whole, 5);
	if (end == NULL) {
		m->seen = m->in.len;
		return false;
	}
	m->at = m->seen = (size_t)(end - m->in.at) + 5;
	mailer_note(m, EVENT_MESSAGE, m->begun_at, m->at - m->begun_at)->begins = true;
	m->state = MAILER_COMMAND;
	mailer_forget(m);
	m->messages += mailer_answer(m, 250, "taken");
	return true;
}

static void
chunk_done(struct mailer *m)
{
	bool whole = m->chunk_last;

	m->state = MAILER_COMMAND;
	if (m->rcpts == 0) {
		mailer_answer_always(m, 503, "need RCPT");
		mailer_forget(m);
	} else if (!mailer_answer(m, 250, whole ? "taken" : "chunk ok")) {
		mailer_forget(m);
	} else if (whole) {
		m->messages++;
		mailer_forget(m);
	} else {
		m->chunked = true;
	}
}

static bool
take_chunk(struct mailer *m)
{
	size_t there = m->in.len - m->at;

	if (there < m->chunk_left)
		return false;
	m->at += m->chunk_left;
	m->seen = m->at;
	struct event *e = mailer_note(m, EVENT_CHUNK, m->begun_at, m->at - m->begun_at);
	e->line_at = m->chunk_at;
	e->line_len = m->chunk_len;
	e->last = m->chunk_last;
	e->stray = m->rcpts == 0;
	e->begins = !m->message_begun && (e->len > 0 || e->last);
	m->message_begun = m->message_begun || e->begins;
	chunk_done(m);
	return true;
}

void
mailer_step(struct mailer *m)
{
	bool more = true;

	while (more) {
		switch (m->state) {
		case MAILER_COMMAND:
		case MAILER_CONTINUED:
			more = take_line(m);
			break;
		case MAILER_DATA:
			more = take_data(m);
			break;
		case MAILER_CHUNK:
			more = take_chunk(m);
			break;
		case MAILER_TLS:
		case MAILER_CLOSED:
			more = false;
			break;
		}
	}
}

void
mailer_end(struct mailer *m)
{
	struct event *e;

	if (m->state == MAILER_CLOSED || m->in.len == m->at)
		return;
	e = mailer_note(m, EVENT_PART, m->at, m->in.len - m->at);
	e->stray = m->state == MAILER_CHUNK && m->rcpts == 0;
	e->begins = m->state == MAILER_DATA ||
	    (m->state == MAILER_CHUNK && !m->message_begun && !e->stray);
	/* for a chunk, its line as well: an announced chunk is whole once it is there */
	e->line_at = m->chunk_at;
	e->line_len = m->state == MAILER_CHUNK ? m->chunk_len : 0;
}
