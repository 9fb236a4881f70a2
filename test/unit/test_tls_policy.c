#include "unit.h"

#include "smtp/tls_policy.h"

#define DOMAIN "b.example"

static struct tls_policy policy;

static enum tls_policy_level
level_of(const char *entry)
{
	tls_policy_read(&policy, span_of(entry));
	return policy.level;
}

/* Is `host` one that `entry` permits for DOMAIN? */
static bool
permits(const char *entry, const char *host)
{
	assert_int_equal(level_of(entry), TLS_POLICY_SECURE);
	return tls_policy_has_host(&policy, DOMAIN, host);
}

static void
levels_are_those_of_postfix(void **state)
{
	(void)state;
	assert_int_equal(level_of("none"), TLS_POLICY_NONE);
	assert_int_equal(level_of("may"), TLS_POLICY_NONE);
	assert_int_equal(level_of("dane"), TLS_POLICY_NONE);
	assert_int_equal(level_of("encrypt"), TLS_POLICY_ENCRYPT);
	assert_int_equal(level_of("dane-only"), TLS_POLICY_DANE_ONLY);
	assert_int_equal(level_of("secure"), TLS_POLICY_SECURE);
	assert_int_equal(level_of("Secure"), TLS_POLICY_SECURE);
	assert_int_equal(level_of(" \t secure "), TLS_POLICY_SECURE);
}

static void
what_is_not_understood_is_said(void **state)
{
	static const struct {
		const char *entry, *fault;
	} wrong[] = {
		{ "", "" },
		{ " ", "" },
		{ "verify", "verify" },
		{ "fingerprint match=aa", "fingerprint" },
		{ "secures", "secures" },
		{ "match=a secure", "match=a" },
		{ "secure tafile=/a", "tafile=/a" },
		{ "may what=1", "what=1" },
		{ "secure match", "match" },
		{ "secure match=", "match=" },
		{ "secure { match = }", "{ match = }" },
		{ "secure match=a.example servername=other.example", "servername=other.example" },
		{ "secure servername=nexthop", "servername=nexthop" },
		{ "secure =a", "=a" },
		{ "secure {", "{" },
		{ "secure {}", "{}" },
		{ "secure { what = 1 } match=a", "{ what = 1 }" },
		{ "secure\1", "secure?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(level_of(wrong[i].entry), TLS_POLICY_UNKNOWN);
		assert_string_equal(policy.fault, wrong[i].fault);
		assert_int_equal(policy.patterns_len, 0);
	}
}

static void
what_daemons_say_is_understood(void **state)
{
	(void)state;
	assert_true(permits("secure match=.b.example:mx.c.example servername=hostname",
	    "mx.c.example"));
	assert_true(permits("secure match=mx.b.example servername=hostname policy_type=sts"
	    " policy_domain=b.example mx_host_pattern=mx.b.example", "mx.b.example"));
	assert_true(permits("secure match=mx.b.example policy_type=sts { policy_string = version:"
	    " STSv1 } { policy_string = mode: enforce } policy_ttl=86400", "mx.b.example"));
	assert_true(permits("secure match=a.example match=mx.b.example", "mx.b.example"));
	assert_true(permits("secure ciphers=high, protocols=>=TLSv1.2 exclude=aNULL match=a",
	    "a"));
	assert_int_equal(level_of("dane-only servername=hostname"), TLS_POLICY_DANE_ONLY);
}

static void
a_pattern_matches_whole_names(void **state)
{
	const char *entry = "secure match=mx.b.example";

	(void)state;
	assert_true(permits(entry, "mx.b.example"));
	assert_true(permits(entry, "MX.B.example."));
	assert_true(permits("secure match=mx.b.example.", "mx.b.example"));
	assert_false(permits(entry, "amx.b.example"));
	assert_false(permits(entry, "a.mx.b.example"));
	assert_false(permits(entry, "b.example"));
	assert_false(permits(entry, ""));
	assert_false(permits("secure match=:", ""));
}

static void
a_dot_stands_for_one_label(void **state)
{
	const char *entry = "secure match=.b.example";

	(void)state;
	assert_true(permits(entry, "mx.b.example"));
	assert_true(permits(entry, "MX.b.EXAMPLE"));
	assert_false(permits(entry, "a.mx.b.example"));
	assert_false(permits(entry, "b.example"));
	assert_false(permits(entry, ".b.example"));
	assert_false(permits(entry, "mx.bb.example"));
	assert_false(permits("secure match=.", "mx"));
	assert_false(permits("secure match=.", "mx."));
}

static void
words_stand_for_the_domain(void **state)
{
	(void)state;
	assert_true(permits("secure", "b.example"));
	assert_true(permits("secure", "mx.b.example"));
	assert_false(permits("secure", "mx.a.b.example"));
	assert_false(permits("secure", "mx.c.example"));
	assert_true(permits("secure match=nexthop", "b.example"));
	assert_false(permits("secure match=nexthop", "mx.b.example"));
	assert_true(permits("secure match=dot-nexthop", "mx.b.example"));
	assert_false(permits("secure match=dot-nexthop", "b.example"));
	assert_true(permits("secure match=hostname", "mx.c.example"));
	/* the domain as it was written */
	tls_policy_read(&policy, SPAN("secure"));
	assert_true(tls_policy_has_host(&policy, "B.example.", "b.EXAMPLE"));
}

static void
only_secure_asks_for_a_host(void **state)
{
	static const char *const entries[] = { "may", "encrypt match=a.example",
		"dane-only match=a.example", "what" };

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		tls_policy_read(&policy, span_of(entries[i]));
		assert_true(tls_policy_has_host(&policy, DOMAIN, "mx.c.example"));
		assert_int_equal(tls_policy_requires_encryption(&policy), i > 0);
	}
	tls_policy_read(&policy, SPAN("secure"));
	assert_true(tls_policy_requires_encryption(&policy));
	tls_policy_none(&policy);
	assert_false(tls_policy_requires_encryption(&policy));
}

/* "secure match=" and patterns of `len` octets in all. */
static enum tls_policy_level
level_with(size_t len)
{
	static char entry[sizeof("secure match=") + TLS_POLICY_PATTERNS_MAX + 1];

	memset(entry, 'a', sizeof(entry));
	memcpy(entry, "secure match=", 13);
	entry[13 + len] = '\0';
	return level_of(entry);
}

static void
patterns_have_a_limit(void **state)
{
	static char two[TLS_POLICY_PATTERNS_MAX + 32];

	(void)state;
	assert_int_equal(level_with(TLS_POLICY_PATTERNS_MAX), TLS_POLICY_SECURE);
	assert_int_equal(policy.patterns_len, TLS_POLICY_PATTERNS_MAX);
	assert_int_equal(level_with(TLS_POLICY_PATTERNS_MAX + 1), TLS_POLICY_UNKNOWN);
	/* the colon between two counts */
	memset(two, 'a', sizeof(two) - 1);
	memcpy(two, "secure match=b match=", 21);
	two[21 + TLS_POLICY_PATTERNS_MAX - 2] = '\0';
	assert_int_equal(level_of(two), TLS_POLICY_SECURE);
	assert_int_equal(policy.patterns_len, TLS_POLICY_PATTERNS_MAX);
	two[21 + TLS_POLICY_PATTERNS_MAX - 2] = 'a';
	two[21 + TLS_POLICY_PATTERNS_MAX - 1] = '\0';
	assert_int_equal(level_of(two), TLS_POLICY_UNKNOWN);
}

static void
a_fault_is_cut(void **state)
{
	static char entry[TLS_POLICY_FAULT_MAX * 2];

	(void)state;
	memset(entry, 'x', sizeof(entry) - 1);
	assert_int_equal(level_of(entry), TLS_POLICY_UNKNOWN);
	assert_int_equal(strlen(policy.fault), TLS_POLICY_FAULT_MAX - 1);
	tls_policy_unknown(&policy, SPAN("TEMP\nx"));
	assert_string_equal(policy.fault, "TEMP?x");
}

static void
levels_have_names(void **state)
{
	(void)state;
	assert_string_equal(tls_policy_name(TLS_POLICY_NONE), "none");
	assert_string_equal(tls_policy_name(TLS_POLICY_ENCRYPT), "encrypt");
	assert_string_equal(tls_policy_name(TLS_POLICY_DANE_ONLY), "dane-only");
	assert_string_equal(tls_policy_name(TLS_POLICY_SECURE), "secure");
	assert_string_equal(tls_policy_name(TLS_POLICY_UNKNOWN), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_are_those_of_postfix),
		cmocka_unit_test(what_is_not_understood_is_said),
		cmocka_unit_test(what_daemons_say_is_understood),
		cmocka_unit_test(a_pattern_matches_whole_names),
		cmocka_unit_test(a_dot_stands_for_one_label),
		cmocka_unit_test(words_stand_for_the_domain),
		cmocka_unit_test(only_secure_asks_for_a_host),
		cmocka_unit_test(patterns_have_a_limit),
		cmocka_unit_test(a_fault_is_cut),
		cmocka_unit_test(levels_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
