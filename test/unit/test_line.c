#include "unit.h"

#include "smtp/line.h"

static uint8_t octets[LINE_MAX_OCTETS + 16];

/* `len` octets that end with `end`. */
static struct span
long_line(size_t len, const char *end)
{
	memset(octets, 'a', len);
	memcpy(octets + len - strlen(end), end, strlen(end));
	return span(octets, len);
}

static void
threat_15_command_lines_have_a_limit(void **state)
{
	struct line line;

	(void)state;
	for (size_t len = LINE_MAX_OCTETS - 1; len <= LINE_MAX_OCTETS; len++) {
		assert_int_equal(line_command(long_line(len, "\r\n"), &line), LINE_FOUND);
		assert_int_equal(line.octets, len);
		assert_int_equal(line.text.len, len - 2);
		assert_true(line.crlf);
	}
	assert_int_equal(line_command(long_line(LINE_MAX_OCTETS + 1, "\r\n"), &line),
	    LINE_TOO_LONG);
	assert_int_equal(line_command(long_line(LINE_MAX_OCTETS - 1, "a"), &line), LINE_NONE);
	assert_int_equal(line_command(long_line(LINE_MAX_OCTETS, "\r"), &line), LINE_TOO_LONG);
}

static void
reply_lines_have_a_limit(void **state)
{
	struct line line;

	(void)state;
	for (size_t len = LINE_MAX_OCTETS - 1; len <= LINE_MAX_OCTETS; len++) {
		assert_int_equal(line_reply(long_line(len, "\n"), &line), LINE_FOUND);
		assert_int_equal(line.octets, len);
		assert_int_equal(line.text.len, len - 1);
		assert_false(line.crlf);
	}
	assert_int_equal(line_reply(long_line(LINE_MAX_OCTETS + 1, "\n"), &line), LINE_TOO_LONG);
	assert_int_equal(line_reply(long_line(LINE_MAX_OCTETS - 1, "a"), &line), LINE_NONE);
	assert_int_equal(line_reply(long_line(LINE_MAX_OCTETS, "a"), &line), LINE_TOO_LONG);
}

static void
a_command_ends_in_crlf_only(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(line_command(SPAN(""), &line), LINE_NONE);
	assert_int_equal(line_command(SPAN("\n"), &line), LINE_NONE);
	assert_int_equal(line_command(SPAN("\n\n\r"), &line), LINE_NONE);
	assert_int_equal(line_command(SPAN("a\nb\rc\n\r\r"), &line), LINE_NONE);
	assert_int_equal(line_command(SPAN("a\nb\rc\0\r\nd\r\n"), &line), LINE_FOUND);
	assert_int_equal(line.text.len, 6);
	assert_int_equal(line.octets, 8);
	assert_int_equal(line_command(SPAN("\r\r\n"), &line), LINE_FOUND);
	assert_span(line.text, "\r");
	assert_int_equal(line_command(SPAN("\r\nb"), &line), LINE_FOUND);
	assert_int_equal(line.text.len, 0);
	assert_int_equal(line.octets, 2);
}

static void
a_reply_ends_in_any_lf(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(line_reply(SPAN(""), &line), LINE_NONE);
	assert_int_equal(line_reply(SPAN("250 a\r"), &line), LINE_NONE);
	assert_int_equal(line_reply(SPAN("250 a\r\nb"), &line), LINE_FOUND);
	assert_span(line.text, "250 a");
	assert_true(line.crlf);
	assert_int_equal(line.octets, 7);
	assert_int_equal(line_reply(SPAN("250\ra\nb\r\n"), &line), LINE_FOUND);
	assert_span(line.text, "250\ra");
	assert_false(line.crlf);
	assert_int_equal(line_reply(SPAN("\n"), &line), LINE_FOUND);
	assert_int_equal(line.text.len, 0);
}

static void
torn_lines_are_seen(void **state)
{
	(void)state;
	assert_false(line_is_torn(SPAN("")));
	assert_false(line_is_torn(SPAN("EHLO a\t\xff\x01")));
	assert_true(line_is_torn(SPAN("EHLO a\n")));
	assert_true(line_is_torn(SPAN("\rEHLO a")));
	assert_true(line_is_torn(SPAN("EHLO\0a")));
}

static void
verbs_are_known(void **state)
{
	static const struct {
		const char *line;
		enum verb verb;
		const char *arguments;
	} rows[] = {
		{ "EHLO a.example", VERB_EHLO, "a.example" }, { "hElO  a b", VERB_HELO, "a b" },
		{ "NOOP", VERB_NOOP, "" }, { "rset ", VERB_RSET, "" }, { "HELP x", VERB_HELP, "x" },
		{ "VRFY\tx", VERB_VRFY, "x" }, { "EXPN x", VERB_EXPN, "x" },
		{ " \tQUIT", VERB_QUIT, "" }, { "xcrypt OK ", VERB_XCRYPT, "OK " },
		{ "MAIL FROM:<>", VERB_MAIL, "FROM:<>" }, { "RCPT TO:<a>", VERB_RCPT, "TO:<a>" },
		{ "DATA", VERB_DATA, "" }, { "BDAT 5 LAST", VERB_BDAT, "5 LAST" },
		{ "AUTH PLAIN =", VERB_AUTH, "PLAIN =" }, { "StartTLS", VERB_STARTTLS, "" },
		{ "", VERB_OTHER, "" }, { " ", VERB_OTHER, "" }, { "Q", VERB_OTHER, "" },
		{ "QUI", VERB_OTHER, "" }, { "QUITE", VERB_OTHER, "" },
		{ "DATA.", VERB_OTHER, "" }, { "MAILFROM:<>", VERB_OTHER, "" },
	};
	struct span arguments;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(verb_of(span_of(rows[i].line), &arguments), rows[i].verb);
		assert_span(arguments, rows[i].arguments);
	}
	/* an empty line is not QUIT, and a NUL does not end a verb */
	assert_int_equal(verb_of(span(NULL, 0), &arguments), VERB_OTHER);
	assert_int_equal(verb_of(SPAN("QUIT\0"), &arguments), VERB_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_15_command_lines_have_a_limit),
		cmocka_unit_test(reply_lines_have_a_limit),
		cmocka_unit_test(a_command_ends_in_crlf_only),
		cmocka_unit_test(a_reply_ends_in_any_lf),
		cmocka_unit_test(torn_lines_are_seen),
		cmocka_unit_test(verbs_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
