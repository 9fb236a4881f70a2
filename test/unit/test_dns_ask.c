/*
 * Questions to servers of the test's own, with CNAME records and DNSSEC.
 */
#include "unit.h"

#include "base/clock.h"
#include "name_servers.h"
#include "sys/dns_alias.h"
#include "sys/dns_ask.h"

#define PATIENCE_MS 60000

static struct nameservers servers;
static struct dns_asked asked[NAMESERVER_LOOKUPS_MAX];
static uint8_t answers[NAMESERVER_LOOKUPS_MAX][DNS_MESSAGE_MAX];

static void
start(const struct row *first, const struct row *second)
{
	const struct row *tables[] = { first, second };

	servers_start(&servers, tables, second == NULL ? 1 : 2);
}

static void
set_asked(size_t i, const char *name, enum dns_type type)
{
	dns_asked_set(&asked[i], name, type, answers[i]);
}

static enum dns_said
ask(const char *name, enum dns_type type)
{
	set_asked(0, name, type);
	dns_ask(&servers, asked, 1, clock_ms() + PATIENCE_MS);
	return asked[0].said;
}

static void
address_of_b(void)
{
	put_record("b.example", DNS_A, SPAN("\300\0\2\5"));
}

static void
whole_chain(void)
{
	put_alias("a.example", "b.example");
	address_of_b();
}

static void
half_a_chain(void)
{
	put_alias("a.example", "b.example");
}

static void
to_nothing(void)
{
	half_a_chain();
	put_soa();
}

static void
to_c(void)
{
	put_alias("b.example", "c.example");
}

static void
back_to_a(void)
{
	put_alias("b.example", "a.example");
}

static void
to_itself(void)
{
	put_alias("a.example", "a.example");
	put_record("a.example", DNS_A, SPAN("\300\0\2\5"));
}

static void
a_whole_chain_takes_one_query(void **state)
{
	static const struct row rows[] = { { "a.example", DNS_A, SAYS_AD, whole_chain, 0 },
		{ "a.example", DNS_AAAA, SAYS_AD, to_nothing, 0 }, { 0 } };

	(void)state;
	start(rows, NULL);
	set_asked(0, "a.example", DNS_A);
	set_asked(1, "a.example", DNS_AAAA);
	dns_ask(&servers, asked, 2, clock_ms() + PATIENCE_MS);
	servers_stop();
	assert_int_equal(seen->count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(asked[i].said, DNS_SAID_NOERROR);
		assert_true(asked[i].secure);
		assert_string_equal(asked[i].name, "b.example");
		assert_int_equal(asked[i].links, 1);
	}
}

/* Each link has to be secure. */
static void
half_a_chain_takes_another_query(void **state)
{
	static const struct row good[] = { { "a.example", DNS_A, SAYS_AD, half_a_chain, 0 },
		{ "b.example", DNS_A, SAYS_AD, address_of_b, 0 }, { 0 } };
	static const struct row first[] = { { "a.example", DNS_A, SAYS, half_a_chain, 0 },
		{ "b.example", DNS_A, SAYS_AD, address_of_b, 0 }, { 0 } };
	static const struct row second[] = { { "a.example", DNS_A, SAYS_AD, half_a_chain, 0 },
		{ "b.example", DNS_A, SAYS, address_of_b, 0 }, { 0 } };
	static const struct row *const tables[] = { good, first, second };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		start(tables[i], NULL);
		assert_int_equal(ask("a.example", DNS_A), DNS_SAID_NOERROR);
		servers_stop();
		assert_int_equal(seen->count, 2);
		assert_int_equal(asked[0].secure, i == 0);
		assert_string_equal(asked[0].name, "b.example");
	}
}

static void
the_end_of_a_chain_may_be_missing(void **state)
{
	static const struct row rows[] = { { "a.example", DNS_A, SAYS_AD, half_a_chain, 0 },
		{ "b.example", DNS_A, SAYS_NXDOMAIN_AD, NULL, 0 }, { 0 } };
	static const struct row fails[] = { { "a.example", DNS_A, SAYS_AD, half_a_chain, 0 },
		{ "b.example", DNS_A, SAYS_SERVFAIL, NULL, 0 }, { 0 } };

	(void)state;
	start(rows, NULL);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_NO_NAME);
	assert_true(asked[0].secure);
	servers_stop();
	start(fails, NULL);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_LATER);
	assert_false(asked[0].secure);
	assert_true(asked[0].failed);
	servers_stop();
}

/* From server to server, until the limit; what is secure and makes no sense is tried later. */
static void
endless_chains_end(void **state)
{
	static const struct row circle[] = { { "a.example", DNS_A, SAYS, half_a_chain, 0 },
		{ "b.example", DNS_A, SAYS, back_to_a, 0 }, { 0 } };
	static const struct row itself[] = { { "a.example", DNS_A, SAYS, to_itself, 0 }, { 0 } };
	static const struct row secure[] = { { "a.example", DNS_A, SAYS_AD, to_itself, 0 }, { 0 } };

	(void)state;
	start(circle, NULL);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_NOERROR);
	assert_int_equal(seen->count, DNS_ALIASES_MAX + 1);
	servers_stop();
	start(itself, NULL);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_NOERROR);
	servers_stop();
	start(secure, NULL);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_LATER);
	assert_false(asked[0].secure);
	servers_stop();
}

static void
a_question_for_an_alias_is_not_followed(void **state)
{
	static const struct row rows[] = { { "a.example", DNS_CNAME, SAYS_AD, half_a_chain, 0 },
		{ "b.example", DNS_CNAME, SAYS_AD, to_c, 0 }, { 0 } };

	(void)state;
	start(rows, NULL);
	assert_int_equal(ask("a.example", DNS_CNAME), DNS_SAID_NOERROR);
	assert_string_equal(asked[0].name, "a.example");
	assert_true(asked[0].secure);
	assert_int_equal(seen->count, 1);
	servers_stop();
}

static void
impossible_names_are_not_asked_for(void **state)
{
	char name[400];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	start((const struct row[]){ { 0 } }, NULL);
	assert_int_equal(ask(name, DNS_A), DNS_SAID_LATER);
	assert_int_equal(ask("a..example", DNS_A), DNS_SAID_LATER);
	assert_int_equal(seen->count, 0);
	servers_stop();
}

/* The root tells whether a server validates. */
static void
after_a_failure_the_root_is_asked_for(void **state)
{
	static const struct row fails[] = { { "a.example", DNS_A, SAYS_SERVFAIL, NULL, 0 },
		{ "", DNS_NS, SAYS_AD, NULL, 0 }, { 0 } };
	static const struct row fails_too[] = { { "a.example", DNS_A, SAYS_SERVFAIL, NULL, 0 },
		{ "", DNS_NS, SAYS, NULL, 0 }, { 0 } };
	static const struct row no_root[] = { { "a.example", DNS_A, SAYS_SERVFAIL, NULL, 0 },
		{ "", DNS_NS, SAYS_SERVFAIL, NULL, 0 }, { 0 } };
	static const struct row knows[] = { { "a.example", DNS_A, SAYS, NULL, 0 },
		{ "", DNS_NS, SAYS, NULL, 0 }, { 0 } };

	(void)state;
	start(fails, knows);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_LATER);
	assert_true(servers.validates);
	servers_stop();
	start(fails_too, knows);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_NOERROR);
	assert_false(asked[0].secure);
	assert_int_equal(seen->count, 4);
	/* and each is asked once only */
	assert_int_equal(dns_ask_validates(&servers, clock_ms() + PATIENCE_MS),
	    DNS_VALIDATES_NO);
	assert_int_equal(seen->count, 4);
	servers_stop();
	start(no_root, knows);
	assert_int_equal(ask("a.example", DNS_A), DNS_SAID_LATER);
	assert_int_equal(dns_ask_validates(&servers, clock_ms() + PATIENCE_MS),
	    DNS_VALIDATES_UNKNOWN);
	servers_stop();
}

/* Where it shows the AD bit, its failures may be bad signatures; where it never does, not. */
static void
a_resolver_without_dnssec_is_recognized(void **state)
{
	static const struct row strips[] = { { "", DNS_NS, SAYS, NULL, 0 }, { 0 } };
	static const struct row shows[] = { { "a.example", DNS_A, SAYS_AD, NULL, 0 }, { 0 } };

	(void)state;
	start(strips, NULL);
	assert_int_equal(dns_ask_validates(&servers, clock_ms() + PATIENCE_MS),
	    DNS_VALIDATES_NO);
	servers_stop();
	start(shows, NULL);
	ask("a.example", DNS_A);
	assert_int_equal(dns_ask_validates(&servers, clock_ms() + PATIENCE_MS),
	    DNS_VALIDATES_YES);
	assert_int_equal(seen->count, 1);
	servers_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_chain_takes_one_query),
		cmocka_unit_test(half_a_chain_takes_another_query),
		cmocka_unit_test(the_end_of_a_chain_may_be_missing),
		cmocka_unit_test(endless_chains_end),
		cmocka_unit_test(a_question_for_an_alias_is_not_followed),
		cmocka_unit_test(impossible_names_are_not_asked_for),
		cmocka_unit_test(after_a_failure_the_root_is_asked_for),
		cmocka_unit_test(a_resolver_without_dnssec_is_recognized),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
