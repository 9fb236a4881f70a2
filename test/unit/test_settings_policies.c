/* Settings: which policy is whose. */
#include "settings_fixture.h"

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

static void
policies_are_for_domains(void **state)
{
	static const char *const wrong[] = { "", ".", "..", "a..b", "-o policy", "a/b",
	    "*.example.org", "[192.0.2.5]" };
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
		TEST(policies_are_for_domains),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
