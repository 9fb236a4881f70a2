/*
 * What a client makes of a host: the opening asks, memory, host keys and policy answer.  The handshake
 * is a real one, and so is the memory; what stands between is the test.
 */
#include "callers.h"

#include "smtp/judge.h"
#include "scratch.h"

#define T INT64_C(1800000000)
#define DAY 86400
#define HOST "mx.b.example"

static struct memory memory;
static struct ring ring;
static struct judge judge;
static struct hostkey old_key, new_key;
static int64_t now;
static const char *const hosts[] = { HOST, "mx2.b.example" };

/* What the server says inside, on lines of its own. */
static char id_line[HOSTKEY_STATEMENT_MAX + 1], next_line[HOSTKEY_STATEMENT_MAX + 1];

static int64_t
test_now(void)
{
	return now;
}

static int
start_all(void **state)
{
	struct ring_settings settings = { .suites = &client_suites, .lifetime_s = 7200,
		.entries_max = 16, .now_s = test_now };

	now = T;
	id_line[0] = next_line[0] = '\0';
	if (scratch_open(state) < 0 || caller_set_up(state) < 0 || hostkey_make(&old_key) < 0 ||
	    hostkey_make(&new_key) < 0)
		return -1;
	suites_named(&client_suites, MODERN);
	ring_open(&ring, &settings);
	memory_open(&memory, scratch, now);
	judge = (struct judge){ .memory = &memory, .ring = &ring, .now_s = test_now,
		.policy = POLICY_MAY, .suites = &client_suites,
		.place = { "b.example", HOST, hosts, 1 } };
	set.judge = judge_opening;
	set.judge_context = &judge;
	return 0;
}

static int
end_all(void **state)
{
	memory_close(&memory);
	ring_close(&ring);
	caller_tear_down(state);
	return scratch_close(state);
}

static struct memory_known
known(void)
{
	struct memory_known k;

	memory_look(&memory, &judge.place, now, &k);
	return k;
}

static void
set_policy(enum policy policy)
{
	judge.policy = policy;
	set.must = policy == POLICY_MUST || policy == POLICY_PINNED;
}

/* The server's statement with that key, good for a while from now on. */
static void
show_key(const struct hostkey *key, int64_t seconds)
{
	struct hostkey_id id;

	const struct exchange_pair *pair = keys_own(&server_keys, &exchange_x25519);
	assert_int_equal(hostkey_sign_id(&id, key, pair->public, now + seconds), 0);
	id_line[hostkey_put_id(id_line, &id)] = '\0';
}

static void
show_no_key(void)
{
	id_line[0] = next_line[0] = '\0';
}

/* A connection on which XCRYPT works, up to the reply to EHLO inside. */
static void
works(void)
{
	char reply[2 * LINE_TEXT];

	judge_connected(&judge);
	call_inside(MODERN);
	snprintf(reply, sizeof(reply), "250-mx\r\n%s%s%s%s%s%s250 SIZE 1\r\n",
	    id_line[0] ? "250-" : "", id_line, id_line[0] ? "\r\n" : "",
	    next_line[0] ? "250-" : "", next_line, next_line[0] ? "\r\n" : "");
	bench_wire(&bench, reply);
}

/* One whose clear EHLO is answered like that. */
static void
answers(const char *reply)
{
	judge_connected(&judge);
	call_ehlo(MODERN);
	bench_wire(&bench, reply);
}

#define STRIPPED "250-mx\r\n250 SIZE 1\r\n"

static void
assert_goes_on(void)
{
	assert_true(bench.io.pipe);
	assert_int_equal(bench.io.end, END_NONE);
	assert_string_equal(judge.trust.text, "");
}

static void
assert_waits(enum ending end, const char *words)
{
	assert_false(bench.io.pipe);
	assert_int_equal(bench.io.end, end);
	if (strstr(judge.trust.text, words) == NULL)
		fail_msg("%s: %s", words, judge.trust.text);
	/* nothing of the reply, let alone of a message, has been passed on */
	assert_local(&bench, "");
}

/* Twice, a day apart, whatever the policy is. */
static void
becomes_binding(const struct hostkey *key)
{
	enum policy policy = judge.policy;

	set_policy(POLICY_MAY);
	for (int i = 0; i < 2; i++) {
		if (key != NULL)
			show_key(key, 3600);
		works();
		assert_goes_on();
		now += DAY;
	}
	assert_int_equal(known().standing, MEMORY_BINDING);
	assert_int_equal(known().has_key, key != NULL);
	set_policy(policy);
}

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
		assert_non_null(strstr(judge.trust.text, "blackpony -k forget " HOST " accepts that"));
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

/* What is shown inside, and who goes on with it: may known must pinned. */
static void
host_keys(void **state)
{
	static const enum policy policies[] = { POLICY_MAY, POLICY_KNOWN, POLICY_MUST, POLICY_PINNED };
	static const struct { const char *what, *goes_on; } shown[] = {
		{ "the remembered one", "++++" }, { "another", "+-+-" }, { "none", "+-+-" },
		{ "of another short key", "+-+-" }, { "expired", "+-+-" }, { "twice", "+-+-" },
	};
	char expected[HOSTKEY_TEXT_LEN + 1] = "";

	(void)state;
	becomes_binding(&old_key);
	memory_pin(&memory, HOST, old_key.public, now);
	hostkey_put_public(expected, old_key.public);
	for (size_t i = 0; i < COUNT(shown); i++)
		for (size_t p = 0; p < COUNT(policies); p++) {
			set_policy(policies[p]);
			memset(&server_keys, 0, sizeof(server_keys));
			client_keys.kept_count = 0;
			show_key(i == 1 ? &new_key : &old_key, i == 4 ? -601 : 60);
			if (i == 2)
				show_no_key();
			if (i == 3)
				memset(&server_keys, 0, sizeof(server_keys));
			snprintf(next_line, sizeof(next_line), "%s", i == 5 ? id_line : "");
			works();
			if (shown[i].goes_on[p] == '+')
				assert_goes_on();
			else
				assert_waits(END_TRUST, "host key");
			assert_int_equal(judge.trust.alarm, i == 0 ? TRUST_QUIET : TRUST_KEY_CHANGED);
			if (i > 0)
				assert_string_equal(judge.trust.expected, expected);
		}
	/* nothing that was wrong has changed what is remembered */
	assert_memory_equal(known().key, old_key.public, HOSTKEY_PUBLIC_LEN);
}

/* At its time and ten minutes on, and one second past it. */
static void
a_statement_to_the_second(void **state)
{
	(void)state;
	set_policy(POLICY_KNOWN);
	becomes_binding(&old_key);
	show_key(&old_key, -HOSTKEY_ALLOWANCE_S);
	works();
	assert_goes_on();
	show_key(&old_key, -HOSTKEY_ALLOWANCE_S - 1);
	works();
	assert_waits(END_TRUST, "past its time");
}

static void
the_key_that_was_announced(void **state)
{
	struct hostkey_next next;

	(void)state;
	set_policy(POLICY_KNOWN);
	becomes_binding(&old_key);
	show_key(&old_key, 60);
	hostkey_sign_next(&next, &old_key, new_key.public);
	next_line[hostkey_put_next(next_line, &next)] = '\0';
	works();
	assert_goes_on();
	assert_true(known().has_next);
	next_line[0] = '\0';
	show_key(&new_key, 60);
	works();
	assert_goes_on();
	assert_memory_equal(known().key, new_key.public, HOSTKEY_PUBLIC_LEN);
	/* there is no way back to the old one */
	show_key(&old_key, 60);
	works();
	assert_waits(END_TRUST, "shows another host key");
}

/* Forged answers of the DNS: to hosts that nobody has met, encrypted or not. */
static void
a_domain_that_has_moved(void **state)
{
	(void)state;
	set_policy(POLICY_KNOWN);
	becomes_binding(&old_key);
	show_no_key();
	judge.place.host = hosts[1];
	judge.place.hosts = &hosts[1];
	answers(STRIPPED);
	assert_waits(END_TRUST, "-k forget b.example");
	works();
	assert_waits(END_TRUST, "-k forget b.example");
	assert_string_equal(judge.trust.expected, HOST);
	/* beside one that is remembered, it is a stranger */
	judge.place.hosts = hosts;
	judge.place.host_count = 2;
	answers(STRIPPED);
	assert_goes_on();
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

/* Where the memory cannot be read, a stranger may be none: that is for later, unless the policy is `may`. */
static void
a_memory_that_is_not_there(void **state)
{
	(void)state;
	memory_close(&memory);
	for (int damaged = 0; damaged < 2; damaged++) {
		memory_open(&memory, damaged ? scratch : NULL, now);
		if (damaged) {
			becomes_binding(&old_key);
			memory_close(&memory);
			scratch_write("known.cdb", "x", 1);
			scratch_write("known.journal", "", 0);
			memory_open(&memory, scratch, now);
		}
		show_key(&new_key, 60);
		for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++) {
			set_policy(p);
			works();
			if (p == POLICY_KNOWN || p == POLICY_PINNED) {
				assert_waits(END_TRUST, "cannot be read");
				assert_null(strstr(judge.trust.text, "-k pin"));
			} else {
				assert_goes_on();
			}
		}
		memory_close(&memory);
	}
	memory_open(&memory, NULL, now);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start_all, end_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_finished_handshake_raises_the_memory),
		TEST(may_says_so_once),
		TEST(threat_24_known_waits_whatever_is_lost),
		TEST(threat_24_must_and_pinned_wait_whatever_is_lost),
		TEST(threat_25_may_calls_again_and_says_so_then),
		TEST(host_keys),
		TEST(a_statement_to_the_second),
		TEST(the_key_that_was_announced),
		TEST(a_domain_that_has_moved),
		TEST(starttls_is_no_xcrypt),
		TEST(an_older_generation),
		TEST(a_memory_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
