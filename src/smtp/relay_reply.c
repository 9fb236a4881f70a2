/* The backend's replies on their way to the client. */
#include "smtp/relay_internal.h"

#include "smtp/ehlo.h"
#include "smtp/keyword.h"
#include "smtp/reply.h"

#include <string.h>

/* Whether the backend's STARTTLS is not for the client. */
static bool
passes_no_starttls(const struct relay *r)
{
	return r->set->encryption_required || r->set->starttls != RELAY_STARTTLS_BACKEND;
}

/*
 * Appends what the client is to see of a line of a reply to EHLO.  False: the line is left out.
 */
static bool
put_keyword(const struct relay *r, struct span text, struct buf *out)
{
	struct span rest = text, word;

	if (r->crypt == CRYPT_ON)
		return keyword_inside(text, r->set->mark ? MESSAGE_TRACE_MAX : 0, out);
	if (span_word(&rest, ' ', &word) &&
	    (span_equal_nocase(word, SPAN("XCRYPT")) || span_starts_nocase(word, SPAN("XCRYPT-")) ||
	    (passes_no_starttls(r) && span_equal_nocase(word, SPAN("STARTTLS")))))
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

/* The lines that we add: the offers in the clear; inside, with 2.0, the host key statements. */
static size_t
own_lines(struct relay *r, struct span lines[RELAY_SAYS_MAX])
{
	size_t count = 0;

	if (relay_has_starttls(r) && r->crypt != CRYPT_ON)
		lines[count++] = SPAN("STARTTLS");
	if (r->offered)
		lines[count++] = handshake_offer(&r->handshake);
	for (size_t i = 0; r->crypt == CRYPT_ON && i < r->says_count; i++)
		lines[count++] = r->says[i];
	return count;
}

/*
 * Handles one line of a 250 reply to EHLO.  Each line is held until the next one is known, since
 * lines are left out and added, and the last one is marked by a space after its code.
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
	/* the client waits for the last line, and a backend may write line by line */
	io->gathers = true;
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

/* Notes whether the backend offers CHUNKING, that is, whether it reads BDAT. */
static void
note_chunking(struct relay *r, struct span text)
{
	if (r->reply_lines == 0)
		r->chunking = false;
	else if (ehlo_is(text, SPAN("CHUNKING")))
		r->chunking = true;
}

/* Keeps a line of the reply to EHLO in the clear, for backends that accept EHLO only once. */
static void
keep_ehlo_line(struct relay *r, const struct line *line)
{
	bool first = r->reply_lines == 0;
	size_t len = first ? 0 : r->ehlo_len;

	r->ehlo_len = 0;
	/* a name that was cut off could match a different one later */
	if ((!first && len == 0) || r->said_len == RELAY_NAME_MAX ||
	    line->octets > sizeof(r->ehlo) - len)
		return;
	memcpy(r->ehlo + len, line->text.at, line->octets);
	r->ehlo_len = len + line->octets;
	memcpy(r->ehlo_name, r->said, r->said_len);
	r->ehlo_name_len = r->said_len;
}

/*
 * Whether the backend refuses the first EHLO inside with 503 because it has answered the same
 * EHLO in the clear, as OpenSMTPD does.  Its state is then what a new EHLO would have made it,
 * as no command since its greeting has changed it.  A later EHLO may be refused for good
 * reason, for instance in a transaction, and that refusal counts.
 */
static bool
has_answered(const struct relay *r, enum verb verb, unsigned code)
{
	return verb == VERB_EHLO && r->crypt == CRYPT_ON && !r->hello_inside && code == 503 &&
	    r->ehlo_len > 0 &&
	    span_equal(span(r->said, r->said_len), span(r->ehlo_name, r->ehlo_name_len));
}

/* Repeats the reply to the EHLO in the clear, with the lines that it has inside. */
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

/* The backend has accepted EHLO or HELO: from now on its name is the client's. */
static void
take_name(struct relay *r)
{
	memcpy(r->name, r->said, r->said_len);
	r->name_len = r->said_len;
}

/* Updates the state after a complete reply. */
static void
reply_is_whole(struct relay *r, struct io *io, enum verb verb, unsigned code)
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
		if (verb == VERB_EHLO)
			handshake_hello(&r->handshake, span(r->hello_line, r->hello_line_len));
		r->hello = verb == VERB_HELO ? VERB_HELO : VERB_EHLO;
		r->hello_inside = r->crypt == CRYPT_ON;
		/* HELO offers nothing; an earlier EHLO, perhaps in the clear, does not count */
		r->chunking = r->chunking && verb != VERB_HELO;
		break;
	case VERB_DATA:
	case VERB_AUTH:
	case VERB_OTHER:
		r->authenticated = r->authenticated || (verb == VERB_AUTH && code == 235);
		/* 354 and 334 mean the same after a verb that we do not know */
		if (code == 354)
			relay_message_follows(r, io);
		else if (code == 334)
			relay_enter(r, io, INPUT_CONTINUATION);
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
	/* the client does not see the reply to our own EHLO */
	if (verb == VERB_OWN_EHLO)
		return;
	r->last_code = code;
	if (code == 421 || code == 521 || (verb == VERB_GREETING && !good))
		r->gone = true;
}

/* Whether a reply came before the backend can have seen all of what it answers. */
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
		/*
		 * A refusal may come early.  With more than one chunk on its way, message_end is
		 * the end of the last one and says nothing about this reply.
		 */
		return r->queue_len == 1 && code < 400;
	default:
		return false;
	}
}

/*
 * Handles a line of a reply that answers no command, or that came before the backend can have
 * seen the end of the message.  The session ends after it.  It is passed on if it announces
 * that the backend closes: a 421, or any 4yz when no command is outstanding, such as qmail's
 * "451 timeout".
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
		buf_printf(&io->to_wire, "421 4.3.0 %s Lost connection to the mail server\r\n",
		    r->set->hostname);
	io->end = io->wire_eof         ? OUTCOME_WIRE_GONE :
	    r->leaving != OUTCOME_NONE ? r->leaving :
					 OUTCOME_LOCAL_GONE;
}

/*
 * Whether a reply to EHLO changes its code between lines, against RFC 5321, section 4.2.1.
 * Only 250 lines are rewritten, so such a reply could not be passed on as one.  Other replies
 * pass unchanged.
 */
static bool
differs(const struct relay *r, enum verb verb, unsigned code)
{
	return (verb == VERB_EHLO || verb == VERB_OWN_EHLO) && r->reply_lines > 0 &&
	    code != r->reply_code;
}

/* A refusal has no statements of ours; the padding must not show that they are missing. */
static void
hide_own_lines(const struct relay *r, struct io *io)
{
	for (size_t i = 0; i < r->says_count; i++)
		io->hides += r->says[i].len + sizeof("250-\r\n") - 1;
}

bool
relay_reply(struct relay *r, struct io *io)
{
	enum verb verb = relay_queue_first(r);
	struct reply_line reply;
	struct line line;

	/* room for the longest line, one held back, and our own lines */
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
	/* the rest of a line that was too long would be read as the message */
	if (reply.last && (reply.code == 334 || reply.code == 354) && r->input == INPUT_SKIP) {
		io->end = OUTCOME_BAD_REPLY;
		return false;
	}
	if (reply.last) {
		if (io->gathers && reply.code != 250)
			hide_own_lines(r, io);
		relay_queue_take(r);
		reply_is_whole(r, io, verb, reply.code);
		io->progress++;
		/* what the client sent after QUIT is ignored */
		if (r->done)
			io->end = OUTCOME_DONE;
		/* a 421 to the repeated EHLO: the session ends before it begins */
		else if (io->gathers && reply.code != 250 && r->gone)
			io->end = OUTCOME_LOCAL_GONE;
		io->gathers = false;
	}
	buf_take(&io->from_local, line.octets);
	return true;
}
