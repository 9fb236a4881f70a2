/* Following a dialogue that passes through, to find its QUIT. */
#include "follows.h"

struct row {
	const char *script;		/* `|` is a bare LF */
	enum follow_state state;
	unsigned owed;
	const char *left;		/* what the local MTA has said and is held back */
};

static void
assert_row(const struct row *row)
{
	for (int single = 0; single < 2; single++) {
		start(false);
		play(row->script, single);
		if (follow.state != row->state || (row->state != FOLLOW_LOST &&
		    follow.owed != row->owed))
			fail_msg("%s: %s, %u owed", row->script, follow_state_name(follow.state),
			    follow.owed);
		if (row->state != FOLLOW_LOST)
			assert_span(buf_peek(&io.from_local), row->left);
	}
}

static void
quit_is_found_where_all_is_answered(void **state)
{
	static const struct row rows[] = {
		{ ">QUIT\n", FOLLOW_QUIT, 0, "QUIT\r\n" },
		{ "> quit \n", FOLLOW_QUIT, 0, " quit \r\n" },
		{ ">QUI", FOLLOW_COMMAND, 0, "QUI" },
		{ ">NOOP\nQUIT\n", FOLLOW_COMMAND, 1, "QUIT\r\n" },
		{ ">NOOP\nQUIT\n<250-a\n", FOLLOW_COMMAND, 1, "QUIT\r\n" },
		{ ">NOOP\nQUIT\n<250-a\n250 b\n", FOLLOW_QUIT, 0, "QUIT\r\n" },
		{ ">NOOP\nQUIT\n<250 a\n421 b\n", FOLLOW_QUIT, 0, "QUIT\r\n" },
		{ ">NOOP\n<250|", FOLLOW_COMMAND, 0, "" },
		{ ">MAIL a\nRCPT b\nRCPT c\n<250 a\n550 b\n", FOLLOW_COMMAND, 1, "" },
		{ ">MAIL a\nRSET\n<550-5\n550 a\n250 r\n>QUIT\n", FOLLOW_QUIT, 0, "QUIT\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(&rows[i]);
}

static void
a_quit_in_a_message_is_none(void **state)
{
	static const struct row rows[] = {
		{ ">DATA\nQUIT\n", FOLLOW_WAITS, 1, "QUIT\r\n" },
		{ ">DATA\nQUIT\n<354-go\n", FOLLOW_WAITS, 1, "QUIT\r\n" },
		{ ">DATA\nQUIT\n<354 go\n", FOLLOW_MESSAGE, 0, "" },
		{ ">DATA\nQUIT\n..\n\n.|.\r", FOLLOW_WAITS, 1, "QUIT\r\n..\r\n\r\n.\n.\r" },
		{ ">DATA\n<354 go\n>QUIT\n..\n\n.|QUIT\n", FOLLOW_MESSAGE, 0, "" },
		{ ">DATA\n<354 go\n>.\nQUIT\n", FOLLOW_COMMAND, 1, "QUIT\r\n" },
		{ ">DATA\n<354 go\n>QUIT\n.\nQUIT\n<250 ok\n", FOLLOW_QUIT, 0, "QUIT\r\n" },
		{ ">DATA\n<354 go\n>QUIT\n.\nQUIT\n<554 no\n", FOLLOW_QUIT, 0, "QUIT\r\n" },
		{ ">MAIL\nRCPT\nDATA\n<250 m\n250 r\n354 go\n>x\n.\nMAIL\n<250 ok\n",
		    FOLLOW_COMMAND, 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(&rows[i]);
}

static void
authentication_is_followed(void **state)
{
	static const struct row rows[] = {
		{ ">AUTH PLAIN x\nQUIT\n", FOLLOW_WAITS, 1, "QUIT\r\n" },
		{ ">AUTH LOGIN\n<334 u\n>QUIT\n", FOLLOW_WAITS, 1, "" },
		{ ">AUTH LOGIN\n<334 u\n>QUIT\nQUIT\n<334 p\n", FOLLOW_WAITS, 1, "" },
		/* what follows may be a security layer */
		{ ">AUTH LOGIN\n<334 u\n>x\n<334 p\n>y\n<235 ok\n", FOLLOW_LOST, 0, NULL },
		{ ">AUTH LOGIN\n<504 no\n>QUIT\n", FOLLOW_QUIT, 0, "QUIT\r\n" },
		{ ">AUTH LOGIN\n<250 what\n", FOLLOW_LOST, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(&rows[i]);
}

/* After a surprise nothing more is taken, so that everything goes on unread. */
static void
surprises_make_it_lost(void **state)
{
	static const char *const scripts[] = { ">ETRN x\n", ">BDAT 3 LAST\n", ">STARTTLS\n", ">\n",
		">XCRYPT\n", ">MAIL|", ">NOOP\nMA|IL\n", "<250 what\n", "<421 bye\n", ">NOOP\n<x\n",
		">NOOP\n<250 a\n250 b\n", ">NOOP\n<25\n", ">NOOP\n<2500 x\n", ">NOOP\n<\n",
		">DATA\n<250 ok\n", ">DATA\n<503 no\n", ">DATA\n<354 go\n>x\n<250 early\n",
		">MAIL\nDATA\n<250 m\n250 again\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(scripts); i++) {
		const struct row row = { scripts[i], FOLLOW_LOST, 0, NULL };

		assert_row(&row);
		buf_put(&io.from_local, SPAN("QUIT\r\n"));
		size_t before = buf_len(&io.from_local);
		step();
		assert_int_equal(buf_len(&io.from_local), before);
		assert_int_equal(follow.state, FOLLOW_LOST);
	}
}

/* A line is passed on whole or not at all, a message as far as it fits. */
static void
what_has_no_room_waits(void **state)
{
	static uint8_t text[ROOM];

	(void)state;
	start(false);
	memset(text, 'x', sizeof(text));
	buf_put(&io.to_wire, span(text, ROOM - 6));
	play(">NOOP x\n", true);
	assert_span(buf_peek(&io.from_local), "NOOP x\r\n");
	assert_int_equal(follow.owed, 0);
	buf_take(&io.to_wire, 2);
	step();
	assert_int_equal(buf_len(&io.from_local), 0);
	assert_int_equal(follow.owed, 1);
	buf_clear(&io.to_wire);
	play("<250 ok\n>DATA\n<354 go\n", true);
	buf_put(&io.to_wire, span(text, buf_room(&io.to_wire) - 3));
	play(">12345", false);
	assert_span(buf_peek(&io.from_local), "45");
	/* and the other way */
	buf_clear(&io.to_wire);
	play(">\n.\n", false);
	buf_put(&io.to_local, span(text, buf_room(&io.to_local) - 5));
	play("<250 ok\n", false);
	assert_int_equal(follow.owed, 1);
	buf_clear(&io.to_local);
	step();
	assert_int_equal(follow.owed, 0);
	assert_span(buf_peek(&io.to_local), "k\r\n");
}

/* A line too long for a command is not waited for. */
static void
endless_lines_make_it_lost(void **state)
{
	static char text[LINE_MAX_OCTETS + 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, ">NOOP ", 6);
	assert_row(&(struct row){ text, FOLLOW_LOST, 0, NULL });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quit_is_found_where_all_is_answered),
		cmocka_unit_test(a_quit_in_a_message_is_none),
		cmocka_unit_test(authentication_is_followed),
		cmocka_unit_test(surprises_make_it_lost),
		cmocka_unit_test(what_has_no_room_waits),
		cmocka_unit_test(endless_lines_make_it_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
