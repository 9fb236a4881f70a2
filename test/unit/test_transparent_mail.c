/* The transparent client where MAIL was answered for the server, and one side closes. */
#include "transparents.h"

#define MAIL "MAIL FROM:<a@a>\r\n"
#define RCPT "RCPT TO:<b@b>\r\n"
#define TAKEN "250 2.1.0 Ok\r\n"

/* MAIL has been answered. */
static void
up(void)
{
	call_ehlo(MODERN);
	bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
	bench_said_local(&bench);
	bench_local(&bench, MAIL);
	assert_wire(&bench, "");
	assert_local(&bench, TAKEN);
}

/* MAIL and a command after it have been sent. */
static void
asked(void)
{
	up();
	bench_local(&bench, RCPT);
	assert_wire(&bench, MAIL RCPT);
}

static void
half_a_reply_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		if (i == 0)
			up();
		else
			asked();
		bench_wire(&bench, "550 no");
		bench_wire_eof(&bench);
		assert_local(&bench, "");
		assert_false(bench.io.pipe);
		assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
		transparent_wipe(&transparent);
	}
}

/* statement 25: the server's other replies, which are permanent, are not the local MTA's */
static void
a_server_that_closes_leaves_its_refusal(void **state)
{
	(void)state;
	asked();
	bench.local_stuck = true;
	bench_local(&bench, RCPT);
	buf_put(&bench.io.to_local, span(bench.io.from_wire.mem, buf_room(&bench.io.to_local) - 9));
	size_t before = buf_len(&bench.io.to_local);
	buf_put(&bench.io.from_wire, SPAN("451 m\r\n503 r\r\n503 r\r\n"));
	bench_wire_eof(&bench);
	assert_false(bench.io.pipe);
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	assert_int_equal(buf_len(&bench.io.to_local), before + 7);
	buf_clear(&bench.io.to_local);
	bench.local_stuck = false;
	bench_step(&bench);
	assert_local(&bench, "451 m\r\n");
	bench_local(&bench, RCPT "QUIT\r\n");
	assert_local(&bench, "451 m\r\n221 2.0.0 Bye\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
}

/* The local MTA closes its output and hears the replies. */
static void
a_local_mta_that_says_all_at_once_hears_all(void **state)
{
	(void)state;
	asked();
	bench_local(&bench, "NOOP\r\n" RCPT "RC");
	bench_local_eof(&bench);
	bench_wire(&bench, "451 m\r\n503 r\r\n");
	assert_local(&bench, "451 m\r\n");
	assert_wire(&bench, "NOOP\r\n");
	assert_false(bench.io.pipe);
	bench_wire(&bench, "250 n\r\n");
	assert_local(&bench, "250 n\r\n451 m\r\n");
	assert_wire(&bench, "");
	assert_true(bench.io.pipe);
	transparent_wipe(&transparent);
	/* one that has no room for the refusal waits for it */
	asked();
	bench_local(&bench, "NOOP\r\n");
	bench_wire(&bench, "451 m\r\n503 r\r\n");
	assert_local(&bench, "451 m\r\n");
	bench.local_stuck = true;
	buf_put(&bench.io.to_local, span(bench.io.from_wire.mem, buf_room(&bench.io.to_local) - 9));
	buf_put(&bench.io.from_local, SPAN(RCPT));
	buf_put(&bench.io.from_wire, SPAN("250 n\r\n"));
	bench_local_eof(&bench);
	assert_false(bench.io.pipe);
	buf_clear(&bench.io.to_local);
	bench.local_stuck = false;
	bench_step(&bench);
	assert_local(&bench, "451 m\r\n");
	assert_wire(&bench, "NOOP\r\n");
	assert_true(bench.io.pipe);
}

/* It goes with whatever was to follow it. */
static void
mail_without_a_command_is_not_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		up();
		bench_local(&bench, i == 0 ? "" : "RCPT TO:");
		bench_local_eof(&bench);
		assert_wire(&bench, "");
		assert_true(bench.io.pipe);
		transparent_wipe(&transparent);
	}
}

/* MAIL is not sent unread, where its reply would be taken for another command's. */
static void
mail_that_has_no_room_waits(void **state)
{
	(void)state;
	up();
	bench.wire_stuck = true;
	buf_put(&bench.io.to_wire, span(bench.io.from_wire.mem, buf_room(&bench.io.to_wire)));
	buf_put(&bench.io.from_local, SPAN(RCPT));
	bench_local_eof(&bench);
	assert_false(bench.io.pipe);
	buf_clear(&bench.io.to_wire);
	bench.wire_stuck = false;
	bench_step(&bench);
	assert_wire(&bench, MAIL RCPT);
	bench_wire(&bench, "250 m\r\n550 r\r\n");
	assert_local(&bench, "550 r\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_caller(half_a_reply_is_none),
		with_caller(a_server_that_closes_leaves_its_refusal),
		with_caller(a_local_mta_that_says_all_at_once_hears_all),
		with_caller(mail_without_a_command_is_not_sent),
		with_caller(mail_that_has_no_room_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
