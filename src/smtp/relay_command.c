/* The client's commands on their way to the backend. */
#include "smtp/relay_internal.h"

#include "smtp/keyword.h"

#include <string.h>

void
relay_take(struct io *io, size_t octets)
{
	buf_take(&io->from_wire, octets);
	io->progress++;
}

bool
relay_can_answer(const struct relay *r, const struct io *io)
{
	return r->queue_len == 0 && buf_room(&io->to_wire) >= XCRYPT_LINE_MAX;
}

bool
relay_answer(struct relay *r, struct io *io, size_t octets, const char *text)
{
	if (!relay_can_answer(r, io))
		return false;
	io_show(io, "<", span_of(text));
	buf_printf(&io->to_wire, "%s\r\n", text);
	relay_take(io, octets);
	return true;
}

/*
 * Whether the next command has to wait for the reply to this one.  It does if its meaning
 * depends on the reply, which it may for a verb that we do not know.  In the clear it also
 * waits after commands that must be the last of a group (RFC 2920, section 3.1).  A client that
 * does not wait there may be a spam robot or try to smuggle commands, and the backend is to see
 * that (relay_turn.c).
 */
static bool
is_waited_for(const struct relay *r, enum verb verb)
{
	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
	case VERB_AUTH:
	case VERB_DATA:
	case VERB_OTHER:
		return true;
	case VERB_NOOP:
	case VERB_VRFY:
	case VERB_EXPN:
		return r->crypt != CRYPT_ON && !r->set->encryption_required;
	default:
		return false;
	}
}

#define MAIL_GROWS 20	/* octets: the digits of the largest SIZE */

/* Appends MAIL with its SIZE raised by the length of our trace line (RFC 1870, section 5). */
static bool
put_longer_mail(const struct relay *r, struct span text, struct buf *out)
{
	struct span arguments;

	return r->crypt == CRYPT_ON && r->set->mark && verb_of(text, &arguments) == VERB_MAIL &&
	    keyword_mail(arguments, MESSAGE_TRACE_MAX, out);
}

/* Passes a command on to the backend, which will answer it. */
static bool
forward(struct relay *r, struct io *io, const struct line *line, enum verb verb)
{
	if (relay_queue_full(r) || buf_room(&io->to_local) < line->octets + MAIL_GROWS)
		return false;
	if (r->crypt != CRYPT_ON)
		io_show(io, ">", line->text);
	if (verb != VERB_MAIL || !put_longer_mail(r, line->text, &io->to_local))
		buf_put(&io->to_local, span(line->text.at, line->octets));
	relay_queue_put(r, verb);
	r->sync = is_waited_for(r, verb);
	relay_take(io, line->octets);
	return true;
}

static void
remember_name(struct relay *r, struct span name)
{
	r->said_len = name.len < RELAY_NAME_MAX ? name.len : RELAY_NAME_MAX;
	if (r->said_len > 0)
		memcpy(r->said, name.at, r->said_len);
}

static bool
forward_hello(struct relay *r, struct io *io, const struct line *line, enum verb verb,
    struct span name)
{
	remember_name(r, name);
	r->hello_line_len = line->text.len <= sizeof(r->hello_line) ? line->text.len : 0;
	memcpy(r->hello_line, line->text.at, r->hello_line_len);
	return forward(r, io, line, verb);
}

/* What a command gets that is accepted only inside. */
static const char *
must_encrypt(const struct relay *r)
{
	return relay_has_starttls(r) ? "530 5.7.0 Must use XCRYPT or STARTTLS first" :
				       "530 5.7.0 Must use XCRYPT first";
}

/* XCRYPT must follow greetings only, and a refused command counts too. */
static void
note_refusal(struct relay *r, const struct io *io)
{
	if (r->set->encryption_required && r->crypt == CRYPT_NOT_YET)
		relay_give_up(r, io, "not-asked");
}

static bool
clear_command(struct relay *r, struct io *io, const struct line *line)
{
	struct span arguments;
	enum verb verb = verb_of(line->text, &arguments);

	if (r->crypt == CRYPT_ANSWERED) {
		if (!relay_can_answer(r, io))
			return false;
		if (handshake_next(line->text) != HANDSHAKE_OTHER)
			return relay_confirm(r, io, line);
		relay_give_up(r, io, "client-gave-up");
	}
	switch (verb) {
	case VERB_XCRYPT:
		return relay_xcrypt(r, io, line);
	case VERB_EHLO:
	case VERB_HELO:
		return forward_hello(r, io, line, verb, arguments);
	case VERB_NOOP:
	case VERB_RSET:
	case VERB_QUIT:
		return forward(r, io, line, verb);
	case VERB_HELP:
	case VERB_VRFY:
	case VERB_EXPN:
		if (!r->set->encryption_required)
			return forward(r, io, line, verb);
		break;
	case VERB_STARTTLS:
		if (relay_has_starttls(r))
			return relay_starttls(r, io, line, arguments);
		if (r->set->starttls == RELAY_STARTTLS_NOBODY && !r->set->encryption_required)
			return relay_answer(r, io, line->octets, "502 5.5.1 STARTTLS not offered");
		note_refusal(r, io);
		break;
	default:
		note_refusal(r, io);
		break;
	}
	if (r->set->encryption_required && verb == VERB_BDAT)
		return relay_refuse_chunk(r, io, line, arguments, must_encrypt(r));
	if (r->set->encryption_required)
		return relay_answer(r, io, line->octets, must_encrypt(r));
	return relay_become_pipe(r, io, NULL);
}

/* A client of 0.x or 1.0 may continue with MAIL at once: we send EHLO to the backend for it. */
static bool
repeat_hello(struct relay *r, struct io *io)
{
	if (relay_queue_full(r) || r->queue_len > 0 ||
	    buf_room(&io->to_local) < RELAY_NAME_MAX + 16)
		return false;
	buf_put(&io->to_local, SPAN("EHLO "));
	buf_put(&io->to_local, span(r->name, r->name_len));
	buf_put(&io->to_local, SPAN("\r\n"));
	relay_queue_put(r, VERB_OWN_EHLO);
	r->sync = true;
	r->hello_inside = true;
	return true;
}

/* Whether it is AUTH with a mechanism that we cannot carry.  A client may try one unoffered. */
static bool
is_foreign_auth(enum verb verb, struct span arguments)
{
	struct span mechanism;

	return verb == VERB_AUTH && span_word(&arguments, ' ', &mechanism) &&
	    !keyword_mechanism(mechanism);
}

static bool
inside_command(struct relay *r, struct io *io, const struct line *line)
{
	bool strict = r->tls || handshake_suite(&r->handshake)->kex->version >= KEX_VERSION_2_0;
	struct span arguments;
	enum verb verb = verb_of(line->text, &arguments);

	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
		return forward_hello(r, io, line, verb, arguments);
	case VERB_NOOP:
	case VERB_QUIT:
	case VERB_RSET:
		return forward(r, io, line, verb);
	case VERB_XCRYPT:
		return relay_answer(r, io, line->octets,
		    "503 5.5.1 XCRYPT FAIL already encrypted");
	case VERB_STARTTLS:
		return relay_answer(r, io, line->octets, "503 5.5.1 Already encrypted");
	default:
		break;
	}
	if (!r->hello_inside) {
		if (strict && verb == VERB_BDAT)
			return relay_refuse_chunk(r, io, line, arguments,
			    "503 5.5.1 Send EHLO again first");
		if (strict)
			return relay_answer(r, io, line->octets,
			    "503 5.5.1 Send EHLO again first");
		return repeat_hello(r, io);
	}
	if (verb == VERB_BDAT)
		return relay_chunk(r, io, line, arguments);
	if (is_foreign_auth(verb, arguments))
		return relay_answer(r, io, line->octets,
		    "504 5.5.4 Unrecognized authentication type");
	return forward(r, io, line, verb);
}

/*
 * Whether a command has NUL, CR or LF inside and must be refused, since the backend might read
 * it as two commands.  XCRYPT in the clear and BDAT inside are refused by their own functions.
 */
static bool
is_torn(const struct relay *r, struct span text)
{
	struct span arguments;

	if (!line_is_torn(text))
		return false;
	return verb_of(text, &arguments) != (r->crypt == CRYPT_ON ? VERB_BDAT : VERB_XCRYPT);
}

/*
 * The client's answer in an AUTH exchange cannot be passed on: cancels the exchange with "*" (RFC
 * 4954, section 4).  Takes `octets` of the line off the wire; the following octets are `next`.
 */
static bool
cancel_auth(struct relay *r, struct io *io, size_t octets, enum relay_input next)
{
	if (relay_queue_full(r) || !buf_put(&io->to_local, SPAN("*\r\n")))
		return false;
	relay_queue_put(r, VERB_AUTH);
	r->sync = true;
	relay_enter(r, io, next);
	relay_take(io, octets);
	return true;
}

/*
 * Whether a line in the clear ends in a bare LF.  Some backends accept that and others do not,
 * so the session becomes a pipe and the backend decides.  A client that encrypts sends CRLF; a
 * line that would, with a bare LF, is refused.
 */
static bool
ends_in_lf(const struct relay *r, struct span said)
{
	size_t at = span_find(said, '\n');
	struct span arguments;

	if (r->set->encryption_required || r->crypt == CRYPT_ANSWERED || r->crypt == CRYPT_ON ||
	    at >= said.len || at >= LINE_MAX_OCTETS || (at > 0 && said.at[at - 1] == '\r'))
		return false;
	enum verb verb = verb_of(span(said.at, at), &arguments);
	return verb != VERB_XCRYPT && !(verb == VERB_STARTTLS && relay_has_starttls(r));
}

static bool
command(struct relay *r, struct io *io)
{
	struct line line;

	if (r->sync && r->queue_len > 0)
		return relay_while_waiting(r, io);
	if (r->input == INPUT_COMMAND && ends_in_lf(r, buf_peek(&io->from_wire)))
		return relay_become_pipe(r, io, "bare-lf");
	switch (line_command(buf_peek(&io->from_wire), &line)) {
	case LINE_NONE:
		return false;
	case LINE_TOO_LONG:
		if (r->input == INPUT_CONTINUATION)
			return cancel_auth(r, io, 0, INPUT_SKIP);
		if (!relay_answer(r, io, 0, "500 5.5.2 Line too long"))
			return false;
		relay_enter(r, io, INPUT_SKIP);
		if (r->crypt == CRYPT_ANSWERED)
			relay_give_up(r, io, "client-gave-up");
		return true;
	case LINE_FOUND:
		break;
	}
	if (r->input == INPUT_CONTINUATION) {
		if (line_is_torn(line.text))
			return cancel_auth(r, io, line.octets, INPUT_COMMAND);
		if (!forward(r, io, &line, VERB_AUTH))
			return false;
		relay_enter(r, io, INPUT_COMMAND);
		return true;
	}
	if (is_torn(r, line.text)) {
		if (!relay_answer(r, io, line.octets,
		    "500 5.5.2 Command contains NUL, bare CR or bare LF"))
			return false;
		if (r->crypt == CRYPT_ANSWERED)
			relay_give_up(r, io, "client-gave-up");
		return true;
	}
	return r->crypt == CRYPT_ON ? inside_command(r, io, &line) : clear_command(r, io, &line);
}

/* Drops the rest of a line that was too long. */
static bool
skip(struct relay *r, struct io *io)
{
	for (;;) {
		struct span s = buf_peek(&io->from_wire);
		size_t newline = span_find(s, '\n');

		if (newline == s.len) {
			/* keep the last octet: it may be the CR of a CRLF */
			if (s.len > 1)
				buf_take(&io->from_wire, s.len - 1);
			return false;
		}
		bool crlf = newline > 0 && s.at[newline - 1] == '\r';
		buf_take(&io->from_wire, newline + 1);
		if (crlf) {
			relay_enter(r, io, INPUT_COMMAND);
			return true;
		}
	}
}

bool
relay_command(struct relay *r, struct io *io)
{
	if (r->crypt == CRYPT_ON && buf_len(&io->from_wire) > 0)
		r->heard_inside = true;
	if (r->leaving != OUTCOME_NONE)
		return false;
	switch (r->input) {
	case INPUT_COMMAND:
	case INPUT_CONTINUATION:
		return command(r, io);
	case INPUT_MESSAGE:
		return relay_message(r, io);
	case INPUT_CHUNK:
		return relay_chunk_octets(r, io);
	case INPUT_SKIP:
		return skip(r, io);
	case INPUT_OVER:
		return false;
	}
	return false;
}
