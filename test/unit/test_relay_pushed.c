/*
 * blackponyd's machine in 2.0: the repeated EHLO and its pushed reply, the host key statements in
 * it, and XCRYPT sent together with EHLO.
 */
#include "relays.h"

/* The backend's reply to the repeated EHLO is the first thing inside, whole and unasked. */
static void
the_reply_to_the_pushed_ehlo_comes_unasked(void **state)
{
	static const struct turn turns[] = {
		{ MAILER, "250-mx.b.example\r\n250-STARTTLS\r\n250-XCRYPT a\r\n250-XCRYPT-ID b\r\n", "",
		    "" },
		{ MAILER, "250-SIZE", "", "" },
		{ MAILER, "\r\n250 PIPELINING\r\n", "250-mx.b.example\r\n250-SIZE\r\n250 PIPELINING\r\n",
		    "" },
		{ CLIENT, "MAIL FROM:<a@a>\r\n", "", "MAIL FROM:<a@a>\r\n" },
		{ MAILER, "250 m\r\n", "250 m\r\n", "" },
		/* the client may send EHLO again */
		{ CLIENT, "EHLO b.example\r\n", "", "EHLO b.example\r\n" },
		{ MAILER, "250-mx\r\n250 SIZE\r\n", "250-mx\r\n250 SIZE\r\n", "" },
	};

	(void)state;
	relay_plays_cut(relay_encrypts, turns, COUNT(turns));
}

/* The repeated EHLO is the line that the transcript covers. */
static void
the_pushed_ehlo_is_the_clients(void **state)
{
	static const char *const hellos[] = { "ehlo  [192.0.2.7]", "EHLO", "EHLO x y " };
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(hellos); i++) {
		relay_offers();
		/* HELO, and an EHLO that is refused, do not count */
		for (size_t n = 0; n < 3; n++) {
			const char *said = n == 0 ? "EHLO first" : n == 1 ? hellos[i] : "EHLO refused";
			snprintf(line, sizeof(line), "%s\r\n", said);
			bench_wire(&bench, line);
			assert_local(&bench, line);
			bench_local(&bench, n < 2 ? "250 mx\r\n" : "501 no\r\n");
		}
		bench_said_wire(&bench);
		handshake_hello(&client, span_of(hellos[i]));
		client_proposes();
		take_text(answer_line, relay_says(choice));
		assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
		snprintf(line, sizeof(line), "%s\r\n", hellos[i]);
		assert_local(&bench, line);
		relay_wipe(&relay);
	}
}

/*
 * An EHLO too long for the transcript prevents encryption; the longest possible one is repeated.
 */
static void
long_ehlo_lines(void **state)
{
	static char line[RELAY_HELLO_MAX + 16];

	(void)state;
	for (size_t len = RELAY_HELLO_MAX; len <= RELAY_HELLO_MAX + 1; len++) {
		relay_greets();
		memset(line, 'a', len);
		memcpy(line, "EHLO ", 5);
		strcpy(line + len, "\r\n");
		bench_wire(&bench, line);
		assert_local(&bench, line);
		bench_local(&bench, "250 mx\r\n");
		bench_said_wire(&bench);
		strcpy(offer, "XCRYPT " MODERN);
		handshake_hello(&client, span(line, len));
		client_proposes();
		if (len > RELAY_HELLO_MAX) {
			assert_says(choice, "454 4.7.0 XCRYPT FAIL temporarily unavailable\r\n");
		} else {
			take_text(answer_line, relay_says(choice));
			assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
			assert_local(&bench, line);
		}
		relay_wipe(&relay);
	}
}

static unsigned said_count;

static size_t
says_two(void *context, struct span lines[RELAY_SAYS_MAX], size_t *missing)
{
	said_count++;
	lines[0] = SPAN("XCRYPT-ID key");
	lines[1] = SPAN("XCRYPT-NEXT key");
	*missing = *(const size_t *)context;
	return *missing == 0 ? 2 : *missing == 206 ? 1 : 0;
}

/* Our statements follow the backend's lines in every reply; the padding hides missing ones. */
static void
statements_are_made_once_and_only_inside(void **state)
{
	static const struct { size_t missing; const char *lines; } rows[] = {
		{ 0, "250-mx\r\n250-SIZE\r\n250-XCRYPT-ID key\r\n250 XCRYPT-NEXT key\r\n" },
		{ 206, "250-mx\r\n250-SIZE\r\n250 XCRYPT-ID key\r\n" },
		{ 410, "250-mx\r\n250 SIZE\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t missing = rows[i].missing;

		relay_set.says = says_two;
		relay_set.says_context = &missing;
		said_count = 0;
		relay_offers();
		assert_int_equal(said_count, 0);
		relay_wipe(&relay);
		relay_encrypts();
		assert_int_equal(said_count, 1);
		assert_int_equal(bench.io.hides, missing);
		for (int again = 0; again < 2; again++) {
			bench_local(&bench, "250-mx\r\n250-XCRYPT-ID another\r\n250 SIZE\r\n");
			assert_wire(&bench, rows[i].lines);
			bench_wire(&bench, "EHLO a.example\r\n");
		}
		assert_int_equal(said_count, 1);
		relay_wipe(&relay);

		/* older versions have no statements */
		suites_named(&relay_suites, "arsyfor_1.0");
		relay_inside();
		assert_int_equal(said_count, 1);
		assert_int_equal(bench.io.hides, 0);
		relay_wipe(&relay);
		suites_named(&relay_suites, MODERN);
	}
}

/*
 * Every reply of the backend is passed on inside; after 4yz or 5yz the client may try EHLO again.
 */
static void
a_pushed_ehlo_may_be_refused(void **state)
{
	static const char *const refusals[] = { "550 no\r\n", "554-no\r\n554 no\r\n", "451 later\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		relay_set.says = says_two;
		relay_set.says_context = &(size_t){ 0 };
		relay_encrypts();
		bench_local(&bench, refusals[i]);
		assert_wire(&bench, refusals[i]);
		assert_int_equal(bench.io.end, OUTCOME_NONE);
		assert_false(bench.io.gathers);
		assert_says("MAIL FROM:<>", "503 5.5.1 Send EHLO again first\r\n");
		bench_wire(&bench, "EHLO b\r\n");
		assert_local(&bench, "EHLO b\r\n");
		bench_local(&bench, "250 mx\r\n");
		assert_wire(&bench, "250-mx\r\n250-XCRYPT-ID key\r\n250 XCRYPT-NEXT key\r\n");
		bench_wire(&bench, "MAIL FROM:<>\r\n");
		assert_local(&bench, "MAIL FROM:<>\r\n");
		relay_wipe(&relay);
	}
}

/* A 421, an end of file or silence instead of that reply: the client is told inside. */
static void
threat_27_a_mailer_that_leaves_at_the_pushed_ehlo(void **state)
{
	static const char closes[] = "421 4.3.2 closing\r\n";

	(void)state;
	relay_encrypts();
	bench_local(&bench, closes);
	assert_wire(&bench, closes);
	bench_local_eof(&bench);
	assert_wire(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	relay_wipe(&relay);

	relay_encrypts();
	bench_local_eof(&bench);
	assert_wire(&bench, "421 4.3.0 mx.b.example Lost connection to the mail server\r\n");
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	relay_wipe(&relay);

	/* in the middle of its reply: no other reply can be sent */
	relay_encrypts();
	bench_local(&bench, "250-mx\r\n250-SIZE\r\n");
	assert_wire(&bench, "");
	bench_local_eof(&bench);
	assert_wire(&bench, "250-mx\r\n");
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	relay_wipe(&relay);

	relay_encrypts();
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_wire(&bench, "421 4.4.2 mx.b.example Timeout exceeded\r\n");
	assert_int_equal(bench.io.end, OUTCOME_TIMEOUT);
	relay_wipe(&relay);

	relay_encrypts();
	bench_fault(&bench, OUTCOME_LOCAL_BROKEN);
	assert_wire(&bench, "421 4.3.0 mx.b.example Lost connection to the mail server\r\n");
	relay_wipe(&relay);

	relay_encrypts();
	bench_local(&bench, "what?\r\n");
	assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
	assert_wire(&bench, "");
}

/* Commands of the client wait for that reply. */
static void
octets_before_the_pushed_reply_end_it(void **state)
{
	(void)state;
	relay_encrypts();
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_wire(&bench, "503 5.5.1 Improper command pipelining\r\n");
	assert_int_equal(bench.io.end, OUTCOME_GROUPED);
	assert_local(&bench, "");
	relay_wipe(&relay);
	/* once the reply has begun, the client may be answered */
	relay_encrypts();
	bench_local(&bench, "250-mx\r\n");
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_local(&bench, "");
	bench_local(&bench, "250 SIZE\r\n");
	assert_local(&bench, "MAIL FROM:<>\r\n");
	assert_wire(&bench, "250-mx\r\n250 SIZE\r\n");
}

static void
the_client_may_leave_at_the_pushed_ehlo(void **state)
{
	(void)state;
	relay_encrypts();
	bench.io.wire_truncated = true;
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_TRUNCATED);
	relay_wipe(&relay);
	relay_encrypts();
	bench_wire_eof(&bench);
	assert_true(bench.io.shut_local);
	bench_local(&bench, "250 mx\r\n");
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
}

/* EHLO and XCRYPT in one write, followed by `behind`. */
static void
ride(const char *more)
{
	static char text[2 * LINE_TEXT];
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	assert_true(handshake_ride(&client, &out));
	take_text(choice, buf_peek(&out));
	snprintf(text, sizeof(text), "EHLO a.example\r\n%s\r\n%s", choice, more);
	bench_wire(&bench, text);
	assert_local(&bench, "EHLO a.example\r\n");
	assert_wire(&bench, "");
}

#define CLEAR_REPLY "250-mx\r\n250-SIZE\r\n250 XCRYPT " MODERN "\r\n"

static void
xcrypt_may_ride_with_ehlo(void **state)
{
	(void)state;
	for (int must = 0; must < 2; must++)
		for (size_t cut = 0; cut <= 220; cut++) {
			hosts_set_up(NULL);
			hosts_have_met(MODERN);
			relay_set.encryption_required = must;
			relay_greets();
			bench_cut(&bench, cut);
			ride("");
			bench_local(&bench, "250-mx\r\n250 SIZE\r\n");
			struct span said = bench_said_wire(&bench);
			assert_true(span_starts(said, SPAN(CLEAR_REPLY "250 XCRYPT ")));
			take_text(answer_line, span_from(said, strlen(CLEAR_REPLY)));
			assert_true(bench.encrypted);
			assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
			assert_true(handshake_met(&client) && handshake_met(&relay.handshake));
			assert_local(&bench, "EHLO a.example\r\n");
			bench_local(&bench, "250 mx\r\n");
			assert_wire(&bench, "250 mx\r\n");
			relay_wipe(&relay);
		}
}

/* XCRYPT sent with EHLO: unknown id, refused EHLO, octets after the line. */
static void
what_rides_may_be_refused(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	server_keys.id_count = 0;
	relay_greets();
	ride("");
	bench_local(&bench, "250-mx\r\n250 SIZE\r\n");
	assert_wire(&bench, CLEAR_REPLY "450 4.7.0 XCRYPT FAIL id not known\r\n");
	strcpy(answer_line, "450 4.7.0 XCRYPT FAIL id not known");
	assert_int_equal(client_takes_answer(), VERDICT_UNKNOWN_ID);
	strcpy(offer, "XCRYPT " MODERN);
	client_proposes();
	take_text(answer_line, relay_says(choice));
	assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
	relay_wipe(&relay);

	hosts_set_up(NULL);
	hosts_have_met(MODERN);
	relay_greets();
	ride("");
	bench_local(&bench, "550 no\r\n");
	assert_wire(&bench, "550 no\r\n503 5.5.1 XCRYPT FAIL send EHLO first\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	relay_wipe(&relay);

	relay_greets();
	ride("N");
	bench_local(&bench, "250-mx\r\n250 SIZE\r\n");
	assert_wire(&bench, CLEAR_REPLY "503 5.5.1 XCRYPT FAIL improper command pipelining\r\n");
	assert_int_equal(bench.io.end, OUTCOME_INJECTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(the_reply_to_the_pushed_ehlo_comes_unasked),
		with_relay(the_pushed_ehlo_is_the_clients),
		with_relay(long_ehlo_lines),
		with_relay(statements_are_made_once_and_only_inside),
		with_relay(a_pushed_ehlo_may_be_refused),
		with_relay(threat_27_a_mailer_that_leaves_at_the_pushed_ehlo),
		with_relay(octets_before_the_pushed_reply_end_it),
		with_relay(the_client_may_leave_at_the_pushed_ehlo),
		with_relay(xcrypt_may_ride_with_ehlo),
		with_relay(what_rides_may_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
