/* The client's commands that encrypt: XCRYPT and STARTTLS. */
#include "smtp/relay_internal.h"

#include <string.h>

/* Whether octets follow a line that encrypts, read or not: they may be injected commands. */
static bool
has_octets_behind(struct io *io, const struct line *line)
{
	return buf_len(&io->from_wire) > line->octets || io->wire_has_octets(io->context);
}

static void
injected(struct io *io, const char *before)
{
	buf_printf(&io->to_wire, "503 5.5.1 %simproper command pipelining\r\n", before);
	io->end = OUTCOME_INJECTED;
}

void
relay_give_up(struct relay *r, const struct io *io, const char *why)
{
	relay_set_crypt(r, io, CRYPT_GIVEN_UP);
	r->why = why;
}

/* Resets the session to the state after the greeting (xcrypt(7), Starting over). */
static void
start_over(struct relay *r, struct io *io)
{
	relay_set_crypt(r, io, CRYPT_ON);
	r->why = NULL;
	io->encrypt = &r->handshake.agreement;
}

/*
 * 2.0: sends the EHLO line of the transcript to the backend again.  The reply goes to the client
 * unasked, in one record whose size hides whether this host has a host key.
 */
static void
push_hello(struct relay *r, struct io *io)
{
	if (r->set->says != NULL)
		r->says_count = r->set->says(r->set->says_context, r->says, &io->hides);
	memcpy(r->said, r->name, r->name_len);
	r->said_len = r->name_len;
	buf_put(&io->to_local, span(r->handshake.hello.mem, r->handshake.hello.len));
	buf_put(&io->to_local, SPAN("\r\n"));
	relay_queue_put(r, VERB_EHLO);
	r->sync = io->gathers = true;
}

bool
relay_xcrypt(struct relay *r, struct io *io, const struct line *line)
{
	if (!relay_can_answer(r, io) || buf_room(&io->to_local) < RELAY_HELLO_MAX + 2)
		return false;
	io_show(io, ">", line->text);
	if (has_octets_behind(io, line)) {
		injected(io, "XCRYPT FAIL ");
		return true;
	}
	if (r->hello != VERB_EHLO)
		return relay_answer(r, io, line->octets, "503 5.5.1 XCRYPT FAIL send EHLO first");
	if (r->crypt != CRYPT_NOT_YET)
		return relay_answer(r, io, line->octets,
		    "503 5.5.1 XCRYPT FAIL only once, before other commands");
	switch (handshake_answer(&r->handshake, line->text, &io->to_wire)) {
	case HANDSHAKE_ENCRYPTED:
		start_over(r, io);
		push_hello(r, io);
		break;
	case HANDSHAKE_AGREED:
		relay_set_crypt(r, io, CRYPT_ANSWERED);
		break;
	case HANDSHAKE_USED_UP:
		relay_give_up(r, io, "handshake-refused");
		break;
	case HANDSHAKE_UNKNOWN_ID:
	case HANDSHAKE_NO_SUITE:
		break;
	}
	relay_take(io, line->octets);
	return true;
}

bool
relay_confirm(struct relay *r, struct io *io, const struct line *line)
{
	io_show(io, ">", line->text);
	if (has_octets_behind(io, line)) {
		injected(io, "XCRYPT FAIL ");
		return true;
	}
	if (handshake_next(line->text) == HANDSHAKE_FAIL) {
		relay_give_up(r, io, "client-refused");
		return relay_answer(r, io, line->octets, "250 XCRYPT FAIL");
	}
	if (handshake_take_ok(&r->handshake, line->text, &io->to_wire))
		start_over(r, io);
	else
		io->end = OUTCOME_CONFIRMATION;
	relay_take(io, line->octets);
	return true;
}

bool
relay_starttls(struct relay *r, struct io *io, const struct line *line, struct span arguments)
{
	if (!relay_can_answer(r, io))
		return false;
	io_show(io, ">", line->text);
	if (has_octets_behind(io, line)) {
		injected(io, "");
		return true;
	}
	if (arguments.len > 0)
		return relay_answer(r, io, line->octets, "501 5.5.4 STARTTLS takes no parameters");
	if (r->hello != VERB_EHLO)
		return relay_answer(r, io, line->octets, "503 5.5.1 Send EHLO first");
	relay_answer(r, io, line->octets, "220 2.0.0 Ready to start TLS");
	relay_set_crypt(r, io, CRYPT_TLS);
	io->start_tls = "";
	return true;
}
