/*
 * Policies where a host has TLSA records: all combinations against the rules of RFC 7672 section
 * 2.2, and against those of each level.
 */
#include "policy_keys.h"
#include "unit.h"

#include "smtp/policy.h"

enum session { CLEAR, STARTTLS, OLD, ENCRYPTED, WITH_KEY, SESSIONS };

static struct policy_facts
facts_of(enum policy policy, enum policy_dane dane, enum session session)
{
	return (struct policy_facts){
		.policy = policy,
		.newest_version = 20,
		.domain = "b.example",
		.host = "mx.b.example",
		.dane = dane,
		.mx_secure = true,
		.encrypted = session >= OLD,
		.version = session < OLD ? 0 : session == OLD ? 10 : 20,
		.starttls = session == STARTTLS,
		.why = session == CLEAR ? "not-offered" : NULL,
		.shown = session == WITH_KEY ? STATEMENT_GOOD : STATEMENT_NONE,
		.shown_key = session == WITH_KEY ? keys[SHOWN] : NULL,
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

/* Records only ever make a session wait that would go on, but for a key that counts as pinned. */
static void
records_forbid_sessions(void **state)
{
	(void)state;
	for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++)
		for (enum session s = CLEAR; s < SESSIONS; s++) {
			struct policy_facts without = facts_of(p, POLICY_DANE_NONE, s);
			bool went_on = decide(&without).go_on;
			struct policy_facts unusable = facts_of(p, POLICY_DANE_UNUSABLE, s);
			struct policy_facts unmatched = facts_of(p, POLICY_DANE_UNMATCHED, s);
			struct policy_facts matched = facts_of(p, POLICY_DANE_MATCHED, s);
			bool strong = s != CLEAR && s != OLD;

			assert_int_equal(decide(&unusable).go_on, went_on && strong);
			assert_false(decide(&unmatched).go_on);
			assert_int_equal(policy_refusal(&unmatched), strong ?
			    OUTCOME_NOT_TRUSTED : OUTCOME_NOT_ENCRYPTED);
			if (s == STARTTLS || s == WITH_KEY)
				assert_int_equal(decide(&matched).go_on,
				    went_on || (p == POLICY_PINNED && s == WITH_KEY));
			if (s == CLEAR)
				assert_false(decide(&matched).go_on);
		}
}

static void
never_is_not_checked(void **state)
{
	struct policy_facts f = facts_of(POLICY_NEVER, POLICY_DANE_UNMATCHED, CLEAR);

	(void)state;
	assert_true(decide(&f).go_on);
	assert_int_equal(decide(&f).auth, POLICY_AUTH_NONE);
}

/* A record that matches the host key is a pin, but not one that was set here. */
static void
a_key_in_the_dns_is_a_pin(void **state)
{
	struct policy_facts f = facts_of(POLICY_PINNED, POLICY_DANE_MATCHED, WITH_KEY);

	(void)state;
	assert_true(decide(&f).go_on);
	assert_int_equal(decide(&f).auth, POLICY_AUTH_DANE);
	assert_int_equal(decide(&f).remember, REMEMBER_WORKED);
	/* in place of another that was remembered */
	f.known.key = keys[OTHER];
	f.known.established = true;
	f.known.version = 20;
	assert_true(decide(&f).go_on);
	assert_int_equal(decide(&f).alarm, ALARM_NONE);
	assert_int_equal(decide(&f).auth, POLICY_AUTH_DANE);
	/* not if the host's name may be forged */
	f.mx_secure = false;
	assert_false(decide(&f).go_on);
	f.policy = POLICY_KNOWN;
	assert_true(decide(&f).go_on);
	f.policy = POLICY_PINNED;
	f.mx_secure = true;
	/* a pin of another key is not overruled */
	f.known.pin = keys[OTHER];
	assert_false(decide(&f).go_on);
	assert_int_equal(decide(&f).alarm, ALARM_KEY_CHANGED);
	f.policy = POLICY_KNOWN;
	assert_false(decide(&f).go_on);
	/* nor is it by a certificate, or by what cannot be proved */
	f = facts_of(POLICY_PINNED, POLICY_DANE_MATCHED, STARTTLS);
	assert_false(decide(&f).go_on);
	f = facts_of(POLICY_PINNED, POLICY_DANE_MATCHED, WITH_KEY);
	f.shown = STATEMENT_EXPIRED;
	assert_false(decide(&f).go_on);
}

/* The word for the log is the strongest that is true. */
static void
one_word_says_how_a_host_is_known(void **state)
{
	struct policy_facts f = facts_of(POLICY_MAY, POLICY_DANE_NONE, WITH_KEY);

	(void)state;
	assert_string_equal(policy_auth_name(decide(&f).auth), "none");
	f.known.next = keys[SHOWN];
	assert_string_equal(policy_auth_name(decide(&f).auth), "tofu");
	f.known.next = NULL;
	f.known.key = keys[SHOWN];
	assert_string_equal(policy_auth_name(decide(&f).auth), "tofu");
	f.dane = POLICY_DANE_MATCHED;
	assert_string_equal(policy_auth_name(decide(&f).auth), "dane");
	f.known.pin = keys[SHOWN];
	assert_string_equal(policy_auth_name(decide(&f).auth), "pinned");
	/* another key goes on under may, and is none of them */
	f.dane = POLICY_DANE_NONE;
	f.known.pin = f.known.key = keys[ANOTHER];
	assert_true(decide(&f).go_on);
	assert_string_equal(policy_auth_name(decide(&f).auth), "none");

	f = facts_of(POLICY_MAY, POLICY_DANE_MATCHED, STARTTLS);
	assert_string_equal(policy_auth_name(decide(&f).auth), "dane");
	for (enum session s = CLEAR; s < WITH_KEY; s++) {
		f = facts_of(POLICY_MAY, POLICY_DANE_NONE, s);
		assert_string_equal(policy_auth_name(decide(&f).auth), "none");
		f = facts_of(POLICY_MAY, POLICY_DANE_UNUSABLE, s);
		assert_string_equal(policy_auth_name(decide(&f).auth), "none");
	}
	f = facts_of(POLICY_MAY, POLICY_DANE_UNMATCHED, WITH_KEY);
	f.known.key = keys[SHOWN];
	assert_string_equal(policy_auth_name(decide(&f).auth), "none");
}

/* What else may deliver a message that only the records forbid. */
static void
ways_that_are_left(void **state)
{
	(void)state;
	for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++)
		for (enum session s = CLEAR; s < SESSIONS; s++)
			for (int left = 0; left < 2; left++) {
				struct policy_facts f = facts_of(p, POLICY_DANE_UNMATCHED, s);

				f.starttls_left = left == 1;
				assert_true(decide(&f).next_host);
				assert_int_equal(decide(&f).starttls_instead,
				    left == 1 && p != POLICY_PINNED);
				f.dane = POLICY_DANE_NONE;
				assert_false(decide(&f).next_host);
				assert_false(decide(&f).starttls_instead);
			}
	/* not if a host that is known is not as it was */
	struct policy_facts f = facts_of(POLICY_KNOWN, POLICY_DANE_UNMATCHED, WITH_KEY);
	f.starttls_left = true;
	f.known.key = keys[OTHER];
	f.known.established = true;
	assert_false(decide(&f).next_host || decide(&f).starttls_instead);
	f.policy = POLICY_MAY;
	assert_true(decide(&f).next_host && decide(&f).starttls_instead);
}

/* STARTTLS that we chose ourselves is no downgrade if a record matches. */
static void
starttls_instead_is_no_alarm(void **state)
{
	struct policy_facts f = facts_of(POLICY_KNOWN, POLICY_DANE_MATCHED, STARTTLS);

	(void)state;
	f.known.key = keys[OTHER];
	f.known.established = true;
	f.known.version = 20;
	assert_int_equal(decide(&f).alarm, ALARM_DOWNGRADE);
	f.instead = true;
	assert_int_equal(decide(&f).alarm, ALARM_NONE);
	assert_true(decide(&f).go_on);
	f.dane = POLICY_DANE_UNMATCHED;
	assert_int_equal(decide(&f).alarm, ALARM_DOWNGRADE);
	f.dane = POLICY_DANE_MATCHED;
	f.known.mx_changed = true;
	f.known.last_host = "mx.b.example";
	assert_int_equal(decide(&f).alarm, ALARM_DOWNGRADE);
}

static void
a_pinned_key_needs_no_record(void **state)
{
	(void)state;
	for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++) {
		struct policy_facts f = facts_of(p, POLICY_DANE_UNMATCHED, WITH_KEY);

		f.known.pin = keys[SHOWN];
		assert_true(decide(&f).go_on);
		assert_int_equal(decide(&f).auth, POLICY_AUTH_PINNED);
		f.shown = STATEMENT_EXPIRED;
		assert_false(decide(&f).go_on);
		f = facts_of(p, POLICY_DANE_UNMATCHED, CLEAR);
		f.known.pin = keys[SHOWN];
		assert_false(decide(&f).go_on);
	}
}

static void
what_is_asked(void **state)
{
	static const struct { enum policy policy; const char *none, *unusable, *usable; } asked[] = {
		{ POLICY_NEVER, "never", "never", "never" }, { POLICY_MAY, "may", "must", "dane" },
		{ POLICY_KNOWN, "known", "must", "dane" }, { POLICY_MUST, "must", "must", "dane" },
		{ POLICY_PINNED, "pinned", "pinned", "pinned" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		enum policy p = asked[i].policy;

		assert_string_equal(policy_asked_name(p, POLICY_DANE_NONE, TLS_POLICY_NONE),
		    asked[i].none);
		assert_string_equal(policy_asked_name(p, POLICY_DANE_UNUSABLE, TLS_POLICY_NONE),
		    asked[i].unusable);
		assert_string_equal(policy_asked_name(p, POLICY_DANE_UNMATCHED, TLS_POLICY_NONE),
		    asked[i].usable);
		assert_string_equal(policy_asked_name(p, POLICY_DANE_MATCHED, TLS_POLICY_NONE),
		    asked[i].usable);
	}
}

static void
assert_text(enum policy_dane dane, enum session session, const char *text)
{
	struct policy_facts f = facts_of(POLICY_MAY, dane, session);

	assert_string_equal(decide(&f).text, text);
}

static void
what_is_wrong_is_said(void **state)
{
	struct policy_facts f = facts_of(POLICY_MAY, POLICY_DANE_UNMATCHED, WITH_KEY);

	(void)state;
	assert_text(POLICY_DANE_UNUSABLE, CLEAR,
	    "has TLSA records, but does not encrypt (not-offered)");
	assert_text(POLICY_DANE_UNMATCHED, OLD,
	    "has TLSA records, but does not encrypt (old-version)");
	assert_text(POLICY_DANE_UNMATCHED, STARTTLS,
	    "shows a certificate that matches none of its TLSA records");
	assert_text(POLICY_DANE_UNMATCHED, ENCRYPTED,
	    "has TLSA records, but it shows no host key");
	assert_text(POLICY_DANE_UNMATCHED, WITH_KEY,
	    "shows a host key that matches none of its TLSA records");
	/* and no command, even if the key has changed as well */
	f.policy = POLICY_KNOWN;
	f.known.key = keys[OTHER];
	assert_null(strstr(decide(&f).text, POLICY_COMMAND));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_forbid_sessions),
		cmocka_unit_test(never_is_not_checked),
		cmocka_unit_test(a_key_in_the_dns_is_a_pin),
		cmocka_unit_test(one_word_says_how_a_host_is_known),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(ways_that_are_left),
		cmocka_unit_test(starttls_instead_is_no_alarm),
		cmocka_unit_test(a_pinned_key_needs_no_record),
		cmocka_unit_test(what_is_asked),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
