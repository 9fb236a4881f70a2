/* The relay before encryption: EHLO replies, the pipe, and `must`. */
#include "relays.h"

#define OFFER "XCRYPT " MODERN

/* Asserts what the client sees of an EHLO reply in the clear. */
static void
assert_ehlo(const char *reply, const char *seen)
{
	relay_greets();
	bench_wire(&bench, "EHLO a\r\n");
	bench_local(&bench, reply);
	assert_wire(&bench, seen);
	relay_wipe(&relay);
}

static void
the_offer_is_the_last_line(void **state)
{
	(void)state;
	assert_ehlo("250 mx\r\n", "250-mx\r\n250 " OFFER "\r\n");
	assert_ehlo("250\r\n", "250-\r\n250 " OFFER "\r\n");
	assert_ehlo("250-mx\r\n250 SIZE 1\r\n", "250-mx\r\n250-SIZE 1\r\n250 " OFFER "\r\n");
	assert_ehlo("250-mx\n250 SIZE 1\n", "250-mx\r\n250-SIZE 1\r\n250 " OFFER "\r\n");
	assert_ehlo("250-mx\r\n250-STARTTLS\r\n250 X\r\n",
	    "250-mx\r\n250-STARTTLS\r\n250-X\r\n250 " OFFER "\r\n");
}

/* statement 14 */
static void
threat_14_the_mailers_own_xcrypt_is_taken_out(void **state)
{
	(void)state;
	assert_ehlo("250-mx\r\n250 XCRYPT a\r\n", "250-mx\r\n250 " OFFER "\r\n");
	assert_ehlo("250-mx\r\n250-xcrypt a\r\n250 X\r\n", "250-mx\r\n250-X\r\n250 " OFFER "\r\n");
	assert_ehlo("250-mx\r\n250-A\r\n250-XCRYPT\r\n250-XCRYPT-ID k\r\n250 XCrypt-Next k\r\n",
	    "250-mx\r\n250-A\r\n250 " OFFER "\r\n");
	assert_ehlo("250-mx\r\n250 XCRYPTO\r\n", "250-mx\r\n250-XCRYPTO\r\n250 " OFFER "\r\n");
	/* the first line is a host name, not a keyword */
	assert_ehlo("250-XCRYPT mx\r\n250 X\r\n", "250-XCRYPT mx\r\n250-X\r\n250 " OFFER "\r\n");
}

static void
without_suites_nothing_is_offered(void **state)
{
	(void)state;
	suites_named(&relay_suites, "");
	assert_ehlo("250 mx\r\n", "250 mx\r\n");
	assert_ehlo("250-mx\r\n250 XCRYPT a\r\n", "250 mx\r\n");
	assert_ehlo("250-mx\r\n250-XCRYPT a\r\n250 X\r\n", "250-mx\r\n250 X\r\n");
}

static void
what_is_no_250_passes(void **state)
{
	(void)state;
	assert_ehlo("550-no\r\n550 XCRYPT\r\n", "550-no\r\n550 XCRYPT\r\n");
	assert_ehlo("421 later\r\n", "421 later\r\n");
	assert_ehlo("220 odd\r\n", "220 odd\r\n");
}

static void
helo_is_offered_nothing(void **state)
{
	(void)state;
	relay_greets();
	bench_wire(&bench, "HELO a\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_wire(&bench, "250 mx\r\n");
	assert_local(&bench, "HELO a\r\n");
}

static void
replies_pass_as_they_came_however_they_are_cut(void **state)
{
	static const struct turn turns[] = {
		{ MAILER, "220-mx\r\n220 \xff hello\r\n", "220-mx\r\n220 \xff hello\r\n", "" },
		{ CLIENT, "HELP x\r\nrset\r\n", "", "HELP x\r\nrset\r\n" },
		{ CLIENT, "EHLO  a \r\n", "", "EHLO  a \r\n" },
		{ MAILER, "214 h\r\n250 r\r\n", "214 h\r\n250 r\r\n", "" },
		{ MAILER, "250-mx\r\n250-XCRYPT a\r\n250 X\r\n",
		    "250-mx\r\n250-X\r\n250 " OFFER "\r\n", "" },
		{ CLIENT, "VRFY b\r\n", "", "VRFY b\r\n" },
		{ MAILER, "252 no\n", "252 no\n", "" },
		{ CLIENT, "rset\r\nEXPN c\r\n", "", "rset\r\nEXPN c\r\n" },
		{ MAILER, "250 r\r\n550 c\r\n", "250 r\r\n550 c\r\n", "" },
		{ CLIENT, "HELP\r\nNOOP\r\n", "", "HELP\r\nNOOP\r\n" },
		{ MAILER, "214-a\r\n214 b\r\n250 n\r\n", "214-a\r\n214 b\r\n250 n\r\n", "" },
		{ CLIENT, "RSET\r\nQUIT\r\n", "", "RSET\r\nQUIT\r\n" },
		{ MAILER, "250 r\r\n221 bye\r\n", "250 r\r\n221 bye\r\n", "" },
	};

	(void)state;
	relay_plays_cut(relay_up, turns, COUNT(turns));
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_DONE);
}

/* What is sent without waiting concerns only the client and the backend, so it becomes a pipe. */
static void
octets_after_the_last_of_a_group_make_a_pipe(void **state)
{
	static const char *const groups[] = { "EHLO a\r\nMAIL FROM:<>\r\n", "HELO a\r\nR",
		"EHLO a\r\nXC\r\n", "NOOP\r\nMAIL FROM:<>\r\n", "RSET\r\nVRFY b\r\nM",
		"EXPN l\r\nQUIT\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(groups); i++) {
		relay_greets();
		bench_wire(&bench, groups[i]);
		assert_true(bench.io.pipe);
		assert_local(&bench, groups[i]);
		assert_string_equal(relay.why, "early");
		relay_wipe(&relay);
	}
	/* an XCRYPT that does not wait for the offer is answered all the same */
	relay_greets();
	bench_wire(&bench, "EHLO a\r\nXCRYPT x\r\nMAIL FROM:<>\r\n");
	assert_local(&bench, "EHLO a\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_local(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_INJECTED);
	relay_wipe(&relay);
}

static void
the_first_other_command_makes_a_pipe(void **state)
{
	static const char *const commands[] = {
		"MAIL FROM:<>\r\n", "AUTH PLAIN\r\n", "STARTTLS\r\n", "BDAT 5\r\n", "DATA\r\n",
		"RCPT TO:<a>\r\n", "ETRN a\r\n", "\r\n", "GET / HTTP/1.0\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		relay_offers();
		bench_wire(&bench, commands[i]);
		assert_true(bench.io.pipe);
		assert_local(&bench, commands[i]);
		assert_string_equal(relay.why, "not-asked");
		relay_wipe(&relay);
	}
}

/* The backend gets such octets at once, and no commands are parsed after them. */
static void
the_pipe_does_not_wait_for_replies(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "RSET\r\nMAIL FROM:<>\r\nXCRYPT a b c\r\n\n", "",
		    "RSET\r\nMAIL FROM:<>\r\nXCRYPT a b c\r\n\n" },
		{ MAILER, "250 r\r\n", "250 r\r\n", "" },
		{ MAILER, "anything", "anything", "" },
		{ CLIENT, "XCRYPT aes256gcm_2.0\r\nNOOP", "", "XCRYPT aes256gcm_2.0\r\nNOOP" },
	};

	(void)state;
	relay_plays_cut(relay_offers, turns, COUNT(turns));
	assert_true(bench.io.pipe);
}

/* Otherwise removing and adding lines would change the order of the others. */
static void
a_reply_to_ehlo_has_one_code(void **state)
{
	static const char *const replies[] = { "250-STARTTLS\r\n218-x\r\n",
		"250-mx\r\n250-X\r\n550 no\r\n", "550-no\r\n250 mx\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(replies); i++) {
		relay_greets();
		bench_wire(&bench, "EHLO a\r\n");
		bench_local(&bench, replies[i]);
		assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
		relay_wipe(&relay);
	}
	relay_greets();
}

static void
the_pipe_says_why(void **state)
{
	(void)state;
	relay_greets();
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_string_equal(relay.why, "not-offered");
}

/* statement 24 */
static void
threat_24_must_lets_nothing_pass_in_the_clear(void **state)
{
	static const char *const commands[] = {
		"MAIL FROM:<>\r\n", "RCPT TO:<a>\r\n", "DATA\r\n", "BDAT 5 LAST\r\n",
		"STARTTLS\r\n",
		"AUTH PLAIN =\r\n", "HELP\r\n", "VRFY a\r\n", "EXPN a\r\n", "ETRN a\r\n", "\r\n",
	};

	(void)state;
	relay_set.encryption_required = true;
	for (size_t i = 0; i < COUNT(commands); i++) {
		relay_offers();
		bench_wire(&bench, commands[i]);
		assert_wire(&bench, "530 5.7.0 Must use XCRYPT first\r\n");
		assert_local(&bench, "");
		assert_false(bench.io.pipe);
		relay_wipe(&relay);
	}
}

/* XCRYPT is refused after a command that is not part of a greeting, even if that was refused. */
static void
threat_3_must_takes_no_xcrypt_after_a_refused_command(void **state)
{
	static const struct { const char *command; bool greets; } rows[] = {
		{ "MAIL FROM:<>\r\n", false }, { "DATA\r\n", false }, { "BDAT 0 LAST\r\n", false },
		{ "STARTTLS\r\n", false }, { "AUTH PLAIN =\r\n", false }, { "ETRN a\r\n", false },
		{ "\r\n", false }, { "HELP\r\n", true }, { "VRFY a\r\n", true }, { "EXPN a\r\n", true },
	};

	(void)state;
	relay_set.encryption_required = true;
	for (size_t i = 0; i < COUNT(rows); i++) {
		relay_offers();
		bench_wire(&bench, rows[i].command);
		assert_wire(&bench, "530 5.7.0 Must use XCRYPT first\r\n");
		assert_int_equal(bench.io.settled, !rows[i].greets);
		bench_wire(&bench, "XCRYPT x_9.9 0\r\n");
		assert_wire(&bench, rows[i].greets ? "504 5.5.4 XCRYPT FAIL suite not offered\r\n" :
			"503 5.5.1 XCRYPT FAIL only once, before other commands\r\n");
		bench_wire(&bench, "EHLO a\r\n");
		assert_local(&bench, "EHLO a\r\n");
		bench_local(&bench, "250 mx\r\n");
		assert_wire(&bench, "250 mx\r\n");
		bench_wire(&bench, "MAIL FROM:<>\r\n");
		assert_wire(&bench, "530 5.7.0 Must use XCRYPT first\r\n");
		relay_wipe(&relay);
	}
}

static void
threat_24_must_answers_in_order_and_goes_on(void **state)
{
	static const struct turn turns[] = {
		{ MAILER, "220 mx\r\n", "220 mx\r\n", "" },
		{ CLIENT, "EHLO a\r\n", "", "EHLO a\r\n" },
		{ MAILER, "250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n",
		    "250-mx\r\n250-SIZE\r\n250 " OFFER "\r\n", "" },
		{ CLIENT, "NOOP\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n", "", "NOOP\r\n" },
		{ MAILER, "250 n\r\n", "250 n\r\n530 5.7.0 Must use XCRYPT first\r\n",
		    "RSET\r\nQUIT\r\n" },
		{ MAILER, "250 r\r\n221 bye\r\n", "250 r\r\n221 bye\r\n", "" },
	};

	(void)state;
	relay_set.encryption_required = true;
	relay_plays_cut(relay_up, turns, COUNT(turns));
}

/* Sends a line of exactly `len` octets, followed by `behind`. */
static void
say_long(size_t len, const char *behind)
{
	static uint8_t line[2 * LINE_MAX_OCTETS];

	memset(line, 'a', len);
	memcpy(line, "NOOP ", 5);
	memcpy(line + len - 2, "\r\n", 2);
	memcpy(line + len, behind, strlen(behind));
	bench_wire_octets(&bench, span(line, len + strlen(behind)));
}

static void
threat_15_lines_that_are_too_long_are_answered_and_skipped(void **state)
{
	(void)state;
	static const size_t cuts[] = { 0, 1, 100, 511, 512, 513, 12287, 12288, 12289, 12299 };

	for (size_t i = 0; i < COUNT(cuts); i++) {
		for (size_t len = LINE_MAX_OCTETS + 1; len < LINE_MAX_OCTETS + 13; len += 11) {
			relay_offers();
			bench_cut(&bench, cuts[i]);
			say_long(len, "RSET\r\n");
			assert_wire(&bench, "500 5.5.2 Line too long\r\n");
			assert_local(&bench, "RSET\r\n");
			relay_wipe(&relay);
		}
	}
	for (size_t len = LINE_MAX_OCTETS - 1; len <= LINE_MAX_OCTETS; len++) {
		relay_offers();
		say_long(len, "RSET\r\n");
		assert_wire(&bench, "");
		assert_int_equal(bench_said_local(&bench).len, len + 6);
		relay_wipe(&relay);
	}
}

static void
assert_torn(struct span line)
{
	relay_offers();
	bench_wire_octets(&bench, line);
	assert_wire(&bench, "500 5.5.2 Command contains NUL, bare CR or bare LF\r\n");
	assert_local(&bench, "");
	bench_wire(&bench, "NOOP\r\n");
	assert_local(&bench, "NOOP\r\n");
	relay_wipe(&relay);
}

/* statement 15: lines that some mailers take for two */
static void
threat_15_torn_lines_go_nowhere(void **state)
{
	static const struct span lines[] = {
		{ (const uint8_t *)"EHLO a\nMAIL FROM:<>\r\n", 21 },
		{ (const uint8_t *)"MAIL\n\r\n", 7 },
		{ (const uint8_t *)"NOOP\rMAIL FROM:<>\r\n", 19 },
		{ (const uint8_t *)"EHLO a\0b\r\n", 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		relay_set.encryption_required = true;
		assert_torn(lines[i]);
		relay_set.encryption_required = false;
		if (span_find(lines[i], '\r') < span_find(lines[i], '\n'))
			assert_torn(lines[i]);
	}
}

/* Printers and old scripts end lines in LF: the backend decides whether it accepts that. */
static void
lines_that_end_in_lf_make_a_pipe(void **state)
{
	static const char *const said[] = { "EHLO a\n", "NOOP\n", "\n", "EHLO a\nMAIL FROM:<>\r\n",
		"x\n\r\n" };
	static const struct turn behind_hello[] = {
		{ MAILER, "220 mx\r\n", "220 mx\r\n", "" },
		{ CLIENT, "EHLO a\r\nNOOP\n", "", "EHLO a\r\nNOOP\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(said); i++) {
		struct turn turns[] = {
			{ MAILER, "220 mx\r\n", "220 mx\r\n", "" },
			{ CLIENT, said[i], "", said[i] },
		};
		relay_plays_cut(relay_up, turns, COUNT(turns));
	}
	relay_plays_cut(relay_up, behind_hello, COUNT(behind_hello));
	relay_offers();
	bench_wire(&bench, "NOOP\nQUIT\r\n");
	assert_true(bench.io.pipe);
	assert_string_equal(relay.why, "bare-lf");
	relay_wipe(&relay);
	/* an XCRYPT line that ends in LF is neither an attempt nor the start of a pipe */
	relay_offers();
	bench_wire(&bench, "XCRYPT chacha20poly1305_2.0\n");
	assert_false(bench.io.pipe);
	assert_local(&bench, "");
	relay_wipe(&relay);
}

static void
assert_mailer_ends(const char *says, bool then_eof, enum outcome end, const char *wire)
{
	relay_greets();
	bench_local(&bench, says);
	if (then_eof)
		bench_local_eof(&bench);
	assert_int_equal(bench.io.end, end);
	assert_wire(&bench, wire);
	relay_wipe(&relay);
}

/* statement 27 */
static void
threat_27_a_mailer_that_goes_is_421(void **state)
{
	(void)state;
	assert_mailer_ends("", true, OUTCOME_LOCAL_GONE,
	    "421 4.3.0 mx.b.example Lost connection to the mail server\r\n");
	assert_mailer_ends("421 4.3.2 I go\r\n", true, OUTCOME_LOCAL_GONE, "421 4.3.2 I go\r\n");
	assert_mailer_ends("250 what?\r\n", false, OUTCOME_UNASKED_REPLY, "");
	relay_up();
	bench_local(&bench, "SSH-2.0-hello\r\n");
	assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
	relay_wipe(&relay);
	relay_up();
	bench_local(&bench, "220-half of it\r\n");
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	assert_wire(&bench, "220-half of it\r\n");
	relay_wipe(&relay);
	/* the backend ends the session, and the client disconnects first */
	relay_greets();
	bench_wire_eof(&bench);
	assert_true(bench.io.shut_local);
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
	assert_wire(&bench, "");
}

/* A last reply may come between replies, but not within one. */
static void
faults_have_a_last_word(void **state)
{
	(void)state;
	relay_greets();
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_int_equal(bench.io.end, OUTCOME_TIMEOUT);
	assert_wire(&bench, "421 4.4.2 mx.b.example Timeout exceeded\r\n");
	relay_greets();
	bench_fault(&bench, OUTCOME_LOCAL_BROKEN);
	assert_wire(&bench, "421 4.3.0 mx.b.example Lost connection to the mail server\r\n");
	relay_greets();
	bench_fault(&bench, OUTCOME_BAD_RECORD);
	assert_int_equal(bench.io.end, OUTCOME_BAD_RECORD);
	assert_wire(&bench, "");
	relay_up();
	bench_local(&bench, "220-half\r\n");
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_wire(&bench, "220-half\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(the_offer_is_the_last_line),
		with_relay(threat_14_the_mailers_own_xcrypt_is_taken_out),
		with_relay(without_suites_nothing_is_offered),
		with_relay(what_is_no_250_passes),
		with_relay(helo_is_offered_nothing),
		with_relay(replies_pass_as_they_came_however_they_are_cut),
		with_relay(octets_after_the_last_of_a_group_make_a_pipe),
		with_relay(the_first_other_command_makes_a_pipe),
		with_relay(the_pipe_does_not_wait_for_replies),
		with_relay(a_reply_to_ehlo_has_one_code),
		with_relay(the_pipe_says_why),
		with_relay(threat_24_must_lets_nothing_pass_in_the_clear),
		with_relay(threat_3_must_takes_no_xcrypt_after_a_refused_command),
		with_relay(threat_24_must_answers_in_order_and_goes_on),
		with_relay(threat_15_lines_that_are_too_long_are_answered_and_skipped),
		with_relay(threat_15_torn_lines_go_nowhere),
		with_relay(lines_that_end_in_lf_make_a_pipe),
		with_relay(threat_27_a_mailer_that_goes_is_421),
		with_relay(faults_have_a_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
