#include "unit.h"

#include "sys/host.h"

static struct host_list list;

static void
good(const char *operand)
{
	const char *why;

	if (host_list_read(&list, span_of(operand), &why) < 0)
		fail_msg("%s: %s", operand, why);
}

static void
bad(struct span operand, const char *want)
{
	const char *why = NULL;

	assert_int_equal(host_list_read(&list, operand, &why), -1);
	assert_string_equal(why, want);
}

static void
is(size_t index, const char *name, bool bracketed, bool literal, uint16_t port)
{
	assert_true(index < list.count);
	const struct host *host = &list.at[index];
	assert_string_equal(host->name, name);
	assert_int_equal(host->bracketed, bracketed);
	assert_int_equal(host->literal, literal);
	assert_int_equal(host->port, port);
}

static void
one(const char *operand, const char *name, bool bracketed, bool literal, uint16_t port)
{
	good(operand);
	assert_int_equal(list.count, 1);
	is(0, name, bracketed, literal, port);
}

static void
the_forms_of_one_host(void **state)
{
	(void)state;
	one("example.org", "example.org", false, false, 25);
	one("example.org.", "example.org", false, false, 25);
	one("[mx.example.org]", "mx.example.org", true, false, 25);
	one("[mx.example.org.]", "mx.example.org", true, false, 25);
	one("[192.0.2.5]", "192.0.2.5", true, true, 25);
	one("192.0.2.5", "192.0.2.5", false, true, 25);
	one("[ipv6:2001:db8::5]", "2001:db8::5", true, true, 25);
	one("[IPv6:2001:DB8:0::5]", "2001:db8::5", true, true, 25);
	one("[2001:db8::5]", "2001:db8::5", true, true, 25);
	one("localhost", "localhost", false, false, 25);
	one("3com", "3com", false, false, 25);
	one("a_b.example", "a_b.example", false, false, 25);
}

static void
ports(void **state)
{
	(void)state;
	one("example.org:2525", "example.org", false, false, 2525);
	one("[127.0.0.1]:2525", "127.0.0.1", true, true, 2525);
	one("[ipv6:::1]:2525", "::1", true, true, 2525);
	one("a:1", "a", false, false, 1);
	one("a:65535", "a", false, false, 65535);
	bad(SPAN("a:65536"), "a port out of range");
	bad(SPAN("a:0"), "a port out of range");
	bad(SPAN("a:99999999999999999999999999"), "a port out of range");
	bad(SPAN("25"), "a port without a host");
	bad(SPAN("25:a"), "a port without a host");
	bad(SPAN("a:25:26"), "a port without a host");
}

static void
lists(void **state)
{
	(void)state;
	good("smart1.example:smart2.example");
	assert_int_equal(list.count, 2);
	is(0, "smart1.example", false, false, 25);
	is(1, "smart2.example", false, false, 25);
	good("[a]:2525:[b]:26:c:[ipv6:::1]");
	assert_int_equal(list.count, 4);
	is(0, "a", true, false, 2525);
	is(1, "b", true, false, 26);
	is(2, "c", false, false, 25);
	is(3, "::1", true, true, 25);
}

static void
sixteen_hosts_are_enough(void **state)
{
	(void)state;
	good("a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p:2525");
	assert_int_equal(list.count, HOST_LIST_MAX);
	is(15, "p", false, false, 2525);
	bad(SPAN("a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p:q"), "too many hosts");
}

static void
what_is_no_host(void **state)
{
	static const char nobody[] = "neither a host name nor an address";

	(void)state;
	bad(SPAN(""), "an empty host name");
	bad(SPAN("a:"), "an empty host name");
	bad(SPAN(":a"), "an empty host name");
	bad(SPAN("a::b"), "an empty host name");
	bad(SPAN("[]"), nobody);
	bad(SPAN("."), nobody);
	bad(SPAN("a.."), nobody);
	bad(SPAN(".a"), nobody);
	bad(SPAN("a..b"), nobody);
	bad(SPAN("a b"), nobody);
	bad(SPAN("a\tb"), nobody);
	bad(SPAN("a\r\nb"), nobody);
	bad(SPAN("a\0b"), nobody);
	bad(SPAN("a\x7f"), nobody);
	bad(SPAN("\xe4.example"), nobody);
	bad(SPAN("\xc3\xa4..example"), nobody);
	bad(SPAN("ex\\097mple.org"), nobody);
	bad(SPAN("a@b"), nobody);
	bad(SPAN("a]"), nobody);
	bad(SPAN("[[a]"), nobody);
	bad(SPAN("["), "an unclosed bracket");
	bad(SPAN("[a"), "an unclosed bracket");
	bad(SPAN("[ipv6:::1"), "an unclosed bracket");
	bad(SPAN("[a]b"), "text after a closing bracket");
	bad(SPAN("[a]]"), nobody);
	bad(SPAN("[ipv6:192.0.2.5]"), nobody);
	bad(SPAN("[ipv6:2001:db8::5%lo]"), nobody);
	bad(SPAN("[ipv6:]"), nobody);
}

/* getaddrinfo() takes these for addresses, so DNS would not be asked */
static void
old_style_numbers_are_no_names(void **state)
{
	(void)state;
	assert_false(host_is_name(SPAN("127.1")));
	assert_false(host_is_name(SPAN("2130706433")));
	assert_false(host_is_name(SPAN("0x7f000001")));
	assert_false(host_is_name(SPAN("0x7f.1")));
	assert_false(host_is_name(SPAN("192.0.2.5")));
	assert_true(host_is_name(SPAN("127.1.example")));
	assert_true(host_is_name(SPAN("5.2.0.192.in-addr.arpa")));
	bad(SPAN("127.1"), "neither a host name nor an address");
}

/* statement 31: main passes the operands after the options; here it is just a name */
static void
threat_31_a_leading_dash_is_no_option(void **state)
{
	(void)state;
	one("-o.example", "-o.example", false, false, 25);
	bad(SPAN("-opolicy=never"), "neither a host name nor an address");
	one("-f", "-f", false, false, 25);
}

static void
lengths_have_limits(void **state)
{
	char text[300];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 64 == 63 ? '.' : 'a';		/* labels of 63 characters */
	assert_true(host_is_name(span(text, 63)));
	text[63] = 'a';
	assert_false(host_is_name(span(text, 64)));
	text[63] = '.';
	assert_true(host_is_name(span(text, 253)));
	assert_false(host_is_name(span(text, 254)));

	text[253] = '.';
	text[254] = '\0';
	good(text);
	assert_int_equal(strlen(list.at[0].name), 253);
	bad(span(text, 255), "a host name that is too long");
	bad(span(text, 300), "a host name that is too long");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_of_one_host),
		cmocka_unit_test(ports),
		cmocka_unit_test(lists),
		cmocka_unit_test(sixteen_hosts_are_enough),
		cmocka_unit_test(what_is_no_host),
		cmocka_unit_test(old_style_numbers_are_no_names),
		cmocka_unit_test(threat_31_a_leading_dash_is_no_option),
		cmocka_unit_test(lengths_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
