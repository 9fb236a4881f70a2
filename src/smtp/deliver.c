#include "smtp/deliver_internal.h"

#include "smtp/ehlo.h"
#include "smtp/mailbox.h"

#include <stdio.h>
#include <string.h>

void
deliver_start(struct deliver *d, const struct client_settings *settings,
    const struct deliver_message *message, struct key_source keys, const char *hostname)
{
	memset(d, 0, offsetof(struct deliver, client));
	d->set = settings;
	d->message = message;
	d->keys = keys;
	d->hostname = hostname;
	client_handshake_start(&d->client, settings, keys, CLIENT_CALL_FIRST);
}

void
deliver_connected(struct deliver *d, enum client_call call)
{
	client_handshake_wipe(&d->client);
	client_handshake_start(&d->client, d->set, d->keys, call);
	d->state = DELIVER_HANDSHAKE;
	d->helo = d->elsewhere = false;
	/* `code` and `text` keep the last host's reply until this one has sent its own */
	d->outcome = OUTCOME_NONE;
}

void
deliver_wipe(struct deliver *d)
{
	client_handshake_wipe(&d->client);
}

const char *
deliver_state_name(enum deliver_state state)
{
	static const char *const names[] = { [DELIVER_HANDSHAKE] = "handshake",
		[DELIVER_ENVELOPE] = "envelope", [DELIVER_DATA] = "data", [DELIVER_BODY] = "body",
		[DELIVER_FINAL] = "final", [DELIVER_QUIT] = "quit" };

	return names[state];
}

void
deliver_enter(struct deliver *d, struct io *io, enum deliver_state state)
{
	io_trace(io, "deliver", deliver_state_name(d->state), deliver_state_name(state));
	d->state = state;
	reply_start(&d->reply);
	io->progress++;
}

/* Whether a reply is a permanent refusal that may be reported as one. */
static bool
for_good(const struct deliver *d, unsigned code)
{
	return code >= 500 && !d->client.provisional;
}

static enum outcome
refusal(const struct deliver *d, unsigned code)
{
	return for_good(d, code) ? OUTCOME_REFUSED_FOR_GOOD : OUTCOME_REFUSED_LATER;
}

/* Settles the outcome by this reply, which is kept for standard output and the log. */
static void
deliver_settle(struct deliver *d, enum outcome outcome, const struct reply *reply)
{
	if (d->outcome != OUTCOME_NONE)
		return;
	d->outcome = outcome;
	d->code = reply->code;
	d->waits = d->client.provisional ? "encryption failed there, deferred" : NULL;
	d->to_rcpt = d->state == DELIVER_ENVELOPE && d->answered > 1;
	span_printable(d->text, sizeof(d->text), reply_last_line(reply));
}

/* Says QUIT and waits for the reply: inside, it may be the first one that proves the server. */
static void
quit(struct deliver *d, struct io *io)
{
	buf_put(&io->to_wire, SPAN("QUIT\r\n"));
	deliver_enter(d, io, DELIVER_QUIT);
}

/* The same, without waiting: no reply to QUIT changes the outcome. */
static void
leave(struct deliver *d, struct io *io)
{
	if (deliver_stays(d, io))
		return;
	if (!d->quit_said)
		buf_put(&io->to_wire, SPAN("QUIT\r\n"));
	deliver_enter(d, io, DELIVER_QUIT);
	io->end = d->outcome;
}

static void
deliver_refused(struct deliver *d, struct io *io, const struct reply *reply)
{
	deliver_settle(d, refusal(d, reply->code), reply);
	d->elsewhere = d->state < DELIVER_BODY && d->outcome == OUTCOME_REFUSED_LATER;
	leave(d, io);
}

static void
put_mail(struct deliver *d, struct buf *out)
{
	const struct deliver_message *m = d->message;

	buf_put(out, SPAN("MAIL FROM:<"));
	mailbox_put(out, span_of(m->sender));
	buf_put(out, SPAN(">"));
	if (!d->helo) {
		if (ehlo_offers(&d->client.reply, "SIZE", NULL))
			buf_printf(out, " SIZE=%llu", (unsigned long long)m->octets);
		if (m->eight_bit && ehlo_offers(&d->client.reply, "8BITMIME", NULL))
			buf_put(out, SPAN(" BODY=8BITMIME"));
		if (m->utf8 && ehlo_offers(&d->client.reply, "SMTPUTF8", NULL))
			buf_put(out, SPAN(" SMTPUTF8"));
	}
	buf_put(out, SPAN("\r\n"));
}

static void
put_rcpt(struct buf *out, const char *recipient)
{
	buf_put(out, SPAN("RCPT TO:<"));
	mailbox_put(out, span_of(recipient));
	buf_put(out, SPAN(">\r\n"));
}

static void
say_data(struct deliver *d, struct io *io)
{
	buf_put(&io->to_wire, SPAN("DATA\r\n"));
	d->data_said = true;
}

/*
 * Sends as many of MAIL and the RCPTs as possible, or one at a time without PIPELINING.  With one
 * recipient, DATA is sent together with them: its message is sent if the recipient is accepted.
 * With several, DATA waits until all are known to be.
 */
static bool
say_envelope(struct deliver *d, struct io *io)
{
	size_t before = d->said;

	while (d->said <= d->message->recipient_count &&
	    (d->pipelining || d->said == d->answered) &&
	    buf_room(&io->to_wire) > MAILBOX_PUT_MAX + 128) {
		if (d->said == 0)
			put_mail(d, &io->to_wire);
		else
			put_rcpt(&io->to_wire, d->message->recipients[d->said - 1]);
		d->said++;
	}
	if (d->pipelining && d->said == 2 && d->message->recipient_count == 1 && !d->data_said)
		say_data(d, io);
	return d->said > before;
}

/*
 * Whether the outcome is certain, so that the host may close or say anything: QUIT was sent, or
 * DATA together with a command that was refused.
 */
static bool
is_certain(const struct deliver *d)
{
	return d->state == DELIVER_QUIT ||
	    (d->outcome != OUTCOME_NONE && d->data_said && d->state < DELIVER_BODY);
}

/* All replies to the envelope have come: sends the message to all recipients or to none. */
static void
envelope_done(struct deliver *d, struct io *io)
{
	size_t all = d->message->recipient_count;

	/* the message is refused permanently only if every recipient was */
	if (d->outcome == OUTCOME_REFUSED_FOR_GOOD && d->refused != all) {
		d->outcome = OUTCOME_REFUSED_LATER;
		d->waits = "nothing sent because not all recipients were refused";
	}
	if (d->outcome != OUTCOME_NONE && !d->data_said) {
		leave(d, io);
		return;
	}
	if (!d->data_said)
		say_data(d, io);
	deliver_enter(d, io, DELIVER_DATA);
}

static void
envelope_reply(struct deliver *d, struct io *io)
{
	bool is_mail = d->answered == 0;
	unsigned code = d->reply.code;

	d->answered++;
	if (code >= 200 && code < 300) {
		d->accepted += !is_mail;
	} else if (code == 421 && is_mail && d->again) {
		io->end = OUTCOME_KEPT_LOST;
		return;
	} else if ((code == 421 && !is_certain(d)) || (is_mail && !d->data_said)) {
		/* this decides for all recipients, whatever the earlier replies were */
		d->outcome = OUTCOME_NONE;
		deliver_refused(d, io, &d->reply);
		return;
	} else if (d->refused + d->put_off < d->message->recipient_count) {
		/* a refused MAIL that was sent with DATA counts for the only recipient */
		d->refused += for_good(d, code);
		d->put_off += !for_good(d, code);
		d->elsewhere = d->put_off > 0;
		deliver_settle(d, refusal(d, code), &d->reply);
	}
	reply_start(&d->reply);
	io->progress++;
	if (d->answered == d->message->recipient_count + 1)
		envelope_done(d, io);
}

/* DATA was sent before the refusal was known. */
static void
data_in_vain(struct deliver *d, struct io *io)
{
	/* a dot would send an empty message, and QUIT would be a part of one: just closes */
	d->quit_said = d->reply.code == 354;
	leave(d, io);
}

static void
data_reply(struct deliver *d, struct io *io)
{
	if (d->outcome != OUTCOME_NONE) {
		data_in_vain(d, io);
	} else if (d->reply.code == 354) {
		io->settled = true;
		d->line_start = true;
		d->taken = d->octets = 0;
		deliver_enter(d, io, DELIVER_BODY);
	} else {
		deliver_refused(d, io, &d->reply);
	}
}

static void
final_reply(struct deliver *d, struct io *io)
{
	unsigned code = d->reply.code;

	if (code >= 400) {
		deliver_refused(d, io, &d->reply);
	} else if (io->to_wire.taken < d->message_end) {
		/* the server cannot have seen the end of the message */
		deliver_settle(d, OUTCOME_REFUSED_LATER, &d->reply);
		io->end = d->outcome;
	} else if (code < 300 && !(code == 221 && d->quit_said)) {
		/* from here on the server is responsible for the message */
		deliver_settle(d, OUTCOME_SENT, &d->reply);
		leave(d, io);
	} else {
		/* a 221 may answer QUIT, and then the dot has no reply */
		deliver_settle(d, OUTCOME_REFUSED_LATER, &d->reply);
		leave(d, io);
	}
}

static void
deliver_got_reply(struct deliver *d, struct io *io)
{
	switch (d->state) {
	case DELIVER_ENVELOPE:
		envelope_reply(d, io);
		break;
	case DELIVER_DATA:
		data_reply(d, io);
		break;
	case DELIVER_BODY:	/* the server does not want the rest */
		deliver_settle(d, refusal(d, d->reply.code), &d->reply);
		io->end = d->outcome;
		break;
	case DELIVER_FINAL:
		final_reply(d, io);
		break;
	case DELIVER_QUIT:
		if (d->reply.code == 221 || d->reply.code == 421)
			io->end = d->outcome;
		reply_start(&d->reply);
		break;
	case DELIVER_HANDSHAKE:
		break;
	}
}

static bool
deliver_dialogue(struct deliver *d, struct io *io)
{
	bool moved = false;

	if (d->state == DELIVER_ENVELOPE)
		moved = say_envelope(d, io);
	else if (d->state == DELIVER_BODY)
		moved = deliver_body(d, io);
	/*
	 * not where more was sent: if a bad reply were skipped, the next would be taken for it;
	 * the one to QUIT is told by its code
	 */
	d->reply.lenient = !d->client.encrypted && d->state != DELIVER_QUIT && !d->reset_said &&
	    !(d->pipelining && d->state == DELIVER_ENVELOPE);
	switch (reply_take(&d->reply, &io->from_wire)) {
	case REPLY_WHOLE:
		deliver_got_reply(d, io);
		return true;
	case REPLY_BROKEN:
		io->end = is_certain(d) ? d->outcome : OUTCOME_BAD_REPLY;
		break;
	case REPLY_MORE:
		if (io->wire_eof)
			io->end = is_certain(d) ? d->outcome : io_wire_end(io);
		break;
	}
	return moved;
}

static void
opened(struct deliver *d, struct io *io)
{
	/* an unasked reply on a kept connection must not answer MAIL */
	if (d->again && (buf_len(&io->from_wire) > 0 || io->wire_eof)) {
		io->end = OUTCOME_KEPT_LOST;
		return;
	}
	/* another host may be called until DATA is accepted */
	io->settled = !io->others || d->message->recipient_count == 0;
	if (d->message->recipient_count == 0) {
		d->outcome = OUTCOME_DONE;
		quit(d, io);
		return;
	}
	d->pipelining = !d->helo && ehlo_offers(&d->client.reply, "PIPELINING", NULL);
	d->said = d->answered = d->accepted = d->refused = d->put_off = 0;
	d->data_said = d->quit_said = d->elsewhere = false;
	deliver_enter(d, io, DELIVER_ENVELOPE);
}

static bool
open_up(struct deliver *d, struct io *io)
{
	struct client_handshake *ch = &d->client;

	switch (client_handshake_step(ch, io)) {
	case CLIENT_GREETED:
		client_handshake_hello(ch, io, span_of(d->hostname), false);
		return true;
	case CLIENT_READY:
		opened(d, io);
		return true;
	case CLIENT_REFUSED:
		if (ch->reply.code >= 500 && !d->helo) {
			d->helo = true;
			client_handshake_hello(ch, io, span_of(d->hostname), true);
			return true;
		}
		/* this host is refused, not the message: temporary */
		deliver_settle(d, OUTCOME_REFUSED_LATER, &ch->reply);
		d->waits = "the server refuses this host, not the message";
		d->elsewhere = true;
		quit(d, io);
		return true;
	default:
		return false;
	}
}

/* Whether the host is gone or does not speak SMTP. */
static bool
is_lost(enum outcome end)
{
	return end == OUTCOME_WIRE_GONE || end == OUTCOME_WIRE_BROKEN || end == OUTCOME_TRUNCATED ||
	    end == OUTCOME_TIMEOUT || end == OUTCOME_BAD_REPLY;
}

static void
deliver_over(const struct deliver *d, struct io *io)
{
	if (deliver_is_unsure(d) && is_lost(io->end))
		io->end = OUTCOME_KEPT_LOST;
	if (!is_certain(d) && (d->state == DELIVER_ENVELOPE || d->state == DELIVER_DATA))
		io->elsewhere = is_lost(io->end);
	else if (d->state != DELIVER_HANDSHAKE)
		io->elsewhere = d->elsewhere;
}

void
deliver_step(void *deliver, struct io *io)
{
	struct deliver *d = deliver;
	bool moved;

	do
		moved = d->state == DELIVER_HANDSHAKE ? open_up(d, io) : deliver_dialogue(d, io);
	while (moved && io->end == OUTCOME_NONE && io->encrypt == NULL);
	if (io->end != OUTCOME_NONE)
		deliver_over(d, io);
	io->midway = reply_begun(d->state == DELIVER_HANDSHAKE ? &d->client.reply : &d->reply);
	switch (d->state) {
	case DELIVER_HANDSHAKE:
		io->wait = client_handshake_wait(&d->client);
		break;
	case DELIVER_BODY:
		io->wait = WAIT_DATA;
		break;
	case DELIVER_FINAL:
		io->wait = WAIT_FINAL;
		break;
	case DELIVER_QUIT:
		io->wait = WAIT_LINGER;
		break;
	default:
		io->wait = deliver_is_unsure(d) ? WAIT_GREETING : WAIT_COMMAND;
		break;
	}
}

void
deliver_fault(void *deliver, struct io *io, enum outcome fault)
{
	struct deliver *d = deliver;

	if (d->state == DELIVER_HANDSHAKE)
		client_handshake_fault(&d->client, io, fault);
	else
		io->end = is_certain(d) ? d->outcome : fault;
	deliver_over(d, io);
}
