#include "smtp/follow_internal.h"

#define OWED_MAX 1000		/* a local MTA waits for replies sooner */

void
follow_start(struct follow *f, bool pipelining)
{
	*f = (struct follow){ .state = FOLLOW_COMMAND, .pipelining = pipelining };
}

void
follow_keep(struct follow *f, bool pipelining, struct buf *said)
{
	follow_start(f, pipelining);
	f->resets = pipelining;
	f->reset = said != NULL;
	f->said = said;
}

const char *
follow_state_name(enum follow_state state)
{
	static const char *const names[] = { [FOLLOW_COMMAND] = "command", [FOLLOW_WAITS] = "waits",
		[FOLLOW_CONTINUATION] = "continuation", [FOLLOW_MESSAGE] = "message",
		[FOLLOW_QUIT] = "quit", [FOLLOW_BROKEN] = "broken", [FOLLOW_LOST] = "lost" };

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

/* Replies that are not the local MTA's have to come first. */
static void
get_lost(struct follow *f)
{
	if (f->reset_owed || follow_is_midway(f))
		return;
	if (!f->refused && !f->gone)
		f->state = FOLLOW_LOST;
	else if (f->owed == 0)
		f->state = FOLLOW_BROKEN;
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
			get_lost(f);
		return false;
	case LINE_TOO_LONG:
		get_lost(f);
		return false;
	case LINE_FOUND:
		break;
	}
	if (!line_is_torn(line->text))
		return true;
	get_lost(f);
	return false;
}

/* Whether a command can be passed on now; else it waits, or we are lost. */
static bool
takes_command(struct follow *f, enum verb verb, size_t octets)
{
	/* after these, the connection is not as another session expects it */
	bool spoils = verb == VERB_EHLO || verb == VERB_HELO || verb == VERB_AUTH;

	if (verb == VERB_QUIT) {
		if (f->owed == 0 && !f->reset_begun && !follow_is_midway(f))
			f->state = FOLLOW_QUIT;
		return false;
	}
	/* if the server refuses MAIL, that is the reply to these alone */
	if (f->refusals > 0 || (f->mail_owed && verb != VERB_RCPT && verb != VERB_DATA))
		return false;
	if (f->owed == OWED_MAX || after_command(verb) == FOLLOW_LOST || f->gone ||
	    (spoils && f->said != NULL)) {
		get_lost(f);
		return false;
	}
	if (f->said != NULL && buf_room(f->said) < octets)
		return false;
	f->stale = f->stale || spoils;
	bool hello = verb == VERB_EHLO || verb == VERB_HELO;
	f->pipelining = f->pipelining && !hello;	/* its reply is not read */
	f->refused = f->refused && !hello && verb != VERB_RSET && verb != VERB_MAIL;
	return true;
}

/* After a refusal of MAIL, the reply is known.  False: no room, or other replies are owed. */
static bool
refuse(struct follow *f, struct buf *from, struct buf *answers, size_t octets)
{
	if (f->owed > 0 || !buf_put(answers, buf_peek(&f->mail.raw)))
		return false;
	buf_take(from, octets);
	return true;
}

/* Passes on a line, or answers it.  False when nothing can be done now. */
static bool
pass_line(struct follow *f, struct buf *to, struct buf *from, struct buf *answers)
{
	struct span arguments;
	struct line line;

	if (!take_line(f, buf_peek(from), &line) || buf_room(to) < line.octets)
		return false;
	if (f->state == FOLLOW_CONTINUATION) {
		f->state = FOLLOW_WAITS;
	} else {
		enum verb verb = verb_of(line.text, &arguments);

		if (f->refused && (verb == VERB_RCPT || verb == VERB_DATA))
			return refuse(f, from, answers, line.octets);
		if (verb == VERB_MAIL && follow_may_answer(f, answers)) {
			follow_answer_mail(f, answers);
			return true;
		}
		if (!takes_command(f, verb, line.octets))
			return false;
		f->verb = verb;
		f->state = after_command(verb);
	}
	struct span octets = span(buf_peek(from).at, line.octets);
	if (f->said != NULL)
		buf_put(f->said, octets);
	buf_put(to, octets);
	buf_take(from, line.octets);
	f->owed++;
	f->reset = false;
	return true;
}

/* Passes on part of a message.  False when nothing can be passed on now. */
static bool
pass_message(struct follow *f, struct buf *to, struct buf *from)
{
	struct span s = buf_peek(from);
	bool ended;

	size_t room = buf_room(to), after = f->resets ? FOLLOW_RESET.len : 0;

	room -= after < room ? after : room;
	if (s.len > room)
		s.len = room;
	s.len = message_scan(&f->dots, s, &ended);
	buf_put(to, s);
	buf_take(from, s.len);
	if (ended) {
		f->state = FOLLOW_COMMAND;
		f->verb = VERB_MESSAGE;
		f->owed++;
		if (f->resets)
			follow_say_reset(f, to);
	}
	return s.len > 0;
}

void
follow_local(struct follow *f, struct io *io)
{
	struct buf *to = &io->to_wire, *from = &io->from_local;
	bool moved = true;

	f->quiet = buf_len(&io->from_wire) == 0;
	while (moved && buf_len(from) > 0) {
		switch (f->state) {
		case FOLLOW_COMMAND:
		case FOLLOW_CONTINUATION:
			moved = f->answered ? follow_pass_mail(f, to, from) :
			    pass_line(f, to, from, &io->to_local);
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

/*
 * The reply to DATA or AUTH.  After any but the usual ones, what follows is not known for sure.
 * After a good AUTH it may be a security layer instead of lines (RFC 4954, section 4).
 */
static enum follow_state
after_reply(const struct follow *f, unsigned code)
{
	if (f->verb == VERB_DATA)
		return code == 354 ? FOLLOW_MESSAGE : FOLLOW_LOST;
	return code == 334 ? FOLLOW_CONTINUATION :
	    code >= 400 ? FOLLOW_COMMAND : FOLLOW_LOST;
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
		/* unread, the reply to our RSET could be taken for that to the message */
		f->state = f->refused || f->reset_owed ? FOLLOW_BROKEN : FOLLOW_LOST;
		return true;
	}
	if (!line.last)
		return false;
	f->owed--;
	f->before_reset -= f->reset_owed;
	f->stale = f->stale || line.code == 421;
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

/* On a kept connection: whether its first reply is one that counts. */
static bool
is_answered(struct follow *f, struct span s)
{
	struct reply_line reply;
	struct line line;

	if (line_reply(s, &line) == LINE_NONE)
		return false;
	if ((f->owed > 0 || f->mail_owed) && line_reply(s, &line) == LINE_FOUND &&
	    reply_line_read(line.text, &reply) && reply.code != 421) {
		buf_wipe(f->said);
		f->said = NULL;
		return true;
	}
	f->state = FOLLOW_LOST;
	return false;
}

bool
follow_wire(struct follow *f, struct io *io)
{
	struct buf *to = &io->to_local, *from = &io->from_wire;
	struct span s = buf_peek(from);

	if (f->state >= FOLLOW_QUIT || f->gone)
		return false;
	if (s.len > 0 && f->said != NULL && !is_answered(f, s))
		return false;
	if (follow_is_own(f))
		return follow_hear_own(f, to, from);
	if (f->owed == 0 && (f->answered || f->refused))
		return follow_hear_unasked(f, to, from);
	if (s.len > buf_room(to))
		s.len = buf_room(to);
	s.len = hear_reply(f, s);
	buf_put(to, s);
	buf_take(from, s.len);
	return s.len > 0;
}
