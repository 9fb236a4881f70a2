#include "smtp/caller.h"

#include <string.h>

void
caller_start(struct caller *c, const struct opening_settings *settings, struct key_source keys)
{
	memset(c, 0, offsetof(struct caller, opening));
	c->set = settings;
	c->keys = keys;
	c->greeting_due = true;
	opening_start(&c->opening, settings, keys, false);
}

void
caller_connected(struct caller *c, bool plain)
{
	opening_wipe(&c->opening);
	opening_start(&c->opening, c->set, c->keys, plain);
	c->greeting_due = true;
	c->ehlo_refused = false;
}

void
caller_wipe(struct caller *c)
{
	opening_wipe(&c->opening);
}

static void
local_answer(struct io *io, size_t octets, const char *text)
{
	buf_printf(&io->to_local, "%s\r\n", text);
	buf_take(&io->from_local, octets);
	io->progress++;
}

/* The mailer's hello, said to the far end.  HELO becomes EHLO, unless that has been refused. */
static void
hello(struct caller *c, struct io *io)
{
	c->waits = true;
	opening_hello(&c->opening, io, span(c->name, c->name_len), c->helo && c->ehlo_refused);
}

/* A command of the mailer's before it is a pipe.  False: no line yet. */
static bool
command(struct caller *c, struct io *io)
{
	struct span name;
	struct line line;
	enum verb verb;

	switch (line_command(buf_peek(&io->from_local), &line)) {
	case LINE_NONE:
		return false;
	case LINE_TOO_LONG:
		io->end = END_LOCAL_BROKEN;
		return false;
	case LINE_FOUND:
		break;
	}
	verb = verb_of(line.text, &name);
	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
		if (name.len > sizeof(c->name) || line_is_torn(line.text)) {
			local_answer(io, line.octets, "501 5.5.4 That is no name");
			return true;
		}
		if (name.len > 0)
			memcpy(c->name, name.at, name.len);
		c->name_len = name.len;
		c->helo = verb == VERB_HELO;
		buf_take(&io->from_local, line.octets);
		hello(c, io);
		return true;
	case VERB_NOOP:
	case VERB_RSET:
		local_answer(io, line.octets, "250 2.0.0 Ok");
		return true;
	case VERB_QUIT:
		/* as a pipe it would pass what stands behind QUIT in the clear */
		buf_put(&io->to_wire, SPAN("QUIT\r\n"));
		local_answer(io, line.octets, "221 2.0.0 Bye");
		io->end = END_DONE;
		return false;
	default:
		local_answer(io, line.octets, "503 5.5.1 Say EHLO first");
		return true;
	}
}

/* Gives the mailer the reply that the opening has come to. */
static void
pass_reply(struct caller *c, struct io *io)
{
	bool one_line = c->helo && c->opening.reply.code == 250;

	opening_put_reply(&c->opening, &io->to_local, one_line);
	c->waits = false;
	io->progress++;
}

static void
greeted(struct caller *c, struct io *io)
{
	c->greeting_due = false;
	if (!c->greeted) {
		buf_put(&io->to_local, buf_peek(&c->opening.reply.raw));
		c->greeted = true;
	}
	if (c->waits)
		hello(c, io);		/* called again: what it said to the last one */
}

static void
refused(struct caller *c, struct io *io)
{
	bool was_ehlo = !c->ehlo_refused;

	c->ehlo_refused = true;
	if (c->helo && was_ehlo && c->opening.reply.code >= 500) {
		hello(c, io);		/* our EHLO was refused: HELO, as the mailer said */
		return;
	}
	pass_reply(c, io);
}

static void
step_once(struct caller *c, struct io *io, bool *moved)
{
	*moved = false;
	if (!c->greeting_due && !c->waits) {
		*moved = command(c, io);
		if (!*moved && io->local_eof && !io->pipe)
			io->end = END_LOCAL_GONE;
		return;
	}
	switch (opening_step(&c->opening, io)) {
	case OPENING_GREETED:
		if (c->greeting_due) {
			greeted(c, io);
			*moved = true;
		}
		break;
	case OPENING_READY:
		pass_reply(c, io);
		io->pipe = io->settled = true;
		break;
	case OPENING_REFUSED:
		refused(c, io);
		*moved = true;
		break;
	default:
		break;
	}
}

void
caller_step(void *caller, struct io *io)
{
	struct caller *c = caller;
	bool moved = true;

	io->again = false;
	/* the longest reply has to fit in one piece */
	while (moved && io->end == END_NONE && !io->pipe && io->encrypt == NULL &&
	    buf_room(&io->to_local) >= 2 * REPLY_MAX)
		step_once(c, io, &moved);
	io->midway = c->opening.reply.lines > 0 && c->waits;
	io->wait = opening_wait(&c->opening);
}

void
caller_fault(void *caller, struct io *io, enum ending fault)
{
	struct caller *c = caller;

	if (c->greeting_due || c->waits)
		opening_fault(&c->opening, io, fault);
	else
		io->end = fault;
}

void
caller_give_up(struct caller *c, struct buf *out, const char *text)
{
	if (!c->greeted || c->waits)
		buf_printf(out, "%s\r\n", text);
	c->greeted = true;
	c->waits = false;
}
