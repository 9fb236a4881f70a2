/* The mailer's replies, on their way to the client. */
#include "smtp/relay_internal.h"

#include "smtp/ehlo.h"
#include "smtp/keyword.h"

#include <string.h>

/* Puts to `out` what the client is to see of a line of an EHLO reply.  False: nothing. */
static bool
put_keyword(const struct relay *r, struct span text, struct buf *out)
{
	struct span rest = text, word;

	if (r->crypt == CRYPT_ON)
		return keyword_inside(text, r->set->mark ? MESSAGE_TRACE_MAX : 0, out);
	if (span_word(&rest, ' ', &word) &&
	    (span_equal_nocase(word, SPAN("XCRYPT")) || span_starts_nocase(word, SPAN("XCRYPT-")) ||
	    (r->set->must && span_equal_nocase(word, SPAN("STARTTLS")))))
		return false;
	return buf_put(out, text);
}

static void
put_held(struct relay *r, struct io *io, char separator)
{
	uint8_t head[4] = { '2', '5', '0', (uint8_t)separator };

	buf_put(&io->to_wire, span(head, sizeof(head)));
	buf_put(&io->to_wire, span(r->held, r->held_len));
	buf_put(&io->to_wire, SPAN("\r\n"));
}

void
relay_put_held(struct relay *r, struct io *io)
{
	if (r->reply_lines > 0 && relay_queue_first(r) == VERB_EHLO && r->reply_code == 250)
		put_held(r, io, '-');
}

static void
hold(struct relay *r, struct span text)
{
	buf_put(&(struct buf){ .mem = r->held, .cap = sizeof(r->held) }, text);
	r->held_len = text.len;
}

static bool
offers(const struct relay *r)
{
	return r->crypt == CRYPT_NOT_YET && r->set->suites->count > 0;
}

/* What we add: the offer in the clear; inside, of generation 2.0, whose the short key is. */
static size_t
own_lines(struct relay *r, struct span lines[RELAY_SAYS_MAX])
{
	const struct suite *suite = handshake_suite(&r->handshake);
	size_t count = 0;

	if (r->offered)
		lines[count++] = handshake_offer(&r->handshake);
	if (r->crypt != CRYPT_ON || !suite->kex->confirms)
		return count;
	for (size_t i = 0; i < RELAY_SAYS_MAX; i++)
		if (r->set->says[i].len > 0)
			lines[count++] = r->set->says[i];
	return count;
}

/*
 * One line of a 250 reply to EHLO.  It is held until the next is there, for what is taken out or added
 * decides which is the last.
 */
static void
ehlo_line(struct relay *r, struct io *io, const struct reply_line *reply)
{
	struct span lines[RELAY_SAYS_MAX];
	uint8_t mem[LINE_MAX_OCTETS];
	struct buf text;

	buf_init(&text, mem, sizeof(mem));
	if (r->reply_lines == 0) {
		hold(r, reply->text);
	} else if (put_keyword(r, reply->text, &text)) {
		put_held(r, io, '-');
		hold(r, buf_peek(&text));
	}
	if (!reply->last)
		return;
	r->offered = offers(r);
	size_t count = own_lines(r, lines);
	put_held(r, io, count > 0 ? '-' : ' ');
	for (size_t i = 0; i < count; i++) {
		hold(r, lines[i]);
		put_held(r, io, i + 1 < count ? '-' : ' ');
	}
}

/* Of what the mailer offers, we have to know whether chunks are chunks. */
static void
note_chunking(struct relay *r, struct span text)
{
	if (r->reply_lines == 0)
		r->chunking = false;
	else if (ehlo_is(text, SPAN("CHUNKING")))
		r->chunking = true;
}

/* A line of the reply to EHLO in the clear is kept, for mailers that take one EHLO only. */
static void
keep_ehlo_line(struct relay *r, const struct line *line)
{
	bool first = r->reply_lines == 0;
	size_t len = first ? 0 : r->ehlo_len;

	r->ehlo_len = 0;
	/* a name cut short might be another's */
	if ((!first && len == 0) || r->said_len == RELAY_NAME_MAX ||
	    line->octets > sizeof(r->ehlo) - len)
		return;
	memcpy(r->ehlo + len, line->text.at, line->octets);
	r->ehlo_len = len + line->octets;
	memcpy(r->ehlo_name, r->said, r->said_len);
	r->ehlo_name_len = r->said_len;
}

/*
 * Does the mailer (OpenSMTPD) refuse, as the first one inside, the very EHLO it has answered in the clear?  Then
 * it is where a fresh one would have put it: nothing but EHLO has told it anything since its greeting.  Any later
 * one is refused in earnest, for instance amid a transaction that would go on.
 */
static bool
has_answered(const struct relay *r, enum verb verb, unsigned code)
{
	return verb == VERB_EHLO && r->crypt == CRYPT_ON && !r->hello_inside && code == 503 &&
	    r->ehlo_len > 0 &&
	    span_equal(span(r->said, r->said_len), span(r->ehlo_name, r->ehlo_name_len));
}

/* Its answer from then, as it is to be seen inside. */
static void
answer_again(struct relay *r, struct io *io)
{
	struct span rest = span(r->ehlo, r->ehlo_len);
	struct reply_line reply;
	struct line line;

	r->reply_lines = 0;
	while (line_reply(rest, &line) == LINE_FOUND && reply_line_read(line.text, &reply)) {
		note_chunking(r, reply.text);
		ehlo_line(r, io, &reply);
		r->reply_lines++;
		rest = span_from(rest, line.octets);
	}
}

_Static_assert(RELAY_EHLO_MAX <= LINE_MAX_OCTETS, "it fits where a longest line does");

/* The name is the client's from when the mailer has taken it. */
static void
take_name(struct relay *r)
{
	memcpy(r->name, r->said, r->said_len);
	r->name_len = r->said_len;
}

/* What a whole reply means for what comes next. */
static void
reply_is_whole(struct relay *r, enum verb verb, unsigned code)
{
	bool good = code >= 200 && code < 300;

	relay_note_message(r, verb, good);
	switch (verb) {
	case VERB_EHLO:
	case VERB_OWN_EHLO:
	case VERB_HELO:
		if (!good)
			break;
		if (verb != VERB_OWN_EHLO)
			take_name(r);
		r->hello = verb == VERB_HELO ? VERB_HELO : VERB_EHLO;
		r->hello_inside = r->crypt == CRYPT_ON;
		/* what an earlier EHLO offered, perhaps in the clear, HELO does not */
		r->chunking = r->chunking && verb != VERB_HELO;
		break;
	case VERB_DATA:
	case VERB_AUTH:
	case VERB_OTHER:
		/* 354 and 334 mean the same whatever they answer */
		if (code == 354)
			relay_message_follows(r);
		else if (code == 334)
			r->input = INPUT_CONTINUATION;
		break;
	case VERB_MESSAGE:
	case VERB_CHUNK_LAST:
		r->messages += good;
		break;
	case VERB_QUIT:
		r->done = code == 221;
		break;
	default:
		break;
	}
	/* one that is kept from the client told it nothing */
	if (verb == VERB_OWN_EHLO)
		return;
	r->last_code = code;
	if (code == 421 || code == 521 || (verb == VERB_GREETING && !good))
		r->gone = true;
}

/* Did it come before the mailer can have seen all that it answers?  A refusal needs not have. */
static bool
is_ahead(const struct relay *r, const struct io *io, enum verb verb, unsigned code)
{
	if (io->to_local.taken >= r->message_end)
		return false;
	switch (verb) {
	case VERB_MESSAGE:
		return true;
	case VERB_BDAT:
	case VERB_CHUNK_FIRST:
	case VERB_CHUNK_LAST:
		/* (where several are on their way, the end known is the last one's) */
		return r->queue_len == 1 && code < 400;
	default:
		return false;
	}
}

/*
 * A line of a reply that nothing asked for, or that came before the mailer can have seen the message's end.  Last
 * words are passed on, all of them: 421, and between messages what else is for now, as qmail's "451 timeout".
 */
static bool
unasked(struct relay *r, struct io *io, const struct line *line, const struct reply_line *reply)
{
	bool inside = r->input == INPUT_MESSAGE || r->queue_len > 0;

	if (r->leaving == OUTCOME_NONE) {
		r->leaving = inside    ? OUTCOME_EARLY_REPLY :
		    reply->code == 421 ? OUTCOME_LOCAL_GONE :
					 OUTCOME_UNASKED_REPLY;
		r->reply_code = reply->code;
		if (reply->code != 421 && (inside || reply->code / 100 != 4))
			r->reply_code = 0;
	}
	bool last = reply->last || reply->code != r->reply_code;
	if (reply->code == r->reply_code) {
		buf_put(&io->to_wire, span(line->text.at, line->octets));
		r->reply_lines++;
		r->gone = true;
	}
	buf_take(&io->from_local, line->octets);
	if (last)
		io->end = r->leaving;
	return !last;
}

static void
mailer_gone(struct relay *r, struct io *io)
{
	if (!relay_has_parted(r) && !io->wire_eof && r->reply_lines == 0)
		buf_printf(&io->to_wire, "421 4.3.0 %s lost the mailer behind it\r\n",
		    r->set->hostname);
	io->end = io->wire_eof         ? OUTCOME_WIRE_GONE :
	    r->leaving != OUTCOME_NONE ? r->leaving :
					 OUTCOME_LOCAL_GONE;
}

/*
 * A reply has one code (RFC 5321, section 4.2.1).  One to EHLO that has two could not be put together again,
 * for its lines do not all come here the same way; others pass as they came.
 */
static bool
differs(const struct relay *r, enum verb verb, unsigned code)
{
	return (verb == VERB_EHLO || verb == VERB_OWN_EHLO) && r->reply_lines > 0 &&
	    code != r->reply_code;
}

bool
relay_reply(struct relay *r, struct io *io)
{
	enum verb verb = relay_queue_first(r);
	struct reply_line reply;
	struct line line;

	/* room for the longest line, one held back, and ours */
	if (buf_room(&io->to_wire) < 2 * LINE_MAX_OCTETS + RELAY_SAYS_MAX * XCRYPT_LINE_MAX)
		return false;
	switch (line_reply(buf_peek(&io->from_local), &line)) {
	case LINE_NONE:
		if (io->local_eof)
			mailer_gone(r, io);
		return false;
	case LINE_TOO_LONG:
		io->end = OUTCOME_BAD_REPLY;
		return false;
	case LINE_FOUND:
		break;
	}
	if (!reply_line_read(line.text, &reply) || differs(r, verb, reply.code)) {
		io->end = OUTCOME_BAD_REPLY;
		return false;
	}
	if (r->leaving != OUTCOME_NONE || r->queue_len == 0 || is_ahead(r, io, verb, reply.code))
		return unasked(r, io, &line, &reply);

	if (r->crypt != CRYPT_ON)
		io_show(io, "<", line.text);
	if ((verb == VERB_EHLO || verb == VERB_OWN_EHLO) && reply.code == 250)
		note_chunking(r, reply.text);
	if (verb == VERB_EHLO && reply.code == 250) {
		if (r->crypt != CRYPT_ON)
			keep_ehlo_line(r, &line);
		ehlo_line(r, io, &reply);
	} else if (has_answered(r, verb, reply.code)) {
		if (reply.last) {
			answer_again(r, io);
			reply.code = 250;
		}
	} else if (verb != VERB_OWN_EHLO) {
		buf_put(&io->to_wire, span(line.text.at, line.octets));
	}
	if (r->reply_lines == 0)
		r->reply_code = reply.code;
	r->reply_lines = reply.last ? 0 : r->reply_lines + 1;
	/* it goes on with a line that is being skipped */
	if (reply.last && (reply.code == 334 || reply.code == 354) && r->input == INPUT_SKIP) {
		io->end = OUTCOME_BAD_REPLY;
		return false;
	}
	if (reply.last) {
		relay_queue_take(r);
		reply_is_whole(r, verb, reply.code);
		io->progress++;
		/* that was its last word, and whatever the client has said behind QUIT is not heard */
		if (r->done)
			io->end = OUTCOME_DONE;
	}
	buf_take(&io->from_local, line.octets);
	return true;
}
