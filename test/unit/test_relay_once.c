/*
 * The relay with a backend that accepts only one EHLO, as OpenSMTPD does: its reply to the first
 * one is repeated in the encrypted session.
 */
#include "relays.h"

#define ONLY_ONE "503 5.5.1 Already identified\r\n"

/* Up to encryption; `reply` is the backend's reply to the first EHLO. */
static void
encrypts_behind(const char *name, const char *reply)
{
	char line[LINE_TEXT];

	relay_greets();
	handshake_hello(&client, span(line, (size_t)snprintf(line, sizeof(line), "EHLO %s", name)));
	strcat(line, "\r\n");
	bench_wire(&bench, line);
	assert_local(&bench, line);
	bench_local(&bench, reply);
	struct span said = bench_said_wire(&bench);
	while (!span_starts(said, SPAN("250 XCRYPT")))
		said = span_from(said, span_find(said, '\n') + 1);
	take_text(offer, span_from(said, 4));
	client_proposes();
	take_text(answer_line, relay_says(choice));
	if (is_hybrid(&client)) {
		assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
		assert_local(&bench, line);
		return;
	}
	client_says_ok();
	take_text(ok_reply, relay_says(ok));
	assert_int_equal(client_takes_ok(), VERDICT_GOOD);
}

static void
starts(void)
{
	encrypts_behind("a.example", "250-mx.b.example Hello\r\n250-STARTTLS\r\n250-XCRYPT x\r\n"
	    "250-chunking\r\n250 SIZE 9\r\n");
}

/* statement 3, for such a backend: its state is as after a fresh EHLO */
static void
threat_3_what_was_answered_in_the_clear_is_said_inside(void **state)
{
	static const struct turn turns[] = {
		{ MAILER, "503-5.5.1 Already\r\n" ONLY_ONE,
		    "250-mx.b.example Hello\r\n250-chunking\r\n250 SIZE 9\r\n", "" },
		{ CLIENT, "MAIL FROM:<a@a>\r\nBDAT 4 LAST\r\nQUITNOOP\r\n", "",
		    "MAIL FROM:<a@a>\r\nBDAT 4 LAST\r\nQUITNOOP\r\n" },
		{ MAILER, "250 m\r\n250 all\r\n250 n\r\n", "250 m\r\n250 all\r\n250 n\r\n", "" },
		{ CLIENT, "EHLO a.example\r\n", "", "EHLO a.example\r\n" },
		{ MAILER, ONLY_ONE, ONLY_ONE, "" },
	};

	(void)state;
	relay_plays_cut(starts, turns, COUNT(turns));
}

static void
starts_inside(void)
{
	starts();
	bench_local(&bench, ONLY_ONE);
	bench_said_wire(&bench);
}

static void
starts_with_helo(void)
{
	starts_inside();
	bench_wire(&bench, "HELO a.example\r\n");
	assert_local(&bench, "HELO a.example\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_wire(&bench, "250 mx\r\n");
}

/* EHLO during a transaction is refused and does not end it. */
static void
threat_33_a_refusal_in_a_transaction_is_one(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "MAIL FROM:<a@a>\r\nRCPT TO:<abandoned>\r\n", "",
		    "MAIL FROM:<a@a>\r\nRCPT TO:<abandoned>\r\n" },
		{ MAILER, "250 m\r\n250 r\r\n", "250 m\r\n250 r\r\n", "" },
		{ CLIENT, "EHLO a.example\r\n", "", "EHLO a.example\r\n" },
		{ MAILER, ONLY_ONE, ONLY_ONE, "" },
		{ CLIENT, "RSET\r\n", "", "RSET\r\n" },
		{ MAILER, "250 r\r\n", "250 r\r\n", "" },
		{ CLIENT, "EHLO a.example\r\n", "", "EHLO a.example\r\n" },
		{ MAILER, ONLY_ONE, ONLY_ONE, "" },
	};

	(void)state;
	relay_plays_cut(starts_inside, turns, COUNT(turns));
	relay_plays_cut(starts_with_helo, turns, COUNT(turns));
}

/* After the EHLO that we repeat for an old client, the client's own one is refused. */
static void
after_our_own_ehlo_no_reply_is_repeated(void **state)
{
	(void)state;
	suites_named(&relay_suites, "rotn_0.1");
	starts();
	bench_wire(&bench, "MAIL FROM:<a@a>\r\n");
	assert_local(&bench, "EHLO a.example\r\n");
	bench_local(&bench, ONLY_ONE);
	assert_local(&bench, "MAIL FROM:<a@a>\r\n");
	bench_local(&bench, "250 m\r\n");
	assert_wire(&bench, "250 m\r\n");
	bench_wire(&bench, "EHLO a.example\r\n");
	bench_local(&bench, ONLY_ONE);
	assert_wire(&bench, ONLY_ONE);
}

/* Another name, another code, or HELO: refusals are passed on. */
static void
other_refusals_are_passed_on(void **state)
{
	static const struct turn turns[] = {
		{ MAILER, "550 no\r\n", "550 no\r\n", "" },
		{ CLIENT, "EHLO b.example\r\n", "", "EHLO b.example\r\n" },
		{ MAILER, ONLY_ONE, ONLY_ONE, "" },
		{ CLIENT, "EHLO a.exampl\r\n", "", "EHLO a.exampl\r\n" },
		{ MAILER, ONLY_ONE, ONLY_ONE, "" },
		{ CLIENT, "EHLO a.example\r\n", "", "EHLO a.example\r\n" },
		{ MAILER, "550 no\r\n", "550 no\r\n", "" },
		{ CLIENT, "HELO a.example\r\n", "", "HELO a.example\r\n" },
		{ MAILER, ONLY_ONE, ONLY_ONE, "" },
		{ CLIENT, "MAIL FROM:<a@a>\r\n", "503 5.5.1 Send EHLO again first\r\n", "" },
	};

	(void)state;
	relay_plays_cut(starts, turns, COUNT(turns));
}

/* In the clear no reply is repeated. */
static void
in_the_clear_the_backend_answers(void **state)
{
	(void)state;
	relay_offers();
	bench_wire(&bench, "EHLO a.example\r\n");
	assert_local(&bench, "EHLO a.example\r\n");
	bench_local(&bench, ONLY_ONE);
	assert_wire(&bench, ONLY_ONE);
}

/* A reply that is too long is not kept, so 503 is passed on. */
static void
a_long_reply_is_not_kept(void **state)
{
	static char reply[RELAY_EHLO_MAX + 64];

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t len = 0;

		len += (size_t)sprintf(reply, "250-mx\r\n");
		while (RELAY_EHLO_MAX + over - len > 200)
			len += (size_t)sprintf(reply + len, "250-DSN %0100d\r\n", 0);
		sprintf(reply + len, "250 DSN %0*d\r\n", (int)(RELAY_EHLO_MAX + over - len - 10),
		    0);
		assert_int_equal(strlen(reply), RELAY_EHLO_MAX + over);
		encrypts_behind("a.example", reply);
		bench_local(&bench, ONLY_ONE);
		assert_wire(&bench, over ? ONLY_ONE : reply);
		relay_wipe(&relay);
	}
}

/* A name that does not fit could be confused with another. */
static void
a_long_name_is_not_compared(void **state)
{
	char name[RELAY_NAME_MAX + 1];

	(void)state;
	for (size_t len = RELAY_NAME_MAX - 1; len <= RELAY_NAME_MAX; len++) {
		memset(name, 'a', len);
		name[len] = '\0';
		encrypts_behind(name, "250 mx.b.example\r\n");
		bench_local(&bench, ONLY_ONE);
		assert_wire(&bench, len < RELAY_NAME_MAX ? "250 mx.b.example\r\n" : ONLY_ONE);
		relay_wipe(&relay);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(threat_3_what_was_answered_in_the_clear_is_said_inside),
		with_relay(threat_33_a_refusal_in_a_transaction_is_one),
		with_relay(after_our_own_ehlo_no_reply_is_repeated),
		with_relay(other_refusals_are_passed_on),
		with_relay(in_the_clear_the_backend_answers),
		with_relay(a_long_reply_is_not_kept),
		with_relay(a_long_name_is_not_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
