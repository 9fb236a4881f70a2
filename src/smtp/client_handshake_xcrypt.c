#include "smtp/client_handshake_internal.h"

void
client_ride(struct client_handshake *ch, struct io *io)
{
	uint8_t mem[CLIENT_NAME_MAX + 8];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_printf(&line, "EHLO ");
	buf_put(&line, span(ch->name, ch->name_len));
	handshake_hello(&ch->handshake, buf_peek(&line));
	ch->riding = !ch->plain && !ch->apart && handshake_ride(&ch->handshake, &io->to_wire);
}

enum client_state
client_rode(struct client_handshake *ch, struct io *io, bool offered, struct span offer)
{
	if (!offered || !handshake_same_offer(&ch->handshake, offer))
		return client_over(ch, io, OUTCOME_RETRY_APART);
	reply_copy(&ch->clear, &ch->reply);
	reply_start(&ch->reply);
	return client_enter(ch, io, CLIENT_ANSWER);
}

/* If XCRYPT was sent together with EHLO, that may be the reason: the next call sends it apart. */
static enum client_state
failed(struct client_handshake *ch, struct io *io)
{
	return ch->riding ? client_over(ch, io, OUTCOME_RETRY_APART) :
			    client_retry_clear(ch, io, "handshake-failed");
}

static enum client_state
encrypted(struct client_handshake *ch, struct io *io, enum client_state next)
{
	ch->encrypted = true;
	ch->why = NULL;
	ch->at.handshake = io->now_ms;
	io->encrypt = &ch->handshake.agreement;
	reply_start(&ch->reply);
	return client_enter(ch, io, next);
}

enum client_state
client_propose(struct client_handshake *ch, struct io *io)
{
	if (handshake_propose(&ch->handshake, &io->to_wire) < 0)
		return client_go_on_clear(ch, io, "no-key");
	reply_start(&ch->reply);
	return client_enter(ch, io, CLIENT_ANSWER);
}

enum client_state
client_got_answer(struct client_handshake *ch, struct io *io)
{
	switch (handshake_take_answer(&ch->handshake, &ch->reply)) {
	case VERDICT_ENCRYPTED:
		ch->pushed = true;
		return encrypted(ch, io, CLIENT_INSIDE_EHLO);
	case VERDICT_GOOD:
		return client_enter(ch, io, CLIENT_SAY_OK);
	case VERDICT_UNKNOWN_ID:
		ch->riding = false;
		return client_propose(ch, io);
	case VERDICT_TAMPERED:
		return client_over(ch, io, OUTCOME_CONFIRMATION);
	case VERDICT_CLEAN_FAIL:
		return ch->riding ? client_over(ch, io, OUTCOME_RETRY_APART) :
				    client_go_on_clear(ch, io, "refused");
	case VERDICT_KEY_REFUSED:
		buf_put(&io->to_wire, SPAN("XCRYPT FAIL\r\n"));
		reply_start(&ch->reply);
		return client_enter(ch, io, CLIENT_FAIL);
	default:
		return failed(ch, io);
	}
}

enum client_state
client_say_ok(struct client_handshake *ch, struct io *io)
{
	if (handshake_compute(&ch->handshake) < 0 ||
	    handshake_put_ok(&ch->handshake, &io->to_wire) < 0)
		return client_retry_clear(ch, io, "handshake-failed");
	reply_start(&ch->reply);
	return client_enter(ch, io, CLIENT_OK);
}

enum client_state
client_got_ok(struct client_handshake *ch, struct io *io)
{
	if (handshake_take_ok_reply(&ch->handshake, &ch->reply) != VERDICT_GOOD)
		return client_retry_clear(ch, io, "handshake-failed");
	if (buf_len(&io->from_wire) > 0 || io->wire_has_octets(io->context))
		return client_over(ch, io, OUTCOME_INJECTED);
	return encrypted(ch, io, CLIENT_INSIDE);
}

enum client_state
client_got_fail(struct client_handshake *ch, struct io *io)
{
	if (ch->reply.code != 250 || ch->reply.lines != 1)
		return client_retry_clear(ch, io, "handshake-failed");
	return client_go_on_clear(ch, io, "key-refused");
}
