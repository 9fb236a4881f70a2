/*
 * Our own resolver, below mx_lookup(), with name servers of the test's own: how many questions it
 * asks, and which of them together.
 */
#include "unit.h"

#include "base/clock.h"
#include "name_servers.h"
#include "sys/resolver.h"

#define PATIENCE_MS 60000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct targets targets;
static size_t exchangers;		/* MX hosts of b.example: h1.b.example, ... */

static void
start(const struct row *rows)
{
	const struct row *tables[] = { rows };

	servers_start(resolver_servers(), tables, 1);
}

/* With a port other than 25, so that an address of this machine is no special one. */
static enum lookup
look_up(const char *operand)
{
	struct host_list list;
	const char *why;

	assert_int_equal(host_list_read(&list, span_of(operand), &why), 0);
	return mx_lookup_with(&resolver_dns, &targets, &list, clock_ms() + PATIENCE_MS);
}

static void
put_exchanger(unsigned number)
{
	uint8_t data[] = "\0\0\2h1\1b\7example";

	data[1] = (uint8_t)number;
	data[4] = (uint8_t)('0' + number);
	put_record("b.example", DNS_MX, span(data, sizeof(data)));
}

static void
its_exchangers(void)
{
	/* the best one last */
	for (size_t i = exchangers; i > 0; i--)
		put_exchanger((unsigned)i);
}

/* The address 192.0.2.N of hN.b.example, whose name is the question. */
static void
its_address(void)
{
	char name[DNS_NAME_MAX];
	uint8_t data[] = { 192, 0, 2, message[14] & 15 };

	assert_true(dns_name(span(message, message_len), 12, message_len - 4, name));
	put_record(name, DNS_A, span(data, sizeof(data)));
}

#define HOST(name, flags, but) \
	{ name, DNS_AAAA, flags, NULL, but }, { name, DNS_A, flags, its_address, but }

static void
finds(const char *want)
{
	char got[512] = "", text[ADDRESS_TEXT_MAX];

	assert_int_equal(look_up("b.example:26"), LOOKUP_FOUND);
	for (size_t i = 0; i < targets.count; i++) {
		size_t len = strlen(got);

		address_text(&targets.at[i].address, text);
		snprintf(got + len, sizeof(got) - len, "%s%.2s %s", i ? ", " : "",
		    targets.at[i].name, text);
	}
	assert_string_equal(got, want);
}

/* Two rounds: the server answers no question about addresses before the last one has come. */
static void
all_addresses_are_asked_for_together(void **state)
{
	static const struct row rows[] = { { "b.example", DNS_MX, SAYS, its_exchangers, 0 },
		HOST("h1.b.example", SAYS, WITH_ALL), HOST("h2.b.example", SAYS, WITH_ALL),
		HOST("h3.b.example", SAYS, WITH_ALL), HOST("h4.b.example", SAYS, WITH_ALL),
		HOST("h5.b.example", SAYS, WITH_ALL), HOST("h6.b.example", SAYS, WITH_ALL),
		HOST("h7.b.example", SAYS, WITH_ALL), HOST("h8.b.example", SAYS, WITH_ALL), { 0 } };
	static const char want[] = "h1 192.0.2.1, h2 192.0.2.2, h3 192.0.2.3, h4 192.0.2.4, "
	    "h5 192.0.2.5, h6 192.0.2.6, h7 192.0.2.7, h8 192.0.2.8";
	static const size_t counts[] = { 1, 2, 5, 8 };

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		char some[sizeof(want)];

		exchangers = counts[i];
		servers_gather = (unsigned)(2 * exchangers);
		snprintf(some, 14 * exchangers - 1, "%s", want);
		start(rows);
		finds(some);
		servers_stop();
		assert_int_equal(seen->count, 1 + 2 * exchangers);
		assert_false(targets.some_missing);
	}
}

/* A host that cannot be looked up is tried later; the others are in their order. */
static void
a_failure_is_that_hosts_own(void **state)
{
	static const struct row rows[] = { { "b.example", DNS_MX, SAYS, its_exchangers, 0 },
		HOST("h1.b.example", SAYS_SERVFAIL, 0), HOST("h2.b.example", SAYS_CUT, 0),
		HOST("h3.b.example", SAYS_NXDOMAIN, 0), HOST("h4.b.example", SAYS, FOLDS), { 0 } };
	static const struct row none[] = { { "b.example", DNS_MX, SAYS, its_exchangers, 0 },
		HOST("h1.b.example", SAYS_NXDOMAIN, 0), HOST("h2.b.example", SAYS, 0), { 0 } };
	static const struct row fail[] = { { "b.example", DNS_MX, SAYS, its_exchangers, 0 },
		HOST("h1.b.example", SAYS_SERVFAIL, 0), HOST("h2.b.example", SAYS_NXDOMAIN, 0),
		{ 0 } };

	(void)state;
	exchangers = 4;
	start(rows);
	finds("h2 192.0.2.2, h4 192.0.2.4");
	servers_stop();
	assert_true(targets.some_missing);
	exchangers = 2;
	start(none);
	finds("h2 192.0.2.2");
	servers_stop();
	assert_false(targets.some_missing);
	start(fail);
	assert_int_equal(look_up("b.example:26"), LOOKUP_LATER);
	servers_stop();
	assert_int_equal(targets.count, 0);
}

/* One family is enough, whatever the other one is. */
static void
one_family_is_enough(void **state)
{
	static const struct row rows[] = { { "b.example", DNS_MX, SAYS, its_exchangers, 0 },
		{ "h1.b.example", DNS_AAAA, SAYS_SERVFAIL, NULL, 0 },
		{ "h1.b.example", DNS_A, SAYS, its_address, 0 }, { 0 } };

	(void)state;
	exchangers = 1;
	start(rows);
	finds("h1 192.0.2.1");
	servers_stop();
	assert_false(targets.some_missing);
}

/* A name without a dot is completed; it is looked up apart from the others. */
static void
search_domains_are_for_names_without_a_dot(void **state)
{
	static const struct row rows[] = { HOST("h1.b.example", SAYS, 0),
		HOST("h2.b.example", SAYS, 0), { 0 } };
	static struct resolver_host hosts[3];

	(void)state;
	start(rows);
	snprintf(resolver_servers()->search, NAMESERVER_SEARCH_MAX, "a.example b.example");
	hosts[0].name = "h1.b.example";
	hosts[1].name = "h2";
	hosts[2].name = "h3.b.example";
	resolver_dns.addresses(hosts, COUNT(hosts), 26, clock_ms() + PATIENCE_MS);
	servers_stop();
	resolver_servers()->search[0] = '\0';
	assert_int_equal(hosts[0].known, RESOLVED);
	assert_int_equal(hosts[1].known, RESOLVED);
	assert_int_equal(hosts[2].known, RESOLVED_NOTHING);
	assert_int_equal(address_port(&hosts[1].at[0]), 26);
	assert_string_equal(hosts[1].origin.end, "h2.b.example");
	/* h2.a.example, h2.b.example, and the two others */
	assert_int_equal(seen->count, 8);
}

/* What DNSSEC says is said of each host by itself. */
static void
each_host_has_its_own_origin(void **state)
{
	static const struct row rows[] = { { "b.example", DNS_MX, SAYS_AD, its_exchangers, 0 },
		HOST("h1.b.example", SAYS, 0), HOST("h2.b.example", SAYS_AD, 0), { 0 } };

	(void)state;
	exchangers = 2;
	resolver_use_dnssec(DANE_YES);
	start(rows);
	finds("h1 192.0.2.1, h2 192.0.2.2");
	servers_stop();
	resolver_use_dnssec(DANE_NO);
	assert_true(targets.at[0].mx_secure && targets.at[1].mx_secure);
	assert_false(targets.at[0].origin.secure);
	assert_true(targets.at[1].origin.secure);
	assert_string_equal(targets.at[1].origin.end, "h2.b.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_addresses_are_asked_for_together),
		cmocka_unit_test(a_failure_is_that_hosts_own),
		cmocka_unit_test(one_family_is_enough),
		cmocka_unit_test(search_domains_are_for_names_without_a_dot),
		cmocka_unit_test(each_host_has_its_own_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
