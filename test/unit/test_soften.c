/* Replies of 5yz that become 4yz: soften.c, and the transparent client after failed encryption. */
#include "transparents.h"

static const struct { const char *said, *heard;
} lines[] = {
	{ "530 5.7.0 Must use XCRYPT first\r\n", "430 4.7.0 Must use XCRYPT first\r\n" },
	{ "550-5.1.1 no\r\n550-5\r\n550 5.1.1 such 5.1.1 user\r\n",
	    "450-4.1.1 no\r\n450-5\r\n450 4.1.1 such 5.1.1 user\r\n" },
	{ "554\r\n", "454\r\n" },
	{ "500\n", "400\n" },
	{ "5\r\n5", "5\r\n5" },
	{ "\r\n\n55\n", "\r\n\n55\n" },
	{ "550 5 names\r\n", "450 5 names\r\n" },
	{ "550 5", "450 5" },
	{ "5505.\r\n", "4505.\r\n" },
	{ "250 5.5.5 550 5.5.5\r\n354 5\r\n450 5.5.0\r\n",
	    "250 5.5.5 550 5.5.5\r\n354 5\r\n450 5.5.0\r\n" },
	{ "5a0 5.0\r\n 550 5.0\r\n", "5a0 5.0\r\n 550 5.0\r\n" },
};

static void
each_line_in_any_division(void **state)
{
	uint8_t from_mem[256], to_mem[256];
	struct buf from, to;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct span said = span_of(lines[i].said);

		for (size_t cut = 0; cut <= said.len; cut++) {
			struct soften soften = { 0 };

			buf_init(&from, from_mem, sizeof(from_mem));
			buf_init(&to, to_mem, sizeof(to_mem));
			buf_put(&from, span(said.at, cut));
			assert_true(soften_move(&soften, &to, &from, false));
			buf_put(&from, span_from(said, cut));
			assert_true(soften_move(&soften, &to, &from, true));
			if (!span_equal(buf_peek(&to), span_of(lines[i].heard)))
				fail_msg("%s, cut at %zu: %.*s", lines[i].said, cut,
				    (int)buf_len(&to), (const char *)to_mem);
		}
	}
}

/* A line longer than all buffers, and a slow reader. */
static void
a_long_line_through_little_room(void **state)
{
	uint8_t from_mem[64], to_mem[8];
	struct soften soften = { 0 };
	struct buf from, to;
	size_t moved = 0;

	(void)state;
	buf_init(&from, from_mem, sizeof(from_mem));
	buf_init(&to, to_mem, sizeof(to_mem));
	buf_put(&from, SPAN("550 5.0.0 "));
	for (size_t i = 0; i < 1000; i++) {
		buf_put(&from, SPAN("550 5"));
		assert_true(soften_move(&soften, &to, &from, false));
		if (moved == 0)
			assert_true(span_starts(buf_peek(&to), SPAN("450 4.")));
		moved += buf_len(&to);
		buf_clear(&to);
	}
	buf_put(&from, SPAN("\n5"));
	while (buf_len(&from) > 1) {
		assert_true(soften_move(&soften, &to, &from, false));
		moved += buf_len(&to);
		buf_clear(&to);
	}
	assert_int_equal(moved, 10 + 5000 + 1);
}

/* statement 37: after each kind of failed attempt */
static void
threat_37_a_refusal_after_a_failed_attempt_is_for_now(void **state)
{
	(void)state;
	call_choice(MODERN);
	server_says("454 4.7.0 XCRYPT FAIL not now");
	bench_said_local(&bench);
	assert_int_equal(bench.io.wait, WAIT_IDLE);
	bench_local(&bench, "MAIL FROM:<>\r\nRCPT TO:<b@b>\r\n");
	assert_wire(&bench, "MAIL FROM:<>\r\nRCPT TO:<b@b>\r\n");
	bench_wire(&bench, "530 5.7.0 Must use XCRYPT first\r\n250 ok\r\n55");
	assert_local(&bench, "430 4.7.0 Must use XCRYPT first\r\n250 ok\r\n");
	bench_wire(&bench, "0");
	bench_wire_eof(&bench);
	assert_local(&bench, "450");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	transparent_wipe(&transparent);

	/* the second connection, after a handshake that broke */
	call_choice(MODERN);
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_RETRY_CLEAR);
	bench.io.end = OUTCOME_NONE;
	bench.io.wire_eof = false;
	transparent_connected(&transparent, CLIENT_CALL_CLEAR);
	bench_wire(&bench, "220 mx\r\n250 mx\r\n550 5.1.1 who?\r\n");
	assert_local(&bench, "250 mx\r\n450 4.1.1 who?\r\n");
	bench_local_eof(&bench);
	assert_true(bench.io.shut_wire);
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
	assert_int_equal(bench.io.end, OUTCOME_NONE);
}

/* After successful encryption, or without an attempt, replies pass unchanged. */
static void
without_a_failure_5yz_stays(void **state)
{
	(void)state;
	call_ehlo(MODERN);
	bench_wire(&bench, "250-mx\r\n250 XCRYPT new_3.0\r\n530 5.7.0 Must use XCRYPT first\r\n");
	assert_local(&bench, "250 mx\r\n530 5.7.0 Must use XCRYPT first\r\n");
	assert_true(passes_on());
	transparent_wipe(&transparent);
	call_inside(MODERN);
	bench_wire(&bench, "250 mx\r\n550 5.1.1 who?\r\n");
	assert_local(&bench, "250 mx\r\n550 5.1.1 who?\r\n");
	assert_true(passes_on());
}

#define TLS_OFFER "250-mx\r\n250 STARTTLS\r\n"

static void
offers_tls(void)
{
	call_ehlo(MODERN);
	bench_wire(&bench, TLS_OFFER);
	assert_local(&bench, TLS_OFFER);
	assert_true(bench.io.settled);
	assert_int_equal(bench.io.wait, WAIT_IDLE);
}

/* statement 37: STARTTLS by the local MTA itself is an attempt, too */
static void
threat_37_the_mailers_starttls_can_fail(void **state)
{
	static const char *const refusals[] = { "454 4.7.0 not now\r\n",
		"502-5.5.1 x\r\n502 5.5.1 what\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		offers_tls();
		bench_local(&bench, "STARTTLS\r\n");
		assert_wire(&bench, "STARTTLS\r\n");
		bench_wire(&bench, refusals[i]);
		assert_local(&bench, refusals[i]);
		bench_local(&bench, "MAIL FROM:<>\r\n");
		assert_wire(&bench, "MAIL FROM:<>\r\n");
		bench_wire(&bench, "530 5.7.0 Must issue STARTTLS\r\n");
		assert_local(&bench, "430 4.7.0 Must issue STARTTLS\r\n");
		transparent_wipe(&transparent);
	}
}

/* ... and if it succeeds, or is not attempted, octets pass. */
static void
what_is_no_failed_starttls_is_a_pipe(void **state)
{
	static const struct { const char *local, *wire;
	} rows[] = {
		{ "STARTTLS\r\n", "220 go\r\n5\r\n550 5.1.1\r\n" },
		{ "starttls\r\n", "what?\r\n550 5.1.1\r\n" },
		{ "MAIL FROM:<>\r\n", "550 5.1.1\r\n" },
		{ "MAIL FROM:<>\r\nSTARTTLS\r\n", "550 5.1.1\r\n" },
		{ "", "421 4.3.2 bye\r\n550 5.1.1\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		offers_tls();
		bench_local(&bench, rows[i].local);
		assert_wire(&bench, rows[i].local);
		bench_wire(&bench, rows[i].wire);
		assert_local(&bench, rows[i].wire);
		assert_true(passes_on());
		transparent_wipe(&transparent);
	}
	offers_tls();
	bench_wire_eof(&bench);
	assert_true(passes_on());
	transparent_wipe(&transparent);
	offers_tls();
	bench_local(&bench, "STARTTLS\r\n");
	bench_wire(&bench, "220-g");
	bench_wire_eof(&bench);
	assert_true(passes_on());
	assert_local(&bench, "220-g");
}

/* After a refused XCRYPT the local MTA may start TLS: octets that are not text are unchanged. */
static void
tls_after_a_failure_is_not_touched(void **state)
{
	static const char records[] = "\x16\x03\x03\0\x08\n550 5.1\n550 5.1.1\r\n";

	(void)state;
	call_choice(MODERN);
	server_says("454 4.7.0 XCRYPT FAIL not now");
	bench_said_local(&bench);
	bench_local(&bench, "STARTTLS\r\n");
	bench_wire(&bench, "220 go\r\n");
	assert_local(&bench, "220 go\r\n");
	bench_wire_octets(&bench, SPAN(records));
	assert_true(span_equal(bench_said_local(&bench), SPAN(records)));
	assert_true(passes_on());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_in_any_division),
		cmocka_unit_test(a_long_line_through_little_room),
		with_caller(threat_37_a_refusal_after_a_failed_attempt_is_for_now),
		with_caller(without_a_failure_5yz_stays),
		with_caller(threat_37_the_mailers_starttls_can_fail),
		with_caller(what_is_no_failed_starttls_is_a_pipe),
		with_caller(tls_after_a_failure_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
