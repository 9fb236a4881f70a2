/*
 * The relay in the encrypted session: commands, replies, and the queue between them.
 */
#include "relays.h"

/* statement 7: a complete session, cut in all ways */
static void
threat_7_a_session_does_not_depend_on_packets(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\nRCPT TO:<c@b>\r\nDATA\r\n", "",
		    "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\nRCPT TO:<c@b>\r\nDATA\r\n" },
		{ MAILER, "250 m\r\n250-b\r\n250 b\r\n550 c\r\n354 go\r\n",
		    "250 m\r\n250-b\r\n250 b\r\n550 c\r\n354 go\r\n", "" },
		{ CLIENT, "S: t\r\n\r\n..\r\nQUIT\r\n.\r\nRSET\r\nMAIL FROM:<>\r\n", "",
		    "S: t\r\n\r\n..\r\nQUIT\r\n.\r\n" },
		{ MAILER, "250 queued\r\n", "250 queued\r\n", "RSET\r\nMAIL FROM:<>\r\n" },
		{ MAILER, "250 r\r\n250 m\r\n", "250 r\r\n250 m\r\n", "" },
		{ CLIENT, "BDAT 8\r\n\r\n.\r\nabcRCPT TO:<a>\r\nBDAT 0003 LAST\r\n.\r\nNOOP\r\n",
		    "",
		    "BDAT 8\r\n\r\n.\r\nabcRCPT TO:<a>\r\nBDAT 3 LAST\r\n.\r\nNOOP\r\n" },
		{ MAILER, "250 8\r\n250 a\r\n250 all\r\n250 n\r\n",
		    "250 8\r\n250 a\r\n250 all\r\n250 n\r\n", "" },
		{ CLIENT, "AUTH LOGIN\r\nQUIT\r\nDATA\r\nNOOP\r\n", "", "AUTH LOGIN\r\n" },
		{ MAILER, "334 VXNlcg==\r\n", "334 VXNlcg==\r\n", "QUIT\r\n" },
		{ MAILER, "334 \r\n", "334 \r\n", "DATA\r\n" },
		{ MAILER, "535 no\r\n", "535 no\r\n", "NOOP\r\n" },
		{ CLIENT, "STARTTLS\r\nQUIT\r\n", "", "" },
		{ MAILER, "250 n\r\n", "250 n\r\n503 5.5.1 Already encrypted\r\n", "QUIT\r\n" },
		{ MAILER, "221 bye\r\n", "221 bye\r\n", "" },
	};

	(void)state;
	relay_plays_cut(relay_inside, turns, COUNT(turns));
	assert_int_equal(relay.messages, 2);
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_DONE);
}

static void
what_is_next_waits_for_the_reply_that_decides(void **state)
{
	static const char *const commands[] = {
		"AUTH PLAIN\r\n", "ETRN a\r\n",
	};
	static const char *const others[] = {
		"MAIL FROM:<>\r\n", "RCPT TO:<a>\r\n", "RSET\r\n", "NOOP\r\n", "VRFY a\r\n",
		"EXPN a\r\n", "HELP\r\n",
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		relay_inside();
		snprintf(text, sizeof(text), "%sNOOP\r\n", commands[i]);
		bench_wire(&bench, text);
		assert_local(&bench, commands[i]);
		bench_local(&bench, "500 no\r\n");
		assert_local(&bench, "NOOP\r\n");
		relay_wipe(&relay);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		relay_inside();
		snprintf(text, sizeof(text), "%sNOOP\r\n", others[i]);
		bench_wire(&bench, text);
		assert_local(&bench, text);
		relay_wipe(&relay);
	}
}

/* After an unknown command that the backend answers with 354 or 334, the same rules apply. */
static void
threat_14_what_354_and_334_mean_does_not_depend_on_the_verb(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "XDATA\r\n", "", "XDATA\r\n" },
		{ MAILER, "354 go\r\n", "354 go\r\n", "" },
		{ CLIENT, "QUIT\r\nSTARTTLS\r\n.\r\n", "", "QUIT\r\nSTARTTLS\r\n.\r\n" },
		{ MAILER, "250 q\r\n", "250 q\r\n", "" },
		{ CLIENT, "XAUTH\r\n", "", "XAUTH\r\n" },
		{ MAILER, "334 go\r\n", "334 go\r\n", "" },
		{ CLIENT, "STARTTLS\r\nSTARTTLS\r\n", "", "STARTTLS\r\n" },
		{ MAILER, "235 in\r\n", "235 in\r\n503 5.5.1 Already encrypted\r\n", "" },
	};

	(void)state;
	relay_plays_cut(relay_inside, turns, COUNT(turns));
}

/* Sends up to `count` RCPT lines, as many as are accepted; returns the number of octets. */
static size_t
say_recipients(size_t count)
{
	size_t octets = 0;

	for (size_t i = 0; i < count; i++)
		octets += bench_wire_octets(&bench, SPAN("RCPT TO:<somebody@b.example>\r\n"));
	return octets;
}

#define RECIPIENT strlen("RCPT TO:<somebody@b.example>\r\n")

/* statement 12: the queue full, and one command more */
static void
threat_12_the_queue_is_bounded(void **state)
{
	(void)state;
	relay_inside();
	say_recipients(RELAY_QUEUE - 1);
	assert_int_equal(relay.queue_len, RELAY_QUEUE - 1);
	say_recipients(1);
	assert_int_equal(relay.queue_len, RELAY_QUEUE);
	assert_int_equal(bench_said_local(&bench).len, RELAY_QUEUE * RECIPIENT);
	say_recipients(1);
	assert_int_equal(relay.queue_len, RELAY_QUEUE);
	assert_local(&bench, "");
	assert_int_equal(buf_len(&bench.io.from_wire), RECIPIENT);
	bench_local(&bench, "250 r\r\n");
	assert_int_equal(bench_said_local(&bench).len, RECIPIENT);
	assert_int_equal(relay.queue_len, RELAY_QUEUE);
}

/* The backend's reply to a RCPT, of 128 octets. */
static const char *
recipient_reply(size_t number)
{
	static char reply[129];

	snprintf(reply, sizeof(reply), "250 2.1.5 %-116zu\r\n", number);
	return reply;
}

/* Sends the replies `from` to `to` - 1, as many as the connection accepts; returns the next. */
static size_t
answer_recipients(size_t from, size_t to)
{
	while (from < to && buf_room(&bench.io.from_local) >= 128)
		bench_local(&bench, recipient_reply(from++));
	return from;
}

/* When the client reads again, everything arrives in order. */
static void
threat_12_a_client_that_does_not_read_loses_nothing(void **state)
{
	size_t count = 2500, heard = 0;

	(void)state;
	relay_inside();
	bench.wire_stuck = true;
	size_t said = say_recipients(count);
	assert_true(said >= RELAY_QUEUE * RECIPIENT);
	size_t answered = answer_recipients(0, RELAY_QUEUE);
	assert_true(answered < RELAY_QUEUE);
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench.wire_stuck = false;
	bench_step(&bench);
	say_recipients(count - said / RECIPIENT);
	assert_int_equal(answer_recipients(answered, count), count);
	assert_int_equal(bench_said_local(&bench).len, count * RECIPIENT);

	struct span replies = bench_said_wire(&bench);
	for (; replies.len > 0; heard++, replies = span_from(replies, 128))
		assert_span(span(replies.at, 128), recipient_reply(heard));
	assert_int_equal(heard, count);
	assert_int_equal(relay.queue_len, 0);
}

/* statement 12: a backend that does not read only delays the client */
static void
threat_12_a_mailer_that_does_not_read_stops_the_client(void **state)
{
	(void)state;
	relay_inside();
	bench.local_stuck = true;
	size_t said = say_recipients(10000);
	assert_true(said <= 2 * BENCH_BUFFER);
	bench.local_stuck = false;
	bench_step(&bench);
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	assert_true(relay.queue_len <= RELAY_QUEUE);
}

/* Our own answer takes the place of the backend's. */
static void
our_own_answers_keep_their_place(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "NOOP\r\nXCRYPT\r\nNOOP\r\nSTARTTLS\r\nBDAT x\r\n", "", "NOOP\r\n" },
		{ MAILER, "250 1\r\n", "250 1\r\n503 5.5.1 XCRYPT FAIL already encrypted\r\n",
		    "NOOP\r\n" },
		{ MAILER, "250 2\r\n", "250 2\r\n503 5.5.1 Already encrypted\r\n"
		    "501 5.5.4 Invalid BDAT chunk size\r\n", "" },
	};

	(void)state;
	relay_plays_cut(relay_inside, turns, COUNT(turns));
}

static void
threat_15_over_long_and_torn_lines_inside(void **state)
{
	static uint8_t line[LINE_MAX_OCTETS + 1];

	(void)state;
	relay_inside();
	memset(line, 'a', sizeof(line));
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	bench_wire_octets(&bench, span(line, sizeof(line)));
	bench_wire(&bench, "NOOP\r\n");
	assert_wire(&bench, "500 5.5.2 Line too long\r\n");
	assert_local(&bench, "NOOP\r\n");
	bench_local(&bench, "250 n\r\n");
	bench_said_wire(&bench);
	bench_wire(&bench, "MAIL FROM:<a>\nRCPT TO:<b>\r\nDATA\rx\r\n");
	assert_wire(&bench, "500 5.5.2 Command contains NUL, bare CR or bare LF\r\n"
	    "500 5.5.2 Command contains NUL, bare CR or bare LF\r\n");
	assert_local(&bench, "");

	memcpy(line, "AUTH PLAIN ", 11);
	memcpy(line + LINE_MAX_OCTETS - 2, "\r\n", 2);
	bench_wire_octets(&bench, span(line, LINE_MAX_OCTETS));
	assert_int_equal(bench_said_local(&bench).len, LINE_MAX_OCTETS);
}

/* The client's end of file, after each possible state. */
static void
assert_client_ends(const char *says, bool truncated, enum outcome end, bool shut)
{
	relay_inside();
	bench_wire(&bench, says);
	bench.io.wire_truncated = truncated;
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, end);
	assert_int_equal(bench.io.shut_local, shut);
	relay_wipe(&relay);
}

static void
threat_21_an_end_without_notice_is_no_end(void **state)
{
	(void)state;
	assert_client_ends("", true, OUTCOME_TRUNCATED, false);
	assert_client_ends("RSET\r\n", true, OUTCOME_TRUNCATED, false);
	assert_client_ends("", false, OUTCOME_NONE, true);
	assert_client_ends("RSET\r\nMAI", false, OUTCOME_NONE, true);

		/* a 221 by the backend itself */
	relay_inside();
	bench_wire(&bench, "QUIT\r\n");
	bench_local(&bench, "221 bye\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_wire(&bench, "221 bye\r\n");
}

/* What came before the end of file is processed when the backend accepts it. */
static void
an_end_of_file_waits_for_what_came_before_it(void **state)
{
	(void)state;
	relay_inside();
	bench_wire(&bench, "ETRN a\r\nNOOP\r\nRS");
	bench_wire_eof(&bench);
	assert_false(bench.io.shut_local);
	assert_local(&bench, "ETRN a\r\n");
	bench_local(&bench, "250 e\r\n");
	assert_local(&bench, "NOOP\r\n");
	assert_true(bench.io.shut_local);
	bench_local(&bench, "250 n\r\n");
	assert_wire(&bench, "250 e\r\n250 n\r\n");
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
}

static void
assert_mailer_says(const char *says, enum outcome end, const char *wire)
{
	relay_inside();
	bench_local(&bench, says);
	assert_int_equal(bench.io.end, end);
	assert_wire(&bench, wire);
	relay_wipe(&relay);
}

static void
a_reply_out_of_turn_ends_the_session(void **state)
{
	(void)state;
	assert_mailer_says("250 what?\r\n", OUTCOME_UNASKED_REPLY, "");
	assert_mailer_says("421 4.4.2 waited too long\r\n", OUTCOME_LOCAL_GONE,
	    "421 4.4.2 waited too long\r\n");
	relay_inside();
	bench_wire(&bench, "NOOP\r\n");
	bench_local(&bench, "99 what?\r\n");
	assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
}

/* Each complete command or reply starts a new deadline; a part of a line does not. */
static void
deadlines_start_anew_with_each_line(void **state)
{
	(void)state;
	relay_inside();
	uint64_t before = bench.io.progress;
	bench_wire(&bench, "NOO");
	assert_int_equal(bench.io.progress, before);
	bench_wire(&bench, "P\r\n");
	assert_true(bench.io.progress > before);
	before = bench.io.progress;
	bench_local(&bench, "250-n");
	assert_int_equal(bench.io.progress, before);
	bench_local(&bench, "\r\n250 n\r\n");
	assert_true(bench.io.progress > before);
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(threat_7_a_session_does_not_depend_on_packets),
		with_relay(what_is_next_waits_for_the_reply_that_decides),
		with_relay(threat_14_what_354_and_334_mean_does_not_depend_on_the_verb),
		with_relay(threat_12_the_queue_is_bounded),
		with_relay(threat_12_a_client_that_does_not_read_loses_nothing),
		with_relay(threat_12_a_mailer_that_does_not_read_stops_the_client),
		with_relay(our_own_answers_keep_their_place),
		with_relay(threat_15_over_long_and_torn_lines_inside),
		with_relay(threat_21_an_end_without_notice_is_no_end),
		with_relay(an_end_of_file_waits_for_what_came_before_it),
		with_relay(a_reply_out_of_turn_ends_the_session),
		with_relay(deadlines_start_anew_with_each_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
