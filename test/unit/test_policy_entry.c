/*
 * Policies where the policy map has an entry: all combinations of levels, records, sessions and
 * entries against the rules of RFC 8461 section 4 and 2.
 */
#include "policy_keys.h"
#include "unit.h"

#include "smtp/policy.h"

enum session {
	CLEAR,
	STARTTLS,		/* with a certificate that is not valid */
	CERTIFIED,
	OLD,
	ENCRYPTED,		/* without a host key */
	NEW_KEY,
	KNOWN_KEY,
	PINNED_KEY,
	SESSIONS
};

static struct policy_facts
facts_of(enum policy policy, enum tls_policy_level entry, enum policy_dane dane,
    enum session session)
{
	return (struct policy_facts){
		.policy = policy,
		.newest_version = 20,
		.domain = "b.example",
		.host = "mx.b.example",
		.dane = dane,
		.entry = entry,
		.listed = true,
		.encrypted = session >= OLD,
		.version = session < OLD ? 0 : session == OLD ? 10 : 20,
		.starttls = session == STARTTLS || session == CERTIFIED,
		.certified = session == CERTIFIED,
		.why = session == CLEAR ? "not-offered" : NULL,
		.shown = session >= NEW_KEY ? STATEMENT_GOOD : STATEMENT_NONE,
		.shown_key = session >= NEW_KEY ? keys[SHOWN] : NULL,
		.known.key = session == KNOWN_KEY ? keys[SHOWN] : NULL,
		.known.pin = session == PINNED_KEY ? keys[SHOWN] : NULL,
	};
}

static struct policy_verdict
decide(const struct policy_facts *facts)
{
	struct policy_verdict verdict;

	policy_decide(&verdict, facts);
	assert_int_equal(verdict.go_on, verdict.text[0] == '\0');
	return verdict;
}

/* What the entry alone permits, without usable records. */
static bool
satisfies(enum tls_policy_level entry, enum session s)
{
	switch (entry) {
	case TLS_POLICY_NONE:
		return true;
	case TLS_POLICY_ENCRYPT:
		return s != CLEAR && s != OLD;
	case TLS_POLICY_DANE_ONLY:
		return s == PINNED_KEY;
	case TLS_POLICY_SECURE:
		return s == CERTIFIED || s == KNOWN_KEY || s == PINNED_KEY;
	case TLS_POLICY_UNKNOWN:
		break;
	}
	return false;
}

/* An entry only ever makes a session wait that would go on. */
static void
threat_45_entries_forbid_sessions(void **state)
{
	(void)state;
	for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++)
		for (enum session s = CLEAR; s < SESSIONS; s++)
			for (int e = TLS_POLICY_NONE; e <= TLS_POLICY_UNKNOWN; e++) {
				enum tls_policy_level entry = (enum tls_policy_level)e;
				struct policy_facts none =
				    facts_of(p, TLS_POLICY_NONE, POLICY_DANE_NONE, s);
				struct policy_facts f =
				    facts_of(p, entry, POLICY_DANE_NONE, s);
				bool went_on = decide(&none).go_on;

				assert_int_equal(decide(&f).go_on,
				    went_on && satisfies(entry, s));
				if (s == CLEAR && entry != TLS_POLICY_NONE)
					assert_int_equal(policy_refusal(&f),
					    OUTCOME_NOT_ENCRYPTED);
			}
}

/* DANE comes before MTA-STS: usable records decide, and a failure of theirs is none of less. */
static void
records_decide(void **state)
{
	(void)state;
	for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++)
		for (enum session s = CLEAR; s < SESSIONS; s++)
			for (int d = POLICY_DANE_UNMATCHED; d <= POLICY_DANE_MATCHED; d++) {
				enum policy_dane dane = (enum policy_dane)d;
				struct policy_facts none = facts_of(p, TLS_POLICY_NONE, dane, s);
				struct policy_facts secure =
				    facts_of(p, TLS_POLICY_SECURE, dane, s);
				struct policy_facts only =
				    facts_of(p, TLS_POLICY_DANE_ONLY, dane, s);
				struct policy_facts unknown =
				    facts_of(p, TLS_POLICY_UNKNOWN, dane, s);

				assert_int_equal(decide(&secure).go_on, decide(&none).go_on);
				assert_int_equal(decide(&only).go_on, decide(&none).go_on);
				assert_false(decide(&unknown).go_on);
			}
}

/* With records of which none is usable, both have to be content. */
static void
unusable_records_are_not_enough(void **state)
{
	(void)state;
	for (enum session s = CLEAR; s < SESSIONS; s++) {
		struct policy_facts f = facts_of(POLICY_MAY, TLS_POLICY_SECURE,
		    POLICY_DANE_UNUSABLE, s);
		struct policy_facts only = facts_of(POLICY_MAY, TLS_POLICY_DANE_ONLY,
		    POLICY_DANE_UNUSABLE, s);

		assert_int_equal(decide(&f).go_on, satisfies(TLS_POLICY_SECURE, s));
		assert_int_equal(decide(&only).go_on, satisfies(TLS_POLICY_DANE_ONLY, s));
	}
}

static void
a_host_that_is_not_named_is_none(void **state)
{
	(void)state;
	for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++)
		for (enum session s = CLEAR; s < SESSIONS; s++)
			for (int d = POLICY_DANE_NONE; d <= POLICY_DANE_MATCHED; d++) {
				struct policy_facts f = facts_of(p, TLS_POLICY_SECURE,
				    (enum policy_dane)d, s);

				f.listed = false;
				assert_false(decide(&f).go_on);
			}
}

static void
how_a_host_is_authenticated(void **state)
{
	struct policy_facts f = facts_of(POLICY_MAY, TLS_POLICY_SECURE, POLICY_DANE_NONE,
	    CERTIFIED);

	(void)state;
	assert_int_equal(decide(&f).auth, POLICY_AUTH_STS);
	f.dane = POLICY_DANE_MATCHED;
	assert_int_equal(decide(&f).auth, POLICY_AUTH_DANE);
	/* a certificate that nobody demands says nothing of the host */
	f = facts_of(POLICY_MAY, TLS_POLICY_NONE, POLICY_DANE_NONE, CERTIFIED);
	assert_int_equal(decide(&f).auth, POLICY_AUTH_NONE);
	f = facts_of(POLICY_MAY, TLS_POLICY_ENCRYPT, POLICY_DANE_NONE, CERTIFIED);
	assert_int_equal(decide(&f).auth, POLICY_AUTH_NONE);
	f = facts_of(POLICY_MAY, TLS_POLICY_SECURE, POLICY_DANE_NONE, KNOWN_KEY);
	assert_int_equal(decide(&f).auth, POLICY_AUTH_TOFU);
	f = facts_of(POLICY_MAY, TLS_POLICY_SECURE, POLICY_DANE_NONE, PINNED_KEY);
	assert_int_equal(decide(&f).auth, POLICY_AUTH_PINNED);
	assert_string_equal(policy_auth_name(POLICY_AUTH_STS), "sts");
}

/* A key that is remembered does not replace one that is pinned. */
static void
another_pin_forbids(void **state)
{
	struct policy_facts f = facts_of(POLICY_MAY, TLS_POLICY_SECURE, POLICY_DANE_NONE, KNOWN_KEY);

	(void)state;
	f.known.pin = keys[OTHER];
	assert_false(decide(&f).go_on);
}

/* The host shows a key that is new: STARTTLS on another connection, which then is no downgrade. */
static void
starttls_may_prove_it(void **state)
{
	struct policy_facts f = facts_of(POLICY_MAY, TLS_POLICY_SECURE, POLICY_DANE_NONE, NEW_KEY);

	(void)state;
	assert_true(decide(&f).next_host);
	assert_false(decide(&f).starttls_instead);
	f.starttls_left = true;
	assert_true(decide(&f).starttls_instead);
	f.policy = POLICY_PINNED;
	assert_false(decide(&f).starttls_instead);
	f.policy = POLICY_MAY;
	f.entry = TLS_POLICY_DANE_ONLY;
	assert_false(decide(&f).starttls_instead);
	f.entry = TLS_POLICY_UNKNOWN;
	assert_false(decide(&f).starttls_instead);

	f = facts_of(POLICY_KNOWN, TLS_POLICY_SECURE, POLICY_DANE_NONE, CERTIFIED);
	f.known.established = true;
	f.known.version = 20;
	assert_int_equal(decide(&f).alarm, ALARM_DOWNGRADE);
	assert_false(decide(&f).go_on);
	f.instead = true;
	assert_int_equal(decide(&f).alarm, ALARM_NONE);
	assert_true(decide(&f).go_on);
	f.certified = false;
	assert_int_equal(decide(&f).alarm, ALARM_DOWNGRADE);
}

/* The DNS may be forged: a domain with an entry does not bounce for it. */
static void
threat_36_not_in_the_dns(void **state)
{
	struct policy_facts f = { .policy = POLICY_MAY, .newest_version = 20, .domain = "b.example",
		.host = "b.example", .not_in_dns = true, .why = "no-such-domain" };

	(void)state;
	assert_true(decide(&f).go_on);
	for (int e = TLS_POLICY_ENCRYPT; e <= TLS_POLICY_UNKNOWN; e++) {
		f.entry = (enum tls_policy_level)e;
		assert_false(decide(&f).go_on);
		assert_non_null(strstr(decide(&f).text, "policy map"));
	}
}

static bool
may_call(enum policy policy, enum tls_policy_level entry, bool listed)
{
	const struct policy_facts f = { .policy = policy, .domain = "b.example",
		.host = "mx.b.example", .entry = entry, .listed = listed };
	struct policy_verdict verdict = { .go_on = true };
	bool may = policy_may_call(&verdict, &f);

	assert_int_equal(verdict.go_on, may);
	assert_int_equal(verdict.next_host, !may);
	assert_int_equal(verdict.text[0] == '\0', may);
	return may;
}

static void
some_hosts_are_not_called(void **state)
{
	(void)state;
	assert_true(may_call(POLICY_MAY, TLS_POLICY_NONE, false));
	assert_true(may_call(POLICY_MAY, TLS_POLICY_ENCRYPT, false));
	assert_true(may_call(POLICY_MAY, TLS_POLICY_DANE_ONLY, false));
	assert_true(may_call(POLICY_MAY, TLS_POLICY_SECURE, true));
	assert_false(may_call(POLICY_MAY, TLS_POLICY_SECURE, false));
	assert_false(may_call(POLICY_PINNED, TLS_POLICY_SECURE, false));
	assert_false(may_call(POLICY_MAY, TLS_POLICY_UNKNOWN, true));
	assert_true(may_call(POLICY_NEVER, TLS_POLICY_UNKNOWN, false));
}

static void
never_is_not_checked(void **state)
{
	struct policy_facts f = facts_of(POLICY_NEVER, TLS_POLICY_SECURE, POLICY_DANE_NONE, CLEAR);

	(void)state;
	assert_true(decide(&f).go_on);
}

static void
what_was_asked_has_a_name(void **state)
{
	static const struct {
		enum policy policy;
		enum policy_dane dane;
		enum tls_policy_level entry;
		const char *name;
	} rows[] = {
		{ POLICY_MAY, POLICY_DANE_NONE, TLS_POLICY_NONE, "may" },
		{ POLICY_MAY, POLICY_DANE_NONE, TLS_POLICY_ENCRYPT, "must" },
		{ POLICY_MAY, POLICY_DANE_UNUSABLE, TLS_POLICY_NONE, "must" },
		{ POLICY_MUST, POLICY_DANE_NONE, TLS_POLICY_ENCRYPT, "must" },
		{ POLICY_MAY, POLICY_DANE_NONE, TLS_POLICY_DANE_ONLY, "dane" },
		{ POLICY_MAY, POLICY_DANE_NONE, TLS_POLICY_SECURE, "sts" },
		{ POLICY_MUST, POLICY_DANE_NONE, TLS_POLICY_SECURE, "sts" },
		{ POLICY_KNOWN, POLICY_DANE_UNUSABLE, TLS_POLICY_SECURE, "sts" },
		{ POLICY_MAY, POLICY_DANE_UNMATCHED, TLS_POLICY_SECURE, "dane" },
		{ POLICY_MAY, POLICY_DANE_NONE, TLS_POLICY_UNKNOWN, "unknown" },
		{ POLICY_PINNED, POLICY_DANE_NONE, TLS_POLICY_SECURE, "pinned" },
		{ POLICY_NEVER, POLICY_DANE_NONE, TLS_POLICY_NONE, "never" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(policy_asked_name(rows[i].policy, rows[i].dane,
			rows[i].entry), rows[i].name);
}

/* `mailq -v` shows the first 80 characters of a text. */
static void
the_texts_say_what_is_wrong(void **state)
{
	static const struct {
		enum tls_policy_level entry;
		enum session session;
		const char *word;
	} rows[] = {
		{ TLS_POLICY_ENCRYPT, CLEAR, "does not encrypt (not-offered)" },
		{ TLS_POLICY_ENCRYPT, OLD, "does not encrypt (old-version)" },
		{ TLS_POLICY_DANE_ONLY, CERTIFIED, "no usable TLSA records" },
		{ TLS_POLICY_SECURE, CLEAR, "does not encrypt (not-offered)" },
		{ TLS_POLICY_SECURE, OLD, "does not encrypt (old-version)" },
		{ TLS_POLICY_SECURE, STARTTLS, "certificate that is not valid" },
		{ TLS_POLICY_SECURE, NEW_KEY, "no host key that is known" },
		{ TLS_POLICY_UNKNOWN, CERTIFIED, "not understood" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_facts f = facts_of(POLICY_MAY, rows[i].entry, POLICY_DANE_NONE,
		    rows[i].session);
		struct policy_verdict v = decide(&f);

		assert_non_null(strstr(v.text, rows[i].word));
		assert_non_null(strstr(v.text, "policy map"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_45_entries_forbid_sessions),
		cmocka_unit_test(records_decide),
		cmocka_unit_test(unusable_records_are_not_enough),
		cmocka_unit_test(a_host_that_is_not_named_is_none),
		cmocka_unit_test(how_a_host_is_authenticated),
		cmocka_unit_test(another_pin_forbids),
		cmocka_unit_test(starttls_may_prove_it),
		cmocka_unit_test(threat_36_not_in_the_dns),
		cmocka_unit_test(some_hosts_are_not_called),
		cmocka_unit_test(never_is_not_checked),
		cmocka_unit_test(what_was_asked_has_a_name),
		cmocka_unit_test(the_texts_say_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
