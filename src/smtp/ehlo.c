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
