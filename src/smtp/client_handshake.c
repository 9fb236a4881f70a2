#include "smtp/client_handshake_internal.h"
#include "smtp/ehlo.h"
#include "smtp/line.h"

#include <string.h>

/* Why XCRYPT was not even tried. */
static const char *
not_used(const struct client_handshake *ch)
{
	if (ch->retried_clear)
		return "called-again";
	return ch->instead ? "starttls-only" : "switched-off";
}

void
client_handshake_start(struct client_handshake *ch, const struct client_settings *settings,
    struct key_source keys, enum client_call call)
{
	bool plain = call == CLIENT_CALL_CLEAR;

	memset(ch, 0, offsetof(struct client_handshake, reply));
	ch->set = settings;
	ch->retried_clear = ch->provisional = plain;
	ch->instead = ch->starttls_tried = call == CLIENT_CALL_STARTTLS;
	ch->plain = plain || ch->instead || settings->suites->count == 0;
	ch->apart = call != CLIENT_CALL_FIRST;
	ch->why = ch->plain && !plain ? not_used(ch) : NULL;
	handshake_start(&ch->handshake, false, settings->suites, keys);
	reply_start(&ch->reply);
	ch->reply.lenient = true;
	reply_start(&ch->clear);
}

void
client_handshake_wipe(struct client_handshake *ch)
{
	handshake_wipe(&ch->handshake);
}

static bool
in_handshake(const struct client_handshake *ch)
{
	return ch->state >= CLIENT_ANSWER && ch->state <= CLIENT_INSIDE_EHLO;
}

const char *
client_handshake_crypt(const struct client_handshake *ch)
{
	if (ch->tls)
		return "starttls";
	return ch->encrypted ? handshake_suite(&ch->handshake)->name : "none";
}

enum io_wait
client_handshake_wait(const struct client_handshake *ch)
{
	if (in_handshake(ch) && !(ch->encrypted && ch->pushed))
		return WAIT_HANDSHAKE;
	/* the next host may still be called, so the short deadline applies */
	return !ch->encrypted && (ch->state == CLIENT_GREETING || ch->state == CLIENT_EHLO ||
	    ch->state == CLIENT_HELO) ? WAIT_GREETING : WAIT_COMMAND;
}

const char *
client_state_name(enum client_state state)
{
	static const char *const names[] = { [CLIENT_GREETING] = "greeting",
		[CLIENT_GREETED] = "greeted", [CLIENT_EHLO] = "ehlo", [CLIENT_ANSWER] = "answer",
		[CLIENT_SAY_OK] = "say-ok", [CLIENT_OK] = "ok", [CLIENT_FAIL] = "fail",
		[CLIENT_STARTTLS] = "starttls", [CLIENT_TLS] = "tls", [CLIENT_INSIDE] = "inside",
		[CLIENT_INSIDE_EHLO] = "inside-ehlo", [CLIENT_HELO] = "helo",
		[CLIENT_READY] = "ready", [CLIENT_REFUSED] = "refused", [CLIENT_OVER] = "over" };

	return names[state];
}

enum client_state
client_enter(struct client_handshake *ch, struct io *io, enum client_state state)
{
	/* one deadline covers the whole handshake, so it is not restarted for each line */
	if (!in_handshake(ch) || ch->state == CLIENT_INSIDE_EHLO)
		io->progress++;
	io_trace(io, "client-handshake", client_state_name(ch->state), client_state_name(state));
	ch->state = state;
	return state;
}

enum client_state
client_over(struct client_handshake *ch, struct io *io, enum outcome end)
{
	io->end = end;
	return client_enter(ch, io, CLIENT_OVER);
}

/* The host is gone or accepts no session: the next host may be called. */
static enum client_state
client_leave(struct client_handshake *ch, struct io *io, enum outcome end)
{
	io->elsewhere = true;
	return client_over(ch, io, end);
}

/* Whether the session may continue or, with `again`, the host be called again in the clear. */
static enum outcome
judged(const struct client_handshake *ch, bool again)
{
	const struct client_settings *set = ch->set;
	enum outcome end = set->check != NULL ? set->check(set->check_context, ch, again) :
						OUTCOME_NONE;

	if (end == OUTCOME_NONE && set->encryption_required && (again || !ch->encrypted))
		return OUTCOME_NOT_ENCRYPTED;
	return end;
}

/* The handshake failed without a sign of tampering: retry in the clear if policy allows. */
enum client_state
client_retry_clear(struct client_handshake *ch, struct io *io, const char *why)
{
	ch->why = why;
	enum outcome end = judged(ch, true);
	return client_over(ch, io, end != OUTCOME_NONE ? end : OUTCOME_RETRY_CLEAR);
}

static void
client_say(struct io *io, const char *verb, struct span text)
{
	buf_printf(&io->to_wire, "%s ", verb);
	buf_put(&io->to_wire, text);
	buf_put(&io->to_wire, SPAN("\r\n"));
}

int
client_handshake_hello(struct client_handshake *ch, struct io *io, struct span name, bool helo)
{
	if (name.len > sizeof(ch->name) || line_is_torn(name))
		return -1;
	memcpy(ch->name, name.at, name.len);
	ch->name_len = name.len;
	reply_start(&ch->reply);
	ch->reply.lenient = !ch->encrypted;
	if (!ch->encrypted)
		io_show(io, helo ? "> HELO" : "> EHLO", name);
	client_say(io, helo ? "HELO" : "EHLO", span(ch->name, ch->name_len));
	if (!helo && !ch->encrypted)
		client_ride(ch, io);
	client_enter(ch, io, helo ? CLIENT_HELO : CLIENT_EHLO);
	return 0;
}

/* Takes the offer from the reply to EHLO.  False, with ch->why set: the host makes no valid one. */
static bool
find_offer(struct client_handshake *ch, struct span *offer)
{
	ch->why = ehlo_find_offer(&ch->reply, sizeof(ch->offer), offer);
	if (ch->why != NULL)
		return false;
	memcpy(ch->offer, offer->at, offer->len);
	ch->offer_len = offer->len;
	return true;
}

static enum client_state
client_ready(struct client_handshake *ch, struct io *io)
{
	enum outcome end = judged(ch, false);

	return end != OUTCOME_NONE ? client_over(ch, io, end) : client_enter(ch, io, CLIENT_READY);
}

/* XCRYPT is not used.  Tries STARTTLS, if offered and permitted, else continues in the clear. */
static enum client_state
without_xcrypt(struct client_handshake *ch, struct io *io)
{
	if (ch->retried_clear || ch->set->starttls == NULL)
		return client_ready(ch, io);
	if (!ehlo_offers(&ch->reply, "STARTTLS", NULL)) {
		ch->tls_result = CLIENT_TLS_NOT_OFFERED;
		return client_ready(ch, io);
	}
	ch->tls_result = CLIENT_TLS_REFUSED;
	ch->starttls_tried = true;
	reply_copy(&ch->clear, &ch->reply);
	reply_start(&ch->reply);
	io_show(io, ">", SPAN("STARTTLS"));
	buf_put(&io->to_wire, SPAN("STARTTLS\r\n"));
	return client_enter(ch, io, CLIENT_STARTTLS);
}

/* Continues in the clear, with the reply to the EHLO sent in the clear. */
enum client_state
client_go_on_clear(struct client_handshake *ch, struct io *io, const char *why)
{
	ch->why = why;
	ch->provisional = true;
	reply_copy(&ch->reply, &ch->clear);
	return without_xcrypt(ch, io);
}

/*
 * The reply to STARTTLS.  As with XCRYPT, the connection stays usable in the clear after a
 * refusal other than 421, and an octet after the 220 is treated as an injected reply (RFC 3207,
 * section 6).
 */
static enum client_state
client_got_starttls(struct client_handshake *ch, struct io *io)
{
	if (ch->reply.code >= 400 && ch->reply.code != 421) {
		ch->provisional = true;
		reply_copy(&ch->reply, &ch->clear);
		return client_ready(ch, io);
	}
	if (ch->reply.code != 220)
		return client_retry_clear(ch, io, "tls-failed");
	if (buf_len(&io->from_wire) > 0 || io->wire_has_octets(io->context))
		return client_over(ch, io, OUTCOME_INJECTED);
	ch->tls_result = CLIENT_TLS_BROKE;
	io->start_tls = ch->set->starttls;
	return client_enter(ch, io, CLIENT_TLS);
}

/* False while the TLS handshake goes on. */
static bool
tls_settled(struct client_handshake *ch, struct io *io)
{
	if (io->tls == IO_TLS_NONE)
		return false;
	if (io->tls == IO_TLS_FAILED) {
		client_retry_clear(ch, io, "tls-failed");
		return true;
	}
	ch->encrypted = ch->tls = true;
	ch->tls_result = CLIENT_TLS_OPEN;
	ch->at.handshake = io->now_ms;
	client_enter(ch, io, CLIENT_INSIDE);
	return true;
}

/* Whether EHLO or HELO was accepted.  In the clear any 2yz will do, as other clients have it. */
static bool
hello_taken(const struct client_handshake *ch)
{
	return ch->encrypted ? ch->reply.code == 250 :
			       ch->reply.code >= 200 && ch->reply.code < 300;
}

/*
 * EHLO was refused.  The caller may try HELO, unless mail must not go in the clear: anybody on
 * the path may have forged the 5yz.  Inside the encrypted session, a refusal shows no host key,
 * so the check may object to it.
 */
static enum client_state
ehlo_refused(struct client_handshake *ch, struct io *io)
{
	if (ch->reply.code < 500)
		return client_enter(ch, io, CLIENT_REFUSED);
	if (!ch->encrypted)
		ch->why = "no-ehlo";
	enum outcome end = judged(ch, !ch->encrypted);
	return end != OUTCOME_NONE ? client_over(ch, io, end) :
	    client_enter(ch, io, CLIENT_REFUSED);
}

static enum client_state
got_ehlo(struct client_handshake *ch, struct io *io)
{
	struct span offer = span(NULL, 0);

	if (ch->riding && ch->reply.code != 250)
		return client_over(ch, io, OUTCOME_RETRY_APART);
	if (!hello_taken(ch))
		return ehlo_refused(ch, io);
	ch->at.ehlo = io->now_ms;
	if (ch->encrypted)
		return client_ready(ch, io);
	bool offered = find_offer(ch, &offer);
	if (ch->riding)
		return client_rode(ch, io, offered, offer);
	if (ch->plain) {
		ch->why = not_used(ch);
		return without_xcrypt(ch, io);
	}
	if (!offered)
		return without_xcrypt(ch, io);
	if (!handshake_choose(&ch->handshake, offer)) {
		ch->why = "no-common-suite";
		return without_xcrypt(ch, io);
	}
	reply_copy(&ch->clear, &ch->reply);
	return client_propose(ch, io);
}

/* A 5yz greeting is final only where mail may go in the clear; else it may be forged. */
static enum client_state
greeted_never(struct client_handshake *ch, struct io *io)
{
	ch->why = "greeted-never";
	if (judged(ch, true) != OUTCOME_NONE)
		ch->provisional = true;
	return client_leave(ch, io, OUTCOME_GREETED_NEVER);
}

static enum client_state
client_got_reply(struct client_handshake *ch, struct io *io)
{
	switch (ch->state) {
	case CLIENT_GREETING:
		ch->at.greeting = io->now_ms;
		if (ch->reply.code >= 500)
			return greeted_never(ch, io);
		if (ch->reply.code >= 300)
			return client_leave(ch, io, OUTCOME_GREETED_LATER);
		return client_enter(ch, io, CLIENT_GREETED);
	case CLIENT_EHLO:
		return got_ehlo(ch, io);
	case CLIENT_ANSWER:
		return client_got_answer(ch, io);
	case CLIENT_OK:
		return client_got_ok(ch, io);
	case CLIENT_FAIL:
		return client_got_fail(ch, io);
	case CLIENT_STARTTLS:
		return client_got_starttls(ch, io);
	case CLIENT_INSIDE_EHLO:
		return ch->reply.code == 250 ? client_ready(ch, io) : ehlo_refused(ch, io);
	case CLIENT_HELO:
		if (!hello_taken(ch))
			return client_enter(ch, io, CLIENT_REFUSED);
		if (ch->why == NULL && !ch->encrypted)
			ch->why = "no-ehlo";
		return client_ready(ch, io);
	default:
		return ch->state;
	}
}

/* 2.0: whether a record of the server has verified; a later failure is then not one of XCRYPT. */
static bool
has_record(const struct client_handshake *ch, const struct io *io, enum outcome end)
{
	return ch->encrypted && ch->pushed &&
	    (reply_begun(&ch->reply) || buf_len(&io->from_wire) > 0 ||
	    end == OUTCOME_WIRE_GONE);	/* the server sent close_notify */
}

/* The connection ended, or what came is not a reply. */
static enum client_state
no_reply(struct client_handshake *ch, struct io *io, enum outcome end)
{
	if (ch->riding && !ch->encrypted)
		return client_over(ch, io, OUTCOME_RETRY_APART);
	if (in_handshake(ch) && !has_record(ch, io, end))
		return client_retry_clear(ch, io, "handshake-failed");
	if (ch->state == CLIENT_GREETING)
		end = OUTCOME_GREETED_LATER;
	return client_leave(ch, io, end);
}

enum client_state
client_handshake_step(struct client_handshake *ch, struct io *io)
{
	for (;;) {
		/* octets after the switching line are records; the session decrypts them first */
		if (io->encrypt != NULL)
			return ch->state;
		switch (ch->state) {
		case CLIENT_GREETED:
		case CLIENT_READY:
		case CLIENT_REFUSED:
		case CLIENT_OVER:
			return ch->state;
		case CLIENT_SAY_OK:
			client_say_ok(ch, io);
			continue;
		case CLIENT_TLS:
			if (!tls_settled(ch, io))
				return io->wire_eof ? no_reply(ch, io, io_wire_end(io)) : ch->state;
			continue;
		case CLIENT_INSIDE:
			reply_start(&ch->reply);
			client_say(io, "EHLO", span(ch->name, ch->name_len));
			client_enter(ch, io, CLIENT_INSIDE_EHLO);
			continue;
		default:
			break;
		}
		switch (reply_take(&ch->reply, &io->from_wire)) {
		case REPLY_WHOLE:
			if (!ch->encrypted)
				io_show(io, "<", reply_last_line(&ch->reply));
			client_got_reply(ch, io);
			continue;
		case REPLY_BROKEN:
			return no_reply(ch, io, OUTCOME_BAD_REPLY);
		case REPLY_MORE:
			if (io->wire_eof)
				return no_reply(ch, io, io_wire_end(io));
			return ch->state;
		}
	}
}

void
client_handshake_fault(struct client_handshake *ch, struct io *io, enum outcome fault)
{
	if (fault == OUTCOME_BAD_RECORD && ch->encrypted && !ch->tls &&
	    handshake_met(&ch->handshake))
		handshake_forget(&ch->handshake);
	/*
	 * Never retried in the clear: a record that does not verify after a good handshake is a
	 * sign of tampering, and the others are failures on this host.
	 */
	if (fault == OUTCOME_BAD_RECORD || fault == OUTCOME_LOCAL_BROKEN ||
	    fault == OUTCOME_LOCAL_GONE || fault == OUTCOME_NO_MEMORY)
		client_over(ch, io, fault);
	else
		no_reply(ch, io, fault);
}
