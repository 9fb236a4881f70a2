#include "unit.h"

#include "sys/address.h"

#include <arpa/inet.h>

static struct address
address(const char *text, uint16_t port)
{
	struct address a;

	assert_int_equal(address_read(&a, span_of(text), port), 0);
	return a;
}

static void
is_text(const char *in, const char *want, int family)
{
	struct address a = address(in, 4660);
	char text[ADDRESS_TEXT_MAX];

	address_text(&a, text);
	assert_string_equal(text, want);
	assert_int_equal(address_family(&a), family);
	assert_int_equal(address_port(&a), 4660);
}

static void
addresses_are_text_and_back(void **state)
{
	(void)state;
	is_text("192.0.2.1", "192.0.2.1", AF_INET);
	is_text("2001:DB8:0:0::1", "2001:db8::1", AF_INET6);
	is_text("::ffff:192.0.2.1", "192.0.2.1", AF_INET);
	is_text("1111:2222:3333:4444:5555:6666:7777:8888",
	    "1111:2222:3333:4444:5555:6666:7777:8888", AF_INET6);
}

static void
what_is_no_address(void **state)
{
	static const char *const wrong[] = { "", "127.1", "0x7f.0.0.1", "192.0.2.1.", "192.0.2.256",
	    " 192.0.2.1",
		"2001:db8::1%lo", "[::1]", "::1::", "localhost", "192.0.2.1:25",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee" };
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(address_read(&a, span_of(wrong[i]), 25), -1);
	assert_int_equal(address_read(&a, SPAN("192.0.2.1\0"), 25), -1);
}

static void
the_unspecified_address(void **state)
{
	static const char *const others[] = { "0.0.0.1", "127.0.0.1", "::1", "::ffff:0.0.0.1" };
	struct address a, none = { .len = 0 };

	(void)state;
	a = address("0.0.0.0", 25);
	assert_true(address_is_unspecified(&a));
	a = address("::", 25);
	assert_true(address_is_unspecified(&a));
	a = address("::ffff:0.0.0.0", 25);
	assert_true(address_is_unspecified(&a));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		a = address(others[i], 0);
		assert_false(address_is_unspecified(&a));
	}
	assert_false(address_is_unspecified(&none));
}

/* statement 44: an address has one form, whatever it was made from */
static void
threat_44_mapped_addresses_are_ipv4(void **state)
{
	static const uint8_t octets[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
	struct address want = address("192.0.2.1", 40025), a;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(40025),
		.sin6_scope_id = 3 };

	(void)state;
	a = address("::FFFF:c000:201", 40025);
	assert_int_equal(a.len, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	address_make(&a, span(octets, 16), 40025);
	assert_int_equal(a.len, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	memcpy(&in6.sin6_addr, octets, 16);
	address_from(&a, &in6, sizeof(in6));
	assert_int_equal(a.len, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	address_from(&a, &want.at, want.len);
	assert_memory_equal(&a.at, &want.at, sizeof(want.at));
	/* an address that is not mapped keeps its form, and its scope ID */
	in6.sin6_addr.s6_addr[9] = 1;
	address_from(&a, &in6, sizeof(in6));
	assert_int_equal(a.len, sizeof(in6));
	assert_memory_equal(&a.at, &in6, sizeof(in6));
}

static void
what_is_no_socket_address(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr local = { .sa_family = AF_UNIX };
	struct address a;

	(void)state;
	address_from(&a, &in, sizeof(in) - 1);
	assert_int_equal(a.len, 0);
	address_from(&a, &in6, sizeof(in6) - 1);
	assert_int_equal(a.len, 0);
	address_from(&a, &local, sizeof(local));
	assert_int_equal(a.len, 0);
	address_from(&a, &in, 0);
	assert_int_equal(a.len, 0);
	address_make(&a, span("12345", 5), 25);
	assert_int_equal(a.len, 0);
	address_make(&a, span(NULL, 0), 25);
	assert_int_equal(a.len, 0);
}

/* statement 44 */
static void
threat_44_both_ends_in_one_family(void **state)
{
	static const struct { const char *text; int family; const char *want; } cases[] = {
		{ "192.0.2.1", AF_INET, "192.0.2.1" },
		{ "192.0.2.1", AF_INET6, "64:ff9b::c000:201" },
		{ "2001:db8::1", AF_INET6, "2001:db8::1" },
		{ "2001:db8::1", AF_INET, "192.0.0.8" },
		{ "192.0.2.1", AF_UNSPEC, "192.0.2.1" },
	};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct address a = address(cases[i].text, 25);

		address_join_family(&a, cases[i].family);
		address_text(&a, text);
		assert_string_equal(text, cases[i].want);
		assert_int_equal(address_port(&a), 25);
	}
}

static void
loopback_and_the_same_host(void **state)
{
	static const struct { const char *text; bool loopback; } hosts[] = {
		{ "127.0.0.1", true }, { "127.255.0.1", true }, { "128.0.0.1", false }, { "::1",
		    true },
		{ "::ffff:127.0.0.9", true }, { "::", false }, { "::ffff:10.0.0.1", false },
		    { "2001:db8::1", false },
	};
	struct address a, b, none = { .len = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		a = address(hosts[i].text, 25);
		assert_int_equal(address_is_loopback(&a), hosts[i].loopback);
	}
	assert_false(address_is_loopback(&none));
	assert_false(address_same_host(&none, &none));
	a = address("192.0.2.1", 25);
	b = address("::ffff:192.0.2.1", 26);
	assert_true(address_same_host(&a, &b));
	b = address("192.0.2.2", 25);
	assert_false(address_same_host(&a, &b));
	b = address("2001:db8::1", 25);
	assert_false(address_same_host(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_text_and_back),
		cmocka_unit_test(what_is_no_address),
		cmocka_unit_test(the_unspecified_address),
		cmocka_unit_test(threat_44_mapped_addresses_are_ipv4),
		cmocka_unit_test(what_is_no_socket_address),
		cmocka_unit_test(threat_44_both_ends_in_one_family),
		cmocka_unit_test(loopback_and_the_same_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
