/* The client's check of a host where XCRYPT works, or works no longer. */
#include "peer_checks.h"

static void
a_finished_handshake_is_remembered(void **state)
{
	(void)state;
	answers(STRIPPED);
	assert_goes_on();
	assert_int_equal(known().standing, KNOWN_NEW);
	/*
	 * nothing is remembered before the server has confirmed, and the EHLO reply has been
	 * checked
	 */
	peer_check_start(&check);
	call_inside(MODERN);
	assert_int_equal(known().standing, KNOWN_NEW);
	works();
	assert_goes_on();
	assert_int_equal(known().standing, KNOWN_SEEN);
	assert_int_equal(known().version, 20);
	now += DAY;
	works();
	assert_int_equal(known().standing, KNOWN_ESTABLISHED);
	/* `never` neither looks up nor remembers */
	now += 100 * DAY;
	set_policy(POLICY_NEVER);
	works();
	assert_int_equal(known().standing, KNOWN_NEW);
}

static void
may_says_so_once(void **state)
{
	(void)state;
	becomes_binding(NULL);
	for (int i = 0; i < 3; i++) {
		uint8_t mem[256];
		struct buf line;

		answers(STRIPPED);
		assert_goes_on();
		assert_int_equal(check.verdict.warn, i == 0);
		buf_init(&line, mem, sizeof(mem));
		peer_check_log(&check, &line);
		assert_true(span_equal(buf_peek(&line), SPAN(" downgrade=2.0")));
	}
	/* when it works again, there is no alarm */
	works();
	assert_int_equal(check.verdict.alarm, ALARM_NONE);
	answers(STRIPPED);
	assert_true(check.verdict.warn);
}

/* All ways to lose XCRYPT in the clear, and the outcome under `may`. */
static const struct {
	const char *what;
	const char *ehlo;	/* the EHLO reply; NULL: one with the offer */
	const char *answer;	/* the answer to XCRYPT; NULL: end of file */
	enum outcome may;
} losses[] = {
	{ "(not-offered)", STRIPPED, "", OUTCOME_NONE },
	{ "(masked-on-the-way)", "250-mx\r\n250 XXXXXXXX\r\n", "", OUTCOME_NONE },
	{ "(two-offers)", "250-mx\r\n250-XCRYPT aes256gcm_2.0\r\n250 XCRYPT aes256gcm_2.0\r\n", "",
	    OUTCOME_NONE },
	{ "(no-common-suite)", "250-mx\r\n250 XCRYPT new_3.0\r\n", "", OUTCOME_NONE },
	{ "(refused)", NULL, "454 4.7.0 XCRYPT FAIL no\r\n", OUTCOME_NONE },
	{ "(refused)", NULL, "500 what\r\n", OUTCOME_NONE },
	{ "(handshake-failed)", NULL, "421 bye\r\n", OUTCOME_RETRY_CLEAR },
	{ "(handshake-failed)", NULL, "250 ok\r\n", OUTCOME_RETRY_CLEAR },
	{ "(handshake-failed)", NULL, "\r\n", OUTCOME_RETRY_CLEAR },
	{ "(handshake-failed)", NULL, NULL, OUTCOME_RETRY_CLEAR },
};

static void
lose(size_t i)
{
	peer_check_start(&check);
	if (losses[i].ehlo != NULL) {
		answers(losses[i].ehlo);
		return;
	}
	call_choice(MODERN);
	if (losses[i].answer != NULL)
		bench_wire(&bench, losses[i].answer);
	else
		bench_wire_eof(&bench);
}

/* statements 24 and 25 */
static void
threat_24_known_waits_whatever_is_lost(void **state)
{
	(void)state;
	set_policy(POLICY_KNOWN);
	for (size_t i = 0; i < COUNT(losses); i++) {
		lose(i);
		assert_int_equal(bench.io.end, losses[i].may);
	}
	becomes_binding(&old_key);
	for (size_t i = 0; i < COUNT(losses); i++) {
		lose(i);
		assert_waits(OUTCOME_NOT_TRUSTED, losses[i].what);
		assert_int_equal(check.verdict.alarm, ALARM_DOWNGRADE);
		assert_non_null(
		    strstr(check.verdict.text, "blackpony -k forget -- " HOST " accepts that"));
	}
	/* a timeout counts as an end of file does */
	peer_check_start(&check);
	call_choice(MODERN);
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_waits(OUTCOME_NOT_TRUSTED, "(handshake-failed)");
	/* also while the encrypted EHLO reply is incomplete */
	peer_check_start(&check);
	call_inside(MODERN);
	bench.io.wire_truncated = true;
	bench_wire_eof(&bench);
	assert_waits(OUTCOME_NOT_TRUSTED, "(handshake-failed)");
}

static void
threat_24_must_and_pinned_wait_whatever_is_lost(void **state)
{
	(void)state;
	for (enum policy p = POLICY_MUST; p <= POLICY_PINNED; p++) {
		if (p == POLICY_KNOWN)
			continue;
		set_policy(p);
		for (size_t i = 0; i < COUNT(losses); i++) {
			lose(i);
			assert_waits(p == POLICY_MUST ? OUTCOME_NOT_ENCRYPTED : OUTCOME_NOT_TRUSTED,
			    losses[i].what);
		}
	}
}

/* The first failure is not reported: the host is retried in the clear, and that is reported. */
static void
threat_25_may_calls_again_and_says_so_then(void **state)
{
	(void)state;
	becomes_binding(NULL);
	lose(COUNT(losses) - 1);
	assert_int_equal(bench.io.end, OUTCOME_RETRY_CLEAR);
	assert_int_equal(check.verdict.alarm, ALARM_NONE);
	assert_false(known().alerted);
	peer_check_start(&check);
	bench_start(&bench, (struct machine){ &transparent, transparent_step, transparent_fault });
	transparent_connected(&transparent, CLIENT_CALL_CLEAR);
	bench_step(&bench);
	bench_wire(&bench, "220 mx\r\n");
	bench_said_wire(&bench);
	bench_said_local(&bench);
	server_offers();
	bench_wire(&bench, spell("250-mx\r\n250 @\r\n", offer));
	assert_goes_on();
	assert_true(check.verdict.warn && known().alerted);
	assert_int_equal(check.verdict.alarm, ALARM_DOWNGRADE);
}

/* TLS with any certificate is sufficient for `must`, but not for an established host or a pin. */
static void
starttls_is_no_xcrypt(void **state)
{
	static const struct { enum policy policy; bool binding; enum outcome end; } cases[] = {
		{ POLICY_MAY, false, OUTCOME_NONE }, { POLICY_KNOWN, false, OUTCOME_NONE },
		{ POLICY_MUST, false, OUTCOME_NONE }, { POLICY_PINNED, false, OUTCOME_NOT_TRUSTED },
		{ POLICY_MAY, true, OUTCOME_NONE }, { POLICY_KNOWN, true, OUTCOME_NOT_TRUSTED },
		{ POLICY_MUST, true, OUTCOME_NONE }, { POLICY_PINNED, true, OUTCOME_NOT_TRUSTED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].binding && known().standing != KNOWN_ESTABLISHED)
			becomes_binding(NULL);
		set_policy(cases[i].policy);
		set.starttls = HOST;
		answers("250-mx\r\n250 STARTTLS\r\n");
		bench_wire(&bench, "220 go\r\n");
		assert_non_null(bench.io.start_tls);
		bench.io.tls = IO_TLS_OPEN;
		bench_step(&bench);
		bench_wire(&bench, STRIPPED);
		if (cases[i].end == OUTCOME_NONE)
			assert_goes_on();
		else
			assert_waits(OUTCOME_NOT_TRUSTED,
			    cases[i].binding && cases[i].policy == POLICY_KNOWN ? "only STARTTLS" :
										  "(not-offered)");
		assert_int_equal(check.verdict.alarm,
		    cases[i].binding ? ALARM_DOWNGRADE : ALARM_NONE);
		set.starttls = NULL;
	}
	assert_int_equal(known().standing, KNOWN_ESTABLISHED);
}

/* An attacker leaves only an older version in the offer, and it is enabled here. */
static void
an_older_version(void **state)
{
	struct suite_list must;

	(void)state;
	becomes_binding(NULL);
	for (int i = 0; i < 2; i++) {
		set_policy(i == 0 ? POLICY_MAY : POLICY_KNOWN);
		peer_check_start(&check);
		call_ehlo(MODERN " arsyfor_1.0");
		must = policy_suites(POLICY_MUST, &client_suites);
		check.suites = set.suites = i == 0 ? &client_suites : &must;
		transparent.client.handshake.accepted = set.suites;
		suites_named(&server_suites, "arsyfor_1.0");
		server_offers();
		bench_wire(&bench, spell("250-mx\r\n250 @\r\n", offer));
		if (i == 1) {
			assert_waits(OUTCOME_NOT_TRUSTED, "(no-common-suite)");
			continue;
		}
		take_text(choice, bench_said_wire(&bench));
		assert_int_equal(server_answers(), HANDSHAKE_AGREED);
		server_says(answer_line);
		take_text(ok, bench_said_wire(&bench));
		assert_true(server_takes_ok());
		server_says(ok_reply);
		bench_wire(&bench, STRIPPED);
		assert_goes_on();
		assert_true(bench.encrypted);
		assert_int_equal(check.verdict.alarm, ALARM_DOWNGRADE);
	}
}

static void
greets_never(enum policy policy, bool waits)
{
	set_policy(policy);
	peer_check_start(&check);
	call(MODERN);
	bench_wire(&bench, "554 5.7.1 no\r\n");
	assert_int_equal(bench.io.end, OUTCOME_GREETED_NEVER);
	assert_int_equal(transparent.client.provisional, waits);
	assert_int_equal(check.verdict.text[0] != '\0', waits);
	transparent_wipe(&transparent);
}

/* statement 36 */
static void
threat_36_a_greeting_of_5yz_is_no_word_where_mail_is_kept(void **state)
{
	(void)state;
	greets_never(POLICY_MAY, false);
	greets_never(POLICY_KNOWN, false);
	greets_never(POLICY_MUST, true);
	greets_never(POLICY_PINNED, true);
	becomes_binding(NULL);
	greets_never(POLICY_MAY, false);
	assert_false(known().alerted);
	greets_never(POLICY_KNOWN, true);
	assert_int_equal(check.verdict.alarm, ALARM_DOWNGRADE);
	assert_true(known().alerted);
	/* if known hosts are off, any host may be a known one */
	known_hosts_close(&known_hosts);
	known_hosts_open(&known_hosts, NULL, now);
	greets_never(POLICY_KNOWN, true);
}

static void
says_nowhere(enum policy policy, enum outcome end, enum alarm alarm, const char *words)
{
	set_policy(policy);
	assert_int_equal(peer_check_not_in_dns(&check, "null-mx"), end);
	assert_int_equal(check.verdict.alarm, alarm);
	if (strstr(check.verdict.text, words) == NULL)
		fail_msg("%s: %s", words, check.verdict.text);
}

/* statement 36 */
static void
threat_36_the_dns_is_no_word_where_mail_is_kept(void **state)
{
	const struct known_hosts_place met = check.place;

	(void)state;
	check.place.host = check.place.domain;
	check.place.host_count = 0;
	says_nowhere(POLICY_NEVER, OUTCOME_NONE, ALARM_NONE, "");
	says_nowhere(POLICY_MAY, OUTCOME_NONE, ALARM_NONE, "");
	says_nowhere(POLICY_KNOWN, OUTCOME_NONE, ALARM_NONE, "");
	says_nowhere(POLICY_MUST, OUTCOME_NOT_ENCRYPTED, ALARM_NONE, "is not in the DNS (null-mx); ");
	says_nowhere(POLICY_PINNED, OUTCOME_NOT_TRUSTED, ALARM_NONE, "waits because the policy is pinned");
	check.place = met;
	becomes_binding(NULL);
	check.place.host = check.place.domain;
	check.place.host_count = 0;
	says_nowhere(POLICY_MAY, OUTCOME_NONE, ALARM_NONE, "");
	says_nowhere(POLICY_KNOWN, OUTCOME_NOT_TRUSTED, ALARM_DOWNGRADE,
	    "is gone from the DNS (null-mx): blackpony -k forget -- b.example accepts that");
	assert_true(check.verdict.warn);
	says_nowhere(POLICY_KNOWN, OUTCOME_NOT_TRUSTED, ALARM_DOWNGRADE, "is gone");
	assert_false(check.verdict.warn);
	says_nowhere(POLICY_MUST, OUTCOME_NOT_ENCRYPTED, ALARM_DOWNGRADE, "waits because the policy is must");
}

/*
 * A refused EHLO shows no host key: if one is expected, that is an alarm; nothing is remembered.
 */
static void
a_refusal_inside_shows_no_key(void **state)
{
	(void)state;
	set_policy(POLICY_KNOWN);
	peer_check_start(&check);
	call_inside(MODERN);
	bench_wire(&bench, "550 no\r\n");
	assert_local(&bench, "550 no\r\n");
	assert_int_equal(known().standing, KNOWN_NEW);
	transparent_wipe(&transparent);
	becomes_binding(&old_key);
	peer_check_start(&check);
	call_inside(MODERN);
	bench_wire(&bench, "550 no\r\n");
	assert_waits(OUTCOME_NOT_TRUSTED, "shows no host key");
	assert_int_equal(check.verdict.alarm, ALARM_KEY_CHANGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_finished_handshake_is_remembered),
		TEST(may_says_so_once),
		TEST(threat_24_known_waits_whatever_is_lost),
		TEST(threat_24_must_and_pinned_wait_whatever_is_lost),
		TEST(threat_25_may_calls_again_and_says_so_then),
		TEST(starttls_is_no_xcrypt),
		TEST(an_older_version),
		TEST(threat_36_a_greeting_of_5yz_is_no_word_where_mail_is_kept),
		TEST(threat_36_the_dns_is_no_word_where_mail_is_kept),
		TEST(a_refusal_inside_shows_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
