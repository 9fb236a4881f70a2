/* The questions that `blackponyd -t` asks a backend, and what the answers mean. */
#include "machine.h"

#include "smtp/dialog.h"
#include "smtp/probe.h"

static struct bench bench;
static struct probe probe;

static void
probe_up(void)
{
	probe_start(&probe, "b.example");
	bench_start(&bench, (struct machine){ &probe, probe_step, dialog_fault });
}

/* Asks all questions and asserts the result. */
static void
assert_asked(const char *mail, const char *rcpt, bool relays, const char *said, const char *asked)
{
	for (size_t cut = 0; cut < 12; cut++) {
		probe_up();
		bench_cut(&bench, cut);
		bench_wire(&bench, "220-b\r\n220 b\r\n");
		assert_wire(&bench, "EHLO b.example\r\n");
		bench_wire(&bench, "250-b\r\n250 PIPELINING\r\n");
		assert_wire(&bench, "MAIL FROM:<>\r\n");
		bench_wire(&bench, mail);
		if (rcpt != NULL) {
			assert_wire(&bench, "RCPT TO:<relay-test@example.com>\r\n");
			bench_wire(&bench, rcpt);
		}
		assert_wire(&bench, asked);
		if (relays) {
			bench_wire(&bench, "250 reset\r\n");
			assert_wire(&bench, "QUIT\r\n");
		}
		bench_wire(&bench, "221 bye\r\n");
		assert_int_equal(bench.io.end, OUTCOME_DONE);
		assert_int_equal(probe.relays, relays);
		assert_string_equal(probe.said, said);
		assert_local(&bench, "");
	}
}

/* statement 31 */
static void
threat_31_an_open_relay_is_found(void **state)
{
	(void)state;
	assert_asked("250 m\r\n", "250 r\r\n", true, "250 r", "RSET\r\n");
	assert_asked("250 m\r\n", "251 r\r\n", true, "251 r", "RSET\r\n");
}

static void
threat_31_a_refusal_is_one(void **state)
{
	(void)state;
	assert_asked("250 m\r\n", "550-no\r\n550 5.7.1 no\r\n", false, "550 5.7.1 no", "QUIT\r\n");
	assert_asked("250 m\r\n", "451 later\x07\r\n", false, "451 later?", "QUIT\r\n");
	assert_asked("530 m\r\n", NULL, false, "530 m", "QUIT\r\n");
}

static void
what_is_said_is_cut(void **state)
{
	static char reply[1024];

	(void)state;
	for (size_t len = sizeof(probe.said) - 2; len <= sizeof(probe.said) + 1; len++) {
		memset(reply, 'x', len);
		memcpy(reply, "550 ", 4);
		strcpy(reply + len, "\r\n");
		probe_up();
		bench_wire(&bench, "220 b\r\n250 b\r\n");
		bench_wire(&bench, reply);
		assert_int_equal(strlen(probe.said),
		    len < sizeof(probe.said) ? len : sizeof(probe.said) - 1);
	}
}

static void
a_backend_that_does_not_answer_is_an_error(void **state)
{
	static const struct {
		const char *says;
		bool then_eof;
		enum outcome end;
	} rows[] = {
		{ "554 no\r\n", false, OUTCOME_BAD_REPLY },
		{ "421 no\r\n", false, OUTCOME_BAD_REPLY },
		{ "220 b\r\n502 what?\r\n", false, OUTCOME_BAD_REPLY },
		{ "hello\r\n", false, OUTCOME_BAD_REPLY },
		{ "", true, OUTCOME_WIRE_GONE },
		{ "220 b\r\n250 b\r\n", true, OUTCOME_WIRE_GONE },
		{ "220 b\r\n250 b\r\n550 m\r\n", true, OUTCOME_DONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		probe_up();
		bench_wire(&bench, rows[i].says);
		if (rows[i].then_eof)
			bench_wire_eof(&bench);
		assert_int_equal(bench.io.end, rows[i].end);
		assert_false(probe.relays);
	}
	probe_up();
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_int_equal(bench.io.end, OUTCOME_TIMEOUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_31_an_open_relay_is_found),
		cmocka_unit_test(threat_31_a_refusal_is_one),
		cmocka_unit_test(what_is_said_is_cut),
		cmocka_unit_test(a_backend_that_does_not_answer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
