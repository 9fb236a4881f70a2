#include "smtp/client_handshake.h"
#include "base/clock.h"
#include "smtp/ehlo.h"

#include <string.h>

void
opening_start(struct opening *o, const struct opening_settings *settings, struct key_source keys,
    bool plain)
{
	memset(o, 0, offsetof(struct opening, reply));
	o->set = settings;
	o->called_again = o->provisional = plain;
	o->plain = plain || settings->suites->count == 0;
	o->why = o->plain && !plain ? "switched-off" : NULL;
	handshake_start(&o->handshake, false, settings->suites, keys);
	reply_start(&o->reply);
	o->reply.lenient = true;
	reply_start(&o->clear);
}

void
opening_wipe(struct opening *o)
{
	handshake_wipe(&o->handshake);
}

static bool
in_handshake(const struct opening *o)
{
	return o->state >= OPENING_ANSWER && o->state <= OPENING_INSIDE_EHLO;
}

const char *
opening_crypt(const struct opening *o)
{
	if (o->tls)
		return "starttls";
	return o->encrypted ? handshake_suite(&o->handshake)->name : "none";
}

enum io_wait
opening_wait(const struct opening *o)
{
	if (in_handshake(o))
		return WAIT_HANDSHAKE;
	/* until the reply to EHLO, the next host may be called: there is time for that */
	return !o->encrypted && (o->state == OPENING_GREETING || o->state == OPENING_EHLO ||
	    o->state == OPENING_HELO) ? WAIT_GREETING : WAIT_COMMAND;
}

static enum opening_state
enter(struct opening *o, struct io *io, enum opening_state state)
{
	/* the handshake's deadline covers all of it, not each line */
	if (!in_handshake(o) || o->state == OPENING_INSIDE_EHLO)
		io->progress++;
	o->state = state;
	return state;
}

static enum opening_state
over(struct opening *o, struct io *io, enum ending end)
{
	io->end = end;
	return enter(o, io, OPENING_OVER);
}

/* The host takes no conversation, or is gone: the next one may. */
static enum opening_state
leave(struct opening *o, struct io *io, enum ending end)
{
	io->elsewhere = true;
	return over(o, io, end);
}

/* Does anything speak against going on, or against calling again in the clear? */
static enum ending
judged(const struct opening *o, bool again)
{
	const struct opening_settings *set = o->set;
	enum ending end = set->judge != NULL ? set->judge(set->judge_context, o, again) : END_NONE;

	return end == END_NONE && set->must && (again || !o->encrypted) ? END_MUST : end;
}

/* The handshake went wrong in a way that says nothing against the host. */
static enum opening_state
call_plain(struct opening *o, struct io *io, const char *why)
{
	o->why = why;
	enum ending end = judged(o, true);
	return over(o, io, end != END_NONE ? end : END_CALL_PLAIN);
}

static void
say(struct io *io, const char *verb, struct span text)
{
	buf_printf(&io->to_wire, "%s ", verb);
	buf_put(&io->to_wire, text);
	buf_put(&io->to_wire, SPAN("\r\n"));
}

int
opening_hello(struct opening *o, struct io *io, struct span name, bool helo)
{
	if (name.len > sizeof(o->name) || line_is_torn(name))
		return -1;
	memcpy(o->name, name.at, name.len);
	o->name_len = name.len;
	reply_start(&o->reply);
	o->reply.lenient = !o->encrypted;
	if (!o->encrypted)
		io_show(io, helo ? "> HELO" : "> EHLO", name);
	say(io, helo ? "HELO" : "EHLO", span(o->name, o->name_len));
	enter(o, io, helo ? OPENING_HELO : OPENING_EHLO);
	return 0;
}

/*
 * The one XCRYPT line of the reply, which is never its first; two are none.  A host behind a Cisco ASA
 * shows XXXXXXs instead of what it offers.
 */
static bool
find_offer(struct opening *o, struct span *offer)
{
	struct span rest = buf_peek(&o->reply.raw), text;
	unsigned offers = 0;

	o->why = "not-offered";
	ehlo_next(&rest, &text);
	while (ehlo_next(&rest, &text)) {
		if (ehlo_is(text, SPAN("XCRYPT"))) {
			*offer = text;
			offers++;
		}
		if (span_starts(text, SPAN("XXXX")))
			o->why = "masked-on-the-way";
	}
	if (offers > 1)
		o->why = "two-offers";
	if (offers != 1 || line_is_torn(*offer) || offer->len > sizeof(o->offer))
		return false;
	memcpy(o->offer, offer->at, offer->len);
	o->offer_len = offer->len;
	o->why = NULL;
	return true;
}

static enum opening_state
ready(struct opening *o, struct io *io)
{
	enum ending end = judged(o, false);

	return end != END_NONE ? over(o, io, end) : enter(o, io, OPENING_READY);
}

/* No XCRYPT there: its STARTTLS, where that is ours to ask for, before the message goes in the clear. */
static enum opening_state
without_xcrypt(struct opening *o, struct io *io)
{
	if (o->called_again || o->set->starttls == NULL || !ehlo_offers(&o->reply, "STARTTLS", NULL))
		return ready(o, io);
	reply_copy(&o->clear, &o->reply);
	reply_start(&o->reply);
	io_show(io, ">", SPAN("STARTTLS"));
	buf_put(&io->to_wire, SPAN("STARTTLS\r\n"));
	return enter(o, io, OPENING_STARTTLS);
}

/* Goes on in the clear, with what the clear EHLO was told. */
static enum opening_state
go_on_clear(struct opening *o, struct io *io, const char *why)
{
	o->why = why;
	o->provisional = true;
	reply_copy(&o->reply, &o->clear);
	return without_xcrypt(o, io);
}

/*
 * The answer to STARTTLS.  As with XCRYPT, a refusal leaves the connection in the clear, unless it is 421;
 * and an octet behind 220 is an injected command.
 */
static enum opening_state
got_starttls(struct opening *o, struct io *io)
{
	if (o->reply.code >= 400 && o->reply.code != 421) {
		o->provisional = true;
		reply_copy(&o->reply, &o->clear);
		return ready(o, io);
	}
	if (o->reply.code != 220)
		return call_plain(o, io, "tls-failed");
	if (buf_len(&io->from_wire) > 0 || io->wire_has_octets(io->context))
		return over(o, io, END_INJECTED);
	io->start_tls = o->set->starttls;
	return enter(o, io, OPENING_TLS);
}

/* False: TLS is not through with its handshake. */
static bool
tls_settled(struct opening *o, struct io *io)
{
	if (io->tls == IO_TLS_NONE)
		return false;
	if (io->tls == IO_TLS_FAILED) {
		call_plain(o, io, "tls-failed");
		return true;
	}
	o->encrypted = o->tls = true;
	o->at.handshake = clock_ms();
	enter(o, io, OPENING_INSIDE);
	return true;
}

/* In the clear any 2yz will do, as it does for others. */
static bool
hello_taken(const struct opening *o)
{
	return o->encrypted ? o->reply.code == 250 : o->reply.code >= 200 && o->reply.code < 300;
}

/*
 * HELO may follow, unless nothing may go on in the clear: then 5yz is not the host's word.  Inside, where a
 * host key has to be shown, a refusal shows none.
 */
static enum opening_state
ehlo_refused(struct opening *o, struct io *io)
{
	if (o->reply.code < 500)
		return enter(o, io, OPENING_REFUSED);
	if (!o->encrypted)
		o->why = "no-ehlo";
	enum ending end = judged(o, !o->encrypted);
	return end != END_NONE ? over(o, io, end) : enter(o, io, OPENING_REFUSED);
}

static enum opening_state
got_ehlo(struct opening *o, struct io *io)
{
	struct span offer = span(NULL, 0);

	if (!hello_taken(o))
		return ehlo_refused(o, io);
	o->at.ehlo = clock_ms();
	if (o->encrypted)
		return ready(o, io);
	bool offered = find_offer(o, &offer);
	if (o->plain) {
		o->why = o->called_again ? "called-again" : "switched-off";
		return without_xcrypt(o, io);
	}
	if (!offered)
		return without_xcrypt(o, io);
	if (!handshake_choose(&o->handshake, offer)) {
		o->why = "no-common-suite";
		return without_xcrypt(o, io);
	}
	reply_copy(&o->clear, &o->reply);
	if (handshake_propose(&o->handshake, &io->to_wire) == -1)
		return go_on_clear(o, io, "no-key");
	reply_start(&o->reply);
	return enter(o, io, OPENING_ANSWER);
}

static enum opening_state
got_answer(struct opening *o, struct io *io)
{
	switch (handshake_take_answer(&o->handshake, &o->reply)) {
	case VERDICT_GOOD:
		return enter(o, io, OPENING_SAY_OK);
	case VERDICT_CLEAN_FAIL:
		return go_on_clear(o, io, "refused");
	case VERDICT_KEY_REFUSED:
		buf_put(&io->to_wire, SPAN("XCRYPT FAIL\r\n"));
		reply_start(&o->reply);
		return enter(o, io, OPENING_FAIL);
	default:
		return call_plain(o, io, "handshake-failed");
	}
}

static enum opening_state
say_ok(struct opening *o, struct io *io)
{
	if (handshake_compute(&o->handshake) == -1 ||
	    handshake_put_ok(&o->handshake, &io->to_wire) == -1)
		return call_plain(o, io, "handshake-failed");
	reply_start(&o->reply);
	return enter(o, io, OPENING_OK);
}

static enum opening_state
got_ok(struct opening *o, struct io *io)
{
	switch (handshake_take_ok_reply(&o->handshake, &o->reply)) {
	case VERDICT_GOOD:
		break;
	case VERDICT_TAMPERED:
		return over(o, io, END_CONFIRMATION);
	default:
		return call_plain(o, io, "handshake-failed");
	}
	if (buf_len(&io->from_wire) > 0 || io->wire_has_octets(io->context))
		return over(o, io, END_INJECTED);
	o->encrypted = true;
	o->why = NULL;
	o->at.handshake = clock_ms();
	io->encrypt = &o->handshake.agreement;
	return enter(o, io, OPENING_INSIDE);
}

/* A greeting of 5yz counts where mail may go in the clear. */
static enum opening_state
greeted_never(struct opening *o, struct io *io)
{
	o->why = "greeted-never";
	if (judged(o, true) != END_NONE)
		o->provisional = true;
	return leave(o, io, END_GREETED_NEVER);
}

static enum opening_state
got_reply(struct opening *o, struct io *io)
{
	switch (o->state) {
	case OPENING_GREETING:
		o->at.greeting = clock_ms();
		if (o->reply.code >= 500)
			return greeted_never(o, io);
		if (o->reply.code >= 300)
			return leave(o, io, END_GREETED_LATER);
		return enter(o, io, OPENING_GREETED);
	case OPENING_EHLO:
		return got_ehlo(o, io);
	case OPENING_ANSWER:
		return got_answer(o, io);
	case OPENING_OK:
		return got_ok(o, io);
	case OPENING_FAIL:
		if (o->reply.code != 250 || o->reply.lines != 1)
			return call_plain(o, io, "handshake-failed");
		return go_on_clear(o, io, "key-refused");
	case OPENING_STARTTLS:
		return got_starttls(o, io);
	case OPENING_INSIDE_EHLO:
		return o->reply.code == 250 ? ready(o, io) : ehlo_refused(o, io);
	case OPENING_HELO:
		if (!hello_taken(o))
			return enter(o, io, OPENING_REFUSED);
		if (o->why == NULL && !o->encrypted)
			o->why = "no-ehlo";
		return ready(o, io);
	default:
		return o->state;
	}
}

/* No reply, or what is none. */
static enum opening_state
no_reply(struct opening *o, struct io *io, enum ending end)
{
	if (in_handshake(o))
		return call_plain(o, io, "handshake-failed");
	if (o->state == OPENING_GREETING)
		end = END_GREETED_LATER;
	return leave(o, io, end);
}

enum opening_state
opening_step(struct opening *o, struct io *io)
{
	for (;;) {
		switch (o->state) {
		case OPENING_GREETED:
		case OPENING_READY:
		case OPENING_REFUSED:
		case OPENING_OVER:
			return o->state;
		case OPENING_SAY_OK:
			say_ok(o, io);
			continue;
		case OPENING_TLS:
			if (!tls_settled(o, io))
				return io->wire_eof ? no_reply(o, io, io_wire_end(io)) : o->state;
			continue;
		case OPENING_INSIDE:
			if (io->encrypt != NULL)	/* not before the session has seen to it */
				return o->state;
			reply_start(&o->reply);
			say(io, "EHLO", span(o->name, o->name_len));
			enter(o, io, OPENING_INSIDE_EHLO);
			continue;
		default:
			break;
		}
		switch (reply_take(&o->reply, &io->from_wire)) {
		case REPLY_WHOLE:
			if (!o->encrypted)
				io_show(io, "<", reply_last_line(&o->reply));
			got_reply(o, io);
			continue;
		case REPLY_BROKEN:
			/* in 2.0, whatever is not the right confirmation is a wrong one */
			if (o->state == OPENING_OK &&
			    handshake_suite(&o->handshake)->exchange->confirms)
				return over(o, io, END_CONFIRMATION);
			return no_reply(o, io, END_BAD_REPLY);
		case REPLY_MORE:
			if (io->wire_eof)
				return no_reply(o, io, io_wire_end(io));
			return o->state;
		}
	}
}

void
opening_fault(struct opening *o, struct io *io, enum ending fault)
{
	/* a record that fails right behind a good handshake: somebody is at the wire */
	if (fault == END_BAD_RECORD || fault == END_LOCAL_BROKEN || fault == END_NO_MEMORY)
		over(o, io, fault);
	else
		no_reply(o, io, fault);
}

void
opening_put_reply(const struct opening *o, struct buf *out, bool one_line)
{
	struct span rest = buf_peek(&o->reply.raw), text, held;

	ehlo_next(&rest, &held);
	while (!one_line && ehlo_next(&rest, &text)) {
		if (ehlo_is(text, SPAN("XCRYPT")) || span_starts_nocase(text, SPAN("XCRYPT-")) ||
		    (o->encrypted && ehlo_is(text, SPAN("STARTTLS"))))
			continue;
		buf_printf(out, "%u-", o->reply.code);
		buf_put(out, held);
		buf_put(out, SPAN("\r\n"));
		held = text;
	}
	buf_printf(out, "%u ", o->reply.code);
	buf_put(out, held);
	buf_put(out, SPAN("\r\n"));
}
