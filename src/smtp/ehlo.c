#include "smtp/ehlo.h"

#include "smtp/line.h"

#include <string.h>

bool
ehlo_next(struct span *rest, struct span *text)
{
	struct reply_line reply;
	struct line line;

	if (line_reply(*rest, &line) != LINE_FOUND)
		return false;
	*rest = span_from(*rest, line.octets);
	*text = reply_line_read(line.text, &reply) ? reply.text : span(NULL, 0);
	return true;
}

bool
ehlo_is(struct span text, struct span keyword)
{
	struct span word;

	return span_word(&text, ' ', &word) && span_equal_nocase(word, keyword);
}

bool
ehlo_offers(const struct reply *reply, const char *keyword, struct span *parameters)
{
	struct span rest = buf_peek(&reply->raw), text;

	ehlo_next(&rest, &text);
	while (ehlo_next(&rest, &text)) {
		if (!ehlo_is(text, span_of(keyword)))
			continue;
		if (parameters != NULL)
			*parameters = span_from(text, strlen(keyword) + 1);
		return true;
	}
	return false;
}

bool
ehlo_has_word(struct span words, const char *word)
{
	struct span next;

	while (span_word(&words, ' ', &next))
		if (span_equal_nocase(next, span_of(word)))
			return true;
	return false;
}

static void
take_statement(struct span *found, unsigned *count, struct span text)
{
	*found = ++*count == 1 ? text : span(NULL, 0);
}

void
ehlo_find_statements(const struct reply *reply, struct span *id, struct span *next)
{
	struct span rest = buf_peek(&reply->raw), text;
	unsigned ids = 0, nexts = 0;

	*id = *next = span(NULL, 0);
	ehlo_next(&rest, &text);
	while (ehlo_next(&rest, &text)) {
		if (ehlo_is(text, SPAN("XCRYPT-ID")))
			take_statement(id, &ids, text);
		else if (ehlo_is(text, SPAN("XCRYPT-NEXT")))
			take_statement(next, &nexts, text);
	}
}

const char *
ehlo_find_offer(const struct reply *reply, size_t len_max, struct span *offer)
{
	struct span rest = buf_peek(&reply->raw), text;
	const char *why = "not-offered";
	unsigned offers = 0;

	ehlo_next(&rest, &text);
	while (ehlo_next(&rest, &text)) {
		if (ehlo_is(text, SPAN("XCRYPT"))) {
			*offer = text;
			offers++;
		}
		if (span_starts(text, SPAN("XXXX")))
			why = "masked-on-the-way";
	}
	if (offers > 1)
		return "two-offers";
	return offers == 1 && !line_is_torn(*offer) && offer->len <= len_max ? NULL : why;
}

void
ehlo_put_for_mta(struct buf *out, const struct reply *reply, bool encrypted, bool one_line)
{
	struct span rest = buf_peek(&reply->raw), text, held;

	ehlo_next(&rest, &held);
	while (!one_line && ehlo_next(&rest, &text)) {
		if (ehlo_is(text, SPAN("XCRYPT")) || span_starts_nocase(text, SPAN("XCRYPT-")) ||
		    (encrypted && ehlo_is(text, SPAN("STARTTLS"))))
			continue;
		buf_printf(out, "%u-", reply->code);
		buf_put(out, held);
		buf_put(out, SPAN("\r\n"));
		held = text;
	}
	buf_printf(out, "%u ", reply->code);
	buf_put(out, held);
	buf_put(out, SPAN("\r\n"));
}
