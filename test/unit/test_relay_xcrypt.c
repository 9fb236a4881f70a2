/* The relay's switch to encryption. */
#include "relays.h"

static const char behind[] = "503 5.5.1 XCRYPT FAIL improper command pipelining\r\n";

static void
the_switch_works(void **state)
{
	(void)state;
	relay_encrypts();
	assert_string_equal(handshake_suite(&relay.handshake)->name, "chacha20poly1305_2.0");
	assert_null(relay.why);
	assert_int_equal(bench.encrypted_at, buf_len(&bench.wire));
	server = relay.handshake;
	assert_same_keys();
}

/* statement 7 */
static void
threat_7_the_switch_works_in_any_division(void **state)
{
	static const char *const names[] = { MODERN, "arsyfor_1.0" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		suites_named(&relay_suites, names[i]);
		for (size_t cut = 0; cut <= 1800; cut += cut < 180 || cut > 1730 ? 1 : 31) {
			relay_offers();
			bench_cut(&bench, cut);
			client_proposes();
			take_text(answer_line, relay_says(choice));
			if (is_hybrid(&client)) {
				assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
			} else {
				client_says_ok();
				take_text(ok_reply, relay_says(ok));
				assert_int_equal(client_takes_ok(), VERDICT_GOOD);
			}
			assert_true(bench.encrypted);
			relay_wipe(&relay);
		}
	}
}

/* The time it takes would show whether we know the client, so the answer is sent first. */
static void
the_answer_goes_out_before_the_secret_is_computed(void **state)
{
	char line[LINE_TEXT + 2];

	(void)state;
	suites_named(&relay_suites, "arsyfor_1.0");
	relay_offers();
	client_proposes();
	bench.wire_stuck = true;
	snprintf(line, sizeof(line), "%s\r\n", choice);
	bench_wire(&bench, line);
	assert_true(buf_len(&bench.io.to_wire) > 0);
	assert_false(relay.handshake.computed);
	bench.wire_stuck = false;
	bench_drain(&bench);
	bench_step(&bench);
	assert_true(relay.handshake.computed);
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
}

/* Sends `behind` after the line, cut at that place, in the machine's buffer or in the socket. */
static void
assert_injected(void (*start)(void), const char *line, const char *injected, size_t cut)
{
	static char text[2 * LINE_TEXT];

	start();
	/* the handshake's lines differ each time */
	if (strcmp(line, "CHOICE") == 0)
		client_proposes();
	const char *mine = strcmp(line, "OK") == 0 ? ok : strcmp(line, "CHOICE") == 0 ? choice : line;
	snprintf(text, sizeof(text), "%s\r\n%s", mine, injected);
	bench_cut(&bench, cut);
	bench_wire(&bench, text);
	assert_wire(&bench, behind);
	assert_local(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_INJECTED);
	assert_false(bench.encrypted || bench.io.pipe);
	relay_wipe(&relay);
}

/* statement 1, cut anywhere */
static void
assert_injection(void (*start)(void), const char *line, const char *injected)
{
	size_t len = strcmp(line, "CHOICE") == 0 ? 1800 : strlen(line) + 2 + strlen(injected);

	for (size_t cut = 0; cut <= len; cut += cut < 200 || cut > 1730 ? 1 : 51)
		assert_injected(start, line, injected, cut);
}

static const char proposal[] =
    "XCRYPT aes256gcm_2.0 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
    "=00112233445566778899aabbccddeeff";

static const char unknown[] = "450 4.7.0 XCRYPT FAIL id not known\r\n";

static void
threat_1_octets_after_a_proposal_are_never_executed(void **state)
{
	(void)state;
	assert_injection(relay_offers, "CHOICE", "NOOP\r\n");
	assert_injection(relay_offers, proposal, "NOOP\r\n");
	assert_injection(relay_offers, proposal, "\r");
	assert_injection(relay_offers, proposal, "XCRYPT OK\r\n");
	assert_injection(relay_offers, "XCRYPT", "QUIT\r\n");
	assert_injection(relay_offers, "XCRYPT nothing_0.0 0 0", "MAIL FROM:<>\r\n");
	assert_injection(relay_greets, proposal, "NOOP\r\n");
	suites_named(&relay_suites, "arsyfor_1.0");
	assert_injection(relay_offers, "CHOICE", "NOOP\r\n");
}

static void
threat_1_octets_after_the_ok_are_never_executed(void **state)
{
	(void)state;
	suites_named(&relay_suites, "arsyfor_1.0");
	assert_injection(relay_agrees, "OK", "N");
	assert_injection(relay_agrees, "OK", "EHLO a\r\nMAIL FROM:<>\r\n");
	assert_injection(relay_agrees, "XCRYPT FAIL", "NOOP\r\n");
	assert_injection(relay_agrees, "XCRYPT OK 00", "NOOP\r\n");
}

/* An octet that is still in the socket. */
static void
threat_1_an_octet_not_read_yet_counts(void **state)
{
	static const char *const names[] = { MODERN, "arsyfor_1.0" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		suites_named(&relay_suites, names[i]);
		if (i == 0) {
			relay_offers();
			client_proposes();
		} else {
			relay_agrees();
		}
		bench.io.from_wire.head = bench.io.from_wire.tail = 0;
		buf_put(&bench.io.from_wire, span_of(i == 0 ? choice : ok));
		buf_put(&bench.io.from_wire, SPAN("\r\n"));
		bench.rest_behind = true;
		bench_step(&bench);
		assert_wire(&bench, behind);
		assert_int_equal(bench.io.end, OUTCOME_INJECTED);
		assert_local(&bench, "");
		relay_wipe(&relay);
	}
}

/* Commands before the line do not matter. */
static void
xcrypt_may_come_after_other_commands(void **state)
{
	static char line[2 * LINE_TEXT];

	(void)state;
	for (size_t cut = 0; cut <= 1800; cut += cut < 60 || cut > 1740 ? 1 : 97) {
		relay_offers();
		client_proposes();
		snprintf(line, sizeof(line), "RSET\r\nNOOP\r\n%s\r\n", choice);
		bench_cut(&bench, cut);
		bench_wire(&bench, line);
		assert_local(&bench, "RSET\r\nNOOP\r\n");
		assert_wire(&bench, "");
		bench_local(&bench, "250 r\r\n");
		assert_wire(&bench, "250 r\r\n");
		bench_local(&bench, "250 n\r\n");
		struct span said = bench_said_wire(&bench);
		assert_true(span_starts(said, SPAN("250 n\r\n250 XCRYPT ")));
		take_text(answer_line, span_from(said, 7));
		assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
		assert_true(bench.encrypted);
		assert_local(&bench, "EHLO a.example\r\n");
		relay_wipe(&relay);
	}
}

/* Only what follows EHLO is an attempt, and only one is allowed. */
static void
xcrypt_has_its_place(void **state)
{
	(void)state;
	relay_greets();
	assert_says(proposal, "503 5.5.1 XCRYPT FAIL send EHLO first\r\n");
	bench_wire(&bench, "HELO a\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_wire(&bench, "250 mx\r\n");
	assert_says(proposal, "503 5.5.1 XCRYPT FAIL send EHLO first\r\n");
	bench_wire(&bench, "EHLO a\r\n");
	bench_local(&bench, "550 no\r\n");
	assert_wire(&bench, "550 no\r\n");
	assert_says("XCRYPT", "503 5.5.1 XCRYPT FAIL send EHLO first\r\n");
	assert_local(&bench, "HELO a\r\nEHLO a\r\n");
}

static void
there_is_one_attempt(void **state)
{
	(void)state;
	relay_offers();
	/* a command without a suite does not count */
	assert_says("XCRYPT", "501 5.5.4 XCRYPT FAIL no suite given\r\n");
	assert_says("XCRYPT OK", "501 5.5.4 XCRYPT FAIL no suite given\r\n");
	assert_says("XCRYPT rotn_0.1 0 6", "504 5.5.4 XCRYPT FAIL suite not offered\r\n");
	assert_string_equal(relay.why, "handshake-refused");
	assert_says(proposal, "503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
	assert_says("XCRYPT OK", "503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
	/* and nothing is offered after it */
	bench_wire(&bench, "EHLO b\r\n");
	bench_local(&bench, "250-mx\r\n250 XCRYPT x\r\n");
	assert_wire(&bench, "250 mx\r\n");
	assert_says(proposal, "503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
	assert_local(&bench, "EHLO b\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
}

/* The first unknown id does not use up the attempt; the second one does. */
static void
an_unknown_id_is_no_attempt(void **state)
{
	(void)state;
	relay_offers();
	assert_says(proposal, unknown);
	assert_null(relay.why);
	client_proposes();
	take_text(answer_line, relay_says(choice));
	assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
	relay_wipe(&relay);

	relay_offers();
	assert_says(proposal, unknown);
	/* XCRYPT is still offered */
	bench_wire(&bench, "EHLO a.example\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_wire(&bench, "250-mx\r\n250 XCRYPT " MODERN "\r\n");
	assert_says(proposal, unknown);
	assert_string_equal(relay.why, "handshake-refused");
	assert_says(proposal, "503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
	bench_wire(&bench, "EHLO a.example\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_wire(&bench, "250 mx\r\n");
	assert_false(bench.encrypted);
}

static void
the_client_may_refuse(void **state)
{
	(void)state;
	suites_named(&relay_suites, "arsyfor_1.0");
	relay_agrees();
	assert_says("XCRYPT FAIL", "250 XCRYPT FAIL\r\n");
	assert_string_equal(relay.why, "client-refused");
	assert_says(ok, "503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
	assert_false(bench.encrypted);
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_true(bench.io.pipe);
}

static void
any_other_command_abandons_the_attempt(void **state)
{
	(void)state;
	suites_named(&relay_suites, "arsyfor_1.0");
	relay_agrees();
	bench_wire(&bench, "NOOP\r\n");
	assert_local(&bench, "NOOP\r\n");
	bench_local(&bench, "250 n\r\n");
	assert_wire(&bench, "250 n\r\n");
	assert_says(ok, "503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
	assert_string_equal(relay.why, "client-gave-up");
	assert_false(bench.encrypted);

	relay_wipe(&relay);
	relay_agrees();
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_true(bench.io.pipe);
	relay_wipe(&relay);
	relay_agrees();
	assert_says(proposal, "503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
}

/* After a wrong confirmation the session ends. */
static void
a_wrong_confirmation_ends_it(void **state)
{
	static const char *const wrong[] = { " x", " ", " 00" };

	(void)state;
	suites_named(&relay_suites, "arsyfor_1.0");
	for (size_t i = 0; i < COUNT(wrong); i++) {
		relay_agrees();
		strcat(ok, wrong[i]);
		assert_says(ok, "454 4.7.0 XCRYPT FAIL wrong confirmation\r\n");
		assert_int_equal(bench.io.end, OUTCOME_CONFIRMATION);
		assert_false(bench.encrypted);
		relay_wipe(&relay);
	}
}

/* statement 3 */
static void
threat_3_2_0_hears_ehlo_first(void **state)
{
	static const char *const refused[] = {
		"MAIL FROM:<>", "RCPT TO:<a>", "DATA", "BDAT 0 LAST", "AUTH PLAIN", "HELP",
		    "VRFY a",
		"EXPN a", "ETRN a", "",
	};

	(void)state;
	relay_encrypts();
	bench_local(&bench, "501 bad name\r\n");
	assert_wire(&bench, "501 bad name\r\n");
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_says(refused[i], "503 5.5.1 Send EHLO again first\r\n");
	assert_local(&bench, "");
	bench_wire(&bench, "NOOP\r\nRSET\r\nEHLO again\r\n");
	assert_local(&bench, "NOOP\r\nRSET\r\nEHLO again\r\n");
	bench_local(&bench, "250 n\r\n250 r\r\n501 bad name\r\n");
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_wire(&bench, "250 n\r\n250 r\r\n501 bad name\r\n503 5.5.1 Send EHLO again first\r\n");
	bench_wire(&bench, "HELO again\r\n");
	bench_local(&bench, "250 mx\r\n");
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_local(&bench, "HELO again\r\nMAIL FROM:<>\r\n");
}

/* statement 3: CHUNKING was offered in the clear, and not after HELO */
static void
threat_3_chunking_does_not_survive(void **state)
{
	(void)state;
	for (int helo = 0; helo < 2; helo++) {
		relay_offers();
		bench_wire(&bench, "EHLO a.example\r\n");
		bench_local(&bench, "250-mx.b.example\r\n250 CHUNKING\r\n");
		bench_said_wire(&bench);
		client_proposes();
		take_text(answer_line, relay_says(choice));
		assert_true(bench.encrypted);
		bench_local(&bench, helo ? "250-mx\r\n250 CHUNKING\r\n" : "250 mx\r\n");
		if (helo) {
			bench_wire(&bench, "HELO a\r\n");
			bench_local(&bench, "250 mx\r\n");
		}
		bench_said_wire(&bench);
		bench_said_local(&bench);
		assert_says("BDAT 6 LAST", "502 5.5.1 CHUNKING not offered\r\n");
		assert_local(&bench, "");
		relay_wipe(&relay);
	}
}

/* statement 3: an older client continues with MAIL, and the backend gets an EHLO all the same */
static void
threat_3_hello_is_repeated_for_older_clients(void **state)
{
	static const char *const names[] = { "arsyfor_1.0", "rotn_0.1" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		suites_named(&relay_suites, names[i]);
		relay_encrypts();
		bench_wire(&bench, "MAIL FROM:<>\r\nRCPT TO:<b>\r\n");
		assert_local(&bench, "EHLO a.example\r\n");
		bench_local(&bench, "250-mx\r\n250-XCRYPT\r\n");
		assert_local(&bench, "");
		bench_local(&bench, "250 PIPELINING\r\n");
		assert_local(&bench, "MAIL FROM:<>\r\nRCPT TO:<b>\r\n");
		assert_wire(&bench, "");
		bench_local(&bench, "250 m\r\n250 r\r\n");
		assert_wire(&bench, "250 m\r\n250 r\r\n");
		relay_wipe(&relay);
	}
}

/* A backend's 421 to our own EHLO is passed to the client. */
static void
threat_27_a_421_to_our_own_hello_is_not_kept_from_the_client(void **state)
{
	(void)state;
	suites_named(&relay_suites, "rotn_0.1");
	relay_encrypts();
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	bench_local(&bench, "421 4.3.2 too much\r\n");
	bench_local_eof(&bench);
	assert_wire(&bench, "421 4.3.0 mx.b.example Lost connection to the mail server\r\n");
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
}

/* statement 4 */
static void
threat_4_neither_xcrypt_nor_starttls_inside(void **state)
{
	(void)state;
	relay_inside();
	assert_says(proposal, "503 5.5.1 XCRYPT FAIL already encrypted\r\n");
	assert_says("XCRYPT", "503 5.5.1 XCRYPT FAIL already encrypted\r\n");
	assert_says("xcrypt OK", "503 5.5.1 XCRYPT FAIL already encrypted\r\n");
	assert_says("starttls", "503 5.5.1 Already encrypted\r\n");
	assert_local(&bench, "");
	bench_wire(&bench, "EHLO b\r\n");
	bench_local(&bench, "250-mx\r\n250-XCRYPT a\r\n250-STARTTLS\r\n250-XCRYPT-ID\r\n"
	    "250-STARTTLSX\r\n250-ATRN\r\n250-TURN\r\n250-XEXCH50\r\n250 X-LINK2STATE\r\n");
	assert_wire(&bench, "250 mx\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
}

/* From the answer to the first encrypted octet the handshake's deadline applies. */
static void
the_handshakes_deadline_covers_it(void **state)
{
	(void)state;
	relay_offers();
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
	relay_wipe(&relay);
	relay_encrypts();
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
	relay_wipe(&relay);

	suites_named(&relay_suites, "arsyfor_1.0");
	relay_agrees();
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
	relay_says(ok);
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
	bench_wire(&bench, "E");
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(the_switch_works),
		with_relay(threat_7_the_switch_works_in_any_division),
		with_relay(the_answer_goes_out_before_the_secret_is_computed),
		with_relay(threat_1_octets_after_a_proposal_are_never_executed),
		with_relay(threat_1_octets_after_the_ok_are_never_executed),
		with_relay(threat_1_an_octet_not_read_yet_counts),
		with_relay(xcrypt_may_come_after_other_commands),
		with_relay(xcrypt_has_its_place),
		with_relay(there_is_one_attempt),
		with_relay(an_unknown_id_is_no_attempt),
		with_relay(the_client_may_refuse),
		with_relay(any_other_command_abandons_the_attempt),
		with_relay(a_wrong_confirmation_ends_it),
		with_relay(threat_3_2_0_hears_ehlo_first),
		with_relay(threat_3_chunking_does_not_survive),
		with_relay(threat_3_hello_is_repeated_for_older_clients),
		with_relay(threat_27_a_421_to_our_own_hello_is_not_kept_from_the_client),
		with_relay(threat_4_neither_xcrypt_nor_starttls_inside),
		with_relay(the_handshakes_deadline_covers_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
