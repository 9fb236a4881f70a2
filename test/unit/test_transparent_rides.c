/* blackpony's machine with a pre-shared secret: XCRYPT is sent together with EHLO, or is not. */
#include "transparents.h"

/* Sends EHLO and XCRYPT together. */
static void
call_riding(void)
{
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "EHLO a.example\r\n");
	struct span said = bench_said_wire(&bench);
	assert_true(span_starts(said, SPAN("EHLO a.example\r\nXCRYPT chacha20poly1305_2.0 ")));
	take_text(choice, span_from(said, 16));
	server_offers();
	bench_said_local(&bench);
}

#define RIDDEN "250-mx clear\r\n250-STARTTLS\r\n250-@\r\n250 SIZE 1\r\n"

static void
xcrypt_rides_to_a_host_that_was_met(void **state)
{
	static char text[4 * LINE_TEXT];

	(void)state;
	hosts_have_met(MODERN);
	for (size_t cut = 0; cut < 300; cut++) {
		call_riding();
		bench_cut(&bench, cut);
		server_agrees();
		snprintf(text, sizeof(text), "%s%s\r\n250-mx\r\n250 SIZE 2\r\n", spell(RIDDEN, offer),
		    answer_line);
		bench_wire(&bench, text);
		assert_true(bench.encrypted && passes_on());
		assert_wire(&bench, "");
		assert_local(&bench, "250-mx\r\n250 SIZE 2\r\n");
		assert_true(handshake_met(&transparent.client.handshake));
		transparent_wipe(&transparent);
	}
}

/* Also after a HELO of the local MTA, but never if encryption was given up or is off. */
static void
what_rides_with_what(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "HELO b.example\r\n");
	assert_true(span_starts(bench_said_wire(&bench), SPAN("EHLO b.example\r\nXCRYPT ")));
	transparent_wipe(&transparent);

	for (enum client_call how = CLIENT_CALL_APART; how <= CLIENT_CALL_CLEAR; how++) {
		call(MODERN);
		transparent_connected(&transparent, how);
		bench_wire(&bench, "220 mx\r\n");
		bench_local(&bench, "EHLO a.example\r\n");
		assert_wire(&bench, "EHLO a.example\r\n");
		server_offers();
		bench_wire(&bench, spell(RIDDEN, offer));
		struct span said = bench_said_wire(&bench);
		/* the id is used all the same */
		assert_int_equal(said.len > 0, how == CLIENT_CALL_APART);
		if (said.len > 0)
			assert_int_equal(said.at[said.len - 2 - 33], '=');
		transparent_wipe(&transparent);
	}
	call_ehlo("");
	transparent_wipe(&transparent);
	call_ehlo("arsyfor_1.0");
}

/* The id is unknown: sends an ek on the same connection and removes only the id. */
static void
an_unknown_id_is_said_once(void **state)
{
	(void)state;
	for (int rides = 0; rides < 2; rides++) {
		hosts_set_up(NULL);
		hosts_have_met(MODERN);
		server_keys.id_count = 0;
		call(MODERN);
		transparent_connected(&transparent, rides ? CLIENT_CALL_FIRST : CLIENT_CALL_APART);
		bench_wire(&bench, "220 mx\r\n");
		bench_local(&bench, "EHLO a.example\r\n");
		struct span said = bench_said_wire(&bench);
		if (rides)
			take_text(choice, span_from(said, 16));
		server_offers();
		bench_wire(&bench, spell(RIDDEN, offer));
		if (!rides)
			take_text(choice, bench_said_wire(&bench));
		assert_int_equal(server_answers(), HANDSHAKE_UNKNOWN_ID);
		server_says(answer_line);
		take_text(choice, bench_said_wire(&bench));
		assert_int_equal(client_keys.forgets, 1);
		server_agrees();
		server_says(answer_line);
		assert_true(bench.encrypted);
		bench_said_local(&bench);
		bench_wire(&bench, "250 inside\r\n");
		assert_local(&bench, "250 inside\r\n");
		assert_false(handshake_met(&transparent.client.handshake));
		transparent_wipe(&transparent);
		/* a second 450 is an ordinary refusal */
		hosts_have_met(MODERN);
		call_riding();
		bench_wire(&bench, spell(RIDDEN, offer));
		server_says("450 4.7.0 XCRYPT FAIL id not known");
		assert_true(bench_said_wire(&bench).len > 1500);
		server_says("450 4.7.0 XCRYPT FAIL id not known");
		assert_local(&bench, "250-mx clear\r\n250-STARTTLS\r\n250 SIZE 1\r\n");
		assert_true(bench.io.settled);
		assert_string_equal(transparent.client.why, "refused");
		transparent_wipe(&transparent);
	}
}

/*
 * If the offer differs, or either line gets another reply than 250, the next call sends them
 * apart.
 */
static void
what_rode_in_vain_is_said_apart(void **state)
{
	static const char *const replies[] = {
		"250 mx\r\n", "250-mx\r\n250 XCRYPT aes256gcm_2.0\r\n",
		"250-mx\r\n250 XCRYPT aes256gcm_2.0 chacha20poly1305_2.0\r\n",
		"250-mx\r\n250 xcrypt " MODERN "\r\n", "250-mx\r\n250 XCRYPT " MODERN " new_3.0\r\n",
		"250-mx\r\n250-XCRYPT " MODERN "\r\n250 XCRYPT " MODERN "\r\n",
		"550 no\r\n", "451 later\r\n", "421 busy\r\n", "220-mx\r\n220 XCRYPT " MODERN "\r\n",
	};
	static const char *const answers[] = {
		"454 4.7.0 XCRYPT FAIL not able", "503 5.5.1 what?", "500 what?", "421 busy", "250 ok",
		"250 XCRYPT", "220 x", "454-x\r\n454 x",
	};

	(void)state;
	hosts_have_met(MODERN);
	for (int must = 0; must < 2; must++) {
		set.encryption_required = must;
		for (size_t i = 0; i < COUNT(replies); i++) {
			call_riding();
			bench_wire(&bench, replies[i]);
			assert_int_equal(bench.io.end, OUTCOME_RETRY_APART);
			assert_local(&bench, "");
			assert_wire(&bench, "");
			assert_false(bench.io.elsewhere);
			transparent_wipe(&transparent);
		}
		for (size_t i = 0; i < COUNT(answers); i++) {
			call_riding();
			bench_wire(&bench, spell(RIDDEN, offer));
			server_says(answers[i]);
			assert_int_equal(bench.io.end, OUTCOME_RETRY_APART);
			assert_local(&bench, "");
			transparent_wipe(&transparent);
		}
		for (int answered = 0; answered < 2; answered++) {
			call_riding();
			if (answered)
				bench_wire(&bench, spell(RIDDEN, offer));
			bench_wire_eof(&bench);
			assert_int_equal(bench.io.end, OUTCOME_RETRY_APART);
			transparent_wipe(&transparent);
		}
	}
	/* what is known of the host stays */
	assert_int_equal(client_keys.forgets, 0);
}

/* The next call, on which XCRYPT is sent apart: the local MTA's EHLO is repeated for it. */
static void
called_apart_the_mailers_hello_is_kept(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	call_riding();
	bench_wire(&bench, "250 mx\r\n");
	assert_int_equal(bench.io.end, OUTCOME_RETRY_APART);
	bench.io.end = OUTCOME_NONE;
	transparent_connected(&transparent, CLIENT_CALL_APART);
	bench_wire(&bench, "220 mx again\r\n");
	assert_wire(&bench, "EHLO a.example\r\n");
	handshake_start(&server, true, &server_suites, keys_source(&server_keys));
	handshake_hello(&server, SPAN(HELLO));
	suites_named(&server_suites, "aes256gcm_2.0");
	server_offers();
	bench_wire(&bench, spell(RIDDEN, offer));
	take_text(choice, bench_said_wire(&bench));
	server_agrees();
	server_says(answer_line);
	bench_wire(&bench, "250 inside\r\n");
	assert_local(&bench, "250 inside\r\n");
	assert_string_equal(client_handshake_crypt(&transparent.client), "aes256gcm_2.0");
}

/* With the same offer, a wrong confirmation is tampering, and the next call is a first meeting. */
static void
tampering_with_what_rode(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	call_riding();
	server_agrees();
	bench_wire(&bench, spell(RIDDEN, offer));
	char *digit = answer_line + strlen(answer_line) - 1;
	*digit = *digit == '0' ? '1' : '0';
	server_says(answer_line);
	assert_int_equal(bench.io.end, OUTCOME_CONFIRMATION);
	assert_int_equal(client_keys.forgets, 1);
	assert_int_equal(server_keys.id_count, 1);
	transparent_wipe(&transparent);
	call_ehlo(MODERN);		/* XCRYPT is not sent with EHLO */
	transparent_wipe(&transparent);

	/* a record does not verify: in a later handshake; at a first meeting there is no id */
	hosts_set_up(NULL);
	hosts_have_met(MODERN);
	call_riding();
	server_agrees();
	bench_wire(&bench, spell(RIDDEN, offer));
	server_says(answer_line);
	assert_true(bench.encrypted);
	bench_fault(&bench, OUTCOME_BAD_RECORD);
	assert_int_equal(bench.io.end, OUTCOME_BAD_RECORD);
	assert_int_equal(client_keys.forgets, 1);
	transparent_wipe(&transparent);
	call_inside(MODERN);
	bench_fault(&bench, OUTCOME_BAD_RECORD);
	assert_int_equal(bench.io.end, OUTCOME_BAD_RECORD);
	assert_int_equal(client_keys.forgets, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_caller(xcrypt_rides_to_a_host_that_was_met),
		with_caller(what_rides_with_what),
		with_caller(an_unknown_id_is_said_once),
		with_caller(what_rode_in_vain_is_said_apart),
		with_caller(called_apart_the_mailers_hello_is_kept),
		with_caller(tampering_with_what_rode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
