#include "unit.h"

#include "smtp/mailbox.h"

#include <string.h>

static uint8_t mem[1024];
static struct buf out;

static void
assert_put(const char *argument, const char *expected)
{
	buf_init(&out, mem, sizeof(mem));
	if (mailbox_check(span_of(argument)) != MAILBOX_GOOD)
		fail_msg("\"%s\" is not taken", argument);
	mailbox_put(&out, span_of(argument));
	if (!span_equal(buf_peek(&out), span_of(expected)))
		fail_msg("\"%s\" becomes %.*s", argument, (int)buf_len(&out), (char *)mem);
}

static void
what_is_well_formed_stays(void **state)
{
	static const char *const rows[] = {
		"a@b",
		"a",
		"postmaster",
		"\"a b\"@c",
		"\"a@b\"@c",
		"\"a\\\"b\"@c",
		"\"<>\"@b",
		"\"\\\\\"@b",
		"\"a b\"",
		"\xc3\xa9@b",
		"\xc3\xa9.\xc3\xa9@\xc3\xa9.example",
		"-f@b",
		"a@[192.0.2.1]",
		"a@[ipv6:2001:db8::1]",
		"a+b=c!d%e/f{g}@h",
		"a..b.@c",
		"'a'@b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_put(rows[i], rows[i]);
}

/* The last @ separates, because a domain cannot contain one. */
static void
what_was_written_without_its_quotes_gets_them(void **state)
{
	static const char *const rows[][2] = {
		{ "john doe@b.example", "\"john doe\"@b.example" },
		{ "a@b@b.example", "\"a@b\"@b.example" },
		{ "a@b@c@d", "\"a@b@c\"@d" },
		{ "a,b@c", "\"a,b\"@c" },
		{ "a:b;@c", "\"a:b;\"@c" },
		{ "(a)[b]@c", "\"(a)[b]\"@c" },
		{ "a b@[192.0.2.1]", "\"a b\"@[192.0.2.1]" },
		{ "\xc3\xa9 b@c", "\"\xc3\xa9 b\"@c" },
		{ "a b", "\"a b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_put(rows[i][0], rows[i][1]);
}

/* Guessing could give another address. */
static void
what_could_mean_two_addresses_is_unclear(void **state)
{
	static const char *const rows[] = {
		"<a@b>",
		"a@b>",
		"<a@b",
		"Bob <a@b>",
		"a<b@c",
		"\"a@b",
		"a\"b@c",
		"\"a\"b@c",
		"\"a\".b@c",
		"a.\"b c\"@d",
		"\"\\\"@b",
		"\"a\\",
		"a\\@b@c",
		"a@b> SIZE=1",
		"\"a\"@b@c",
		"@a,@b:c@d",
		"@a",
		"@",
		"a@",
		"\"a\"@",
		" a@b",
		"a @b",
		"a@b ",
		"a@b c",
		"a@[b",
		"a@b]",
		"a@[]",
		"a@[b]c",
		"a@b,c@d",
		"a@b, c@d",
		"a@b;c@d",
		"a@b c@d",
		"a@b,c",
		"a@(b)c",
		"a@b:25",
		"a@\"b\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mailbox_check(span_of(rows[i])) != MAILBOX_UNCLEAR)
			fail_msg("\"%s\" is taken", rows[i]);
}

static void
assert_converted(const char *address, const char *expected)
{
	char text[MAILBOX_MAX + 1];

	assert_int_equal(mailbox_check(span_of(address)), MAILBOX_GOOD);
	bool possible = mailbox_convert(text, span_of(address));
	assert_int_equal(possible, expected != NULL);
	if (expected != NULL)
		assert_string_equal(text, expected);
}

static void
domains_become_ascii(void **state)
{
	(void)state;
	assert_converted("bob@m\xc3\xbcnchen.example", "bob@xn--mnchen-3ya.example");
	assert_converted("b\xc3\xb8"
			 "b@m\xc3\xbcnchen.example",
	    "b\xc3\xb8"
	    "b@xn--mnchen-3ya.example");
	assert_converted("\"a@\xc3\xbc\"@\xc3\xbc.example", "\"a@\xc3\xbc\"@xn--tda.example");
	assert_converted("john doe@\xc3\xbc.example", "john doe@xn--tda.example");
	assert_converted("a@b", "a@b");
	assert_converted("a", "a");
	assert_converted("\xc3\xbc", "\xc3\xbc");
	assert_converted("a@[192.0.2.1]", "a@[192.0.2.1]");
	assert_converted("a@m\xfcnchen.example", NULL);
	assert_converted("a@-\xc3\xbc.example", NULL);
}

static void
what_cannot_exist_is_known(void **state)
{
	static const char *const rows[] = { "", "a\r\nb@c", "a\n", "a\tb", "\x7f@b", "\"a\r\"@b",
		"\x01" };
	static char address[MAILBOX_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mailbox_check(span_of(rows[i])) != MAILBOX_IMPOSSIBLE)
			fail_msg("\"%s\" is taken", rows[i]);
	memset(address, 'a', MAILBOX_MAX);
	assert_int_equal(mailbox_check(span_of(address)), MAILBOX_GOOD);
	address[MAILBOX_MAX] = 'a';
	assert_int_equal(mailbox_check(span_of(address)), MAILBOX_IMPOSSIBLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_well_formed_stays),
		cmocka_unit_test(what_was_written_without_its_quotes_gets_them),
		cmocka_unit_test(what_could_mean_two_addresses_is_unclear),
		cmocka_unit_test(domains_become_ascii),
		cmocka_unit_test(what_cannot_exist_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
