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
		"a@b", "a", "postmaster", "\"a b\"@c", "\"a@b\"@c", "\"a\\\"b\"@c", "\"<>\"@b", "\"\\\\\"@b",
		"\"a b\"", "\xc3\xa9@b", "\xc3\xa9.\xc3\xa9@\xc3\xa9.example", "-f@b", "a@[192.0.2.1]",
		"a@[ipv6:2001:db8::1]", "a+b=c!d%e/f{g}@h", "a..b.@c", "'a'@b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_put(rows[i], rows[i]);
}

/* The last @ divides, for a domain has none. */
static void
what_was_written_without_its_quotes_gets_them(void **state)
{
	static const char *const rows[][2] = {
		{ "john doe@b.example", "\"john doe\"@b.example" },
		{ "a@b@b.example", "\"a@b\"@b.example" }, { "a@b@c@d", "\"a@b@c\"@d" },
		{ "a,b@c", "\"a,b\"@c" }, { "a:b;@c", "\"a:b;\"@c" }, { "(a)[b]@c", "\"(a)[b]\"@c" },
		{ "a b@[192.0.2.1]", "\"a b\"@[192.0.2.1]" }, { "\xc3\xa9 b@c", "\"\xc3\xa9 b\"@c" },
		{ "a b", "\"a b\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_put(rows[i][0], rows[i][1]);
}

/* A guess could be another address. */
static void
what_could_mean_two_addresses_is_unclear(void **state)
{
	static const char *const rows[] = {
		"<a@b>", "a@b>", "<a@b", "Bob <a@b>", "a<b@c", "\"a@b", "a\"b@c", "\"a\"b@c", "\"a\".b@c",
		"a.\"b c\"@d", "\"\\\"@b", "\"a\\", "a\\@b@c", "a@b> SIZE=1", "\"a\"@b@c", "@a,@b:c@d", "@a",
		"@", "a@", "\"a\"@", " a@b", "a @b", "a@b ", "a@b c", "a@[b", "a@b]", "a@[]", "a@[b]c",
		"a@b,c@d", "a@b, c@d", "a@b;c@d", "a@b c@d", "a@b,c", "a@(b)c", "a@b:25", "a@\"b\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mailbox_check(span_of(rows[i])) != MAILBOX_UNCLEAR)
			fail_msg("\"%s\" is taken", rows[i]);
}

static void
what_cannot_exist_is_known(void **state)
{
	static const char *const rows[] = { "", "a\r\nb@c", "a\n", "a\tb", "\x7f@b", "\"a\r\"@b", "\x01" };
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
		cmocka_unit_test(what_cannot_exist_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
