#include "smtp/follow.h"

#include "smtp/reply.h"

#define OWED_MAX 1000		/* a local MTA waits for replies sooner */

void
follow_start(struct follow *f)
{
	*f = (struct follow){ .state = FOLLOW_COMMAND };
}

const char *
follow_state_name(enum follow_state state)
{
	static const char *const names[] = { [FOLLOW_COMMAND] = "command", [FOLLOW_WAITS] = "waits",
		[FOLLOW_CONTINUATION] = "continuation", [FOLLOW_MESSAGE] = "message",
		[FOLLOW_QUIT] = "quit", [FOLLOW_LOST] = "lost" };

	return names[state];
}

/* The state after a command; FOLLOW_LOST: it may be one that is not answered by one reply. */
static enum follow_state
after_command(enum verb verb)
{
	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
	case VERB_NOOP:
	case VERB_RSET:
	case VERB_HELP:
	case VERB_VRFY:
	case VERB_EXPN:
	case VERB_MAIL:
	case VERB_RCPT:
		return FOLLOW_COMMAND;
	case VERB_DATA:
	case VERB_AUTH:
		return FOLLOW_WAITS;
	default:
		return FOLLOW_LOST;
	}
}

/* Finds the line that begins here.  False: it is not complete, or we are lost. */
static bool
take_line(struct follow *f, struct span said, struct line *line)
{
	size_t newline = span_find(said, '\n');

	switch (line_command(said, line)) {
	case LINE_NONE:
		/* a bare LF may be the end of a command to the server */
		if (newline < said.len)
			f->state = FOLLOW_LOST;
		return false;
	case LINE_TOO_LONG:
		f->state = FOLLOW_LOST;
		return false;
	case LINE_FOUND:
		break;
	}
	if (line_is_torn(line->text))
		f->state = FOLLOW_LOST;
	return f->state != FOLLOW_LOST;
}

/* Passes on one line.  False when none can be passed on now. */
static bool
pass_line(struct follow *f, struct buf *to, struct buf *from)
{
	struct span arguments;
	struct line line;

	if (!take_line(f, buf_peek(from), &line))
		return false;
	if (f->state == FOLLOW_CONTINUATION) {
		if (buf_room(to) < line.octets)
			return false;
		f->state = FOLLOW_WAITS;
	} else {
		enum verb verb = verb_of(line.text, &arguments);

		if (verb == VERB_QUIT) {
			if (f->owed == 0)
				f->state = FOLLOW_QUIT;
			return false;
		}
		if (buf_room(to) < line.octets)
			return false;
		f->verb = verb;
		f->state = f->owed == OWED_MAX ? FOLLOW_LOST : after_command(verb);
		if (f->state == FOLLOW_LOST)
			return false;
	}
	buf_put(to, span(buf_peek(from).at, line.octets));
	buf_take(from, line.octets);
	f->owed++;
	return true;
}

/* Passes on part of a message.  False when nothing can be passed on now. */
static bool
pass_message(struct follow *f, struct buf *to, struct buf *from)
{
	struct span s = buf_peek(from);
	bool ended;

	if (s.len > buf_room(to))
		s.len = buf_room(to);
	s.len = message_scan(&f->dots, s, &ended);
	buf_put(to, s);
	buf_take(from, s.len);
	if (ended) {
		f->state = FOLLOW_COMMAND;
		f->verb = VERB_MESSAGE;
		f->owed++;
	}
	return s.len > 0;
}

void
follow_local(struct follow *f, struct buf *to, struct buf *from)
{
	bool moved = true;

	while (moved && buf_len(from) > 0) {
		switch (f->state) {
		case FOLLOW_COMMAND:
		case FOLLOW_CONTINUATION:
			moved = pass_line(f, to, from);
			break;
		case FOLLOW_MESSAGE:
			moved = pass_message(f, to, from);
			break;
		default:
			moved = false;
			break;
		}
	}
}

/* The reply to DATA or AUTH.  After any but the usual ones, what follows is not known for sure. */
static enum follow_state
after_reply(const struct follow *f, unsigned code)
{
	if (f->verb == VERB_DATA)
		return code == 354 ? FOLLOW_MESSAGE : FOLLOW_LOST;
	return code == 334 ? FOLLOW_CONTINUATION :
	    code == 235 || code >= 400 ? FOLLOW_COMMAND : FOLLOW_LOST;
}

/*
 * Evaluates the first octets of a line of a reply, with its end where it is short.  True if the
 * reply is complete.
 */
static bool
ends_reply(struct follow *f)
{
	struct span head = span(f->head, f->head_len);
	struct reply_line line;

	while (head.len > 0 && (head.at[head.len - 1] == '\n' || head.at[head.len - 1] == '\r'))
		head.len--;
	f->head_len = 0;
	if (!reply_line_read(head, &line) || f->owed == 0) {
		f->state = FOLLOW_LOST;
		return true;
	}
	if (!line.last)
		return false;
	f->owed--;
	if (f->state == FOLLOW_WAITS && f->owed == 0) {
		f->state = after_reply(f, line.code);
		f->dots = DOTS_CRLF;
	}
	return true;
}

/* How many octets of `s` belong to the reply that has begun. */
static size_t
hear_reply(struct follow *f, struct span s)
{
	for (size_t at = 0; at < s.len;) {
		struct span rest = span_from(s, at);
		size_t newline = span_find(rest, '\n');
		size_t len = newline < rest.len ? newline + 1 : rest.len;

		for (size_t i = 0; i < len && f->head_len < sizeof(f->head); i++)
			f->head[f->head_len++] = rest.at[i];
		at += len;
		if (newline < rest.len && ends_reply(f))
			return at;
	}
	return s.len;
}

bool
follow_wire(struct follow *f, struct buf *to, struct buf *from)
{
	struct span s = buf_peek(from);

	if (f->state == FOLLOW_LOST || f->state == FOLLOW_QUIT)
		return false;
	if (s.len > buf_room(to))
		s.len = buf_room(to);
	s.len = hear_reply(f, s);
	buf_put(to, s);
	buf_take(from, s.len);
	return s.len > 0;
}
