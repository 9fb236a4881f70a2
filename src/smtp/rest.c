#include "smtp/rest.h"

static void
rest_prepare(struct rest *r, enum rest_state state)
{
	*r = (struct rest){ .state = state };
	reply_start(&r->reply);
}

void
rest_start(struct rest *r, bool reset, unsigned resets)
{
	rest_prepare(r, REST_RESET);
	r->said = reset;
	r->due = resets;
}

void
rest_wait(struct rest *r)
{
	rest_prepare(r, REST_IDLE);
	r->waits = true;
}

void
rest_leave(struct rest *r)
{
	rest_prepare(r, REST_LEAVE);
}

static const char *
rest_state_name(enum rest_state state)
{
	static const char *const names[] = { [REST_RESET] = "reset", [REST_IDLE] = "idle",
		[REST_LEAVE] = "leave", [REST_QUIT] = "quit" };

	return names[state];
}

static void
rest_enter(struct rest *r, struct io *io, enum rest_state state)
{
	io_trace(io, "rest", rest_state_name(r->state), rest_state_name(state));
	r->state = state;
	reply_start(&r->reply);
	io->progress++;
}

static void
rest_say_quit(struct rest *r, struct io *io)
{
	buf_put(&io->to_wire, SPAN("QUIT\r\n"));
	rest_enter(r, io, REST_QUIT);
}

/* A server that does not reset gets no other message. */
static void
rest_got_reply(struct rest *r, struct io *io)
{
	unsigned code = r->reply.code;

	reply_start(&r->reply);
	if (code == 421 || (r->state == REST_QUIT && code == 221))
		io->end = OUTCOME_DONE;
	else if (r->state == REST_QUIT)
		return;		/* the reply to an earlier RSET */
	else if (code < 200 || code >= 300)
		rest_say_quit(r, io);
	else
		r->due--;
}

static void
take_replies(struct rest *r, struct io *io)
{
	while (r->state != REST_IDLE && io->end == OUTCOME_NONE) {
		if (r->state == REST_RESET && r->due == 0) {
			rest_enter(r, io, REST_IDLE);
			return;
		}
		enum reply_state state = reply_take(&r->reply, &io->from_wire);

		if (state == REPLY_MORE)
			return;
		if (state == REPLY_BROKEN)
			io->end = OUTCOME_BAD_REPLY;
		else
			rest_got_reply(r, io);
	}
}

static void
rest_ends(struct rest *r, struct io *io)
{
	bool idle = r->state == REST_IDLE;

	if (idle && buf_len(&io->from_wire) > 0)
		io->end = OUTCOME_UNASKED_REPLY;
	else if (io->wire_eof)
		io->end = r->state == REST_QUIT ? OUTCOME_DONE : io_wire_end(io);
	else if (idle && !r->waits)
		io->end = OUTCOME_DONE;
	io->keeps = io->end == OUTCOME_DONE && idle;
}

void
rest_step(void *rest, struct io *io)
{
	struct rest *r = rest;

	if (r->state == REST_RESET && !r->said) {
		buf_put(&io->to_wire, SPAN("RSET\r\n"));
		r->said = true;
		r->due++;
	} else if (r->state == REST_LEAVE) {
		rest_say_quit(r, io);
	}
	take_replies(r, io);
	if (io->end == OUTCOME_NONE)
		rest_ends(r, io);
	io->midway = reply_begun(&r->reply);
	io->wait = r->state == REST_IDLE ? WAIT_IDLE : r->state == REST_QUIT ? WAIT_LINGER :
	    WAIT_COMMAND;
}

void
rest_fault(void *rest, struct io *io, enum outcome fault)
{
	struct rest *r = rest;
	bool called = fault == OUTCOME_LOCAL_GONE;

	if (called && r->state == REST_IDLE) {
		io->keeps = true;
		io->end = fault;
	} else if ((called || fault == OUTCOME_TIMEOUT) && r->state != REST_QUIT) {
		rest_say_quit(r, io);
	} else {
		io->end = fault;
	}
}
