/* What a client makes of a host where XCRYPT works, or no longer does. */
#include "peer_checks.h"

static void
a_finished_handshake_raises_the_memory(void **state)
{
	(void)state;
	answers(STRIPPED);
	assert_goes_on();
	assert_int_equal(known().standing, MEMORY_STRANGER);
	/* the handshake is not over before the server has confirmed it, nor judged before EHLO inside */
	judge_connected(&judge);
	call_inside(MODERN);
	assert_int_equal(known().standing, MEMORY_STRANGER);
	works();
	assert_goes_on();
	assert_int_equal(known().standing, MEMORY_RECENT);
	assert_int_equal(known().rank, 20);
	now += DAY;
	works();
	assert_int_equal(known().standing, MEMORY_BINDING);
	/* `never` neither adds nor asks */
	now += 100 * DAY;
	set_policy(POLICY_NEVER);
	works();
	assert_int_equal(known().standing, MEMORY_STRANGER);
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
		assert_int_equal(judge.trust.loud, i == 0);
		buf_init(&line, mem, sizeof(mem));
		judge_log(&judge, &line);
		assert_true(span_equal(buf_peek(&line), SPAN(" downgrade=2.0")));
	}
	/* when it works again, that has been all */
	works();
	assert_int_equal(judge.trust.alarm, TRUST_QUIET);
	answers(STRIPPED);
	assert_true(judge.trust.loud);
}

/* Each way to lose XCRYPT in the clear part, and what `may` makes of it. */
static const struct {
	const char *what;
	const char *ehlo;	/* the reply; NULL: with the offer */
	const char *answer;	/* to XCRYPT; NULL: the end of the file */
	enum ending may;
} losses[] = {
	{ "(not-offered)", STRIPPED, "", END_NONE },
	{ "(masked-on-the-way)", "250-mx\r\n250 XXXXXXXX\r\n", "", END_NONE },
	{ "(two-offers)", "250-mx\r\n250-XCRYPT aes256gcm_2.0\r\n250 XCRYPT aes256gcm_2.0\r\n", "",
	    END_NONE },
	{ "(no-common-suite)", "250-mx\r\n250 XCRYPT new_3.0\r\n", "", END_NONE },
	{ "(refused)", NULL, "454 4.7.0 XCRYPT FAIL no\r\n", END_NONE },
	{ "(refused)", NULL, "500 what\r\n", END_NONE },
	{ "(handshake-failed)", NULL, "421 bye\r\n", END_CALL_PLAIN },
	{ "(handshake-failed)", NULL, "250 ok\r\n", END_CALL_PLAIN },
	{ "(handshake-failed)", NULL, "\r\n", END_CALL_PLAIN },
	{ "(handshake-failed)", NULL, NULL, END_CALL_PLAIN },
};

static void
lose(size_t i)
{
	judge_connected(&judge);
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
		assert_waits(END_TRUST, losses[i].what);
		assert_int_equal(judge.trust.alarm, TRUST_DOWNGRADE);
		assert_non_null(strstr(judge.trust.text, "blackpony -k forget -- " HOST " accepts that"));
	}
	/* silence is no other than the end */
	judge_connected(&judge);
	call_choice(MODERN);
	bench_fault(&bench, END_TIMEOUT);
	assert_waits(END_TRUST, "(handshake-failed)");
	/* in the middle of EHLO inside, too */
	judge_connected(&judge);
	call_inside(MODERN);
	bench_wire_eof(&bench);
	assert_waits(END_TRUST, "(handshake-failed)");
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
			assert_waits(p == POLICY_MUST ? END_MUST : END_TRUST, losses[i].what);
		}
	}
}

/* Asked beforehand, nothing is said and nothing written: the second call will be asked, too. */
static void
threat_25_may_calls_again_and_says_so_then(void **state)
{
	(void)state;
	becomes_binding(NULL);
	lose(COUNT(losses) - 1);
	assert_int_equal(bench.io.end, END_CALL_PLAIN);
	assert_int_equal(judge.trust.alarm, TRUST_QUIET);
	assert_false(known().told);
	judge_connected(&judge);
	bench_start(&bench, (struct machine){ &caller, caller_step, caller_fault });
	caller_connected(&caller, true);
	bench_step(&bench);
	bench_wire(&bench, "220 mx\r\n");
	bench_said_wire(&bench);
	bench_said_local(&bench);
	server_offers();
	bench_wire(&bench, spell("250-mx\r\n250 @\r\n", offer));
	assert_goes_on();
	assert_true(judge.trust.loud && known().told);
	assert_int_equal(judge.trust.alarm, TRUST_DOWNGRADE);
}

/* TLS with whatever certificate: enough for `must`, and for nothing that is remembered or pinned. */
static void
starttls_is_no_xcrypt(void **state)
{
	static const struct { enum policy policy; bool binding; enum ending end; } cases[] = {
		{ POLICY_MAY, false, END_NONE }, { POLICY_KNOWN, false, END_NONE },
		{ POLICY_MUST, false, END_NONE }, { POLICY_PINNED, false, END_TRUST },
		{ POLICY_MAY, true, END_NONE }, { POLICY_KNOWN, true, END_TRUST },
		{ POLICY_MUST, true, END_NONE }, { POLICY_PINNED, true, END_TRUST },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].binding && known().standing != MEMORY_BINDING)
			becomes_binding(NULL);
		set_policy(cases[i].policy);
		set.starttls = HOST;
		answers("250-mx\r\n250 STARTTLS\r\n");
		bench_wire(&bench, "220 go\r\n");
		assert_non_null(bench.io.start_tls);
		bench.io.tls = IO_TLS_OPEN;
		bench_step(&bench);
		bench_wire(&bench, STRIPPED);
		if (cases[i].end == END_NONE)
			assert_goes_on();
		else
			assert_waits(END_TRUST, cases[i].binding && cases[i].policy == POLICY_KNOWN ?
			    "only STARTTLS" : "(not-offered)");
		assert_int_equal(judge.trust.alarm, cases[i].binding ? TRUST_DOWNGRADE : TRUST_QUIET);
		set.starttls = NULL;
	}
	assert_int_equal(known().standing, MEMORY_BINDING);
}

/* Somebody leaves only an older generation in the offer, and it is enabled here. */
static void
an_older_generation(void **state)
{
	struct suite_list must;

	(void)state;
	becomes_binding(NULL);
	for (int i = 0; i < 2; i++) {
		set_policy(i == 0 ? POLICY_MAY : POLICY_KNOWN);
		judge_connected(&judge);
		call_ehlo(MODERN " arsyfor_1.0");
		must = suite_list_for_must(&client_suites);
		judge.suites = set.suites = i == 0 ? &client_suites : &must;
		caller.opening.handshake.accepted = set.suites;
		suites_named(&server_suites, "arsyfor_1.0");
		server_offers();
		bench_wire(&bench, spell("250-mx\r\n250 @\r\n", offer));
		if (i == 1) {
			assert_waits(END_TRUST, "(no-common-suite)");
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
		assert_int_equal(judge.trust.alarm, TRUST_DOWNGRADE);
	}
}

static void
greets_never(enum policy policy, bool waits)
{
	set_policy(policy);
	judge_connected(&judge);
	call(MODERN);
	bench_wire(&bench, "554 5.7.1 no\r\n");
	assert_int_equal(bench.io.end, END_GREETED_NEVER);
	assert_int_equal(caller.opening.provisional, waits);
	assert_int_equal(judge.trust.text[0] != '\0', waits);
	caller_wipe(&caller);
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
	assert_false(known().told);
	greets_never(POLICY_KNOWN, true);
	assert_int_equal(judge.trust.alarm, TRUST_DOWNGRADE);
	assert_true(known().told);
	/* without a memory, anybody may be known */
	memory_close(&memory);
	memory_open(&memory, NULL, now);
	greets_never(POLICY_KNOWN, true);
}

static void
says_nowhere(enum policy policy, enum ending end, enum trust_alarm alarm, const char *words)
{
	set_policy(policy);
	assert_int_equal(judge_nowhere(&judge, "null-mx"), end);
	assert_int_equal(judge.trust.alarm, alarm);
	if (strstr(judge.trust.text, words) == NULL)
		fail_msg("%s: %s", words, judge.trust.text);
}

/* statement 36 */
static void
threat_36_the_dns_is_no_word_where_mail_is_kept(void **state)
{
	const struct memory_place met = judge.place;

	(void)state;
	judge.place.host = judge.place.domain;
	judge.place.host_count = 0;
	says_nowhere(POLICY_NEVER, END_NONE, TRUST_QUIET, "");
	says_nowhere(POLICY_MAY, END_NONE, TRUST_QUIET, "");
	says_nowhere(POLICY_KNOWN, END_NONE, TRUST_QUIET, "");
	says_nowhere(POLICY_MUST, END_MUST, TRUST_QUIET, "is not in the DNS (null-mx), ");
	says_nowhere(POLICY_PINNED, END_TRUST, TRUST_QUIET, "where the policy is pinned");
	judge.place = met;
	becomes_binding(NULL);
	judge.place.host = judge.place.domain;
	judge.place.host_count = 0;
	says_nowhere(POLICY_MAY, END_NONE, TRUST_QUIET, "");
	says_nowhere(POLICY_KNOWN, END_TRUST, TRUST_DOWNGRADE,
	    "is gone from the DNS (null-mx): blackpony -k forget -- b.example accepts that");
	assert_true(judge.trust.loud);
	says_nowhere(POLICY_KNOWN, END_TRUST, TRUST_DOWNGRADE, "is gone");
	assert_false(judge.trust.loud);
	says_nowhere(POLICY_MUST, END_MUST, TRUST_DOWNGRADE, "where the policy is must");
}

/* Inside, a refusal shows no key: where one is expected that is an alarm, and nothing is learned of it. */
static void
a_refusal_inside_shows_no_key(void **state)
{
	(void)state;
	set_policy(POLICY_KNOWN);
	judge_connected(&judge);
	call_inside(MODERN);
	bench_wire(&bench, "550 no\r\n");
	assert_local(&bench, "550 no\r\n");
	assert_int_equal(known().standing, MEMORY_STRANGER);
	caller_wipe(&caller);
	becomes_binding(&old_key);
	judge_connected(&judge);
	call_inside(MODERN);
	bench_wire(&bench, "550 no\r\n");
	assert_waits(END_TRUST, "shows no host key");
	assert_int_equal(judge.trust.alarm, TRUST_KEY_CHANGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_finished_handshake_raises_the_memory),
		TEST(may_says_so_once),
		TEST(threat_24_known_waits_whatever_is_lost),
		TEST(threat_24_must_and_pinned_wait_whatever_is_lost),
		TEST(threat_25_may_calls_again_and_says_so_then),
		TEST(starttls_is_no_xcrypt),
		TEST(an_older_generation),
		TEST(threat_36_a_greeting_of_5yz_is_no_word_where_mail_is_kept),
		TEST(threat_36_the_dns_is_no_word_where_mail_is_kept),
		TEST(a_refusal_inside_shows_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
