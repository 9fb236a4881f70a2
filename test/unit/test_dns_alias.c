#include "unit.h"

#include "name_servers.h"
#include "sys/dns_alias.h"

static char name[DNS_NAME_MAX];
static unsigned links;

/* Begins an answer to a question for a.example. */
static void
begin_answer(void)
{
	message_len = 0;
	answers_put = 0;
	put(SPAN("\0\1\x81\x80\0\1\0\0\0\0\0\0"));
	put_wire_name("a.example");
	put16(DNS_A);
	put16(ns_c_in);
}

static bool
follow(const char *from)
{
	octets_put16(message + 6, (uint16_t)answers_put);
	snprintf(name, sizeof(name), "%s", from);
	links = 0;
	return dns_alias_follow(span(message, message_len), name, &links);
}

static void
chains_are_followed_in_any_order(void **state)
{
	(void)state;
	begin_answer();
	put_alias("C.example", "d.example");
	put_alias("a.example", "b.example");
	put_alias("x.example", "y.example");
	put_alias("b.EXAMPLE", "c.example");
	put_record("d.example", DNS_A, SPAN("\300\0\2\1"));
	assert_true(follow("a.example"));
	assert_string_equal(name, "d.example");
	assert_int_equal(links, 3);
	assert_true(follow("A.Example"));
	assert_string_equal(name, "d.example");
	assert_true(follow("e.example"));
	assert_string_equal(name, "e.example");
	assert_int_equal(links, 0);
}

static void
a_chain_has_its_limit(void **state)
{
	char from[] = "a.example", to[] = "b.example";

	(void)state;
	begin_answer();
	for (unsigned i = 0; i <= DNS_ALIASES_MAX; i++) {
		from[0] = (char)('a' + i);
		to[0] = (char)('b' + i);
		put_alias(from, to);
		assert_int_equal(follow("a.example"), i < DNS_ALIASES_MAX);
	}
	begin_answer();
	put_alias("a.example", "a.example");
	assert_false(follow("a.example"));
	begin_answer();
	put_alias("a.example", "b.example");
	put_alias("b.example", "a.example");
	assert_false(follow("a.example"));
}

/* The root, and names that no question can have: "?" stands for any such octet. */
static void
no_chain_leads_to_an_impossible_name(void **state)
{
	(void)state;
	begin_answer();
	put_alias("a.example", "b c.example");
	assert_false(follow("a.example"));
	begin_answer();
	put_alias("a.example", "");
	assert_false(follow("a.example"));
	begin_answer();
	put_record("a.example", DNS_CNAME, SPAN("\1b"));
	assert_false(follow("a.example"));
	begin_answer();
	put_record("a.example", DNS_CNAME, SPAN("\1b\0\0"));
	assert_false(follow("a.example"));
	begin_answer();
	put_alias("a b.example", "c.example");
	assert_true(follow("a?b.example"));
	assert_int_equal(links, 0);
}

static void
records_belong_to_their_owner(void **state)
{
	(void)state;
	begin_answer();
	put_alias("a.example", "b.example");
	put_record("b.example", DNS_TLSA, SPAN("\3\1\1"));
	assert_true(follow("a.example"));
	struct span answer = span(message, message_len);
	assert_true(dns_alias_has(answer, "b.example", DNS_TLSA));
	assert_true(dns_alias_has(answer, "a.example", DNS_CNAME));
	assert_false(dns_alias_has(answer, "a.example", DNS_TLSA));
	assert_false(dns_alias_has(answer, "b.example", DNS_A));
	assert_false(dns_alias_has(span(message, message_len - 1), "b.example", DNS_TLSA));
}

static void
a_message_cut_anywhere_leads_nowhere(void **state)
{
	(void)state;
	begin_answer();
	put_alias("a.example", "b.example");
	assert_true(follow("a.example"));
	for (size_t len = 0; len < message_len; len++) {
		uint8_t *copy = message_copy(len);

		snprintf(name, sizeof(name), "a.example");
		assert_false(dns_alias_follow(span(copy + 1, len), name, &links));
		test_free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_are_followed_in_any_order),
		cmocka_unit_test(a_chain_has_its_limit),
		cmocka_unit_test(no_chain_leads_to_an_impossible_name),
		cmocka_unit_test(records_belong_to_their_owner),
		cmocka_unit_test(a_message_cut_anywhere_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
