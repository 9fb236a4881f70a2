/* What is said and answered in our own name: MAIL with the command after it, and RSET. */
#include "smtp/follow_internal.h"

#define TAKEN SPAN("250 2.1.0 Ok\r\n")

bool
follow_may_answer(const struct follow *f, const struct buf *answers)
{
	return f->pipelining && f->quiet && f->head_len == 0 && f->owed == 0 &&
	    !follow_is_midway(f) && !f->reset_owed && !f->gone && buf_room(answers) >= TAKEN.len;
}

void
follow_answer_mail(struct follow *f, struct buf *answers)
{
	buf_put(answers, TAKEN);
	f->answered = true;
}

/* Whether the local MTA has said a command, or what passes for one, after MAIL. */
static bool
is_followed(struct span rest)
{
	return span_find(rest, '\n') < rest.len || rest.len >= LINE_MAX_OCTETS;
}

static void
forget_mail(struct follow *f, struct buf *from, size_t octets)
{
	buf_take(from, octets);
	f->answered = false;
}

bool
follow_pass_mail(struct follow *f, struct buf *to, struct buf *from)
{
	struct span said = buf_peek(from), arguments;
	size_t octets = span_find(said, '\n') + 1;
	struct span rest = span_from(said, octets);
	struct line line;

	if (!f->quiet || !is_followed(rest))
		return false;
	/* QUIT alone has no use for it: the server may refuse RSET or EHLO */
	if (line_command(rest, &line) == LINE_FOUND &&
	    verb_of(line.text, &arguments) == VERB_QUIT) {
		forget_mail(f, from, octets);
		return true;
	}
	if (buf_room(to) < octets || (f->said != NULL && buf_room(f->said) < octets))
		return false;
	buf_put(to, span(said.at, octets));
	if (f->said != NULL)
		buf_put(f->said, span(said.at, octets));
	forget_mail(f, from, octets);
	f->verb = VERB_MAIL;
	f->reset = f->refused = false;
	f->mail_owed = true;
	/* not lenient: if a bad reply were skipped, the next command's would be taken for it */
	reply_start(&f->mail);
	return true;
}

bool
follow_local_ended(struct follow *f, struct io *io)
{
	struct buf *from = &io->from_local;
	struct span rest = buf_peek(from);

	if (f->answered)
		rest = span_from(rest, span_find(rest, '\n') + 1);
	if ((f->answered || f->refused) && !is_followed(rest))
		forget_mail(f, from, buf_len(from));
	return !follow_is_midway(f) && !(f->refused && (f->owed > 0 || buf_len(from) > 0));
}

void
follow_say_reset(struct follow *f, struct buf *to)
{
	buf_put(to, FOLLOW_RESET);
	f->reset = f->reset_owed = true;
	f->before_reset = f->owed;
}

bool
follow_is_midway(const struct follow *f)
{
	return f->answered || f->mail_owed || f->refusals > 0 || f->dropped > 0;
}

bool
follow_is_own(const struct follow *f)
{
	return f->mail_owed || f->refusals > 0 || f->dropped > 0 ||
	    (f->reset_owed && f->before_reset == 0);
}

/* Answers a command that the server got together with a MAIL that it has refused. */
static bool
tell_refusal(struct follow *f, struct buf *to)
{
	if (!buf_put(to, buf_peek(&f->mail.raw)))
		return false;
	f->owed--;
	f->refusals--;
	f->dropped++;
	if (f->refusals == 0 && f->state == FOLLOW_WAITS)
		f->state = FOLLOW_COMMAND;
	return true;
}

static bool
hear_mail(struct follow *f, struct buf *from)
{
	enum reply_state state = reply_take(&f->mail, from);

	if (state == REPLY_MORE)
		return false;
	f->mail_owed = false;
	if (state == REPLY_BROKEN || (f->mail.code >= 300 && f->mail.code < 400)) {
		f->state = FOLLOW_BROKEN;
	} else if (f->mail.code >= 400) {
		f->stale = f->stale || f->mail.code == 421;
		f->refused = true;
		f->refusals = f->owed;
	}
	return true;
}

/* All such replies have come or, `gone`, will not come: only QUIT is answered then. */
static void
end_own(struct follow *f, bool good, bool gone)
{
	f->reset_owed = f->reset_begun = false;
	f->dropped = 0;
	f->stale = f->stale || !good;
	f->gone = gone;
	/* nor does the reply come, or cannot be told, that the local MTA waits for */
	if (gone && f->owed > 0)
		f->state = FOLLOW_BROKEN;
}

static void
end_own_reply(struct follow *f, unsigned code)
{
	if (f->dropped == 0) {
		end_own(f, code < 300, code == 421);
		return;
	}
	f->dropped--;
	if (code == 354)
		f->state = FOLLOW_BROKEN;
	else if (code == 421)
		end_own(f, false, true);
}

/*
 * Takes a line of a reply that the local MTA does not get.  Whole lines only: the rest may be left
 * to whatever comes after QUIT.
 */
static bool
hear_own_line(struct follow *f, struct buf *from)
{
	struct reply_line reply = { .last = true };
	struct line line;
	enum line_found found = line_reply(buf_peek(from), &line);

	if (found == LINE_NONE)
		return false;
	if (found == LINE_TOO_LONG || !reply_line_read(line.text, &reply)) {
		end_own(f, false, true);
		return true;
	}
	buf_take(from, line.octets);
	f->reset_begun = f->dropped == 0 && !reply.last;
	if (reply.last)
		end_own_reply(f, reply.code);
	return true;
}

bool
follow_hear_own(struct follow *f, struct buf *to, struct buf *from)
{
	if (f->refusals > 0)
		return tell_refusal(f, to);
	return f->mail_owed ? hear_mail(f, from) : hear_own_line(f, from);
}

bool
follow_hear_unasked(struct follow *f, struct buf *to, struct buf *from)
{
	struct reply_line reply;
	struct line line;
	enum line_found found = line_reply(buf_peek(from), &line);

	if (found == LINE_NONE)
		return false;
	if (found == LINE_FOUND && reply_line_read(line.text, &reply) &&
	    reply.code >= 400 && reply.code < 500)
		buf_put(to, span(line.text.at, line.octets));
	f->state = FOLLOW_BROKEN;
	return true;
}

bool
follow_left(struct follow *f)
{
	bool replied = f->owed == 0 && !f->mail_owed && !f->answered;

	if (f->refusals > 0)
		return true;		/* the local MTA gets these all the same */
	if (replied && (follow_is_own(f) || f->refused))
		end_own(f, false, true);
	return f->gone;
}
