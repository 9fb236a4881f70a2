/*
 * Lines, commands, replies, and what is read from them.  For any octets, all lengths fit
 * together, and a reply is the same however it is cut.  The first two octets of an input say
 * where.
 */
#include "fuzz.h"

#include "base/log.h"
#include "smtp/ehlo.h"
#include "smtp/line.h"
#include "smtp/outcome.h"
#include "smtp/reply.h"

#include <string.h>

static bool
inside(struct span part, struct span whole)
{
	return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void
look_at_text(struct span text)
{
	struct span arguments = span(NULL, 0);
	struct reply_line reply;

	enum verb verb = verb_of(text, &arguments);
	assert(verb >= VERB_EHLO && verb <= VERB_OTHER && inside(arguments, text));
	if (arguments.len > 0)
		assert(arguments.at[0] != ' ' && arguments.at[0] != '\t' &&
		    arguments.at + arguments.len == text.at + text.len);
	if (reply_line_read(text, &reply)) {
		assert(reply.code >= 200 && reply.code <= 599 && inside(reply.text, text));
		assert(reply.text.len == (text.len > 4 ? text.len - 4 : 0));
		char status[13];
		outcome_status(status, reply.code, reply.text);
		assert(status[0] == (char)('0' + reply.code / 100) && strlen(status) < 13);
		if (reply.code >= 500)
			assert(outcome_refusal_exit(reply.code, reply.text, true) >= EXIT_NO_USER);
	}
}

static void
look_at_commands(struct span s)
{
	struct line line;

	for (struct span rest = s; line_command(rest, &line) == LINE_FOUND;) {
		assert(line.crlf && line.octets <= LINE_MAX_OCTETS && line.octets <= rest.len);
		assert(line.text.at == rest.at && line.text.len + 2 == line.octets);
		assert(memcmp(rest.at + line.text.len, "\r\n", 2) == 0);
		/* the first CRLF */
		for (size_t i = 0; i + 1 < line.text.len; i++)
			assert(memcmp(line.text.at + i, "\r\n", 2) != 0);
		look_at_text(line.text);
		rest = span_from(rest, line.octets);
	}
	for (struct span rest = s; line_reply(rest, &line) == LINE_FOUND;) {
		assert(line.octets <= LINE_MAX_OCTETS && line.octets <= rest.len);
		assert(line.text.len + 1u + line.crlf == line.octets);
		assert(span_find(line.text, '\n') == line.text.len);
		look_at_text(line.text);
		rest = span_from(rest, line.octets);
	}
}

/* Takes a reply in two parts, or in one if `cut` is beyond the end. */
static enum reply_state
take_cut(struct reply *r, struct span s, size_t cut, bool lenient)
{
	static uint8_t mem[1 << 16];
	struct buf in;
	struct span first = take_octets(&s, cut);
	enum reply_state state = REPLY_MORE;

	buf_init(&in, mem, sizeof(mem));
	reply_start(r);
	r->lenient = lenient;
	if (buf_put(&in, first))
		state = reply_take(r, &in);
	if (state == REPLY_MORE && s.len > 0 && buf_put(&in, s))
		state = reply_take(r, &in);
	return state;
}

/*
 * In the clear: complete if the strict reading is, and then with the same code; all that is
 * kept belongs to a reply.
 */
static void
look_at_lenient(struct span s, size_t cut)
{
	static struct reply strict, whole, parts;
	struct reply_line read;
	struct line line;

	enum reply_state state = take_cut(&whole, s, SIZE_MAX, true);
	assert(take_cut(&parts, s, cut, true) == state);
	assert(whole.code == parts.code && whole.skipped == parts.skipped);
	assert(span_equal(buf_peek(&whole.raw), buf_peek(&parts.raw)));
	assert(whole.skipped <= REPLY_MAX && (state == REPLY_WHOLE) == (whole.code != 0));
	for (struct span rest = buf_peek(&whole.raw); rest.len > 0;
	     rest = span_from(rest, line.octets))
		assert(line_reply(rest, &line) == LINE_FOUND && reply_line_read(line.text, &read));
	if (take_cut(&strict, s, SIZE_MAX, false) != REPLY_WHOLE)
		return;
	assert(state == REPLY_WHOLE && whole.code == strict.code && whole.skipped == 0);
	assert(span_equal(buf_peek(&whole.raw), buf_peek(&strict.raw)));
}

static void
look_at_reply(struct span s, size_t cut)
{
	static struct reply whole, parts;
	struct span rest, text, offer = span(NULL, 0);
	unsigned lines = 0, crlf = 0;

	enum reply_state state = take_cut(&whole, s, SIZE_MAX, false);
	assert(take_cut(&parts, s, cut, false) == state);
	assert(span_equal(buf_peek(&whole.raw), buf_peek(&parts.raw)));
	assert(whole.code == parts.code && whole.lines == parts.lines && whole.crlf == parts.crlf);
	assert(span_starts(s, buf_peek(&whole.raw)));
	assert((state == REPLY_WHOLE) == (whole.code != 0));
	rest = buf_peek(&whole.raw);
	for (size_t i = 1; i < rest.len; i++)
		crlf += rest.at[i - 1] == '\r' && rest.at[i] == '\n';
	assert(whole.crlf == (crlf == whole.lines));
	while (ehlo_next(&rest, &text))
		lines++;
	assert(lines == whole.lines && rest.len == 0);
	assert(inside(reply_last_line(&whole), buf_peek(&whole.raw)));
	if (ehlo_offers(&whole, "XCRYPT", &offer))
		assert(lines > 1 && inside(offer, buf_peek(&whole.raw)));
	ehlo_has_word(offer, "chacha20poly1305_2.0");
	reply_copy(&parts, &whole);
	assert(span_equal(buf_peek(&whole.raw), buf_peek(&parts.raw)));
}

/* Statement 15: nothing that could be taken for something else in a log. */
static void
look_at_log(struct span s)
{
	uint8_t mem[LOG_VALUE_MAX + 64];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	log_pair(&out, "name", s);
	struct span line = buf_peek(&out);
	assert(span_starts(line, SPAN(" name=")) && line.len > strlen(" name="));
	for (size_t i = strlen(" name="); i < line.len; i++)
		assert(line.at[i] > ' ' && line.at[i] < 0x7f &&
		    line.at[i] != '"' && line.at[i] != '=');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span(data, size);
	size_t cut = take_number(&s);

	look_at_commands(s);
	look_at_reply(s, s.len > 0 ? cut % s.len : 0);
	look_at_lenient(s, s.len > 0 ? cut % s.len : 0);
	look_at_log(s);
	return 0;
}
