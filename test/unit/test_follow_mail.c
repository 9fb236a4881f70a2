/* MAIL is answered for the server, and sent with the command after it. */
#include "follows.h"

struct row {
	const char *script;
	const char *wire, *local;	/* what server and local MTA have got */
	enum follow_state state;
};

#define MAIL "MAIL a\n"
#define RCPT "RCPT b\n"
#define TAKEN "250 2.1.0 Ok\n"
#define BOTH MAIL RCPT

/* Compares octets with a text whose lines end in LF. */
static void
assert_lines(struct span got, const char *text, const char *script)
{
	static uint8_t lines[ROOM];
	struct buf want;

	buf_init(&want, lines, sizeof(lines));
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_put(&want, SPAN("\r"));
		buf_put(&want, span((const uint8_t *)text, 1));
	}
	if (!span_equal(got, buf_peek(&want)))
		fail_msg("%s\n got: %.*s", script, (int)got.len, (const char *)got.at);
}

static void
assert_row(const struct row *row)
{
	for (int single = 0; single < 2; single++) {
		start(true);
		play(row->script, single);
		assert_lines(buf_peek(&io.to_wire), row->wire, row->script);
		assert_lines(buf_peek(&io.to_local), row->local, row->script);
		if (follow.state != row->state)
			fail_msg("%s: %s", row->script, follow_state_name(follow.state));
	}
}

#define rows_are_true(rows) \
	for (size_t i = 0; i < COUNT(rows); i++) \
		assert_row(&(rows)[i])

static void
mail_goes_with_the_next_command(void **state)
{
	static const struct row rows[] = {
		{ ">" MAIL, "", TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL "RCPT", "", TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL RCPT, BOTH, TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<250-m\n", BOTH, TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<250-m\n250 m\n", BOTH, TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<250 m\n550 r\n", BOTH, TAKEN "550 r\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "DATA\n<250 m\n250 r\n354 d\n", BOTH "DATA\n",
		    TAKEN "250 r\n354 d\n", FOLLOW_MESSAGE },
		{ ">" MAIL RCPT "<250 m\n250 r\n>DATA\n<354 d\n>x\n.\n<250 ok\n>" MAIL,
		    BOTH "DATA\nx\n.\n", TAKEN "250 r\n354 d\n250 ok\n" TAKEN, FOLLOW_COMMAND },
		/* others wait for its reply */
		{ ">" MAIL "NOOP\n", MAIL, TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL "NOOP\n<250 m\n250 n\n", MAIL "NOOP\n", TAKEN "250 n\n", FOLLOW_COMMAND },
		{ ">" MAIL "BDAT 1 LAST\n", MAIL, TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL "BDAT 1 LAST\n<250 m\n", MAIL, TAKEN, FOLLOW_LOST },
		{ ">" MAIL "NO|", MAIL, TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL "NO|<250 m\n", MAIL, TAKEN, FOLLOW_LOST },
		{ ">" MAIL RCPT "QUIT\n<250 m\n", BOTH, TAKEN, FOLLOW_COMMAND },
		{ ">" MAIL RCPT "QUIT\n<250 m\n250 r\n", BOTH, TAKEN "250 r\n", FOLLOW_QUIT },
		/* one that comes to nothing is not sent */
		{ ">" MAIL "QUIT\n", "", TAKEN, FOLLOW_QUIT },
		/* but the server may refuse these, and still has it */
		{ ">" MAIL "RSET\n<250 m\n450 r\n>" RCPT "<250 r\n", MAIL "RSET\n" RCPT,
		    TAKEN "450 r\n250 r\n", FOLLOW_COMMAND },
		{ ">" MAIL "EHLO b\n<250 m\n550 b\n>" RCPT "<250 r\n", MAIL "EHLO b\n" RCPT,
		    TAKEN "550 b\n250 r\n", FOLLOW_COMMAND },
		/* while other replies are owed it is sent as it is */
		{ ">NOOP\n" MAIL "<250 n\n250 m\n", "NOOP\n" MAIL, "250 n\n250 m\n", FOLLOW_COMMAND },
	};

	(void)state;
	rows_are_true(rows);
}

static void
a_refusal_of_mail_is_the_reply_to_its_recipients(void **state)
{
	static const struct row rows[] = {
		{ ">" MAIL RCPT "<451-no\n451 m\n", BOTH, TAKEN "451-no\n451 m\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<451 m\n503 r\n", BOTH, TAKEN "451 m\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT RCPT "DATA\n<451 m\n503 r\n503 r\n503 d\n", BOTH RCPT "DATA\n",
		    TAKEN "451 m\n451 m\n451 m\n", FOLLOW_COMMAND },
		/* also to those that come later, which the server does not get */
		{ ">" MAIL RCPT "<451 m\n503 r\n>" RCPT "DATA\n", BOTH,
		    TAKEN "451 m\n451 m\n451 m\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<451 m\n503 r\n>NOOP\n" RCPT "<250 n\n", BOTH "NOOP\n",
		    TAKEN "451 m\n250 n\n451 m\n", FOLLOW_COMMAND },
		{ ">" MAIL "NOOP\n<552 m\n250 n\n>" RCPT, MAIL "NOOP\n",
		    TAKEN "250 n\n552 m\n", FOLLOW_COMMAND },
		/* until another transaction */
		{ ">" MAIL RCPT "<451 m\n503 r\n>RSET\n" RCPT "<250 s\n503 r\n", BOTH "RSET\n" RCPT,
		    TAKEN "451 m\n250 s\n503 r\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<451 m\n503 r\n>" MAIL RCPT "<250 m\n250 r\n", BOTH BOTH,
		    TAKEN "451 m\n" TAKEN "250 r\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<451 m\n>" MAIL RCPT "<503 r\n250 m\n250 r\n", BOTH BOTH,
		    TAKEN "451 m\n250 m\n250 r\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<451 m\n503 r\n>EHLO b\n" RCPT "<250 b\n503 r\n",
		    BOTH "EHLO b\n" RCPT, TAKEN "451 m\n250 b\n503 r\n", FOLLOW_COMMAND },
		/* which AUTH does not begin */
		{ ">" MAIL RCPT "<451 m\n503 r\n>AUTH PLAIN\n<535 no\n>" RCPT, BOTH "AUTH PLAIN\n",
		    TAKEN "451 m\n535 no\n451 m\n", FOLLOW_COMMAND },
		/* QUIT waits for the replies that are dropped */
		{ ">" MAIL RCPT "QUIT\n<451 m\n", BOTH, TAKEN "451 m\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "QUIT\n<451 m\n503-r\n", BOTH, TAKEN "451 m\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "QUIT\n<451 m\n503-r\n503 r\n", BOTH, TAKEN "451 m\n", FOLLOW_QUIT },
	};

	(void)state;
	rows_are_true(rows);
}

/* It would take what follows for the message, or has said what nobody asked for. */
static void
a_server_that_does_as_it_likes_is_left(void **state)
{
	static const struct row rows[] = {
		{ ">" MAIL RCPT "DATA\n<451 m\n250 r\n354 d\n>RSET\n", BOTH "DATA\n",
		    TAKEN "451 m\n451 m\n", FOLLOW_BROKEN },
		{ ">" MAIL RCPT "<354 m\n250 r\n", BOTH, TAKEN, FOLLOW_BROKEN },
		/* it is unclear which command the next reply would answer */
		{ ">" MAIL RCPT "<what\n550 r\n>" RCPT, BOTH, TAKEN, FOLLOW_BROKEN },
		{ ">" MAIL RCPT RCPT "<what\n250 m\n550 r\n", BOTH RCPT, TAKEN, FOLLOW_BROKEN },
		{ ">" MAIL "<421 bye\n", "", TAKEN "421 bye\n", FOLLOW_BROKEN },
		/* it is not the reply to the next command, unless that has to wait, too */
		{ ">" MAIL "<550 bye\n>" RCPT, "", TAKEN, FOLLOW_BROKEN },
		{ ">" MAIL "<250 hello\n>" RCPT, "", TAKEN, FOLLOW_BROKEN },
		{ ">" MAIL "<42>" RCPT "<1 bye\n", "", TAKEN "421 bye\n", FOLLOW_BROKEN },
		{ "<42>" MAIL "<1 bye\n", MAIL, "421 bye\n", FOLLOW_COMMAND },
		{ ">" MAIL RCPT "<451 m\n503 r\n503 r\n>" RCPT, BOTH, TAKEN "451 m\n", FOLLOW_BROKEN },
	};

	(void)state;
	rows_are_true(rows);
}

/* Unread, the server would get recipients without a sender, or its replies would be misplaced. */
static void
after_a_refusal_nothing_passes_unread(void **state)
{
	static const struct row rows[] = {
		{ ">" MAIL RCPT "<451 m\n503 r\n>ETRN x\n" RCPT, BOTH, TAKEN "451 m\n", FOLLOW_BROKEN },
		{ ">" MAIL RCPT "<451 m\n503 r\n>RC|PT\n", BOTH, TAKEN "451 m\n", FOLLOW_BROKEN },
		{ ">" MAIL "NO|PT\n<451 m\n", MAIL, TAKEN, FOLLOW_BROKEN },
		{ ">" MAIL RCPT "<451 m\n503 r\n>NOOP\nETRN x\n<250 n\n", BOTH "NOOP\n",
		    TAKEN "451 m\n250 n\n", FOLLOW_BROKEN },
		/* a reply to be dropped that is none: how many there are is not known */
		{ ">" MAIL RCPT "<451 m\nwhat\n503 r\n>QUIT\n", BOTH, TAKEN "451 m\n", FOLLOW_QUIT },
		{ ">" MAIL RCPT "<451 m\nwhat\n503 r\n>RSET\n", BOTH, TAKEN "451 m\n", FOLLOW_BROKEN },
		{ ">" MAIL RCPT "<451 m\n421 r\n>RSET\n", BOTH, TAKEN "451 m\n", FOLLOW_BROKEN },
		/* the local MTA does not wait for a reply that does not come */
		{ ">" MAIL RCPT "<451 m\n>RSET\n<what\n503 r\n250 s\n", BOTH "RSET\n",
		    TAKEN "451 m\n", FOLLOW_BROKEN },
		{ ">" MAIL RCPT "<451 m\n>RSET\n<421 r\n", BOTH "RSET\n", TAKEN "451 m\n",
		    FOLLOW_BROKEN },
	};

	(void)state;
	rows_are_true(rows);
}

/* Its reply to another EHLO is not read. */
static void
another_ehlo_may_end_pipelining(void **state)
{
	static const struct row rows[] = {
		{ ">EHLO b\n<250 b\n>" MAIL "<250 m\n", "EHLO b\n" MAIL, "250 b\n250 m\n",
		    FOLLOW_COMMAND },
		{ ">" MAIL "HELO b\n<250 m\n250 b\n>" MAIL "<250 m\n", MAIL "HELO b\n" MAIL,
		    TAKEN "250 b\n250 m\n", FOLLOW_COMMAND },
	};

	(void)state;
	rows_are_true(rows);
}

static void
a_server_that_closes_has_answered_what_it_refused(void **state)
{
	static const char *const scripts[] = { ">" MAIL RCPT "DATA\n<421 m\n",
		">" MAIL RCPT "DATA\n<421 m\n503 r\n", ">" MAIL RCPT "DATA\n<451 m\n421 r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		start(true);
		play(scripts[i], false);
		assert_true(follow_left(&follow));
		assert_true(follow.stale);
		play(">QUIT\n", false);
		assert_int_equal(follow.state, FOLLOW_QUIT);
	}
	/* but not where a reply is owed */
	start(true);
	play(">" MAIL RCPT, false);
	assert_false(follow_left(&follow));
	play("<250 m\n", false);
	assert_false(follow_left(&follow));
}

/* There is room for one reply of the two. */
static void
refusals_that_have_no_room_wait(void **state)
{
	static uint8_t text[ROOM];

	(void)state;
	start(true);
	play(">" MAIL RCPT RCPT, false);
	buf_put(&io.to_local, span(text, buf_room(&io.to_local) - strlen("451 m\r\n") - 1));
	play("<451 m\n503 r\n503 r\n", true);
	assert_int_equal(buf_room(&io.to_local), 1);
	assert_true(follow_is_midway(&follow));
	buf_clear(&io.to_local);
	step();
	assert_span(buf_peek(&io.to_local), "451 m\r\n");
	assert_false(follow_is_midway(&follow));
	/* nor is MAIL answered without room */
	play(">RSET\n<250 r\n", false);
	buf_put(&io.to_local, span(text, buf_room(&io.to_local) - strlen("250 2.1.0 Ok\r\n") + 1));
	buf_clear(&io.to_wire);
	play(">" MAIL, false);
	assert_span(buf_peek(&io.to_wire), "MAIL a\r\n");
}

static void
the_end_of_the_local_mta_forgets_it(void **state)
{
	(void)state;
	start(true);
	play(">" MAIL, false);
	follow_local_ended(&follow, &io);
	assert_int_equal(buf_len(&io.from_local), 0);
	play(">NOOP\n", false);
	assert_span(buf_peek(&io.to_wire), "NOOP\r\n");
	follow_local_ended(&follow, &io);
	assert_span(buf_peek(&io.to_wire), "NOOP\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_goes_with_the_next_command),
		cmocka_unit_test(a_refusal_of_mail_is_the_reply_to_its_recipients),
		cmocka_unit_test(a_server_that_does_as_it_likes_is_left),
		cmocka_unit_test(after_a_refusal_nothing_passes_unread),
		cmocka_unit_test(another_ehlo_may_end_pipelining),
		cmocka_unit_test(a_server_that_closes_has_answered_what_it_refused),
		cmocka_unit_test(refusals_that_have_no_room_wait),
		cmocka_unit_test(the_end_of_the_local_mta_forgets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
