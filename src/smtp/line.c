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
