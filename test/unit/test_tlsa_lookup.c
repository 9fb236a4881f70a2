/*
 * From a host to its TLSA records (RFC 7672 section 2.2), with a name server of the test's own.
 */
#include "unit.h"

#include "base/clock.h"
#include "name_servers.h"
#include "sys/tlsa_lookup.h"

#define MX "mx.example"
#define END "end.example"

static struct nameservers servers;
static struct tlsa tlsa;
static enum tlsa_found found;

/* Looks up a host whose addresses, at the end of an alias or not, are secure or not. */
static void
look_up(const struct row *rows, bool secure, bool alias)
{
	const struct row *tables[] = { rows };
	struct host_origin origin = { .secure = secure, .alias = alias };

	snprintf(origin.end, sizeof(origin.end), "%s", alias ? END : MX);
	servers_start(&servers, tables, 1);
	found = tlsa_look_up(&servers, MX, &origin, 25, clock_ms() + 60000, &tlsa);
	servers_stop();
	assert_int_equal(tlsa.list.count > 0, found == TLSA_FOUND);
}

static void
one(void)
{
	put_record("_25._tcp." MX, DNS_TLSA, SPAN("\3\1\1m"));
}

static void
one_at_end(void)
{
	put_record("_25._tcp." END, DNS_TLSA, SPAN("\3\1\1e"));
}

static void
elsewhere(void)
{
	put_alias("_25._tcp." MX, "tlsa.example");
	put_record("tlsa.example", DNS_TLSA, SPAN("\3\1\1t"));
}

static void
half_way(void)
{
	put_alias("_25._tcp." MX, "tlsa.example");
}

static void
at_the_other_end(void)
{
	put_record("tlsa.example", DNS_TLSA, SPAN("\3\1\1t"));
}

static void
to_end(void)
{
	put_alias(MX, END);
}

static void
a_hundred(void)
{
	uint8_t data[] = "\3\1\1 0123456789abcdef0123456789abcdef";

	for (uint8_t i = 0; i < 100; i++) {
		data[3] = i;
		put_record("_25._tcp." MX, DNS_TLSA, span(data, sizeof(data) - 1));
	}
}

static struct dns_tlsa
first(void)
{
	struct dns_tlsa record;
	size_t at = 0;

	assert_true(dns_tlsa_next(&tlsa.list, &at, &record));
	return record;
}

/* Name servers of unsigned zones may fail to answer it. */
static void
without_secure_addresses_nothing_is_asked(void **state)
{
	static const struct row rows[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, 0 }, { 0 } };
	const struct row *tables[] = { rows };
	struct host_origin origin = { .secure = true, .end = MX };

	(void)state;
	look_up(rows, false, false);
	assert_int_equal(found, TLSA_NONE);
	assert_int_equal(seen->count, 0);

	servers_start(&servers, tables, 1);
	servers.dnssec = false;
	assert_int_equal(tlsa_look_up(&servers, MX, &origin, 25, clock_ms() + 60000, &tlsa),
	    TLSA_NONE);
	servers_stop();
	assert_int_equal(seen->count, 0);
}

static void
secure_records_count(void **state)
{
	static const struct row rows[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, 0 }, { 0 } };

	(void)state;
	look_up(rows, true, false);
	assert_int_equal(found, TLSA_FOUND);
	assert_string_equal(tlsa.base, MX);
	assert_span(first().data, "m");
	assert_int_equal(seen->count, 1);
}

static void
the_port_is_in_the_name(void **state)
{
	const struct row *tables[] = { (const struct row[]){ { 0 } } };
	struct host_origin origin = { .secure = true, .end = MX };

	(void)state;
	servers_start(&servers, tables, 1);
	tlsa_look_up(&servers, MX, &origin, 65535, clock_ms() + 60000, &tlsa);
	servers_stop();
	assert_true(span_equal_nocase(span_of(seen->at[0].name), SPAN("_65535._tcp." MX)));
}

static void
other_answers_are_no_dane(void **state)
{
	static const struct row insecure[] = { { "_25._tcp." MX, DNS_TLSA, SAYS, one, 0 }, { 0 } };
	static const struct row nothing[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, NULL, 0 }, { 0 } };
	static const struct row no_name[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_NXDOMAIN_AD, NULL,
		0 }, { 0 } };
	static const struct row insecure_no_name[] = { { 0 } };
	static const struct row *const tables[] = { insecure, nothing, no_name, insecure_no_name };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		look_up(tables[i], true, false);
		assert_int_equal(found, TLSA_NONE);
	}
}

static void
a_failure_means_later(void **state)
{
	static const struct row bogus[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_SERVFAIL, NULL, 0 },
		{ 0 } };
	static const struct row refused[] = { { "_25._tcp." MX, DNS_TLSA, 0x8185, NULL, 0 }, { 0 } };

	(void)state;
	look_up(bogus, true, false);
	assert_int_equal(found, TLSA_LATER);
	assert_true(tlsa.failed);
	assert_string_equal(tlsa.base, MX);
	look_up(refused, true, false);
	assert_int_equal(found, TLSA_LATER);
	assert_false(tlsa.failed);
}

/* Records that are aliases themselves, in one answer or in two. */
static void
aliases_of_records_are_followed(void **state)
{
	static const struct row whole[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, elsewhere, 0 },
		{ 0 } };
	static const struct row halves[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, half_way, 0 },
		{ "tlsa.example", DNS_TLSA, SAYS_AD, at_the_other_end, 0 }, { 0 } };
	static const struct row insecure[] = { { "_25._tcp." MX, DNS_TLSA, SAYS, half_way, 0 },
		{ "tlsa.example", DNS_TLSA, SAYS_AD, at_the_other_end, 0 }, { 0 } };
	static const struct row *const tables[] = { whole, halves, insecure };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		look_up(tables[i], true, false);
		assert_int_equal(found, i < 2 ? TLSA_FOUND : TLSA_NONE);
		if (i == 2)
			continue;
		assert_string_equal(tlsa.base, MX);
		assert_span(first().data, "t");
	}
}

/* Both names are asked for together; the end of the chain decides if it has records. */
static void
the_end_of_a_secure_alias_comes_first(void **state)
{
	static const struct row both[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, WITH_NEXT },
		{ "_25._tcp." END, DNS_TLSA, SAYS_AD, one_at_end, WITH_NEXT }, { 0 } };
	static const struct row name[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, 0 },
		{ "_25._tcp." END, DNS_TLSA, SAYS_NXDOMAIN_AD, NULL, 0 }, { 0 } };

	(void)state;
	look_up(both, true, true);
	assert_int_equal(found, TLSA_FOUND);
	assert_string_equal(tlsa.base, END);
	assert_span(first().data, "e");
	assert_int_equal(seen->count, 2);
	look_up(name, true, true);
	assert_int_equal(found, TLSA_FOUND);
	assert_string_equal(tlsa.base, MX);
	assert_span(first().data, "m");
}

static void
no_failure_is_passed_over(void **state)
{
	static const struct row end[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, 0 },
		{ "_25._tcp." END, DNS_TLSA, SAYS_SERVFAIL, NULL, 0 }, { 0 } };
	static const struct row name[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_SERVFAIL, NULL, 0 },
		{ "_25._tcp." END, DNS_TLSA, SAYS_AD, NULL, 0 }, { 0 } };
	static const struct row enough[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_SERVFAIL, NULL, 0 },
		{ "_25._tcp." END, DNS_TLSA, SAYS_AD, one_at_end, 0 }, { 0 } };

	(void)state;
	look_up(end, true, true);
	assert_int_equal(found, TLSA_LATER);
	assert_string_equal(tlsa.base, END);
	look_up(name, true, true);
	assert_int_equal(found, TLSA_LATER);
	assert_string_equal(tlsa.base, MX);
	look_up(enough, true, true);
	assert_int_equal(found, TLSA_FOUND);
}

/* Only the end is in an unsigned zone: its TLSA records are not asked for. */
static void
an_alias_may_be_secure_though_its_end_is_not(void **state)
{
	static const struct row secure[] = { { MX, DNS_CNAME, SAYS_AD, to_end, 0 },
		{ "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, 0 },
		{ "_25._tcp." END, DNS_TLSA, SAYS_SERVFAIL, NULL, 0 }, { 0 } };
	static const struct row insecure[] = { { MX, DNS_CNAME, SAYS, to_end, 0 },
		{ "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, 0 }, { 0 } };
	static const struct row fails[] = { { MX, DNS_CNAME, SAYS_SERVFAIL, NULL, 0 },
		{ "_25._tcp." MX, DNS_TLSA, SAYS_AD, one, 0 }, { 0 } };

	(void)state;
	look_up(secure, false, true);
	assert_int_equal(found, TLSA_FOUND);
	assert_string_equal(tlsa.base, MX);
	assert_int_equal(seen->count, 2);
	look_up(insecure, false, true);
	assert_int_equal(found, TLSA_NONE);
	assert_int_equal(seen->count, 1);
	look_up(fails, false, true);
	assert_int_equal(found, TLSA_LATER);
	assert_true(tlsa.failed);
}

static void
a_hundred_records_come_over_tcp(void **state)
{
	static const struct row rows[] = { { "_25._tcp." MX, DNS_TLSA, SAYS_CUT, a_hundred, 0 },
		{ 0 } };

	(void)state;
	look_up(rows, true, false);
	assert_int_equal(found, TLSA_FOUND);
	assert_int_equal(tlsa.list.count, 100);
	assert_true(seen->at[1].stream);
}

/* 253 characters with "_25._tcp." are asked for; a longer name has no records. */
static void
names_that_leave_no_room_have_none(void **state)
{
	const struct row *tables[] = { (const struct row[]){ { 0 } } };
	char name[246];
	struct host_origin origin = { .secure = true };

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 49; i < sizeof(name); i += 50)
		name[i] = '.';
	for (size_t len = 244; len <= 245; len++) {
		snprintf(origin.end, sizeof(origin.end), "%.*s", (int)len, name);
		servers_start(&servers, tables, 1);
		assert_int_equal(tlsa_look_up(&servers, origin.end, &origin, 25,
		    clock_ms() + 60000, &tlsa), TLSA_NONE);
		servers_stop();
		assert_int_equal(seen->count, len == 244);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_secure_addresses_nothing_is_asked),
		cmocka_unit_test(secure_records_count),
		cmocka_unit_test(the_port_is_in_the_name),
		cmocka_unit_test(other_answers_are_no_dane),
		cmocka_unit_test(a_failure_means_later),
		cmocka_unit_test(aliases_of_records_are_followed),
		cmocka_unit_test(the_end_of_a_secure_alias_comes_first),
		cmocka_unit_test(no_failure_is_passed_over),
		cmocka_unit_test(an_alias_may_be_secure_though_its_end_is_not),
		cmocka_unit_test(a_hundred_records_come_over_tcp),
		cmocka_unit_test(names_that_leave_no_room_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
