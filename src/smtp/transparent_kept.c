/* Connections that are kept for the next session of the local MTA. */
#include "smtp/transparent_internal.h"

#include "smtp/ehlo.h"
#include "smtp/line.h"

static void
begin_to_keep(struct transparent *c, struct transparent_kept *kept)
{
	c->kept = kept;
	kept->keeps = kept->resumed = kept->owes = kept->answered = false;
	buf_init(&kept->told, kept->told_mem, sizeof(kept->told_mem));
	buf_init(&kept->said, kept->said_mem, sizeof(kept->said_mem));
}

void
transparent_keep(struct transparent *c, struct transparent_kept *kept)
{
	if (c->kept == NULL)
		begin_to_keep(c, kept);
	kept->keeps = true;
}

void
transparent_again(struct transparent *c)
{
	c->greeted = c->waits = false;
	c->dialogue = TRANSPARENT_AGAIN;
	buf_wipe(&c->kept->said);
}

void
transparent_resume(struct transparent *c, struct transparent_kept *kept, struct span told,
    bool answered)
{
	begin_to_keep(c, kept);
	c->greeted = true;
	kept->answered = answered;
	kept->resumed = told.len > 0;
	kept->owes = true;
	buf_put(&kept->told, told);
}

struct span
transparent_said(const struct transparent *c)
{
	return buf_peek(&c->kept->said);
}

struct span
transparent_told(const struct transparent *c)
{
	bool yet = c->dialogue == TRANSPARENT_FOLLOWS;

	return yet ? buf_peek(&c->kept->told) : span(NULL, 0);
}

bool
transparent_has_answered(const struct transparent *c)
{
	return transparent_is_unheard(c) && (c->follow.answered || c->follow.mail_owed);
}

/* What follows the first line: that one names the server, and may differ. */
static struct span
extensions(struct span reply)
{
	size_t line = span_find(reply, '\n');

	return span_from(reply, line < reply.len ? line + 1 : line);
}

static bool
is_told(const struct transparent_kept *kept, struct span reply)
{
	struct span told = buf_peek(&kept->told);

	return reply.len > 0 && told.len > 0 && reply.at[0] == told.at[0] &&
	    span_equal(extensions(reply), extensions(told));
}

/* Whether a MAIL that was answered can be sent here, with the command after it. */
static bool
takes_mail(const struct transparent *c)
{
	/* after a failed attempt to encrypt the dialogue is not followed: replies would be misplaced */
	return !c->kept->answered ||
	    (!c->client.provisional && ehlo_offers(&c->client.reply, "PIPELINING", NULL));
}

bool
transparent_tell(struct transparent *c, struct io *io, struct span reply)
{
	struct transparent_kept *kept = c->kept;
	bool resumed = kept != NULL && kept->resumed;

	if (resumed && !(is_told(kept, reply) && takes_mail(c))) {
		buf_put(&io->to_wire, SPAN("QUIT\r\n"));
		io->end = OUTCOME_KEPT_LOST;
		return false;
	}
	if (!resumed)
		buf_put(&io->to_local, reply);
	if (kept != NULL) {
		kept->resumed = kept->owes = false;
		buf_clear(&kept->told);
		buf_put(&kept->told, reply);
	}
	c->waits = false;
	io->progress++;
	return true;
}

void
transparent_follow(struct transparent *c, struct io *io, bool again)
{
	bool pipelining = ehlo_offers(&c->client.reply, "PIPELINING", NULL);

	if (c->kept != NULL && c->kept->keeps)
		follow_keep(&c->follow, pipelining, again ? &c->kept->said : NULL);
	else
		follow_start(&c->follow, pipelining);
	c->follow.answered = c->kept != NULL && c->kept->answered;
	if (c->kept != NULL)
		c->kept->answered = false;
	transparent_enter(c, io, TRANSPARENT_FOLLOWS);
}

/* Ends a session in which the server has heard nothing of the local MTA. */
static void
leave_as_it_is(struct io *io, enum outcome end)
{
	io->keeps = io->reset = true;
	io->resets = 0;
	io->end = end;
}

/* The local MTA's EHLO or HELO has to be the one that the server got. */
static void
hello_again(struct transparent *c, struct io *io, const struct line *line, struct span name,
    bool helo)
{
	bool same = helo == c->helo && span_equal(name, span(c->name, c->name_len));

	/* there is room for the line if the names are the same */
	if (!same || !buf_put(&c->kept->said, span(line->text.at, line->octets))) {
		buf_put(&io->to_wire, SPAN("QUIT\r\n"));
		io->end = OUTCOME_KEPT_LOST;
		return;
	}
	buf_take(&io->from_local, line->octets);
	buf_put(&io->to_local, buf_peek(&c->kept->told));
	io->progress++;
	transparent_follow(c, io, true);
}

static void
command_again(struct transparent *c, struct io *io, const struct line *line)
{
	struct span name;
	enum verb verb = verb_of(line->text, &name);

	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
		hello_again(c, io, line, name, verb == VERB_HELO);
		break;
	case VERB_NOOP:
	case VERB_RSET:
		transparent_answer(io, line->octets, "250 2.0.0 Ok");
		break;
	case VERB_QUIT:
		transparent_answer(io, line->octets, "221 2.0.0 Bye");
		leave_as_it_is(io, OUTCOME_DONE);
		break;
	default:
		transparent_answer(io, line->octets, "503 5.5.1 Send EHLO first");
		break;
	}
}

void
transparent_greet_again(struct transparent *c, struct io *io)
{
	struct line line;

	if (!c->greeted)
		buf_put(&io->to_local, buf_peek(&c->kept->greeting.raw));
	c->greeted = true;
	while (c->dialogue == TRANSPARENT_AGAIN && io->end == OUTCOME_NONE &&
	    buf_room(&io->to_local) > 2 * REPLY_MAX) {
		enum line_found found = line_command(buf_peek(&io->from_local), &line);

		if (buf_len(&io->from_wire) > 0 || io->wire_eof)
			io->end = OUTCOME_KEPT_LOST;
		else if (found == LINE_FOUND)
			command_again(c, io, &line);
		else if (found == LINE_TOO_LONG || io->local_eof)
			leave_as_it_is(io, OUTCOME_LOCAL_GONE);
		else
			return;
	}
}

bool
transparent_is_unsure(const struct transparent *c)
{
	return transparent_is_unheard(c) && (c->follow.owed > 0 || c->follow.mail_owed);
}

bool
transparent_is_unheard(const struct transparent *c)
{
	return c->dialogue == TRANSPARENT_FOLLOWS && c->follow.said != NULL;
}

/*
 * A new connection can be made as long as the server has answered nothing.  A record that does
 * not verify is a sign of tampering, as ever.
 */
void
transparent_fault_again(struct transparent *c, struct io *io, enum outcome fault)
{
	if (c->dialogue == TRANSPARENT_AGAIN && fault == OUTCOME_TIMEOUT)
		leave_as_it_is(io, fault);
	else if (fault == OUTCOME_WIRE_BROKEN || fault == OUTCOME_TIMEOUT)
		io->end = OUTCOME_KEPT_LOST;
	else
		io->end = fault;
}
