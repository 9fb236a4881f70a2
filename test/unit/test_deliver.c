/* Delivery of a message to all of its recipients or to none: the dialogue. */
#include "deliveries.h"

static void
a_message_is_delivered(void **state)
{
	(void)state;
	deliver_body();
	bench_local(&bench, "S: t\n\nhello\n");
	assert_wire(&bench, "S: t\r\n\r\nhello\r\n");
	assert_int_equal(bench.io.wait, WAIT_DATA);
	deliver_message_end();
	assert_wire(&bench, ".\r\nQUIT\r\n");
	assert_int_equal(bench.io.wait, WAIT_FINAL);
	assert_int_equal(deliver.outcome, OUTCOME_NONE);
	bench_wire(&bench, "250-2.0.0 taken\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench_wire(&bench, "250 2.0.0 as 42\r\n");
	assert_wire(&bench, "");
	assert_int_equal(deliver.outcome, OUTCOME_SENT);
	assert_int_equal(deliver.code, 250);
	assert_string_equal(deliver.text, "250 2.0.0 as 42");
	assert_int_equal(bench.io.wait, WAIT_LINGER);
	assert_int_equal(bench.io.end, OUTCOME_SENT);
	assert_local(&bench, "");
}

static void
without_pipelining_quit_follows_the_final_reply(void **state)
{
	(void)state;
	message.recipient_count = 1;
	deliver_ehlo();
	bench_wire(&bench, "250 mx\r\n");
	assert_wire(&bench, "MAIL FROM:<a@a>\r\n");
	bench_wire(&bench, "250 m\r\n");
	assert_wire(&bench, "RCPT TO:<b@b>\r\n");
	bench_wire(&bench, "250 b\r\n");
	assert_wire(&bench, "DATA\r\n");
	bench_wire(&bench, "354 go\r\n");
	deliver_message_end();
	assert_wire(&bench, ".\r\n");
	bench_wire(&bench, "221 odd\r\n");
	assert_wire(&bench, "QUIT\r\n");
	assert_int_equal(bench.io.end, OUTCOME_SENT);
}

/* The reply to the dot decides.  A 221 in its place may be the reply to QUIT. */
static void
quit_says_nothing_about_the_message(void **state)
{
	static const struct {
		const char *says;
		enum outcome end;
	} rows[] = {
		{ "250 ok\r\n221 bye\r\n", OUTCOME_SENT },
		{ "250 ok\r\n500 QUIT?\r\n", OUTCOME_SENT },
		{ "221 bye\r\n", OUTCOME_REFUSED_LATER },
		{ "221 bye\r\n250 ok\r\n", OUTCOME_REFUSED_LATER },
		{ "550 no\r\n221 bye\r\n", OUTCOME_REFUSED_FOR_GOOD },
		{ "451 no\r\n221 bye\r\n", OUTCOME_REFUSED_LATER },
		{ "421 bye\r\n", OUTCOME_REFUSED_LATER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		deliver_body();
		deliver_message_end();
		assert_wire(&bench, ".\r\nQUIT\r\n");
		bench_wire(&bench, rows[i].says);
		assert_int_equal(bench.io.end, rows[i].end);
		assert_wire(&bench, "");
		deliver_wipe(&deliver);
	}
	/* the dot has left, and part of QUIT has not */
	deliver_body();
	bench.wire_stuck = true;
	deliver_message_end();
	buf_take(&bench.io.to_wire, strlen(".\r\n"));
	bench_wire(&bench, "250 ok\r\n");
	assert_int_equal(bench.io.end, OUTCOME_SENT);
}

/* Once the message is accepted, later faults do not change that. */
static void
what_comes_after_the_goodbye_changes_nothing(void **state)
{
	static const enum outcome faults[] = { OUTCOME_TIMEOUT, OUTCOME_WIRE_BROKEN,
		OUTCOME_BAD_RECORD };

	(void)state;
	for (size_t i = 0; i < COUNT(faults) + 3; i++) {
		deliver_body();
		deliver_message_end();
		bench_wire(&bench, "250 ok\r\n");
		assert_int_equal(bench.io.end, OUTCOME_SENT);
		if (i < COUNT(faults))
			bench_fault(&bench, faults[i]);
		else if (i == COUNT(faults))
			bench_wire_eof(&bench);
		else
			bench_wire(&bench, i % 2 ? "what?\r\n" : "421 x\r\n");
		assert_int_equal(bench.io.end, OUTCOME_SENT);
		assert_string_equal(deliver.text, "250 ok");
		deliver_wipe(&deliver);
	}
}

/* statement 13 */
static void
threat_13_data_is_never_grouped_with_several_recipients(void **state)
{
	(void)state;
	deliver_envelope();
	bench_wire(&bench, "250 m\r\n250 b\r\n250 c\r\n");
	assert_wire(&bench, "");
	bench_wire(&bench, "250 d\r");
	assert_wire(&bench, "");
	bench_local(&bench, "hello\n");
	bench_wire(&bench, "\n");
	assert_wire(&bench, "DATA\r\n");
	bench_wire(&bench, "354 go\r\n");
	assert_wire(&bench, "hello\r\n");
}

/* statement 13 */
static void
threat_13_without_pipelining_one_at_a_time(void **state)
{
	(void)state;
	deliver_ehlo();
	bench_wire(&bench, "250-mx\r\n250-SIZE\r\n250 PIPELINE\r\n");
	assert_wire(&bench, "MAIL FROM:<a@a> SIZE=12345\r\n");
	bench_wire(&bench, "250 m\r\n");
	assert_wire(&bench, "RCPT TO:<b@b>\r\n");
	bench_wire(&bench, "251 b\r\n");
	assert_wire(&bench, "RCPT TO:<c@b>\r\n");
	bench_wire(&bench, "250-c\r\n250 c\r\n");
	assert_wire(&bench, "RCPT TO:<d@b>\r\n");
	bench_wire(&bench, "250 d\r\n");
	assert_wire(&bench, "DATA\r\n");
}

/* Extensions are used where they are offered and needed. */
static void
mail_says_what_is_needed(void **state)
{
	static const struct {
		const char *offers;
		bool eight_bit, utf8;
		const char *mail;
	} rows[] = {
		{ "250 mx\r\n", true, true, "MAIL FROM:<a@a>\r\n" },
		{ "250-mx\r\n250 SIZE\r\n", false, false, "MAIL FROM:<a@a> SIZE=12345\r\n" },
		{ "250-mx\r\n250-size 99\r\n250 8BITMIME\r\n", true, true,
		    "MAIL FROM:<a@a> SIZE=12345 BODY=8BITMIME\r\n" },
		{ "250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", false, false,
		    "MAIL FROM:<a@a>\r\n" },
		{ "250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", true, true,
		    "MAIL FROM:<a@a> BODY=8BITMIME SMTPUTF8\r\n" },
		{ "250-SIZE\r\n250-8BITMIMEX\r\n250 XSMTPUTF8\r\n", true, true,
		    "MAIL FROM:<a@a>\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		message.eight_bit = rows[i].eight_bit;
		message.utf8 = rows[i].utf8;
		deliver_ehlo();
		bench_wire(&bench, rows[i].offers);
		assert_wire(&bench, rows[i].mail);
		deliver_wipe(&deliver);
	}
	message.sender = "";
	deliver_ehlo();
	bench_wire(&bench, "250 mx\r\n");
	assert_wire(&bench, "MAIL FROM:<>\r\n");
}

static void
helo_where_ehlo_is_refused(void **state)
{
	(void)state;
	deliver_ehlo();
	bench_wire(&bench, "502-what\r\n502 SIZE\r\n");
	assert_wire(&bench, "HELO a.example\r\n");
	bench_wire(&bench, "250-mx\r\n250-SIZE\r\n250 PIPELINING\r\n");
	assert_wire(&bench, "MAIL FROM:<a@a>\r\n");
	bench_wire(&bench, "250 m\r\n");
	assert_wire(&bench, "RCPT TO:<b@b>\r\n");
}

/* The host's replies to the envelope and to DATA, the outcome, and the reply that decides it. */
struct row {
	const char *says;
	enum outcome end;
	unsigned code;
	const char *text;
};

static void
assert_row(void (*start)(void), const struct row *row, const char *says_last)
{
	start();
	bench_wire(&bench, row->says);
	if (deliver.outcome != row->end || deliver.code != row->code)
		fail_msg("%s: outcome %d, code %u", row->says, deliver.outcome, deliver.code);
	assert_string_equal(deliver.text, row->text);
	assert_wire(&bench, says_last);
	assert_int_equal(bench.io.end, row->end);
	deliver_wipe(&deliver);
}

/* Sent only if all recipients are accepted; bounced only if none ever will be. */
static void
an_envelope_is_taken_whole_or_not(void **state)
{
	static const struct row rows[] = {
		{ "250 m\r\n550 b\r\n550 c\r\n551 d\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, "550 b" },
		{ "250 m\r\n550 b\r\n450 c\r\n550 d\r\n", OUTCOME_REFUSED_LATER, 550, "550 b" },
		{ "250 m\r\n450 b\r\n550 c\r\n550 d\r\n", OUTCOME_REFUSED_LATER, 450, "450 b" },
		{ "250 m\r\n250 b\r\n550 c\r\n250 d\r\n", OUTCOME_REFUSED_LATER, 550, "550 c" },
		{ "250 m\r\n250 b\r\n250 c\r\n452 d\r\n", OUTCOME_REFUSED_LATER, 452, "452 d" },
		{ "250 m\r\n550 b\r\n550 c\r\n250 d\r\n", OUTCOME_REFUSED_LATER, 550, "550 b" },
		{ "250 m\r\n354 b\r\n250 c\r\n250 d\r\n", OUTCOME_REFUSED_LATER, 354, "354 b" },
		{ "550 m\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, "550 m" },
		{ "552-5.3.4 m\r\n552 5.3.4 big\r\n", OUTCOME_REFUSED_FOR_GOOD, 552,
		    "552 5.3.4 big" },
		{ "451 m\r\n", OUTCOME_REFUSED_LATER, 451, "451 m" },
		{ "354 m\r\n", OUTCOME_REFUSED_LATER, 354, "354 m" },
		{ "250 m\r\n421 b\r\n", OUTCOME_REFUSED_LATER, 421, "421 b" },
		{ "250 m\r\n550 b\r\n421 c\r\n", OUTCOME_REFUSED_LATER, 421, "421 c" },
		{ "550 m\r\n503 b\r\n503 c\r\n503 d\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, "550 m" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(deliver_envelope, &rows[i], "QUIT\r\n");
}

static void
data_may_be_refused(void **state)
{
	static const struct row rows[] = {
		{ "554 no\r\n", OUTCOME_REFUSED_FOR_GOOD, 554, "554 no" },
		{ "451 no\r\n", OUTCOME_REFUSED_LATER, 451, "451 no" },
		{ "421 no\r\n", OUTCOME_REFUSED_LATER, 421, "421 no" },
		{ "250 what\r\n", OUTCOME_REFUSED_LATER, 250, "250 what" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(deliver_data, &rows[i], "QUIT\r\n");
}

static void
deliver_whole(void)
{
	deliver_body();
	bench_local(&bench, "hello\n");
	deliver_message_end();
	assert_wire(&bench, "hello\r\n.\r\nQUIT\r\n");
}

static void
the_message_may_be_refused(void **state)
{
	static const struct row rows[] = {
		{ "554 5.6.0 no\r\n", OUTCOME_REFUSED_FOR_GOOD, 554, "554 5.6.0 no" },
		{ "451 no\r\n", OUTCOME_REFUSED_LATER, 451, "451 no" },
		{ "354 what\r\n", OUTCOME_REFUSED_LATER, 354, "354 what" },
		{ "250 a\x1b[2J\tb\xff\r\n", OUTCOME_SENT, 250, "250 a?[2J?b?" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(deliver_whole, &rows[i], "");	/* QUIT was said with the dot */
}

/* statement 13: one recipient, and all in one flight */
static void
threat_13_one_recipient_takes_one_flight(void **state)
{
	(void)state;
	deliver_group();
	bench_local(&bench, "hello\n");
	bench_wire(&bench, "250 m\r\n250 b\r\n");
	assert_wire(&bench, "");
	bench_wire(&bench, "354 go\r\n");
	assert_wire(&bench, "hello\r\n");
	deliver_message_end();
	assert_wire(&bench, ".\r\nQUIT\r\n");
	bench_wire(&bench, "250 ok\r\n");
	assert_int_equal(bench.io.end, OUTCOME_SENT);
}

/*
 * The reply to DATA is waited for, and never changes the verdict.  After a 354, neither a dot nor
 * QUIT is sent.
 */
static void
a_refusal_in_the_group_decides(void **state)
{
	static const struct {
		const char *says;
		enum outcome end;
		unsigned code;
		bool to_rcpt, elsewhere;
	} rows[] = {
		{ "250 m\r\n550 b\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, true, false },
		{ "250 m\r\n450 b\r\n", OUTCOME_REFUSED_LATER, 450, true, true },
		{ "250 m\r\n354 b\r\n", OUTCOME_REFUSED_LATER, 354, true, true },
		{ "550 m\r\n503 b\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, false, false },
		{ "550 m\r\n450 b\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, false, false },
		{ "550 m\r\n421 b\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, false, false },
		{ "550 m\r\n250 b\r\n", OUTCOME_REFUSED_FOR_GOOD, 550, false, false },
		{ "451 m\r\n503 b\r\n", OUTCOME_REFUSED_LATER, 451, false, true },
		{ "451 m\r\n550 b\r\n", OUTCOME_REFUSED_LATER, 451, false, true },
	};
	static const char *const answers[] = { "354 go\r\n", "503 no\r\n", "554 no\r\n",
		"250 what\r\n", "421 bye\r\n", "", "what?\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(answers); i++) {
		const char *answer = answers[i % COUNT(answers)];
		size_t row = i / COUNT(answers);
		bool says = answer[0] >= '2' && answer[0] <= '5';

		deliver_group();
		bench.io.others = true;
		bench_local(&bench, "hello\n");
		bench_local_eof(&bench);
		bench_wire(&bench, rows[row].says);
		assert_int_equal(bench.io.end, OUTCOME_NONE);
		assert_wire(&bench, "");
		bench_wire(&bench, answer);
		if (!says)
			bench_wire_eof(&bench);
		assert_int_equal(bench.io.end, rows[row].end);
		assert_int_equal(deliver.code, rows[row].code);
		assert_int_equal(deliver.to_rcpt, rows[row].to_rcpt);
		assert_int_equal(bench.io.elsewhere, rows[row].elsewhere);
		assert_wire(&bench, says && answer[0] != '3' ? "QUIT\r\n" : "");
		deliver_wipe(&deliver);
	}
}

/* Before a refusal, the group is as any dialogue: what breaks it off makes the message wait. */
static void
a_group_that_breaks_off_waits(void **state)
{
	static const char *const says[] = { "", "250 m\r\n", "250 m\r\n250 b\r\n", "421 m\r\n",
		"250 m\r\n421 b\r\n", "250 m\r\n250 b\r\n421 d\r\n",
		"250 m\r\n250 b\r\n451 d\r\n" };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(says); i++) {
		deliver_group();
		bench.io.others = true;
		bench_wire(&bench, says[i / 2]);
		if (bench.io.end == OUTCOME_NONE && i % 2)
			bench_fault(&bench, OUTCOME_TIMEOUT);
		else if (bench.io.end == OUTCOME_NONE)
			bench_wire_eof(&bench);
		assert_int_equal(bench.io.end, i / 2 > 2 ? OUTCOME_REFUSED_LATER :
		    i % 2 ? OUTCOME_TIMEOUT : OUTCOME_WIRE_GONE);
		assert_true(bench.io.elsewhere);
		deliver_wipe(&deliver);
	}
	/* and DATA may be refused for good */
	deliver_group();
	bench_wire(&bench, "250 m\r\n250 b\r\n554 d\r\n");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_FOR_GOOD);
	assert_false(bench.io.elsewhere);
	assert_wire(&bench, "QUIT\r\n");
}

/* A reply during the message: nothing more is sent. */
static void
an_answer_inside_the_message_ends_it(void **state)
{
	static const struct {
		const char *says;
		enum outcome end;
	} rows[] = {
		{ "552 too big\r\n", OUTCOME_REFUSED_FOR_GOOD },
		{ "451 no\r\n", OUTCOME_REFUSED_LATER },
		{ "250 taken\r\n", OUTCOME_REFUSED_LATER },
		{ "421 x\r\n", OUTCOME_REFUSED_LATER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		deliver_body();
		bench_local(&bench, "hello\n");
		bench_wire(&bench, rows[i].says);
		assert_int_equal(bench.io.end, rows[i].end);
		assert_wire(&bench, "hello\r\n");
		deliver_wipe(&deliver);
	}
}

/* statement 10, for the client: `250` in one packet with 354 is not an acceptance */
static void
threat_10_a_250_before_the_end_is_no_acceptance(void **state)
{
	(void)state;
	deliver_data();
	message.octets = strlen("hello\r\n");
	buf_put(&bench.io.from_local, SPAN("hello\n"));
	bench.io.local_eof = true;
	bench_wire(&bench, "354 go\r\n250 taken\r\n");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_LATER);
	assert_int_equal(deliver.outcome, OUTCOME_REFUSED_LATER);
	deliver_wipe(&deliver);

	/* everything was said, but not all of it has left */
	deliver_body();
	bench.wire_stuck = true;
	bench_local(&bench, "hello\n");
	deliver_message_end();
	assert_int_equal(deliver.state, DELIVER_FINAL);
	buf_take(&bench.io.to_wire, buf_len(&bench.io.to_wire) - strlen("\nQUIT\r\n"));
	bench_wire(&bench, "250 taken\r\n");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_LATER);
}

static void
a_host_that_disconnects_leaves_the_message_here(void **state)
{
	static void (*const points[])(void) = {
		deliver_ehlo, deliver_envelope, deliver_data, deliver_body, deliver_whole,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(points); i++) {
		points[i]();
		bench_wire_eof(&bench);
		assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
		deliver_wipe(&deliver);
		/* in a group it is unclear which command it would answer; else it is no reply */
		points[i]();
		bench_wire(&bench, "what?\r\n");
		assert_int_equal(bench.io.end,
		    points[i] == deliver_envelope ? OUTCOME_BAD_REPLY : OUTCOME_NONE);
		deliver_wipe(&deliver);
		points[i]();
		bench_fault(&bench, OUTCOME_TIMEOUT);
		assert_int_equal(bench.io.end, OUTCOME_TIMEOUT);
		deliver_wipe(&deliver);
	}
}

static void
a_greeting_or_hello_of_another_kind(void **state)
{
	(void)state;
	deliver_up();
	bench_wire(&bench, "554 no\r\n");
	assert_int_equal(bench.io.end, OUTCOME_GREETED_NEVER);
	deliver_wipe(&deliver);
	deliver_up();
	bench_wire(&bench, "421 no\r\n");
	assert_int_equal(bench.io.end, OUTCOME_GREETED_LATER);
	deliver_wipe(&deliver);
	/* it refuses us and not the recipients, so the message is not lost */
	deliver_ehlo();
	bench_wire(&bench, "502 what?\r\n550 not you\r\n");
	assert_wire(&bench, "HELO a.example\r\nQUIT\r\n");
	assert_int_equal(deliver.outcome, OUTCOME_REFUSED_LATER);
	deliver_wipe(&deliver);
	deliver_ehlo();
	bench_wire(&bench, "450 later\r\n");
	assert_wire(&bench, "QUIT\r\n");
	assert_int_equal(deliver.outcome, OUTCOME_REFUSED_LATER);
}

static void
without_recipients_it_is_a_test(void **state)
{
	(void)state;
	message.recipient_count = 0;
	deliver_ehlo();
	bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
	assert_wire(&bench, "QUIT\r\n");
	bench_wire(&bench, "221 bye\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
}

/* Encryption fails, and the same host is tried again in the clear: the message is complete. */
static void
threat_25_retried_in_the_clear_nothing_is_lost(void **state)
{
	(void)state;
	hosts_meet("aes256gcm_2.0", "aes256gcm_2.0");
	deliver_ehlo();
	bench_wire(&bench, "250-mx\r\n250 XCRYPT aes256gcm_2.0\r\n");
	bench_said_wire(&bench);
	bench_local(&bench, "hello\n");
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_RETRY_CLEAR);
	bench.io.end = OUTCOME_NONE;
	bench.io.wire_eof = false;
	deliver_connected(&deliver, CLIENT_CALL_CLEAR);
	bench_wire(&bench, "220 mx\r\n");
	bench_wire(&bench, "250-mx\r\n250-PIPELINING\r\n250 XCRYPT aes256gcm_2.0\r\n");
	assert_wire(&bench, "EHLO a.example\r\n" ENVELOPE);
	bench_wire(&bench, "250 m\r\n250 b\r\n250 c\r\n250 d\r\n");
	bench_wire(&bench, "354 go\r\n");
	assert_wire(&bench, "DATA\r\nhello\r\n");
}

static void
inside_everything_is_said_again(void **state)
{
	(void)state;
	hosts_meet("aes256gcm_2.0", "aes256gcm_2.0");
	deliver_ehlo();
	server_offers();
	bench_wire(&bench, spell("250-mx\r\n250-SIZE\r\n250-PIPELINING\r\n250 @\r\n", offer));
	take_text(choice, bench_said_wire(&bench));
	server_agrees();
	bench_wire(&bench, spell("@\r\n", answer_line));
	assert_true(bench.encrypted);
	assert_wire(&bench, "");
	/* an offer in the clear is forgotten */
	bench_wire(&bench, "250 mx\r\n");
	assert_wire(&bench, "MAIL FROM:<a@a>\r\n");
}

/* XCRYPT is sent with EHLO to a known host; if that fails, the next call sends it apart. */
static void
what_rides_costs_no_round_trip(void **state)
{
	static char text[4 * LINE_TEXT];

	(void)state;
	hosts_meet("aes256gcm_2.0", "aes256gcm_2.0");
	hosts_shake_hands();
	hosts_prove();
	for (int in_vain = 0; in_vain < 2; in_vain++) {
		hosts_meet("aes256gcm_2.0", "aes256gcm_2.0");
		deliver_up();
		bench_wire(&bench, "220 mx\r\n");
		bench_local(&bench, "hello\n");
		struct span said = bench_said_wire(&bench);
		assert_true(span_starts(said, SPAN("EHLO a.example\r\nXCRYPT aes256gcm_2.0 ")));
		take_text(choice, span_from(said, 16));
		server_offers();
		if (in_vain) {
			bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
			assert_int_equal(bench.io.end, OUTCOME_RETRY_APART);
			assert_false(bench.io.elsewhere);
			bench.io.end = OUTCOME_NONE;
			deliver_connected(&deliver, CLIENT_CALL_APART);
			bench_wire(&bench, "220 mx\r\n");
			assert_wire(&bench, "EHLO a.example\r\n");
			bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
		} else {
			server_agrees();
			snprintf(text, sizeof(text), "250-mx\r\n250 %s\r\n%s\r\n", offer, answer_line);
			bench_wire(&bench, text);
			assert_true(bench.encrypted);
			bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
		}
		assert_wire(&bench, ENVELOPE);
		bench_wire(&bench, "250 m\r\n250 b\r\n250 c\r\n250 d\r\n");
		bench_wire(&bench, "354 go\r\n");
		assert_wire(&bench, "DATA\r\nhello\r\n");
		deliver_wipe(&deliver);
	}
}

/* statement 37: a refusal that the host might not give to an encrypted session */
static void
threat_37_a_refusal_after_a_failed_attempt_is_for_now(void **state)
{
	static const char *const refusals[][2] = {
		{ "530 m\r\n503 b\r\n503 c\r\n503 d\r\n", "530 m" },
		{ "250 m\r\n550 b\r\n550 c\r\n550 d\r\n", "550 b" },
		{ "250 m\r\n250 b\r\n250 c\r\n250 d\r\n554 no\r\n", "554 no" },
		{ "250 m\r\n250 b\r\n250 c\r\n250 d\r\n354 go\r\n554 no\r\n", "554 no" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		for (int failed = 0; failed < 2; failed++) {
			deliver_up();
			deliver_connected(&deliver, failed ? CLIENT_CALL_CLEAR : CLIENT_CALL_FIRST);
			bench_wire(&bench, "220 mx\r\n250-mx\r\n250 PIPELINING\r\n");
			bench_wire(&bench, refusals[i][0]);
			if (bench.io.end == OUTCOME_NONE)
				bench_wire(&bench, "221 bye\r\n");
			assert_int_equal(bench.io.end,
			    failed ? OUTCOME_REFUSED_LATER : OUTCOME_REFUSED_FOR_GOOD);
			assert_string_equal(deliver.text, refusals[i][1]);
			assert_int_equal(deliver.waits != NULL, failed);
			deliver_wipe(&deliver);
		}
	}
}

/*
 * Replies that sendmail and Postfix accept are accepted, or the message would be retried forever.
 */
static void
odd_replies_in_the_clear_are_taken(void **state)
{
	(void)state;
	deliver_up();
	bench_wire(&bench, "\r\n220-mx\r\nhello\r\n220 mx\r\n");
	assert_wire(&bench, "EHLO a.example\r\n");
	bench_wire(&bench, "250-mx\r\n\r\n220 8BITMIME\r\n");
	assert_wire(&bench, "MAIL FROM:<a@a>\r\n");
	bench_wire(&bench, "\r\n250 m\r\n");
	for (size_t i = 0; i < 3; i++)
		bench_wire(&bench, "ok\r\n250-r\r\n251 r\r\n");
	bench_wire(&bench, "\r\n354 go\r\n");
	deliver_message_end();
	bench_wire(&bench, "\r\nqueued\r\n250 ok\r\n");
	assert_int_equal(deliver.outcome, OUTCOME_SENT);
}

/* Before the message is sent, the next host may be tried, which the jail must permit. */
static void
the_next_host_is_asked(void **state)
{
	static const struct { const char *said; bool elsewhere; enum outcome end;
	} rows[] = {
		{ "451 m\r\n", true, OUTCOME_REFUSED_LATER },
		{ "421 m\r\n", true, OUTCOME_REFUSED_LATER },
		{ "550 m\r\n", false, OUTCOME_REFUSED_FOR_GOOD },
		{ "what\r\n", true, OUTCOME_BAD_REPLY },
		{ "250 m\r\n250 b\r\n450 c\r\n250 d\r\n", true, OUTCOME_REFUSED_LATER },
		{ "250 m\r\n550 b\r\n450 c\r\n250 d\r\n", true, OUTCOME_REFUSED_LATER },
		{ "250 m\r\n550 b\r\n250 c\r\n250 d\r\n", false, OUTCOME_REFUSED_LATER },
		{ "250 m\r\n550 b\r\n550 c\r\n550 d\r\n", false, OUTCOME_REFUSED_FOR_GOOD },
		{ "250 m\r\n250 b\r\n", true, OUTCOME_WIRE_GONE },
		{ "250 m\r\n250 b\r\n250 c\r\n250 d\r\n", true, OUTCOME_WIRE_GONE },
		{ "250 m\r\n250 b\r\n250 c\r\n250 d\r\n452 no\r\n", true, OUTCOME_REFUSED_LATER },
		{ "250 m\r\n250 b\r\n250 c\r\n250 d\r\n354 go\r\n", false, OUTCOME_WIRE_GONE },
		{ "250 m\r\n250 b\r\n250 c\r\n250 d\r\n354 go\r\n452 no\r\n", false,
		    OUTCOME_REFUSED_LATER },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		deliver_up();
		bench.io.others = true;
		bench_wire(&bench, "220 mx\r\n250-mx\r\n250 PIPELINING\r\n");
		assert_false(bench.io.settled);
		bench_wire(&bench, rows[i].said);
		assert_int_equal(bench.io.settled, strstr(rows[i].said, "354") != NULL);
		if (bench.io.end == OUTCOME_NONE)
			bench_wire_eof(&bench);
		assert_int_equal(bench.io.end, rows[i].end);
		assert_int_equal(bench.io.elsewhere, rows[i].elsewhere);
		deliver_wipe(&deliver);
	}
	/* the reply of the last host that answered is reported */
	deliver_envelope();
	assert_true(bench.io.settled);
	bench_wire(&bench, "451 first\r\n221 bye\r\n");
	bench.io.end = OUTCOME_NONE;
	deliver_connected(&deliver, CLIENT_CALL_FIRST);
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_int_equal(bench.io.end, OUTCOME_GREETED_LATER);
	assert_string_equal(deliver.text, "451 first");
	bench.io.end = OUTCOME_NONE;
	deliver_connected(&deliver, CLIENT_CALL_FIRST);
	bench_wire(&bench, "220 mx\r\n250 mx\r\n452 second\r\n");
	assert_string_equal(deliver.text, "452 second");
	assert_int_equal(deliver.outcome, OUTCOME_REFUSED_LATER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_delivery(a_message_is_delivered),
		with_delivery(what_comes_after_the_goodbye_changes_nothing),
		with_delivery(without_pipelining_quit_follows_the_final_reply),
		with_delivery(quit_says_nothing_about_the_message),
		with_delivery(threat_13_data_is_never_grouped_with_several_recipients),
		with_delivery(threat_13_without_pipelining_one_at_a_time),
		with_delivery(mail_says_what_is_needed),
		with_delivery(helo_where_ehlo_is_refused),
		with_delivery(an_envelope_is_taken_whole_or_not),
		with_delivery(data_may_be_refused),
		with_delivery(the_message_may_be_refused),
		with_delivery(threat_13_one_recipient_takes_one_flight),
		with_delivery(a_refusal_in_the_group_decides),
		with_delivery(a_group_that_breaks_off_waits),
		with_delivery(an_answer_inside_the_message_ends_it),
		with_delivery(threat_10_a_250_before_the_end_is_no_acceptance),
		with_delivery(a_host_that_disconnects_leaves_the_message_here),
		with_delivery(a_greeting_or_hello_of_another_kind),
		with_delivery(without_recipients_it_is_a_test),
		with_delivery(threat_25_retried_in_the_clear_nothing_is_lost),
		with_delivery(inside_everything_is_said_again),
		with_delivery(what_rides_costs_no_round_trip),
		with_delivery(threat_37_a_refusal_after_a_failed_attempt_is_for_now),
		with_delivery(odd_replies_in_the_clear_are_taken),
		with_delivery(the_next_host_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
