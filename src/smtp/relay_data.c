/* Messages on their way to the backend: DATA, BDAT, and the trace line. */
#include "smtp/relay_internal.h"

#include <inttypes.h>

/*
 * Appends the trace line for a message that begins with `head`, unless none may precede it.
 * `whole`: nothing follows `head`.  False: more of the message or more room is needed.
 */
static bool
put_trace(struct relay *r, const struct io *io, struct buf *out, struct span head, bool whole)
{
	struct message_trace trace = {
		.from = span(r->name, r->name_len),
		.peer = r->set->peer,
		.by = r->set->hostname,
		.esmtp = r->hello == VERB_EHLO,
		.tls = r->tls,
		.authenticated = r->authenticated,
		.suite = r->tls ? r->set->tls_name(r->set->says_context) :
		    handshake_suite(&r->handshake)->name,
		.wall_s = io->wall_s,
	};

	if (!r->set->mark)
		return true;
	if (buf_room(out) < MESSAGE_TRACE_MAX)
		return false;
	switch (message_front(head, whole)) {
	case FRONT_UNKNOWN:
		return false;
	case FRONT_FREE:
		message_put_trace(out, &trace);
		break;
	case FRONT_TAKEN:
		break;
	}
	return true;
}

/*
 * Reads `size [LAST]` (RFC 3030).  False if it is malformed, or if the size with the trace line
 * added would not fit into a signed 64-bit integer of the backend.
 */
static bool
read_chunk(struct span arguments, uint64_t *size, bool *last)
{
	struct span word;

	if (!span_word(&arguments, ' ', &word) ||
	    !span_number(word, INT64_MAX - MESSAGE_TRACE_MAX, size))
		return false;
	*last = false;
	while (span_word(&arguments, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (*last || !span_equal_nocase(word, SPAN("LAST")))
			return false;
		*last = true;
	}
	return true;
}

bool
relay_refuse_chunk(struct relay *r, struct io *io, const struct line *line, struct span arguments,
    const char *text)
{
	uint64_t size;
	bool last, empty = read_chunk(arguments, &size, &last) && size == 0;

	if (!relay_answer(r, io, line->octets, text))
		return false;
	if (!empty)
		io->end = OUTCOME_BAD_CHUNK;
	return true;
}

bool
relay_chunk(struct relay *r, struct io *io, const struct line *line, struct span arguments)
{
	uint8_t mem[MESSAGE_TRACE_MAX];
	struct buf trace;
	uint64_t size;
	bool last;

	/* some backends would read the chunk as commands, others as a chunk nevertheless */
	if (!r->chunking) {
		if (!relay_answer(r, io, line->octets, "502 5.5.1 CHUNKING not offered"))
			return false;
		io->end = OUTCOME_BAD_CHUNK;
		return true;
	}
	if (!read_chunk(arguments, &size, &last)) {
		if (!relay_answer(r, io, line->octets,
			"501 5.5.4 Invalid BDAT chunk size"))
			return false;
		io->end = OUTCOME_BAD_CHUNK;
		return true;
	}
	if (relay_queue_full(r) || buf_room(&io->to_local) < sizeof(mem) + 64)
		return false;
	buf_init(&trace, mem, sizeof(mem));
	/* some backends refuse an empty chunk, so the trace line must not fill one */
	bool filled = size > 0 || last;
	/* the trace line belongs to the first chunk: wait until it is known whether this is it */
	if (r->set->mark && filled && !relay_begun_is_settled(r))
		return false;
	bool begins = !r->begun && filled;
	struct span head = span_from(buf_peek(&io->from_wire), line->octets);
	if (head.len > size)
		head.len = (size_t)size;
	if (begins && !put_trace(r, io, &trace, head, io->wire_eof || head.len == size))
		return false;
	buf_printf(&io->to_local, "BDAT %" PRIu64 "%s\r\n", size + buf_len(&trace),
	    last ? " LAST" : "");
	buf_put(&io->to_local, buf_peek(&trace));
	relay_queue_put(r, last ? VERB_CHUNK_LAST : begins ? VERB_CHUNK_FIRST : VERB_BDAT);
	r->sync = false;
	r->chunk_left = size;
	r->message_end = relay_sent(io) + size;
	relay_enter(r, io, size > 0 ? INPUT_CHUNK : INPUT_COMMAND);
	relay_take(io, line->octets);
	return true;
}

/* Restarts the deadline after each block of a message. */
static void
count_block(struct relay *r, struct io *io, size_t octets)
{
	r->block += octets;
	if (r->block >= IO_BLOCK) {
		r->block = 0;
		io->progress++;
	}
}

static struct span
what_fits(const struct io *io)
{
	struct span s = buf_peek(&io->from_wire);

	if (s.len > buf_room(&io->to_local))
		s.len = buf_room(&io->to_local);
	return s;
}

void
relay_message_follows(struct relay *r, struct io *io)
{
	relay_enter(r, io, INPUT_MESSAGE);
	r->trace_due = !r->begun;	/* some backends accept DATA after BDAT */
	r->dots = DOTS_CRLF;
	r->block = 0;
}

bool
relay_message(struct relay *r, struct io *io)
{
	struct span head = buf_peek(&io->from_wire);
	bool ended;

	if (r->trace_due && !put_trace(r, io, &io->to_local, head, io->wire_eof))
		return false;
	r->trace_due = false;
	struct span s = what_fits(io);
	if (s.len == 0)
		return false;
	s.len = message_scan(&r->dots, s, &ended);
	buf_put(&io->to_local, s);
	buf_take(&io->from_wire, s.len);
	count_block(r, io, s.len);
	if (ended) {
		relay_enter(r, io, INPUT_COMMAND);
		r->message_end = relay_sent(io);
		relay_queue_put(r, VERB_MESSAGE);
		io->progress++;
	}
	return true;
}

bool
relay_chunk_octets(struct relay *r, struct io *io)
{
	struct span s = what_fits(io);

	if (s.len == 0)
		return false;
	if (s.len > r->chunk_left)
		s.len = (size_t)r->chunk_left;
	buf_put(&io->to_local, s);
	buf_take(&io->from_wire, s.len);
	count_block(r, io, s.len);
	r->chunk_left -= s.len;
	if (r->chunk_left == 0)
		relay_enter(r, io, INPUT_COMMAND);
	return true;
}
