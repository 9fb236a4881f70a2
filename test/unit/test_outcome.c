#include "unit.h"

#include "smtp/outcome.h"

static void
every_ending_has_its_row(void **state)
{
	(void)state;
	for (int end = OUTCOME_NONE; end < OUTCOME_COUNT; end++) {
		const struct outcome_row *row = outcome_row((enum outcome)end);

		assert_non_null(row->log);
		assert_non_null(row->text);
		assert_non_null(row->status);
		assert_null(strpbrk(row->log, " ="));
		for (int other = 0; other < end; other++)
			assert_string_not_equal(row->log, outcome_row((enum outcome)other)->log);
	}
}

/* A message is lost only by the remote host's decision; otherwise it waits. */
static void
exit_codes_are_an_interface(void **state)
{
	(void)state;
	for (int end = OUTCOME_NONE; end < OUTCOME_COUNT; end++) {
		const struct outcome_row *row = outcome_row((enum outcome)end);
		bool sent = end == OUTCOME_DONE || end == OUTCOME_SENT;
		bool refused = end == OUTCOME_REFUSED_FOR_GOOD;
		int code = sent ? EXIT_SENT : refused ? EXIT_REFUSED : EXIT_LATER;

		assert_int_equal(row->exit_code, code);
		assert_int_equal(row->status[0], sent ? '2' : code == EXIT_LATER ? '4' : '5');
	}
	assert_int_equal(EXIT_NO_USER, 67);
	assert_int_equal(EXIT_NO_HOST, 68);
	assert_int_equal(EXIT_REFUSED, 69);
	assert_int_equal(EXIT_LATER, 75);
}

static void
the_status_is_the_replys_own(void **state)
{
	static const struct {
		unsigned code;
		const char *text, *status;
	} rows[] = {
		{ 550, "5.1.1 no such user", "5.1.1" }, { 550, "5.1.1", "5.1.1" },
		{ 250, "2.0.0 ok", "2.0.0" }, { 451, "4.123.999 x", "4.123.999" },
		{ 550, "5.1234.1 x", "5.0.0" }, { 550, "5.1.1234 x", "5.0.0" },
		{ 550, "55.1.1 x", "5.0.0" }, { 550, "5.1 x", "5.0.0" }, { 550, "5.1. x", "5.0.0" },
		{ 550, "5..1 x", "5.0.0" }, { 550, ".1.1 x", "5.0.0" }, { 550, "5.1.1x", "5.0.0" },
		{ 550, "5.1.1.1 x", "5.0.0" }, { 550, "", "5.0.0" }, { 550, " 5.1.1", "5.0.0" },
		{ 550, "x 5.1.1", "5.0.0" }, { 550, "5.1.1\tx", "5.0.0" },
		/* an enhanced code of another class than the reply is ignored */
		{ 550, "4.1.1 x", "5.0.0" }, { 450, "5.1.1 x", "4.0.0" }, { 354, "go", "3.0.0" },
	};
	char status[13];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		outcome_status(status, rows[i].code, span_of(rows[i].text));
		assert_string_equal(status, rows[i].status);
	}
}

static void
a_refusal_says_what_does_not_exist(void **state)
{
	static const struct {
		unsigned code;
		const char *text;
		int exit_code;
	} rows[] = {
		{ 550, "5.1.1 no such user", EXIT_NO_USER }, { 550, "5.1.2 no host", EXIT_NO_HOST },
		{ 550, "5.1.10 null MX", EXIT_NO_USER }, { 550, "5.1.20 x", EXIT_NO_USER },
		{ 550, "no such user", EXIT_NO_USER }, { 551, "moved", EXIT_NO_USER },
		{ 553, "that name", EXIT_NO_USER }, { 550, "5.7.1 not you", EXIT_REFUSED },
		{ 552, "5.2.2 full", EXIT_REFUSED }, { 554, "no", EXIT_REFUSED },
		{ 554, "5.1.1 no", EXIT_NO_USER }, { 550, "5.11.1 x", EXIT_REFUSED },
		{ 550, "5.1.7 sender", EXIT_REFUSED }, { 550, "5.1.8 sender", EXIT_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(outcome_refusal_exit(rows[i].code, span_of(rows[i].text), true),
		    rows[i].exit_code);
		/* in reply to MAIL, DATA or the message */
		assert_int_equal(outcome_refusal_exit(rows[i].code, span_of(rows[i].text), false),
		    EXIT_REFUSED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ending_has_its_row),
		cmocka_unit_test(exit_codes_are_an_interface),
		cmocka_unit_test(the_status_is_the_replys_own),
		cmocka_unit_test(a_refusal_says_what_does_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
