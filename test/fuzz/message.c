/*
 * Where a message ends, compared with a plain search, in pieces of any size; and the trace
 * line.  An input is the size of the first piece, the length of a name, the name, and the
 * message.
 */
#include "fuzz.h"

#include "smtp/message.h"

#include <string.h>

/*
 * The octets up to the end of the first CRLF . CRLF, where a message begins after a CRLF; 0:
 * there is none.
 */
static size_t
find_end(struct span s)
{
	if (span_starts(s, SPAN(".\r\n")))
		return 3;
	for (size_t i = 0; i + 5 <= s.len; i++)
		if (memcmp(s.at + i, "\r\n.\r\n", 5) == 0)
			return i + 5;
	return 0;
}

static size_t
scan(struct span s, size_t piece, bool *ended)
{
	enum dots dots = DOTS_CRLF;
	size_t at = 0;

	*ended = false;
	while (at < s.len && !*ended) {
		struct span rest = span_from(s, at);
		size_t len = rest.len < piece ? rest.len : piece;
		size_t belongs = message_scan(&dots, span(rest.at, len), ended);

		assert(belongs <= len && (belongs == len || *ended));
		at += belongs;
		piece = piece * 7 % 13 + 1;
	}
	return at;
}

/* Statement 15: the name of a client is one word of the trace line, whatever it is. */
static void
look_at_trace(struct span name)
{
	uint8_t mem[MESSAGE_TRACE_MAX];
	struct buf out;
	struct message_trace trace = {
		.from = name, .peer = "[192.0.2.1]", .by = "mx.b.example",
		.esmtp = name.len & 1, .tls = name.len & 2, .authenticated = name.len & 4,
		.suite = "chacha20poly1305_2.0", .wall_s = 1800000000,
	};
	struct span begin = SPAN("Received: from "), line;

	buf_init(&out, mem, sizeof(mem));
	message_put_trace(&out, &trace);
	line = buf_peek(&out);
	assert(span_starts(line, begin));
	line = span_from(line, begin.len);
	struct span word = span(line.at, span_find(line, ' '));
	assert(word.len >= 1 && word.len <= 255);
	for (size_t i = 0; i < word.len; i++)
		assert(word.at[i] > ' ' && word.at[i] < 0x7f &&
		    strchr("()<>@,;\\\"", word.at[i]) == NULL);
	assert(span_starts(span_from(line, word.len),
	    SPAN(" ([192.0.2.1]) by mx.b.example\r\n    with ")));
	assert(line.at[line.len - 2] == '\r' && line.at[line.len - 1] == '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span(data, size);
	size_t piece = take_octet(&s) + 1u;
	struct span name = take_octets(&s, take_octet(&s));
	bool ended;

	fixed_start(1);
	look_at_trace(name);
	size_t end = find_end(s);
	assert(scan(s, SIZE_MAX, &ended) == (end > 0 ? end : s.len) && ended == (end > 0));
	assert(scan(s, piece, &ended) == (end > 0 ? end : s.len) && ended == (end > 0));
	return 0;
}
