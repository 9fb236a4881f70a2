#include "unit.h"

#include "smtp/line.h"
#include "smtp/reply.h"

static uint8_t octets[LINE_MAX_OCTETS];

/* `len` octets that end with `end`. */
static struct span
long_line(size_t len, const char *end)
{
	memset(octets, 'a', len);
	memcpy(octets + len - strlen(end), end, strlen(end));
	return span(octets, len);
}

static void
reply_lines_are_read(void **state)
{
	struct reply_line reply;

	(void)state;
	assert_true(reply_line_read(SPAN("250-a b"), &reply));
	assert_int_equal(reply.code, 250);
	assert_false(reply.last);
	assert_span(reply.text, "a b");
	assert_true(reply_line_read(SPAN("200"), &reply));
	assert_true(reply.last);
	assert_int_equal(reply.text.len, 0);
	assert_true(reply_line_read(SPAN("599 "), &reply));
	assert_int_equal(reply.code, 599);

	static const char *const none[] = {
		"", "2", "25", "199 a", "600 a", "99 a", "2500", "250a", "250\ta", " 250 a",
		"+50 a",
		"25a", "abc def", "0250 a",
	};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(reply_line_read(span_of(none[i]), &reply));
}

static uint8_t in_mem[2 * REPLY_MAX];

static enum reply_state
take_text(struct reply *r, struct buf *in, const char *text)
{
	buf_init(in, in_mem, sizeof(in_mem));
	buf_put(in, span_of(text));
	reply_start(r);
	return reply_take(r, in);
}

static void
replies_are_taken_whole_and_no_more(void **state)
{
	static struct reply r, copy;
	struct buf in;

	(void)state;
	assert_int_equal(take_text(&r, &in, "250-a\r\n250-b\r\n250 c\r\n220 d\r\n"), REPLY_WHOLE);
	assert_int_equal(r.code, 250);
	assert_int_equal(r.lines, 3);
	assert_true(r.crlf);
	assert_span(buf_peek(&in), "220 d\r\n");
	assert_span(reply_last_line(&r), "250 c");
	reply_copy(&copy, &r);
	assert_span(buf_peek(&copy.raw), "250-a\r\n250-b\r\n250 c\r\n");
	assert_int_equal(copy.lines, 3);
	assert_int_equal(copy.code, 250);
	assert_true(copy.crlf);

	assert_int_equal(take_text(&r, &in, "250-a\n250 c\r\n"), REPLY_WHOLE);
	assert_false(r.crlf);
	assert_int_equal(take_text(&r, &in, "250-a\r\n250 c"), REPLY_MORE);
	assert_int_equal(r.code, 0);
	buf_put(&in, SPAN("\r\n"));
	assert_int_equal(reply_take(&r, &in), REPLY_WHOLE);
	assert_int_equal(take_text(&r, &in, "250-a\r\nhello\r\n"), REPLY_BROKEN);
	assert_int_equal(take_text(&r, &in, "\r\n"), REPLY_BROKEN);
}

/*
 * As in sendmail and Postfix: lines without a code are skipped, and the last line's code counts.
 */
static void
in_the_clear_replies_may_be_odd(void **state)
{
	static const struct { const char *text; unsigned code; const char *raw;
	} rows[] = {
		{ "hello\r\n220 mx\r\n", 220, "220 mx\r\n" },
		{ "\r\n\n220 mx\r\n", 220, "220 mx\r\n" },
		{ "250-a\r\n\r\nSIZE\r\n250 b\r\n", 250, "250-a\r\n250 b\r\n" },
		{ "220-a\r\n250 b\r\n", 250, "220-a\r\n250 b\r\n" },
		{ "250-a\r\n550 b\r\n", 550, "250-a\r\n550 b\r\n" },
		{ "123 a\r\n999-b\r\n25 c\r\n250x\r\n250\r\n", 250, "250\r\n" },
		{ "hello\r\n250-a\r\nhello\r\n", 0, "250-a\r\n" },
	};
	static struct reply r;
	struct buf in;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span text = span_of(rows[i].text);

		for (size_t cut = 0; cut <= text.len; cut++) {
			buf_init(&in, in_mem, sizeof(in_mem));
			reply_start(&r);
			r.lenient = true;
			buf_put(&in, span(text.at, cut));
			enum reply_state result = reply_take(&r, &in);
			buf_put(&in, span_from(text, cut));
			if (result == REPLY_MORE)
				result = reply_take(&r, &in);
			assert_int_equal(result, rows[i].code != 0 ? REPLY_WHOLE : REPLY_MORE);
			assert_int_equal(r.code, rows[i].code);
			assert_span(buf_peek(&r.raw), rows[i].raw);
			assert_true(reply_begun(&r));
		}
		assert_int_equal(take_text(&r, &in, rows[i].text), REPLY_BROKEN);
	}
	/* up to a limit */
	reply_start(&r);
	r.lenient = true;
	enum reply_state result = REPLY_MORE;
	for (size_t i = 0; i < REPLY_MAX / 64; i++) {
		assert_int_equal(result, REPLY_MORE);
		buf_init(&in, in_mem, sizeof(in_mem));
		buf_put(&in, long_line(64, "\n"));
		result = reply_take(&r, &in);
	}
	assert_int_equal(result, REPLY_MORE);
	buf_put(&in, SPAN("\n"));
	assert_int_equal(reply_take(&r, &in), REPLY_BROKEN);
}

static void
the_last_line_is_what_there_is(void **state)
{
	static struct reply r;
	struct buf in;

	(void)state;
	reply_start(&r);
	assert_int_equal(reply_last_line(&r).len, 0);
	assert_int_equal(take_text(&r, &in, "451 \r\n"), REPLY_WHOLE);
	assert_span(reply_last_line(&r), "451 ");
}

/* Takes a reply of exactly `len` octets, in lines of 1,024. */
static enum reply_state
take_long(size_t len)
{
	static struct reply r;
	struct buf in;

	buf_init(&in, in_mem, sizeof(in_mem));
	while (len > 1024) {
		buf_put(&in, SPAN("250-"));
		buf_put(&in, long_line(1020, "\r\n"));
		len -= 1024;
	}
	buf_put(&in, SPAN("250 "));
	buf_put(&in, long_line(len - 4, "\r\n"));
	reply_start(&r);
	return reply_take(&r, &in);
}

static void
replies_have_a_limit(void **state)
{
	(void)state;
	assert_int_equal(take_long(REPLY_MAX - 1), REPLY_WHOLE);
	assert_int_equal(take_long(REPLY_MAX), REPLY_WHOLE);
	assert_int_equal(take_long(REPLY_MAX + 8), REPLY_BROKEN);
}

/* A line's limit is reached long before the reply's. */
static void
a_line_of_a_reply_has_one_too(void **state)
{
	static struct reply r;
	struct buf in;

	(void)state;
	buf_init(&in, in_mem, sizeof(in_mem));
	buf_put(&in, SPAN("250 "));
	buf_put(&in, long_line(LINE_MAX_OCTETS - 4, "a"));
	reply_start(&r);
	assert_int_equal(reply_take(&r, &in), REPLY_BROKEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_lines_are_read),
		cmocka_unit_test(replies_are_taken_whole_and_no_more),
		cmocka_unit_test(in_the_clear_replies_may_be_odd),
		cmocka_unit_test(the_last_line_is_what_there_is),
		cmocka_unit_test(replies_have_a_limit),
		cmocka_unit_test(a_line_of_a_reply_has_one_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
