#include "unit.h"

#include "base/clock.h"
#include "smtp/message.h"

#include <time.h>

static uint8_t out_mem[MESSAGE_TRACE_MAX];
static struct buf out;

static void
assert_scan(struct span s, size_t cut, size_t belongs, bool ends)
{
	enum dots dots = DOTS_CRLF;
	bool ended = false;
	size_t at = message_scan(&dots, span(s.at, cut), &ended);

	if (!ended) {
		assert_int_equal(at, cut);
		at += message_scan(&dots, span_from(s, cut), &ended);
	}
	assert_int_equal(ended, ends);
	assert_int_equal(at, belongs);
}

/* Cut anywhere: the first `belongs` octets are part of the message, which then ends if `ends`. */
static void
assert_every_cut(struct span s, size_t belongs, bool ends)
{
	enum dots dots = DOTS_CRLF;
	bool ended = false;
	size_t at = 0;

	for (size_t cut = 0; cut <= s.len; cut++)
		assert_scan(s, cut, belongs, ends);
	while (at < s.len && !ended)
		at += message_scan(&dots, span(s.at + at, 1), &ended);
	assert_int_equal(at, belongs);
	assert_int_equal(ended, ends);
}

/*
 * statement 8: none of the ten ends the message, wherever it is cut, and a real end after it does
 */
static void
threat_8_only_crlf_dot_crlf_ends(void **state)
{
	static const struct span none[] = {
		{ (const uint8_t *)"\n.\n", 3 }, { (const uint8_t *)"\r.\r", 3 },
		{ (const uint8_t *)"\r.\n", 3 }, { (const uint8_t *)"\n.\r", 3 },
		{ (const uint8_t *)"\n.\r\n", 4 }, { (const uint8_t *)"\r\n.\n", 4 },
		{ (const uint8_t *)"\r.\r\n", 4 }, { (const uint8_t *)"\r\n.\r", 4 },
		{ (const uint8_t *)"\r\n\0.\r\n", 6 }, { (const uint8_t *)"\r\n.\0\r\n", 6 },
	};
	uint8_t mem[32];
	struct buf s;

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		buf_init(&s, mem, sizeof(mem));
		buf_put(&s, SPAN("a"));
		buf_put(&s, none[i]);
		buf_put(&s, SPAN("x"));
		assert_every_cut(buf_peek(&s), buf_len(&s), false);
		buf_put(&s, SPAN("\r\n.\r\n"));
		size_t whole = buf_len(&s);
		buf_put(&s, SPAN("QUIT\r\n"));
		assert_every_cut(buf_peek(&s), whole, true);
	}
}

static void
threat_10_an_end_is_never_missed(void **state)
{
	(void)state;
	assert_every_cut(SPAN(".\r\nQUIT\r\n"), 3, true);
	assert_every_cut(SPAN("\r\n.\r\n"), 5, true);
	assert_every_cut(SPAN("a\r\r\n.\r\nb"), 7, true);
	assert_every_cut(SPAN("a\r\n.\r\r\n.\r\nb"), 10, true);
	assert_every_cut(SPAN("a\r\n..\r\n.\r\nb"), 10, true);
	assert_every_cut(SPAN("\r\n\r\n.\r\n.\r\n"), 7, true);
	assert_every_cut(SPAN("a.\r\n"), 4, false);
	assert_every_cut(SPAN("..\r\n"), 4, false);
	assert_every_cut(SPAN(""), 0, false);
}

static struct message_trace
usual_trace(struct span from)
{
	return (struct message_trace){
		.from = from,
		.peer = "[192.0.2.1]",
		.by = "mx.b.example",
		.esmtp = true,
		.suite = "chacha20poly1305_2.0",
		.wall_s = 1800000000,
	};
}

static struct span
put_trace(struct message_trace trace)
{
	buf_init(&out, out_mem, sizeof(out_mem));
	message_put_trace(&out, &trace);
	return buf_peek(&out);
}

static void
assert_trace(struct message_trace trace, const char *front)
{
	char date[CLOCK_DATE_MAX], want[MESSAGE_TRACE_MAX];

	clock_date(date, trace.wall_s);
	snprintf(want, sizeof(want), "%s; %s\r\n", front, date);
	assert_span(put_trace(trace), want);
}

static void
the_trace_line_is_exactly_this(void **state)
{
	struct message_trace trace = usual_trace(SPAN("mail.a.example"));

	(void)state;
	assert_trace(trace, "Received: from mail.a.example ([192.0.2.1]) by mx.b.example\r\n"
	    "    with ESMTP (XCRYPT chacha20poly1305_2.0)");
	trace.esmtp = false;
	trace.peer = "";
	trace.suite = "arsyfor_1.0";
	assert_trace(trace, "Received: from mail.a.example by mx.b.example\r\n"
	    "    with SMTP (XCRYPT arsyfor_1.0)");
}

/* statement 15 */
static void
threat_15_names_in_the_trace_line_are_names(void **state)
{
	(void)state;
	assert_trace(usual_trace(SPAN("")),
	    "Received: from unknown ([192.0.2.1]) by mx.b.example\r\n"
	    "    with ESMTP (XCRYPT chacha20poly1305_2.0)");
	assert_trace(usual_trace(SPAN("a\r\nBcc: <x@y>\0(\x7f\xff)\";\\,\t/=%")),
	    "Received: from a??Bcc:??x?y?????????????? ([192.0.2.1]) by mx.b.example\r\n"
	    "    with ESMTP (XCRYPT chacha20poly1305_2.0)");
	assert_trace(usual_trace(SPAN("[IPv6:2001:db8::1]-._Z9")),
	    "Received: from [IPv6:2001:db8::1]-._Z9 ([192.0.2.1]) by mx.b.example\r\n"
	    "    with ESMTP (XCRYPT chacha20poly1305_2.0)");
}

/* statement 15: truncated at the limit, and the rest of the line still fits */
static void
threat_15_names_in_the_trace_line_are_cut(void **state)
{
	uint8_t name[4096];

	(void)state;
	memset(name, 'a', sizeof(name));
	size_t longest = put_trace(usual_trace(span(name, 255))).len;
	assert_int_equal(put_trace(usual_trace(span(name, 254))).len, longest - 1);
	assert_int_equal(put_trace(usual_trace(span(name, 256))).len, longest);
	assert_int_equal(put_trace(usual_trace(span(name, sizeof(name)))).len, longest);

	char by[256];
	memset(by, 'b', sizeof(by) - 1);
	by[255] = '\0';
	struct message_trace trace = usual_trace(span(name, sizeof(name)));
	trace.by = by;
	struct span whole = put_trace(trace);
	assert_memory_equal(whole.at + whole.len - 2, "\r\n", 2);
	assert_int_equal(whole.len, longest + 255 - strlen("mx.b.example"));
}

/* statement 8: first lines that have a special meaning to mailers */
static void
threat_8_what_may_have_a_line_in_front(void **state)
{
	static const struct {
		const char *head;
		enum message_front more, whole;
	} rows[] = {
		{ "", FRONT_UNKNOWN, FRONT_FREE }, { ".\r\n", FRONT_FREE, FRONT_FREE },
		{ " ", FRONT_TAKEN, FRONT_TAKEN }, { "\tx", FRONT_TAKEN, FRONT_TAKEN },
		{ "F", FRONT_UNKNOWN, FRONT_FREE }, { "From", FRONT_UNKNOWN, FRONT_FREE },
		{ "From ", FRONT_TAKEN, FRONT_TAKEN }, { "From:", FRONT_FREE, FRONT_FREE },
		{ "from ", FRONT_FREE, FRONT_FREE }, { ">", FRONT_UNKNOWN, FRONT_FREE },
		{ ">>From x", FRONT_TAKEN, FRONT_TAKEN }, { "> From ", FRONT_FREE, FRONT_FREE },
		{ "\r\n", FRONT_FREE, FRONT_FREE }, { "Subject", FRONT_FREE, FRONT_FREE },
	};
	uint8_t row[66];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(message_front(span_of(rows[i].head), false), rows[i].more);
		assert_int_equal(message_front(span_of(rows[i].head), true), rows[i].whole);
	}
	/* the wait is limited */
	memset(row, '>', sizeof(row));
	assert_int_equal(message_front(span(row, 64), false), FRONT_UNKNOWN);
	assert_int_equal(message_front(span(row, 65), false), FRONT_FREE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_8_only_crlf_dot_crlf_ends),
		cmocka_unit_test(threat_10_an_end_is_never_missed),
		cmocka_unit_test(threat_8_what_may_have_a_line_in_front),
		cmocka_unit_test(the_trace_line_is_exactly_this),
		cmocka_unit_test(threat_15_names_in_the_trace_line_are_names),
		cmocka_unit_test(threat_15_names_in_the_trace_line_are_cut),
	};

	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
