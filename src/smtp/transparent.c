#include "smtp/transparent_internal.h"

#include "smtp/ehlo.h"
#include "smtp/line.h"

#include <string.h>

void
transparent_start(struct transparent *c, const struct client_settings *settings,
    struct key_source keys)
{
	memset(c, 0, offsetof(struct transparent, client));
	c->set = settings;
	c->keys = keys;
	c->greeting_due = true;
	client_handshake_start(&c->client, settings, keys, CLIENT_CALL_FIRST);
}

void
transparent_connected(struct transparent *c, enum client_call call)
{
	client_handshake_wipe(&c->client);
	client_handshake_start(&c->client, c->set, c->keys, call);
	c->greeting_due = true;
	c->ehlo_refused = false;
}

void
transparent_wipe(struct transparent *c)
{
	client_handshake_wipe(&c->client);
}

const char *
transparent_dialogue_name(enum transparent_dialogue dialogue)
{
	static const char *const names[] = { [TRANSPARENT_HANDSHAKE] = "handshake",
		[TRANSPARENT_MAY_STARTTLS] = "may-starttls", [TRANSPARENT_STARTTLS] = "starttls",
		[TRANSPARENT_FOLLOWS] = "follows", [TRANSPARENT_SOFTENS] = "softens",
		[TRANSPARENT_AGAIN] = "again" };

	return names[dialogue];
}

void
transparent_enter(struct transparent *c, const struct io *io, enum transparent_dialogue next)
{
	io_trace(io, "transparent", transparent_dialogue_name(c->dialogue),
	    transparent_dialogue_name(next));
	c->dialogue = next;
}

void
transparent_answer(struct io *io, size_t octets, const char *text)
{
	buf_printf(&io->to_local, "%s\r\n", text);
	buf_take(&io->from_local, octets);
	io->progress++;
}

/*
 * Sends the local MTA's EHLO or HELO to the server.  HELO becomes EHLO unless that was refused.
 */
static void
hello(struct transparent *c, struct io *io)
{
	c->waits = true;
	client_handshake_hello(&c->client, io, span(c->name, c->name_len),
	    c->helo && c->ehlo_refused);
}

/*
 * Handles a command of the local MTA before the pipe begins.  False: no complete command has
 * arrived.
 */
static bool
transparent_command(struct transparent *c, struct io *io)
{
	struct span name;
	struct line line;
	enum verb verb;

	switch (line_command(buf_peek(&io->from_local), &line)) {
	case LINE_NONE:
		return false;
	case LINE_TOO_LONG:
		io->end = OUTCOME_LOCAL_BROKEN;
		return false;
	case LINE_FOUND:
		break;
	}
	verb = verb_of(line.text, &name);
	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
		if (name.len > sizeof(c->name) || line_is_torn(line.text)) {
			transparent_answer(io, line.octets, "501 5.5.4 Invalid domain name");
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
		transparent_answer(io, line.octets, "250 2.0.0 Ok");
		return true;
	case VERB_QUIT:
		/* answered here: a pipe would pass on what follows QUIT, in the clear */
		buf_put(&io->to_wire, SPAN("QUIT\r\n"));
		transparent_answer(io, line.octets, "221 2.0.0 Bye");
		io->end = OUTCOME_DONE;
		return false;
	default:
		transparent_answer(io, line.octets, "503 5.5.1 Send EHLO first");
		return true;
	}
}

/* Gives the local MTA the reply that the handshake has ended with. */
static bool
pass_reply(struct transparent *c, struct io *io)
{
	uint8_t mem[2 * REPLY_MAX];
	struct buf reply;

	buf_init(&reply, mem, sizeof(mem));
	ehlo_put_for_mta(&reply, &c->client.reply, c->client.encrypted,
	    c->helo && c->client.reply.code < 300);
	return transparent_tell(c, io, buf_peek(&reply));
}

static void
greeted(struct transparent *c, struct io *io)
{
	c->greeting_due = false;
	if (!c->greeted) {
		buf_put(&io->to_local, buf_peek(&c->client.reply.raw));
		c->greeted = true;
	}
	if (c->kept != NULL)
		reply_copy(&c->kept->greeting, &c->client.reply);
	if (c->waits)
		hello(c, io);		/* not the first call: repeat its EHLO */
}

/* Leaves this server, so that the next host is called. */
static void
transparent_leave(struct io *io, enum outcome end)
{
	buf_put(&io->to_wire, SPAN("QUIT\r\n"));
	io->elsewhere = true;
	io->end = end;
}

/* The server has refused EHLO or HELO. */
static void
transparent_refused(struct transparent *c, struct io *io)
{
	bool said_helo = c->helo && c->ehlo_refused;
	bool for_good = c->client.reply.code >= 500;

	c->ehlo_refused = true;
	if (!for_good)
		transparent_leave(io, OUTCOME_REFUSED_LATER);
	else if (said_helo)
		transparent_leave(io, OUTCOME_GREETED_NEVER);
	else if (c->helo)
		hello(c, io);		/* our EHLO was refused: send the HELO that was said */
	else
		pass_reply(c, io);
}

/*
 * Gives the local MTA the reply to its EHLO or HELO; no other host is called after that.  The
 * local MTA may use STARTTLS now, so its next command is watched: if the server refuses
 * STARTTLS, an attempt to encrypt has failed.
 */
static void
transparent_ready(struct transparent *c, struct io *io)
{
	const struct client_handshake *ch = &c->client;
	bool one_line = c->helo;

	if (!pass_reply(c, io))
		return;
	io->settled = true;
	if (ch->provisional)
		transparent_enter(c, io, TRANSPARENT_SOFTENS);
	else if (!ch->encrypted && !one_line && ehlo_offers(&ch->reply, "STARTTLS", NULL))
		transparent_enter(c, io, TRANSPARENT_MAY_STARTTLS);
	else
		transparent_follow(c, io, false);
}

static void
step_once(struct transparent *c, struct io *io, bool *moved)
{
	*moved = false;
	if (!c->greeting_due && !c->waits) {
		*moved = transparent_command(c, io);
		if (!*moved && io->local_eof && !io->pipe)
			io->end = OUTCOME_LOCAL_GONE;
		return;
	}
	switch (client_handshake_step(&c->client, io)) {
	case CLIENT_GREETED:
		if (c->greeting_due) {
			greeted(c, io);
			*moved = true;
		}
		break;
	case CLIENT_READY:
		transparent_ready(c, io);
		break;
	case CLIENT_REFUSED:
		transparent_refused(c, io);
		*moved = true;
		break;
	default:
		break;
	}
}

/* Looks whether the first command after EHLO is STARTTLS. */
static void
may_starttls(struct transparent *c, struct io *io)
{
	struct span arguments;
	struct line line;
	enum line_found found = line_command(buf_peek(&io->from_local), &line);

	if (found == LINE_NONE && !io->local_eof && !io->wire_eof && buf_len(&io->from_wire) == 0)
		return;
	if (found != LINE_FOUND || verb_of(line.text, &arguments) != VERB_STARTTLS) {
		transparent_follow(c, io, false);
		return;
	}
	buf_put(&io->to_wire, span(buf_peek(&io->from_local).at, line.octets));
	buf_take(&io->from_local, line.octets);
	reply_start(&c->client.reply);
	transparent_enter(c, io, TRANSPARENT_STARTTLS);
	io->progress++;
}

/* Passes on the reply to STARTTLS, or whatever came in its place. */
static void
transparent_got_starttls(struct transparent *c, struct io *io)
{
	struct reply *reply = &c->client.reply;
	enum reply_state state = reply_take(reply, &io->from_wire);

	if (state == REPLY_MORE && !io->wire_eof)
		return;
	buf_put(&io->to_local, buf_peek(&reply->raw));
	io->progress++;
	if (state == REPLY_WHOLE && reply->code >= 400)
		transparent_enter(c, io, TRANSPARENT_SOFTENS);
	else
		io->pipe = true;
}

/* Works like the pipe, except that 5yz replies become 4yz. */
static void
softens(struct transparent *c, struct io *io)
{
	size_t before = buf_room(&io->to_local) + buf_room(&io->to_wire);

	if (!soften_move(&c->soften, &io->to_local, &io->from_wire, io->wire_eof)) {
		io->pipe = true;	/* TLS has begun, so replies cannot be read any more */
		return;
	}
	/* the server has closed: pass nothing more to it, however octets are cut into reads */
	if (io->wire_eof && buf_len(&io->from_wire) == 0) {
		io->end = io->wire_truncated ? OUTCOME_TRUNCATED : OUTCOME_DONE;
		return;
	}
	buf_move(&io->to_wire, &io->from_local);
	/* after the local MTA's end of file, the deadline bounds the wait for the last replies */
	if (buf_room(&io->to_local) + buf_room(&io->to_wire) != before && !io->local_eof)
		io->progress++;
	if (io->local_eof && buf_len(&io->from_local) == 0)
		io->shut_wire = true;
}

/* All is said and answered.  QUIT is answered here: the server's reply would take a round trip. */
static void
answer_quit(struct transparent *c, struct io *io)
{
	size_t octets = span_find(buf_peek(&io->from_local), '\n') + 1;

	io->keeps = c->kept != NULL && c->kept->keeps && !c->follow.stale;
	io->reset = c->follow.reset;
	io->resets = c->follow.reset_owed;
	if (!io->keeps)
		buf_put(&io->to_wire, SPAN("QUIT\r\n"));
	transparent_answer(io, octets, "221 2.0.0 Bye");
	io->end = OUTCOME_DONE;
}

static void
cannot_follow(struct transparent *c, struct io *io)
{
	const struct follow *f = &c->follow;

	if (f->said != NULL && !io->local_eof)
		io->end = OUTCOME_KEPT_LOST;
	else if (f->state == FOLLOW_BROKEN && !f->gone)
		io->end = OUTCOME_BAD_REPLY;
	else if (f->state == FOLLOW_BROKEN || follow_is_midway(f))
		io->end = io_wire_end(io);
	else
		io->pipe = true;
}

/* Works like the pipe, up to QUIT. */
static void
follows(struct transparent *c, struct io *io)
{
	size_t before = buf_room(&io->to_local) + buf_room(&io->to_wire);
	enum follow_state was = c->follow.state;

	do
		follow_local(&c->follow, io);
	while (follow_wire(&c->follow, io));
	bool left = io->wire_eof && c->follow.state < FOLLOW_QUIT && follow_left(&c->follow);
	if (left)
		follow_local(&c->follow, io);	/* QUIT, which has waited */
	io_trace(io, "follow", follow_state_name(was), follow_state_name(c->follow.state));
	if (buf_room(&io->to_local) + buf_room(&io->to_wire) != before)
		io->progress++;
	if (c->follow.state == FOLLOW_QUIT)
		answer_quit(c, io);
	else if (c->follow.state > FOLLOW_QUIT ||
	    (io->local_eof && follow_local_ended(&c->follow, io)) ||
	    (io->wire_eof && !left))
		cannot_follow(c, io);
}

static void
dialogue(struct transparent *c, struct io *io)
{
	if (c->dialogue == TRANSPARENT_MAY_STARTTLS)
		may_starttls(c, io);
	if (c->dialogue == TRANSPARENT_FOLLOWS)
		follows(c, io);
	if (c->dialogue == TRANSPARENT_STARTTLS && !io->pipe)
		transparent_got_starttls(c, io);
	if (c->dialogue == TRANSPARENT_SOFTENS && !io->pipe)
		softens(c, io);
	if (c->dialogue == TRANSPARENT_AGAIN)
		transparent_greet_again(c, io);
	io->midway = false;
	io->wait = io->end == OUTCOME_DONE ? WAIT_LINGER :
	    transparent_is_unsure(c) ? WAIT_GREETING : io->local_eof ? WAIT_COMMAND : WAIT_IDLE;
}

void
transparent_step(void *transparent, struct io *io)
{
	struct transparent *c = transparent;
	bool moved = true;

	if (c->dialogue != TRANSPARENT_HANDSHAKE) {
		dialogue(c, io);
		return;
	}
	/* there must be room for the longest reply */
	while (moved && io->end == OUTCOME_NONE && !io->pipe && io->encrypt == NULL &&
	    c->dialogue == TRANSPARENT_HANDSHAKE && buf_room(&io->to_local) >= 2 * REPLY_MAX)
		step_once(c, io, &moved);
	io->midway = reply_begun(&c->client.reply) && c->waits;
	io->wait = client_handshake_wait(&c->client);
	if (c->dialogue != TRANSPARENT_HANDSHAKE)
		dialogue(c, io);
}

void
transparent_fault(void *transparent, struct io *io, enum outcome fault)
{
	struct transparent *c = transparent;

	if (c->dialogue == TRANSPARENT_AGAIN || transparent_is_unsure(c) ||
	    (fault == OUTCOME_WIRE_BROKEN && transparent_is_unheard(c))) {
		transparent_fault_again(c, io, fault);
		return;
	}
	if (c->greeting_due || c->waits) {
		client_handshake_fault(&c->client, io, fault);
		return;
	}
	/* after the greeting and before EHLO, the next host may be called */
	io->elsewhere = fault == OUTCOME_WIRE_BROKEN && c->dialogue == TRANSPARENT_HANDSHAKE;
	io->end = fault;
}

void
transparent_give_up(struct transparent *c, struct buf *out, const char *text)
{
	if (!c->greeted || c->waits || (c->kept != NULL && c->kept->owes))
		buf_printf(out, "%s\r\n", text);
	c->greeted = true;
	c->waits = false;
}
