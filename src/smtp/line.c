#include "smtp/line.h"

enum line_found
line_command(struct span s, struct line *line)
{
	size_t limit = s.len < LINE_MAX_OCTETS ? s.len : LINE_MAX_OCTETS;

	for (size_t at = 0; at < limit; at++) {
		at += span_find(span(s.at + at, limit - at), '\n');
		if (at < limit && at > 0 && s.at[at - 1] == '\r') {
			*line = (struct line){ span(s.at, at - 1), at + 1, true };
			return LINE_FOUND;
		}
	}
	return s.len >= LINE_MAX_OCTETS ? LINE_TOO_LONG : LINE_NONE;
}

enum line_found
line_reply(struct span s, struct line *line)
{
	size_t limit = s.len < LINE_MAX_OCTETS ? s.len : LINE_MAX_OCTETS;
	size_t at = span_find(span(s.at, limit), '\n');

	if (at == limit)
		return s.len >= LINE_MAX_OCTETS ? LINE_TOO_LONG : LINE_NONE;
	bool crlf = at > 0 && s.at[at - 1] == '\r';
	*line = (struct line){ span(s.at, crlf ? at - 1 : at), at + 1, crlf };
	return LINE_FOUND;
}

bool
line_is_torn(struct span text)
{
	return span_find(text, '\0') < text.len || span_find(text, '\r') < text.len ||
	    span_find(text, '\n') < text.len;
}

static bool
blank(uint8_t octet)
{
	return octet == ' ' || octet == '\t';
}

enum verb
verb_of(struct span text, struct span *arguments)
{
	static const struct {
		const char *word;
		enum verb verb;
	} table[] = {
		{ "EHLO", VERB_EHLO }, { "HELO", VERB_HELO }, { "NOOP", VERB_NOOP },
		{ "RSET", VERB_RSET }, { "HELP", VERB_HELP }, { "VRFY", VERB_VRFY },
		{ "EXPN", VERB_EXPN }, { "QUIT", VERB_QUIT }, { "XCRYPT", VERB_XCRYPT },
		{ "MAIL", VERB_MAIL }, { "RCPT", VERB_RCPT }, { "DATA", VERB_DATA },
		{ "BDAT", VERB_BDAT }, { "AUTH", VERB_AUTH }, { "STARTTLS", VERB_STARTTLS },
	};
	size_t start = 0, end, behind;

	while (start < text.len && blank(text.at[start]))
		start++;
	for (end = start; end < text.len && !blank(text.at[end]); end++)
		;
	for (behind = end; behind < text.len && blank(text.at[behind]); behind++)
		;
	*arguments = span_from(text, behind);
	struct span word = span_from(text, start);
	word.len = end - start;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (span_equal_nocase(word, span_of(table[i].word)))
			return table[i].verb;
	return VERB_OTHER;
}

bool
reply_line_read(struct span text, struct reply_line *reply)
{
	uint64_t code;

	if (text.len < 3 || !span_number(span(text.at, 3), 599, &code) || code < 200)
		return false;
	if (text.len > 3 && text.at[3] != ' ' && text.at[3] != '-')
		return false;
	reply->code = (unsigned)code;
	reply->last = text.len == 3 || text.at[3] == ' ';
	reply->text = span_from(text, 4);
	return true;
}

void
reply_start(struct reply *r)
{
	buf_init(&r->raw, r->mem, sizeof(r->mem));
	r->code = 0;
	r->lines = 0;
	r->crlf = true;
	r->lenient = false;
	r->skipped = 0;
}

/* A line that is none of a reply.  False: too many of them, or none are borne. */
static bool
skip(struct reply *r, struct buf *in, size_t octets)
{
	if (!r->lenient || r->skipped + octets > REPLY_MAX)
		return false;
	buf_take(in, octets);
	r->skipped += octets;
	return true;
}

enum reply_state
reply_take(struct reply *r, struct buf *in)
{
	struct line line;
	struct reply_line reply;

	for (;;) {
		switch (line_reply(buf_peek(in), &line)) {
		case LINE_NONE:
			return REPLY_MORE;
		case LINE_TOO_LONG:
			return REPLY_BROKEN;
		case LINE_FOUND:
			break;
		}
		if (!reply_line_read(line.text, &reply)) {
			if (!skip(r, in, line.octets))
				return REPLY_BROKEN;
			continue;
		}
		if ((r->lines > 0 && reply.code != r->first_code && !r->lenient) ||
		    !buf_put(&r->raw, span(buf_peek(in).at, line.octets)))
			return REPLY_BROKEN;
		buf_take(in, line.octets);
		r->first_code = reply.code;
		r->lines++;
		r->crlf = r->crlf && line.crlf;
		if (reply.last) {
			r->code = reply.code;
			return REPLY_WHOLE;
		}
	}
}

void
reply_copy(struct reply *to, const struct reply *from)
{
	reply_start(to);
	buf_put(&to->raw, buf_peek(&from->raw));
	to->code = from->code;
	to->lines = from->lines;
	to->crlf = from->crlf;
}

struct span
reply_last_line(const struct reply *r)
{
	struct span rest = buf_peek(&r->raw), last = span(NULL, 0);
	struct line line;

	while (line_reply(rest, &line) == LINE_FOUND) {
		last = line.text;
		rest = span_from(rest, line.octets);
	}
	return last;
}
