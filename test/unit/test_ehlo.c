#include "unit.h"

#include "smtp/ehlo.h"

static struct reply reply;

static void
read_reply(const char *text)
{
	static uint8_t mem[REPLY_MAX];
	struct buf in;

	buf_init(&in, mem, sizeof(mem));
	buf_put(&in, span_of(text));
	reply_start(&reply);
	assert_int_equal(reply_take(&reply, &in), REPLY_WHOLE);
}

static void
lines_come_one_by_one(void **state)
{
	struct span rest, text;

	(void)state;
	read_reply("250-mx hello\r\n250-SIZE 1\n250-\r\n250 X y  z\r\n");
	rest = buf_peek(&reply.raw);
	assert_true(ehlo_next(&rest, &text));
	assert_span(text, "mx hello");
	assert_true(ehlo_next(&rest, &text));
	assert_span(text, "SIZE 1");
	assert_true(ehlo_next(&rest, &text));
	assert_int_equal(text.len, 0);
	assert_true(ehlo_next(&rest, &text));
	assert_span(text, "X y  z");
	assert_false(ehlo_next(&rest, &text));
	assert_false(ehlo_next(&rest, &text));
}

static void
keywords_are_whole_words(void **state)
{
	(void)state;
	assert_true(ehlo_is(SPAN("SIZE"), SPAN("SIZE")));
	assert_true(ehlo_is(SPAN("size 1000"), SPAN("SIZE")));
	assert_false(ehlo_is(SPAN("SIZES"), SPAN("SIZE")));
	assert_false(ehlo_is(SPAN("SIZ"), SPAN("SIZE")));
	assert_false(ehlo_is(SPAN("SIZE=1"), SPAN("SIZE")));
	assert_false(ehlo_is(SPAN(" SIZE"), SPAN("SIZE")));
	assert_false(ehlo_is(SPAN("SIZE\0"), SPAN("SIZE")));
	assert_false(ehlo_is(span(NULL, 0), SPAN("SIZE")));
}

static void
the_first_line_is_a_name(void **state)
{
	struct span parameters;

	(void)state;
	read_reply("250-SIZE 1\r\n250-pipelining\r\n250 SIZE 2 3\r\n");
	assert_true(ehlo_offers(&reply, "SIZE", &parameters));
	assert_span(parameters, "2 3");
	assert_true(ehlo_offers(&reply, "PIPELINING", &parameters));
	assert_int_equal(parameters.len, 0);
	assert_true(ehlo_offers(&reply, "PIPELINING", NULL));
	assert_false(ehlo_offers(&reply, "CHUNKING", &parameters));
	read_reply("250 SIZE\r\n");
	assert_false(ehlo_offers(&reply, "SIZE", NULL));
}

static void
words_are_found_among_parameters(void **state)
{
	(void)state;
	assert_true(ehlo_has_word(SPAN("NAME ADDR PORT"), "addr"));
	assert_true(ehlo_has_word(SPAN("NAME  PORT"), "PORT"));
	assert_false(ehlo_has_word(SPAN("NAME ADDRESS"), "ADDR"));
	assert_false(ehlo_has_word(SPAN("NAME"), "NAMES"));
	assert_false(ehlo_has_word(span(NULL, 0), "NAME"));
}

static void
statements_in_a_reply(void **state)
{
	static const struct { const char *text, *id, *next; } replies[] = {
		{ "250 mx\r\n", "", "" },
		{ "250-XCRYPT-ID first\r\n250 SIZE\r\n", "", "" },
		{ "250-mx\r\n250-XCRYPT-ID a b c\r\n250 XCRYPT-NEXT d e\r\n", "XCRYPT-ID a b c",
		    "XCRYPT-NEXT d e" },
		{ "250-mx\r\n250-xcrypt-id a\r\n250 SIZE\r\n", "xcrypt-id a", "" },
		{ "250-mx\r\n250-XCRYPT-ID a\r\n250-XCRYPT-ID a\r\n250 XCRYPT-NEXT d\r\n", "",
		    "XCRYPT-NEXT d" },
		{ "250-mx\r\n250-XCRYPT-ID a\r\n250-XCRYPT-ID b\r\n250 XCRYPT-ID c\r\n", "", "" },
		{ "250-mx\r\n250-XCRYPT-IDS a\r\n250 XCRYPT-NEXT\r\n", "", "XCRYPT-NEXT" },
	};
	struct span id, next;

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		read_reply(replies[i].text);
		ehlo_find_statements(&reply, &id, &next);
		assert_span(id, replies[i].id);
		assert_span(next, replies[i].next);
	}
}

/* Why there is no offer; the offer itself has 8 octets. */
static void
assert_offer(const char *text, size_t len_max, const char *why)
{
	struct span offer = span(NULL, 0);

	read_reply(text);
	const char *got = ehlo_find_offer(&reply, len_max, &offer);
	if (why == NULL) {
		assert_null(got);
		assert_span(offer, "XCRYPT a");
	} else {
		assert_non_null(got);
		assert_string_equal(got, why);
	}
}

static void
an_offer_is_one_line_after_the_first(void **state)
{
	(void)state;
	assert_offer("250-mx\r\n250 XCRYPT a\r\n", 8, NULL);
	assert_offer("250-mx\r\n250 XCRYPT a\r\n", 7, "not-offered");
	assert_offer("250-mx\r\n250-XXXXXXXX\r\n250 XCRYPT a\r\n", 8, NULL);
	assert_offer("250-XCRYPT a\r\n250 SIZE\r\n", 8, "not-offered");
	assert_offer("250-mx\r\n250 XCRYPTED a\r\n", 8, "not-offered");
	assert_offer("250-mx\r\n250-XCRYPT a\r\n250 XCRYPT a\r\n", 8, "two-offers");
	assert_offer("250-mx\r\n250 XXXXXXXX\r\n", 8, "masked-on-the-way");
}

static void
assert_for_mta(const char *text, bool encrypted, bool one_line, const char *expected)
{
	uint8_t mem[REPLY_MAX];
	struct buf out;

	read_reply(text);
	buf_init(&out, mem, sizeof(mem));
	ehlo_put_for_mta(&out, &reply, encrypted, one_line);
	assert_span(buf_peek(&out), expected);
}

static void
the_local_mta_sees_no_xcrypt(void **state)
{
	static const char all[] = "250-mx\r\n250-xcrypt a\r\n250-SIZE\r\n250-STARTTLS\r\n250 XCRYPT-ID k\r\n";

	(void)state;
	assert_for_mta(all, false, false, "250-mx\r\n250-SIZE\r\n250 STARTTLS\r\n");
	assert_for_mta(all, true, false, "250-mx\r\n250 SIZE\r\n");
	assert_for_mta(all, true, true, "250 mx\r\n");
	assert_for_mta("502 no\r\n", false, false, "502 no\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_one_by_one),
		cmocka_unit_test(keywords_are_whole_words),
		cmocka_unit_test(the_first_line_is_a_name),
		cmocka_unit_test(words_are_found_among_parameters),
		cmocka_unit_test(statements_in_a_reply),
		cmocka_unit_test(an_offer_is_one_line_after_the_first),
		cmocka_unit_test(the_local_mta_sees_no_xcrypt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
