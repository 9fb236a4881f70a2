/* What a client sends before its turn reaches the backend before its turn, or the session ends. */
#include "relays.h"

/* Any octets, XCRYPT too: a client that wants encryption does not speak before the greeting. */
static void
threat_35_octets_before_the_greeting_go_to_the_mailer_at_once(void **state)
{
	static const char *const said[] = { "M", "\r", "X", "XCRYPT", "EHLO a\r\n", "NOOP\n",
		"MAIL FROM:<a@a>\r\n", "XCRYPT chacha20poly1305_2.0 00 00\r\n",
		"EHLO a\r\nMAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n", "GET / HTTP/1.0\r\n\r\n" };
	/* a backend that checks for early talkers may greet in two parts with a pause */
	static const char *const greeted[] = { "", "2", "220", "220-wait\r\n", "220-wait\r\n220 ",
		"220-wait\r\n220-for\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(said); i++)
		for (size_t j = 0; j < COUNT(greeted); j++) {
			relay_up();
			bench_local(&bench, greeted[j]);
			bench_wire(&bench, said[i]);
			assert_true(bench.io.pipe);
			assert_local(&bench, said[i]);
			assert_wire(&bench, greeted[j]);
			assert_string_equal(relay.why, "early");
			bench_local(&bench, "554 5.5.1 you do not wait\r\n");
			assert_wire(&bench, "554 5.5.1 you do not wait\r\n");
			relay_wipe(&relay);
		}
}

static void
a_client_that_waits_for_the_greeting_has_its_offer(void **state)
{
	(void)state;
	relay_up();
	bench_local(&bench, "220-wait\r\n220-for\r\n");
	bench_local(&bench, "220 it\r\n");
	bench_wire(&bench, "EHLO a\r\n");
	assert_local(&bench, "EHLO a\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_wire(&bench, "220-wait\r\n220-for\r\n220 it\r\n250-mx\r\n250 XCRYPT " MODERN "\r\n");
	assert_false(bench.io.pipe);
}

/* The part of the reply that was held back is sent with it; it could have been the last line. */
static void
threat_35_octets_amid_a_reply_go_to_the_mailer_at_once(void **state)
{
	static const struct turn turns[] = {
		{ MAILER, "220 mx\r\n", "220 mx\r\n", "" },
		{ CLIENT, "EHLO a\r\n", "", "EHLO a\r\n" },
		{ MAILER, "250-mx\r\n250-SIZE\r\n", "", "" },
		{ CLIENT, "RSET\r\n", "250-mx\r\n250-SIZE\r\n", "RSET\r\n" },
		{ MAILER, "250 DSN\r\n250 r\r\n", "250 DSN\r\n250 r\r\n", "" },
	};
	static const struct turn refused[] = {
		{ MAILER, "220 mx\r\n", "220 mx\r\n", "" },
		{ CLIENT, "EHLO a\r\n", "", "EHLO a\r\n" },
		{ MAILER, "550-no\r\n550-n", "550-no\r\n", "" },
		{ CLIENT, "R", "550-n", "R" },
	};

	(void)state;
	relay_plays_cut(relay_up, turns, COUNT(turns));
	relay_plays_cut(relay_up, refused, COUNT(refused));
	/* the reply is complete, but has not been passed on yet */
	relay_greets();
	bench_wire(&bench, "EHLO a\r\n");
	bench.wire_stuck = true;
	buf_put(&bench.io.to_wire, span(bench.wire_mem, buf_room(&bench.io.to_wire)));
	bench_local(&bench, "250-mx\r\n250 DSN\r\n");
	bench_wire(&bench, "RSET\r\n");
	assert_false(bench.io.pipe);
	assert_local(&bench, "EHLO a\r\n");
}

/* If encryption is required, nothing in the clear reaches the backend: the session ends. */
static void
threat_35_must_ends_what_does_not_wait(void **state)
{
	static const char *const said[] = { "M", "X", "EHLO a\r\n",
		"XCRYPT chacha20poly1305_2.0 00 00\r\n", "\n" };
	static const char *const hellos[] = { "EHLO a\r\n", "HELO a\r\n" };
	char text[64];

	(void)state;
	relay_set.encryption_required = true;
	for (size_t i = 0; i < COUNT(said); i++) {
		relay_up();
		bench_wire(&bench, said[i]);
		assert_local(&bench, "");
		assert_wire(&bench, "421 4.5.0 mx.b.example Command sent before the greeting\r\n");
		assert_int_equal(bench.io.end, OUTCOME_GROUPED);
		relay_wipe(&relay);
		/* within a reply there is no place for ours */
		relay_up();
		bench_local(&bench, "220-wait\r\n");
		bench_wire(&bench, said[i]);
		assert_local(&bench, "");
		assert_wire(&bench, "220-wait\r\n");
		assert_int_equal(bench.io.end, OUTCOME_GROUPED);
		relay_wipe(&relay);
	}
	for (size_t i = 0; i < COUNT(hellos); i++) {
		relay_greets();
		snprintf(text, sizeof(text), "%sMAIL FROM:<>\r\n", hellos[i]);
		bench_wire(&bench, text);
		assert_local(&bench, hellos[i]);
		assert_wire(&bench, "503 5.5.1 Improper command pipelining\r\n");
		assert_int_equal(bench.io.end, OUTCOME_GROUPED);
		relay_wipe(&relay);
	}
	/* commands that may be grouped are passed on as they come */
	relay_greets();
	bench_wire(&bench, "NOOP\r\nRSET\r\n");
	assert_local(&bench, "NOOP\r\nRSET\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	relay_wipe(&relay);
	relay_greets();
	bench_wire(&bench, "RSET\r\nEHLO a\r\nN");
	assert_local(&bench, "RSET\r\nEHLO a\r\n");
	bench_local(&bench, "250 r\r\n");
	assert_wire(&bench, "250 r\r\n503 5.5.1 Improper command pipelining\r\n");
	relay_wipe(&relay);
	/* and an XCRYPT without waiting for the offer counts as an attempt */
	relay_greets();
	bench_wire(&bench, "EHLO a\r\nXCRYPT x\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_local(&bench, "EHLO a\r\n");
	assert_true(span_starts(bench_said_wire(&bench),
	    SPAN("250-mx\r\n250 XCRYPT " MODERN "\r\n504 5.5.4 XCRYPT FAIL")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(threat_35_octets_before_the_greeting_go_to_the_mailer_at_once),
		with_relay(a_client_that_waits_for_the_greeting_has_its_offer),
		with_relay(threat_35_octets_amid_a_reply_go_to_the_mailer_at_once),
		with_relay(threat_35_must_ends_what_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
