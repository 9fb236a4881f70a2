#include "smtp/reply.h"

#include "smtp/line.h"

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

/* Leaves out a line that is not a reply line.  False: not lenient, or too many such lines. */
static bool
reply_skip(struct reply *r, struct buf *in, size_t octets)
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
			if (!reply_skip(r, in, line.octets))
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
