/* Settings: policies by destination. */
#include "settings_fixture.h"

#include "sys/host.h"

static enum policy
policy_for(const char *domain)
{
	return settings_policy_for(&s, span_of(domain));
}

static void
every_policy_has_its_word(void **state)
{
	(void)state;
	good("policy = known\npolicy.a.example = pinned\npolicy.b.example = never\n"
	    "policy.c.example = may\npolicy.d.example = must\n");
	assert_int_equal(s.policy, POLICY_KNOWN);
	assert_int_equal(policy_for("a.example"), POLICY_PINNED);
	assert_int_equal(policy_for("b.example"), POLICY_NEVER);
	assert_int_equal(policy_for("c.example"), POLICY_MAY);
	assert_int_equal(policy_for("d.example"), POLICY_MUST);
	assert_int_equal(policy_for("e.example"), POLICY_KNOWN);
}

static void
the_nearest_policy_counts(void **state)
{
	(void)state;
	good("policy..example.org = must\n"
	    "policy.example.org = never\n"
	    "policy..sub.example.org = may\n"
	    "policy.A.Sub.example.org. = never\n"
	    "policy.192.0.2.5 = must\n"
	    "policy.2001:db8::5 = must\n");
	assert_int_equal(policy_for("example.org"), POLICY_NEVER);
	assert_int_equal(policy_for("example.org."), POLICY_NEVER);
	assert_int_equal(policy_for("EXAMPLE.ORG"), POLICY_NEVER);
	assert_int_equal(policy_for("x.example.org"), POLICY_MUST);
	assert_int_equal(policy_for("x.y.example.org."), POLICY_MUST);
	assert_int_equal(policy_for("sub.example.org"), POLICY_MUST);
	assert_int_equal(policy_for("b.sub.example.org"), POLICY_MAY);
	assert_int_equal(policy_for("a.sub.example.org"), POLICY_NEVER);
	assert_int_equal(policy_for("xexample.org"), POLICY_MAY);
	assert_int_equal(policy_for("192.0.2.5"), POLICY_MUST);
	assert_int_equal(policy_for("2001:db8::5"), POLICY_MUST);
	assert_int_equal(policy_for(""), POLICY_MAY);
	assert_int_equal(policy_for("."), POLICY_MAY);
	s.policy = POLICY_MUST;
	assert_int_equal(policy_for("elsewhere.example"), POLICY_MUST);
	assert_int_equal(settings_option(&s, "policy.example.org=must"), 0);
	assert_int_equal(policy_for("example.org"), POLICY_MUST);
	assert_int_equal(settings_option(&s, "policy..EXAMPLE.org=never"), 0);
	assert_int_equal(policy_for("x.example.org"), POLICY_NEVER);
}

/* An internationalized name must be converted, or it would never match. */
static void
names_beyond_ascii_are_one_name(void **state)
{
	struct host_list hosts;
	const char *why;

	(void)state;
	good("policy.M\xc3\x9cNCHEN.example = must\npolicy..m\xc3\xbcnchen.example. = never\n");
	assert_int_equal(policy_for("xn--mnchen-3ya.example"), POLICY_MUST);
	assert_int_equal(policy_for("a.xn--mnchen-3ya.example"), POLICY_NEVER);
	assert_int_equal(host_list_read(&hosts,
			     SPAN("m\xc3\xbcnchen.example.:25:[\xc3\xbc.example]"), &why),
	    0);
	assert_int_equal(policy_for(hosts.at[0].name), POLICY_MUST);
	assert_string_equal(hosts.at[1].name, "xn--tda.example");
	good("policy.xn--mnchen-3ya.example = must\n");
	assert_int_equal(policy_for(hosts.at[0].name), POLICY_MUST);
	bad("policy.m\xc3\xbcnchen.example = must\npolicy.xn--mnchen-3ya.example = may\n",
	    "2: policy.xn--mnchen-3ya.example is set twice");
}

/* The policy for an operand of blackpony. */
static enum policy
policy_for_operand(const char *operand)
{
	static struct host_list hosts;
	const char *why;

	assert_int_equal(host_list_read(&hosts, span_of(operand), &why), 0);
	return settings_policy_for(&s, span_of(hosts.at[0].name));
}

/* statement 44: the same destination written in different ways, in settings and operands */
static void
threat_44_a_destination_has_one_form(void **state)
{
	static const struct { const char *setting, *operand; } same[] = {
		{ "0:0:0:0:0:0:0:1", "[ipv6:::1]" }, { "::1", "[IPv6:0:0:0::0:1]" },
		{ "2001:DB8:0::5", "[ipv6:2001:db8::5]:25" }, { "::1", "[::1]" },
		{ "192.0.2.5", "[ipv6:::ffff:192.0.2.5]" }, { "::ffff:192.0.2.5", "[192.0.2.5]" },
		{ "::FFFF:c000:205", "192.0.2.5" }, { "192.0.2.5", "192.0.2.5:587" },
		{ "Example.ORG.", "example.org" }, { "example.org", "[EXAMPLE.org.]" },
		{ "mx.example.org", "[mx.example.org]:25:other.example" },
		{ ".Example.org.", "a.example.ORG." }, { "localhost", "LocalHost" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		snprintf(text, sizeof(text), "policy.%s = must", same[i].setting);
		good(text);
		if (policy_for_operand(same[i].operand) != POLICY_MUST)
			fail_msg("policy.%s is not that of %s", same[i].setting, same[i].operand);
		release(NULL);
		settings_defaults(&s);
	}
	bad("policy.::1 = must\npolicy.0:0::1 = may\n", "2: policy.::1 is set twice");
	bad("policy.192.0.2.5 = must\npolicy.::ffff:192.0.2.5 = may\n",
	    "2: policy.192.0.2.5 is set twice");
}

/* statement 44: a setting that cannot match any destination is rejected */
static void
threat_44_policies_are_for_domains(void **state)
{
	static const char *const wrong[] = { "", ".", "..", "a..b", "-o policy", "a/b",
	    "*.example.org", "[192.0.2.5]", "[ipv6:::1]", "[mx.example.org]", "example.org:25",
	    "example.org..", ".192.0.2.5", "192.0.2.300", "192.0.2", ".2.5", "25", "127.1",
	    "2001:db8::5%lo", "192.0.2.0/24" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(text, sizeof(text), "policy.%s = may", wrong[i]);
		assert_int_equal(read_octets(span_of(text)), -1);
		assert_one_line();
		assert_non_null(strstr(s.error, "expected a domain"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_policy_has_its_word),
		TEST(the_nearest_policy_counts),
		TEST(names_beyond_ascii_are_one_name),
		TEST(threat_44_a_destination_has_one_form),
		TEST(threat_44_policies_are_for_domains),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
