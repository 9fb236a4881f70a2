/* The transparent client on a connection that is kept. */
#include "transparents.h"

static struct transparent_kept kept;

#define OFFER "250-mx\r\n250-PIPELINING\r\n250 SIZE 1\r\n"

/* A connection in the clear whose dialogue is followed. */
static void
up_with(const char *extensions)
{
	hosts_meet(MODERN, MODERN);
	transparent_start(&transparent, &set, keys_source(&client_keys));
	memset(&kept, 0, sizeof(kept));
	transparent_keep(&transparent, &kept);
	bench_start(&bench, (struct machine){ &transparent, transparent_step, transparent_fault });
	transparent_connected(&transparent, CLIENT_CALL_FIRST);
	bench_step(&bench);
	bench_wire(&bench, "220 mx ESMTP\r\n");
	bench_local(&bench, "EHLO a\r\n");
	assert_wire(&bench, "EHLO a\r\n");
	bench_wire(&bench, extensions);
	assert_false(bench.io.pipe);
	bench_said_local(&bench);
	assert_int_equal(transparent.dialogue, TRANSPARENT_FOLLOWS);
	assert_true(bench.io.settled);
}

static void
up(void)
{
	up_with(OFFER);
}

/* Says a command and hears its reply, both of which pass. */
static void
passes(const char *command, const char *reply)
{
	bench_local(&bench, command);
	assert_wire(&bench, command);
	bench_wire(&bench, reply);
	assert_local(&bench, reply);
}

#define TAKEN "250 2.1.0 Ok\r\n"

/* MAIL is answered here. */
static void
says_mail(void)
{
	bench_local(&bench, "MAIL FROM:<a@a>\r\n");
	assert_wire(&bench, "");
	assert_local(&bench, TAKEN);
}

static void
passes_envelope(void)
{
	says_mail();
	bench_local(&bench, "RCPT TO:<b@b>\r\n");
	assert_wire(&bench, "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n");
	bench_wire(&bench, "250 m\r\n");
	assert_local(&bench, "");
	bench_wire(&bench, "250-2.1.5\r\n250 r\r\n");
	assert_local(&bench, "250-2.1.5\r\n250 r\r\n");
	passes("data\r\n", "354 go\r\n");
}

/* The next session of the local MTA. */
static void
again(void)
{
	bench.io.end = OUTCOME_NONE;
	bench.io.keeps = false;
	buf_clear(&bench.io.from_local);
	transparent_again(&transparent);
	bench_step(&bench);
	assert_local(&bench, "220 mx ESMTP\r\n");
	assert_wire(&bench, "");
}

static void
again_inside(void)
{
	again();
	bench_local(&bench, "EHLO a\r\n");
	assert_local(&bench, OFFER);
	assert_wire(&bench, "");
}

static void
quit_is_answered_here(void **state)
{
	(void)state;
	up();
	passes_envelope();
	bench_local(&bench, "S: x\r\n\r\nQUIT\r\n..\r\n.\r\n");
	assert_wire(&bench, "S: x\r\n\r\nQUIT\r\n..\r\n.\r\nRSET\r\n");
	bench_local(&bench, "QUIT\r\n");
	assert_local(&bench, "");
	bench_wire(&bench, "250 2.0.0 taken\r\n");
	assert_local(&bench, "250 2.0.0 taken\r\n221 2.0.0 Bye\r\n");
	assert_wire(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_true(bench.io.keeps && bench.io.reset);
	assert_int_equal(bench.io.resets, 1);
}

static void
without_pipelining_nothing_is_added(void **state)
{
	(void)state;
	up_with("250 mx\r\n");
	passes("MAIL FROM:<a@a>\r\n", "250 m\r\n");
	passes("RCPT TO:<b@b>\r\n", "250-2.1.5\r\n250 r\r\n");
	passes("data\r\n", "354 go\r\n");
	bench_local(&bench, "x\r\n.\r\n");
	assert_wire(&bench, "x\r\n.\r\n");
	bench_wire(&bench, "250 taken\r\n");
	bench_local(&bench, "QUIT\r\n");
	assert_wire(&bench, "");
	assert_true(bench.io.keeps && !bench.io.reset);
	assert_int_equal(bench.io.resets, 0);
}

/* statement 33: replies to our RSET are not the local MTA's */
static void
threat_33_our_own_reset_has_no_reply(void **state)
{
	(void)state;
	up();
	passes_envelope();
	bench_local(&bench, "x\r\n.\r\n");
	bench_said_wire(&bench);
	bench_wire(&bench, "550 no\r\n250-reset\r\n250 reset\r\n");
	assert_local(&bench, "550 no\r\n");
	/* refused: the connection serves this session only */
	passes_envelope();
	bench_local(&bench, ".\r\n");
	assert_wire(&bench, ".\r\nRSET\r\n");
	bench_wire(&bench, "250 taken\r\n502 what?\r\n");
	assert_local(&bench, "250 taken\r\n");
	bench_local(&bench, "QUIT\r\n");
	assert_local(&bench, "221 2.0.0 Bye\r\n");
	assert_wire(&bench, "QUIT\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_false(bench.io.keeps);
}

/* statement 33: not even where words that are no reply took the place of the message's */
static void
threat_33_our_own_reset_accepts_no_message(void **state)
{
	(void)state;
	up();
	passes_envelope();
	bench_local(&bench, ".\r\n");
	bench_said_wire(&bench);
	bench_wire(&bench, "what?\r\n250 reset\r\n");
	assert_local(&bench, "what?\r\n");
	assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
}

/* The server closes after a message, before the local MTA has said QUIT. */
static void
a_server_that_leaves_is_not_missed(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		up();
		passes_envelope();
		bench_local(&bench, ".\r\n");
		bench_said_wire(&bench);
		bench_wire(&bench, i == 0 ? "250 taken\r\n" : "250 taken\r\n421 enough\r\n");
		bench_wire_eof(&bench);
		assert_local(&bench, "250 taken\r\n");
		assert_int_equal(bench.io.end, OUTCOME_NONE);
		assert_false(bench.io.pipe);
		bench_local(&bench, "QUIT\r\n");
		assert_local(&bench, "221 2.0.0 Bye\r\n");
		assert_int_equal(bench.io.end, OUTCOME_DONE);
		assert_false(bench.io.keeps);
		transparent_wipe(&transparent);
	}
}

/* The next command was said already: its reply is not waited for. */
static void
a_server_that_leaves_is_not_waited_for(void **state)
{
	static const char *const words[] = { "421 enough\r\n", "what?\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		up();
		passes_envelope();
		bench_local(&bench, ".\r\n");
		bench_wire(&bench, "250 taken\r\n");
		bench_local(&bench, "MAIL FROM:<a@a>\r\n");
		bench_said_wire(&bench);
		bench_wire(&bench, words[i]);
		assert_local(&bench, "250 taken\r\n");
		assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
		transparent_wipe(&transparent);
	}
}

/* What is not followed passes as in a pipe. */
static void
all_else_becomes_a_pipe(void **state)
{
	static const char *const words[] = { "BDAT 5 LAST\r\nhello", "STARTTLS\r\n", "XYZ\r\n",
		"NOOP <\n>\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		up();
		bench_local(&bench, words[i]);
		assert_wire(&bench, words[i]);
		assert_true(bench.io.pipe);
		transparent_wipe(&transparent);
	}
	/* replies that no command asked for, within a message and without one */
	for (size_t i = 0; i < 2; i++) {
		up();
		if (i == 0)
			passes_envelope();
		bench_wire(&bench, "550 stop\r\n");
		assert_local(&bench, "550 stop\r\n");
		assert_true(bench.io.pipe);
		transparent_wipe(&transparent);
	}
	up();
	bench_local(&bench, "NOOP\r\n");
	bench_wire(&bench, "what?\r\n");
	assert_local(&bench, "what?\r\n");
	assert_true(bench.io.pipe);
}

/* After these, another session would not find the connection as it expects it. */
static void
some_commands_keep_it_for_this_session(void **state)
{
	static const char *const dialogues[][2] = { { "AUTH LOGIN\r\n", "535 no\r\n" },
		{ "EHLO b\r\n", "250 mx\r\n" }, { "NOOP\r\n", "421 enough\r\n" } };

	(void)state;
	for (size_t i = 0; i < COUNT(dialogues); i++) {
		up();
		passes(dialogues[i][0], dialogues[i][1]);
		bench_local(&bench, "QUIT\r\n");
		assert_local(&bench, "221 2.0.0 Bye\r\n");
		assert_wire(&bench, "QUIT\r\n");
		assert_int_equal(bench.io.end, OUTCOME_DONE);
		assert_false(bench.io.keeps);
		transparent_wipe(&transparent);
	}
}

static void
a_local_mta_that_goes_ends_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		up();
		if (i > 0)
			passes_envelope();
		if (i > 1)
			bench_local(&bench, "half a mess");
		bench_local_eof(&bench);
		assert_true(bench.io.pipe);
		assert_false(bench.io.keeps);
		transparent_wipe(&transparent);
	}
}

static void
the_next_session_finds_all_as_it_was(void **state)
{
	(void)state;
	up();
	again_inside();
	passes_envelope();
	bench_local(&bench, "x\r\n.\r\n");
	assert_wire(&bench, "x\r\n.\r\nRSET\r\n");
	bench_wire(&bench, "250 taken\r\n250 reset\r\n");
	bench_local(&bench, "QUIT\r\n");
	assert_local(&bench, "250 taken\r\n221 2.0.0 Bye\r\n");
	assert_true(bench.io.keeps && bench.io.reset);
	assert_int_equal(bench.io.resets, 0);
	/* one that says nothing changes nothing */
	again();
	bench_local(&bench, "NOOP\r\nMAIL FROM:<a@a>\r\nQUIT\r\n");
	assert_local(&bench, "250 2.0.0 Ok\r\n503 5.5.1 Send EHLO first\r\n221 2.0.0 Bye\r\n");
	assert_wire(&bench, "");
	assert_true(bench.io.keeps && bench.io.reset);
	again();
	bench_local_eof(&bench);
	assert_true(bench.io.keeps);
	bench.io.local_eof = false;
	again_inside();
	bench_local(&bench, "QUIT\r\n");
	assert_wire(&bench, "");
	assert_true(bench.io.keeps && bench.io.reset);
}

static void
assert_lost(const char *said, const char *told)
{
	assert_int_equal(bench.io.end, OUTCOME_KEPT_LOST);
	assert_false(bench.io.keeps);
	assert_span(transparent_said(&transparent), said);
	assert_span(transparent_told(&transparent), told);
	transparent_wipe(&transparent);
}

/* statement 46: until the first reply, nothing is lost */
static void
threat_46_a_lost_connection_is_made_anew(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		up();
		again_inside();
		bench_local(&bench, "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n");
		assert_wire(&bench, "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n");
		assert_local(&bench, TAKEN);
		assert_int_equal(bench.io.wait, WAIT_GREETING);
		if (i == 0)
			bench_wire(&bench, "421 4.7.0 enough\r\n");
		else if (i == 1)
			bench_wire_eof(&bench);
		else if (i == 2)
			bench_wire(&bench, "nonsense\r\n");
		else if (i == 3)
			bench_fault(&bench, OUTCOME_TIMEOUT);
		else
			bench_fault(&bench, OUTCOME_WIRE_BROKEN);
		assert_local(&bench, "");
		assert_true(transparent_has_answered(&transparent));
		assert_lost("EHLO a\r\nMAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n", OFFER);
	}
	/* MAIL was answered and not sent */
	up();
	again_inside();
	says_mail();
	bench_wire_eof(&bench);
	assert_true(transparent_has_answered(&transparent));
	assert_span(buf_peek(&bench.io.from_local), "MAIL FROM:<a@a>\r\n");
	assert_lost("EHLO a\r\n", OFFER);
	/* a command that does not go over a kept connection */
	up();
	again_inside();
	bench_local(&bench, "AUTH PLAIN\r\n");
	assert_false(transparent_has_answered(&transparent));
	assert_lost("EHLO a\r\n", OFFER);
	/* before EHLO; and another EHLO than the server got */
	for (size_t i = 0; i < 4; i++) {
		up();
		again();
		if (i == 0)
			bench_wire_eof(&bench);
		else
			bench_local(&bench, i == 1 ? "EHLO b\r\n" : i == 2 ? "HELO a\r\n" : "EHLO\r\n");
		assert_local(&bench, "");
		assert_lost("", "");
	}
	/* but a record that does not verify is a sign of tampering */
	up();
	again_inside();
	says_mail();
	bench_fault(&bench, OUTCOME_BAD_RECORD);
	assert_int_equal(bench.io.end, OUTCOME_BAD_RECORD);
}

static void
after_the_first_reply_it_is_what_it_always_is(void **state)
{
	(void)state;
	up();
	again_inside();
	passes("VRFY a\r\n", "450 not now\r\n");
	passes("VRFY b\r\n", "421 enough\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	assert_int_equal(buf_len(&kept.said), 0);
}

/* What is remembered is limited; the rest waits for the first reply. */
static void
what_is_said_early_waits(void **state)
{
	static char line[1000];

	(void)state;
	up();
	again_inside();
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line, "RCPT TO:<", 9);
	memcpy(line + sizeof(line) - 3, "\r\n", 2);
	bench_local(&bench, "MAIL FROM:<a@a>\r\n");
	for (size_t i = 0; i < 30; i++)
		bench_local(&bench, line);
	assert_true(bench_said_wire(&bench).len < TRANSPARENT_SAID_MAX);
	assert_true(buf_len(&bench.io.from_local) > 5000);
	bench_wire(&bench, "250 m\r\n");
	assert_int_equal(buf_len(&bench.io.from_local), 0);
	for (size_t i = 0; i < 30; i++)
		bench_wire(&bench, "250 r\r\n");
	assert_true(bench_said_wire(&bench).len > 0 && bench_said_local(&bench).len > 0);
	passes("NOOP\r\n", "250 ok\r\n");
}

/* There is always room for EHLO and a command: before its reply, nothing makes room. */
static void
long_lines_do_not_wait_for_ever(void **state)
{
	static char hello[LINE_MAX_OCTETS + 1], mail[LINE_MAX_OCTETS + 1];

	(void)state;
	snprintf(hello, sizeof(hello), "EHLO%*s", LINE_MAX_OCTETS - 4, "a\r\n");
	snprintf(mail, sizeof(mail), "MAIL%*s", LINE_MAX_OCTETS - 4, "FROM:<a@a>\r\n");
	for (size_t i = 0; i < 2; i++) {
		up_with(i == 0 ? OFFER : "250 mx\r\n");
		again();
		bench_local(&bench, hello);
		bench_local(&bench, mail);
		bench_local(&bench, i == 0 ? "RCPT TO:<b@b>\r\n" : "");
		assert_true(span_starts(bench_said_wire(&bench), span_of(mail)));
		transparent_wipe(&transparent);
	}
}

/* A new connection in place of a lost one. */
static void
resume(const char *told, const char *said, bool keeps, bool answered)
{
	hosts_meet(MODERN, MODERN);
	transparent_start(&transparent, &set, keys_source(&client_keys));
	memset(&kept, 0, sizeof(kept));
	transparent_resume(&transparent, &kept, span_of(told), answered);
	if (keeps)
		transparent_keep(&transparent, &kept);
	bench_start(&bench, (struct machine){ &transparent, transparent_step, transparent_fault });
	buf_put(&bench.io.from_local, span_of(said));
	transparent_connected(&transparent, CLIENT_CALL_FIRST);
	bench_step(&bench);
	bench_wire(&bench, "220 other ESMTP\r\n");
	assert_local(&bench, "");
	assert_wire(&bench, "EHLO a\r\n");
}

static void
the_local_mta_does_not_notice(void **state)
{
	(void)state;
	for (size_t keeps = 0; keeps < 2; keeps++) {
		resume(OFFER, "EHLO a\r\nNOOP\r\n", keeps, false);
		bench_wire(&bench, "250-other\r\n250-PIPELINING\r\n250 SIZE 1\r\n");
		assert_wire(&bench, "NOOP\r\n");
		assert_local(&bench, "");
		bench_wire(&bench, "250 n\r\n");
		assert_local(&bench, "250 n\r\n");
		assert_int_equal(transparent.follow.resets, keeps);
		transparent_wipe(&transparent);
		/* with a reply to MAIL */
		resume(OFFER, "EHLO a\r\nMAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n", keeps, true);
		bench_wire(&bench, "250-other\r\n250-PIPELINING\r\n250 SIZE 1\r\n");
		assert_wire(&bench, "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n");
		assert_local(&bench, "");
		bench_wire(&bench, "250 m\r\n250 r\r\n");
		assert_local(&bench, "250 r\r\n");
		/* which is not that of the next one */
		passes("RSET\r\n", "250 reset\r\n");
		says_mail();
		transparent_wipe(&transparent);
	}
	/* HELO does not tell whether the server takes MAIL and RCPT at once */
	for (size_t takes = 0; takes < 2; takes++) {
		resume("250 mx\r\n", "HELO a\r\nMAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n", true, true);
		bench_wire(&bench, takes ? "250-other\r\n250 PIPELINING\r\n" : "250 other\r\n");
		assert_wire(&bench, takes ? "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n" : "QUIT\r\n");
		assert_int_equal(bench.io.end, takes ? OUTCOME_NONE : OUTCOME_KEPT_LOST);
		assert_local(&bench, "");
		transparent_wipe(&transparent);
	}
	/* not told yet */
	resume("", "EHLO a\r\n", true, false);
	bench_wire(&bench, "250 other\r\n");
	assert_local(&bench, "250 other\r\n");
	transparent_wipe(&transparent);
	/* a refusal is not what it was told, even if neither reply has more than one line */
	resume("250 host\r\n", "EHLO a\r\nMAIL FROM:<a@a>\r\n", true, false);
	bench_wire(&bench, "550 no\r\n");
	assert_int_equal(bench.io.end, OUTCOME_KEPT_LOST);
	assert_local(&bench, "");
	transparent_wipe(&transparent);
	/* it may have used what this server does not offer */
	resume(OFFER, "EHLO a\r\nMAIL FROM:<a@a> SIZE=5\r\n", true, false);
	bench_wire(&bench, "250-other\r\n250 PIPELINING\r\n");
	assert_int_equal(bench.io.end, OUTCOME_KEPT_LOST);
	assert_wire(&bench, "QUIT\r\n");
	assert_local(&bench, "");
	transparent_give_up(&transparent, &bench.io.to_local, "421 4.4.2 lost");
	assert_span(buf_peek(&bench.io.to_local), "421 4.4.2 lost\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_caller(quit_is_answered_here),
		with_caller(without_pipelining_nothing_is_added),
		with_caller(threat_33_our_own_reset_has_no_reply),
		with_caller(threat_33_our_own_reset_accepts_no_message),
		with_caller(a_server_that_leaves_is_not_missed),
		with_caller(a_server_that_leaves_is_not_waited_for),
		with_caller(all_else_becomes_a_pipe),
		with_caller(some_commands_keep_it_for_this_session),
		with_caller(a_local_mta_that_goes_ends_it),
		with_caller(the_next_session_finds_all_as_it_was),
		with_caller(threat_46_a_lost_connection_is_made_anew),
		with_caller(after_the_first_reply_it_is_what_it_always_is),
		with_caller(what_is_said_early_waits),
		with_caller(long_lines_do_not_wait_for_ever),
		with_caller(the_local_mta_does_not_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
