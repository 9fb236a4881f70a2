/*
 * mx_lookup() with a small DNS of the test's own.
 */
#include "unit.h"

#include "base/clock.h"
#include "sys/resolver.h"

#include <netinet/in.h>

/* The names: hosts with addresses, domains with MX hosts. */
static const struct record {
	const char *name;
	enum resolved exchangers;
	const char *mx[4];			/* in the order of dns_mx_order() */
	uint16_t preference[4];
	enum resolved has_address;
	const char *address[4];
} records[] = {
	{ "plain.example", RESOLVED, { "mx1.example", "mx2.example" }, { 10, 20 }, RESOLVED_NOTHING,
	    { 0 } },
	{ "mx1.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "2001:db8::1", "192.0.2.1" } },
	{ "mx2.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "192.0.2.2" } },
	{ "mx3.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "192.0.2.3" } },
	{ "bare.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED_NOTHING, { 0 } },
	{ "null.example", RESOLVED_NULL, { 0 }, { 0 }, RESOLVED, { "192.0.2.9" } },
	{ "slow.example", RESOLVED_LATER, { 0 }, { 0 }, RESOLVED, { "192.0.2.9" } },
	{ "down.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED_LATER, { 0 } },
	{ "own.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "198.51.100.7",
	    "198.51.100.1" } },
	{ "loop.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "127.8.8.8" } },
	{ "loop6.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "::1" } },
	{ "mapped.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "::ffff:127.0.0.1" } },
	{ "any.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "0.0.0.0" } },
	{ "any6.example", RESOLVED_NOTHING, { 0 }, { 0 }, RESOLVED, { "::" } },
	{ "backup.example", RESOLVED, { "mx1.example", "mx2.example", "own.example",
	    "mx3.example" },
	    { 10, 20, 20, 30 }, RESOLVED_NOTHING, { 0 } },
	{ "best.example", RESOLVED, { "own.example", "mx1.example" }, { 10, 20 }, RESOLVED_NOTHING,
	    { 0 } },
	{ "equal.example", RESOLVED, { "mx1.example", "own.example" }, { 10, 10 }, RESOLVED_NOTHING,
	    { 0 } },
	{ "gone.example", RESOLVED, { "nowhere.example", "mx2.example" }, { 10, 20 },
	    RESOLVED_NOTHING, { 0 } },
	{ "half.example", RESOLVED, { "down.example", "mx2.example" }, { 10, 20 },
	    RESOLVED_NOTHING, { 0 } },
	{ "allgone.example", RESOLVED, { "nowhere.example", "down.example" }, { 10, 20 },
	    RESOLVED, { "192.0.2.9" } },
	{ "hosts.example", RESOLVED_NO_NAME, { 0 }, { 0 }, RESOLVED, { "192.0.2.50" } },
	{ "smart", RESOLVED_LATER, { 0 }, { 0 }, RESOLVED, { "127.0.0.1" } },
	{ NULL, RESOLVED_NO_NAME, { 0 }, { 0 }, RESOLVED_NOTHING, { 0 } },
};

static struct targets targets;
static unsigned int asked, rounds;	/* questions, and how many times some were asked together */

/* crowd.example has that many MX hosts, each with one address: h0.crowd.example 192.0.2.100, ... */
static size_t crowd;
static size_t crowd_own;		/* which of them is this host */

static const struct record *
find(const char *name)
{
	static char text[ADDRESS_TEXT_MAX];
	static struct record member = { .has_address = RESOLVED, .address = { text } };
	const struct record *record = records;
	unsigned int number;

	asked++;
	if (sscanf(name, "h%u.crowd.example", &number) == 1) {
		snprintf(text, sizeof(text), "%s.%u", number == crowd_own ? "198.51.100" : "192.0.2",
		    number == crowd_own ? 1 : 100 + number);
		return &member;
	}
	while (record->name != NULL && strcmp(record->name, name) != 0)
		record++;
	return record;
}

static enum resolved
exchangers(const char *domain, int64_t deadline_ms, struct dns_mx_list *list)
{
	const struct record *record = find(domain);

	assert_true(clock_ms() < deadline_ms);
	rounds++;
	list->secure = strcmp(domain, "plain.example") == 0;
	if (strcmp(domain, "crowd.example") == 0) {
		for (list->count = 0; list->count < crowd; list->count++) {
			list->at[list->count].preference = (uint16_t)list->count;
			snprintf(list->at[list->count].name, sizeof(list->at[0].name),
			    "h%zu.crowd.example", list->count);
		}
		return RESOLVED;
	}
	for (list->count = 0; list->count < 4 && record->mx[list->count] != NULL; list->count++) {
		snprintf(list->at[list->count].name, sizeof(list->at[0].name), "%s",
		    record->mx[list->count]);
		list->at[list->count].preference = record->preference[list->count];
	}
	return record->exchangers;
}

static void
addresses_of(struct resolver_host *host, uint16_t port)
{
	const struct record *record = find(host->name);

	for (host->count = 0; host->count < 4 && record->address[host->count] != NULL; host->count++)
		assert_int_equal(address_read(&host->at[host->count],
				     span_of(record->address[host->count]), port), 0);
	host->origin.secure = strcmp(host->name, "mx2.example") == 0;
	host->origin.alias = host->origin.secure;
	snprintf(host->origin.end, sizeof(host->origin.end), "end-of-%.100s", host->name);
	host->known = record->has_address;
}

static void
addresses(struct resolver_host *hosts, size_t count, uint16_t port, int64_t deadline_ms)
{
	assert_true(clock_ms() < deadline_ms);
	assert_in_range(count, 1, RESOLVER_HOSTS_MAX);
	rounds++;
	for (size_t i = 0; i < count; i++)
		addresses_of(&hosts[i], port);
}

static bool
is_own(const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(address, text);
	return strcmp(text, "198.51.100.1") == 0;
}

static const struct resolver small_dns = { exchangers, addresses, is_own };

static enum lookup
look_up_until(const char *operand, int64_t deadline_ms)
{
	struct host_list list;
	const char *why;

	asked = rounds = 0;
	assert_int_equal(host_list_read(&list, span_of(operand), &why), 0);
	return mx_lookup_with(&small_dns, &targets, &list, deadline_ms);
}

static enum lookup
look_up(const char *operand)
{
	return look_up_until(operand, clock_ms() + 60000);
}

/* Asserts the targets of `operand` as "name address port", separated by commas. */
static void
finds(const char *operand, const char *want)
{
	char got[1024] = "";
	char text[ADDRESS_TEXT_MAX];

	assert_int_equal(look_up(operand), LOOKUP_FOUND);
	for (size_t i = 0; i < targets.count; i++) {
		size_t len = strlen(got);

		address_text(&targets.at[i].address, text);
		snprintf(got + len, sizeof(got) - len, "%s%s %s %u", i ? "," : "",
		    targets.at[i].name, text,
		    (unsigned int)address_port(&targets.at[i].address));
	}
	assert_string_equal(got, want);
}

static void
finds_none(const char *operand, enum lookup want, const char *why)
{
	assert_int_equal(look_up(operand), want);
	assert_int_equal(targets.count, 0);
	assert_string_equal(targets.why, why);
}

static void
exchangers_in_order_with_their_addresses(void **state)
{
	(void)state;
	finds("plain.example",
	    "mx1.example 2001:db8::1 25,mx1.example 192.0.2.1 25,mx2.example 192.0.2.2 25");
	finds("plain.example:26",
	    "mx1.example 2001:db8::1 26,mx1.example 192.0.2.1 26,mx2.example 192.0.2.2 26");
}

static void
without_mx_the_domain_itself(void **state)
{
	(void)state;
	finds("mx2.example", "mx2.example 192.0.2.2 25");
	finds_none("bare.example", LOOKUP_LATER,
	    "bare.example: MX host bare.example has no address, or its look-up failed");
	finds_none("down.example", LOOKUP_LATER,
	    "down.example: MX host down.example has no address, or its look-up failed");
}

static void
brackets_mean_no_mx(void **state)
{
	(void)state;
	finds("[mx2.example]", "mx2.example 192.0.2.2 25");
	finds("[null.example]", "null.example 192.0.2.9 25");
	finds("[slow.example]", "slow.example 192.0.2.9 25");
	assert_int_equal(asked, 1);
	finds_none("[plain.example]", LOOKUP_LATER, "plain.example: has no address");
	finds_none("[down.example]", LOOKUP_LATER,
	    "down.example: address look-up failed");
	finds_none("[nowhere.example]", LOOKUP_NO_DOMAIN, "nowhere.example: no such host");
}

static void
names_without_a_dot_and_literals_have_no_mx(void **state)
{
	(void)state;
	finds("smart", "smart 127.0.0.1 25");
	assert_int_equal(asked, 1);
	finds("[192.0.2.77]:2525", "192.0.2.77 192.0.2.77 2525");
	finds("192.0.2.77", "192.0.2.77 192.0.2.77 25");
	finds("[ipv6:2001:db8::77]", "2001:db8::77 2001:db8::77 25");
	finds("[127.0.0.1]", "127.0.0.1 127.0.0.1 25");
	assert_int_equal(asked, 0);
}

/* Whether there may be more targets: if all that were found refuse, others may not. */
static void
what_could_not_be_looked_up_is_missing(void **state)
{
	(void)state;
	look_up("plain.example");
	assert_false(targets.some_missing);
	look_up("gone.example");	/* its first host does not exist */
	assert_false(targets.some_missing);
	look_up("half.example");
	assert_int_equal(targets.count, 1);
	assert_true(targets.some_missing);
	look_up("down.example:mx2.example");
	assert_int_equal(targets.count, 1);
	assert_true(targets.some_missing);
	look_up("nowhere.example:mx2.example");
	assert_false(targets.some_missing);
}

static void
never_guesses_when_the_dns_is_down(void **state)
{
	(void)state;
	finds_none("slow.example", LOOKUP_LATER,
	    "slow.example: MX look-up failed");
	assert_int_equal(asked, 1);
}

static void
what_only_libc_knows_exists(void **state)
{
	(void)state;
	finds("hosts.example", "hosts.example 192.0.2.50 25");
}

static void
what_will_never_take_mail(void **state)
{
	(void)state;
	finds_none("nowhere.example", LOOKUP_NO_DOMAIN, "nowhere.example: no such domain");
	finds_none("null.example", LOOKUP_NULL_MX, "null.example: accepts no mail (null MX)");
	finds_none("null.example:nowhere.example", LOOKUP_NULL_MX,
	    "nowhere.example: no such domain");
	finds_none("nowhere.example:nowhere2.example", LOOKUP_NO_DOMAIN,
	    "nowhere2.example: no such domain");
}

static void
one_that_must_wait_makes_all_wait(void **state)
{
	(void)state;
	finds_none("slow.example:nowhere.example", LOOKUP_LATER,
	    "slow.example: MX look-up failed");
	finds_none("nowhere.example:slow.example:null.example", LOOKUP_LATER,
	    "slow.example: MX look-up failed");
}

static void
one_that_is_found_is_enough(void **state)
{
	(void)state;
	finds("nowhere.example:[mx2.example]:26:slow.example:192.0.2.77",
	    "mx2.example 192.0.2.2 26,192.0.2.77 192.0.2.77 25");
}

static void
exchangers_that_are_gone_are_skipped(void **state)
{
	(void)state;
	finds("gone.example", "mx2.example 192.0.2.2 25");
	finds_none("allgone.example", LOOKUP_LATER,
	    "allgone.example: MX host down.example has no address, or its look-up failed");
}

static void
this_host_and_later_ones_are_left_out(void **state)
{
	(void)state;
	finds("backup.example", "mx1.example 2001:db8::1 25,mx1.example 192.0.2.1 25");
	finds_none("best.example", LOOKUP_LATER,
	    "best.example: MX host own.example is this host");
	finds_none("equal.example", LOOKUP_LATER,
	    "equal.example: MX host own.example is this host");
	finds_none("own.example", LOOKUP_LATER,
	    "own.example: MX host own.example is this host");
	finds("192.0.2.77:own.example:equal.example", "192.0.2.77 192.0.2.77 25");
}

/* One round for the MX records, and one for the addresses of RESOLVER_HOSTS_MAX hosts. */
static void
hosts_are_looked_up_together(void **state)
{
	static const size_t counts[] = { 1, 2, 5, RESOLVER_HOSTS_MAX, RESOLVER_HOSTS_MAX + 1,
		2 * RESOLVER_HOSTS_MAX, DNS_MX_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		char last[ADDRESS_TEXT_MAX], want[ADDRESS_TEXT_MAX];

		crowd = counts[i];
		crowd_own = SIZE_MAX;
		assert_int_equal(look_up("crowd.example"), LOOKUP_FOUND);
		assert_int_equal(targets.count, crowd);
		assert_int_equal(asked, 1 + crowd);
		assert_int_equal(rounds, 1 + (crowd + RESOLVER_HOSTS_MAX - 1) / RESOLVER_HOSTS_MAX);
		address_text(&targets.at[crowd - 1].address, last);
		snprintf(want, sizeof(want), "192.0.2.%zu", 100 + crowd - 1);
		assert_string_equal(last, want);
	}
	look_up("mx2.example");
	assert_int_equal(rounds, 2);
	look_up("backup.example");
	assert_int_equal(rounds, 2);
	/* hosts after this one are in no round of their own */
	crowd = DNS_MX_MAX;
	for (crowd_own = 1; crowd_own < 2 * RESOLVER_HOSTS_MAX; crowd_own++) {
		assert_int_equal(look_up("crowd.example"), LOOKUP_FOUND);
		assert_int_equal(targets.count, crowd_own);
		assert_int_equal(rounds, 2 + crowd_own / RESOLVER_HOSTS_MAX);
		assert_false(targets.some_missing);
	}
}

static void
at_another_port_it_is_not_ourselves(void **state)
{
	(void)state;
	finds("own.example:2525", "own.example 198.51.100.7 2525,own.example 198.51.100.1 2525");
	finds("[own.example]", "own.example 198.51.100.7 25,own.example 198.51.100.1 25");
}

/* statement 31: another domain's MX must not lead to the MTA on this host, which may trust us */
static void
threat_31_exchangers_on_loopback_are_ourselves(void **state)
{
	static const char *const names[] = { "loop.example", "loop6.example", "mapped.example",
		"any.example", "any6.example" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(look_up(names[i]), LOOKUP_LATER);
		assert_int_equal(targets.count, 0);
		assert_non_null(strstr(targets.why, "is this host"));
	}
}

static void
nothing_is_looked_up_after_the_deadline(void **state)
{
	(void)state;
	assert_int_equal(look_up_until("plain.example:[mx1.example]:nowhere.example", clock_ms()),
	    LOOKUP_LATER);
	assert_int_equal(asked, 0);
	assert_int_equal(look_up_until("plain.example:192.0.2.77", clock_ms()), LOOKUP_FOUND);
	assert_int_equal(targets.count, 1);
}

static void
no_more_targets_than_there_is_room_for(void **state)
{
	char operand[600] = "";

	(void)state;
	for (int i = 0; i < HOST_LIST_MAX; i++)
		strcat(operand, i ? ":backup.example:26" : "backup.example:26");
	assert_int_equal(look_up(operand), LOOKUP_FOUND);
	assert_int_equal(targets.count, HOST_TARGETS_MAX);
}

/* Each target has what DNSSEC says of its own name. */
static void
targets_know_where_they_come_from(void **state)
{
	(void)state;
	assert_int_equal(look_up("plain.example:[mx2.example]:half.example:[192.0.2.8]"),
	    LOOKUP_FOUND);
	assert_int_equal(targets.count, 6);
	assert_true(targets.at[0].mx_secure && targets.at[1].mx_secure);
	assert_false(targets.at[0].origin.secure || targets.at[1].origin.secure);
	assert_string_equal(targets.at[1].origin.end, "end-of-mx1.example");
	assert_true(targets.at[2].mx_secure && targets.at[2].origin.secure);
	/* in brackets, and by an MX that is not secure */
	assert_true(targets.at[3].mx_secure && targets.at[3].origin.secure);
	assert_string_equal(targets.at[3].origin.end, "end-of-mx2.example");
	assert_false(targets.at[4].mx_secure);
	assert_true(targets.at[4].origin.secure);
	assert_false(targets.at[5].origin.secure);
}

static void
knows_this_host(const struct resolver *resolver)
{
	static struct resolver_host found[2];
	struct address other;

	found[0].name = "localhost";
	found[1].name = "localhost";
	resolver->addresses(found, 2, 2525, clock_ms() + 60000);
	for (size_t i = 0; i < 2; i++) {
		if (found[i].known != RESOLVED)
			skip();
		assert_false(found[i].origin.secure || found[i].origin.alias);
		assert_string_equal(found[i].origin.end, "localhost");
		assert_true(found[i].count > 0);
		assert_int_equal(address_port(&found[i].at[0]), 2525);
		assert_true(address_is_loopback(&found[i].at[0]));
	}
	address_read(&other, SPAN("127.0.0.1"), 0);
	assert_true(resolver->is_own(&other));
	address_read(&other, SPAN("192.0.2.199"), 0);
	assert_false(resolver->is_own(&other));
	resolver->addresses(found, 1, 25, clock_ms() - 5000);
	assert_int_equal(found[0].known, RESOLVED_LATER);
	assert_int_equal(found[0].count, 0);
}

/* The real resolvers, as far as they work without a network. */
static void
libc_knows_this_host(void **state)
{
	(void)state;
	knows_this_host(&resolver_libc);
}

static void
the_hosts_file_knows_this_host(void **state)
{
	(void)state;
	knows_this_host(&resolver_dns);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchangers_in_order_with_their_addresses),
		cmocka_unit_test(without_mx_the_domain_itself),
		cmocka_unit_test(brackets_mean_no_mx),
		cmocka_unit_test(names_without_a_dot_and_literals_have_no_mx),
		cmocka_unit_test(what_could_not_be_looked_up_is_missing),
		cmocka_unit_test(never_guesses_when_the_dns_is_down),
		cmocka_unit_test(what_only_libc_knows_exists),
		cmocka_unit_test(what_will_never_take_mail),
		cmocka_unit_test(one_that_must_wait_makes_all_wait),
		cmocka_unit_test(one_that_is_found_is_enough),
		cmocka_unit_test(exchangers_that_are_gone_are_skipped),
		cmocka_unit_test(this_host_and_later_ones_are_left_out),
		cmocka_unit_test(hosts_are_looked_up_together),
		cmocka_unit_test(at_another_port_it_is_not_ourselves),
		cmocka_unit_test(threat_31_exchangers_on_loopback_are_ourselves),
		cmocka_unit_test(nothing_is_looked_up_after_the_deadline),
		cmocka_unit_test(no_more_targets_than_there_is_room_for),
		cmocka_unit_test(targets_know_where_they_come_from),
		cmocka_unit_test(libc_knows_this_host),
		cmocka_unit_test(the_hosts_file_knows_this_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
