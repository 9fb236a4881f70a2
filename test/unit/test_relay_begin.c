/* The relay at the beginning of a message: after a reply, with or without a trace line. */
#include "relays.h"

/* statement 1: the backend gets no octets before its reply, so it could not detect an injection */
static void
threat_1_nothing_may_follow_ehlo_or_data_in_a_packet(void **state)
{
	static const char *const commands[] = { "EHLO a\r\nR", "HELO a\r\nRSET\r\n", "DATA\r\nx" };

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		relay_inside();
		bench_wire(&bench, commands[i]);
		assert_wire(&bench, "503 5.5.1 Improper command pipelining\r\n");
		assert_int_equal(bench.io.end, OUTCOME_GROUPED);
		relay_wipe(&relay);
	}
	relay_inside();
	bench_wire(&bench, "MAIL FROM:<>\r\nDATA\r\n.\r\nQUIT\r\n");
	assert_local(&bench, "MAIL FROM:<>\r\nDATA\r\n");
	assert_wire(&bench, "");
	bench_local(&bench, "250 ok\r\n354 go\r\n");
	assert_wire(&bench, "250 ok\r\n503 5.5.1 Improper command pipelining\r\n");
	assert_int_equal(bench.io.end, OUTCOME_GROUPED);
	relay_wipe(&relay);
	/* also if they come in a packet of their own; after the reply they are the message */
	relay_inside();
	bench_wire(&bench, "DATA\r\n");
	bench_wire(&bench, ".");
	assert_int_equal(bench.io.end, OUTCOME_GROUPED);
	relay_wipe(&relay);
	relay_inside();
	bench_wire(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n");
	bench_wire(&bench, ".");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
}

/*
 * statement 8: a first line whose meaning a trace line would change stays first, however it is
 * cut
 */
static void
threat_8_a_first_line_that_would_change_has_no_trace_line(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "DATA\r\n", "", "DATA\r\n" },
		{ MAILER, "354 go\r\n", "354 go\r\n", "" },
		{ CLIENT, " x: y\r\n.\r\n", "", " x: y\r\n.\r\n" },
		{ MAILER, "250 ok\r\n", "250 ok\r\n", "" },
		{ CLIENT, "DATA\r\n", "", "DATA\r\n" },
		{ MAILER, "354 go\r\n", "354 go\r\n", "" },
		{ CLIENT, ">From a\r\n.\r\n", "", ">From a\r\n.\r\n" },
		{ MAILER, "250 ok\r\n", "250 ok\r\n", "" },
		{ CLIENT, "BDAT 3\r\n\tx\nBDAT 7 LAST\r\nFrom a\n", "", "BDAT 3\r\n\tx\n" },
		{ MAILER, "250 ok\r\n", "250 ok\r\n", "BDAT 7 LAST\r\nFrom a\n" },
		{ MAILER, "250 ok\r\n", "250 ok\r\n", "" },
		{ CLIENT, "BDAT 9 LAST\r\nFrom a@b\nNOOP\r\n", "",
		    "BDAT 9 LAST\r\nFrom a@b\nNOOP\r\n" },
	};

	(void)state;
	relay_set.mark = true;
	relay_plays_cut(relay_inside, turns, COUNT(turns));
}

/* The first line may be the whole message. */
static void
a_message_that_begins_like_another_has_its_trace_line(void **state)
{
	static const char *const begins[] = {
		"DATA\r\n", "BDAT 4 LAST\r\nFrom", "BDAT 1\r\n>", "BDAT 9\r\nFr", "BDAT 0 LAST\r\n",
	};

	(void)state;
	relay_set.mark = true;
	for (size_t i = 0; i < COUNT(begins); i++) {
		relay_inside();
		bench_wire(&bench, begins[i]);
		if (i == 0) {
			bench_local(&bench, "354 go\r\n");
			bench_wire(&bench, "Fro");
			assert_local(&bench, "DATA\r\n");
			assert_int_equal(bench.io.wait, WAIT_DATA);
		}
		bench_wire_eof(&bench);
		struct span said = bench_said_local(&bench);
		assert_true(said.len > 100);
		relay_wipe(&relay);
	}
}

/*
 * statement 11: an empty chunk that the backend refuses gets no trace line; the next message does
 */
static void
threat_11_an_empty_chunk_stays_empty(void **state)
{
	(void)state;
	relay_set.mark = true;
	relay_inside();
	bench_wire(&bench, "BDAT 0\r\n");
	assert_local(&bench, "BDAT 0\r\n");
	bench_local(&bench, "250 ok\r\n");
	bench_wire(&bench, "BDAT 1 LAST\r\nx");
	struct span said = bench_said_local(&bench);
	assert_true(span_starts(span_from(said, strlen("BDAT 123 LAST\r\n")), SPAN("Received: ")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(threat_1_nothing_may_follow_ehlo_or_data_in_a_packet),
		with_relay(threat_8_a_first_line_that_would_change_has_no_trace_line),
		with_relay(a_message_that_begins_like_another_has_its_trace_line),
		with_relay(threat_11_an_empty_chunk_stays_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
