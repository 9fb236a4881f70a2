/* Messages through the relay: they arrive unchanged, and end where they end. */
#include "relays.h"

#include "base/clock.h"

static const struct span smuggled[] = {
	{ (const uint8_t *)"\n.\n", 3 }, { (const uint8_t *)"\r.\r", 3 },
	{ (const uint8_t *)"\r.\n", 3 }, { (const uint8_t *)"\n.\r", 3 },
	{ (const uint8_t *)"\n.\r\n", 4 }, { (const uint8_t *)"\r\n.\n", 4 },
	{ (const uint8_t *)"\r.\r\n", 4 }, { (const uint8_t *)"\r\n.\r", 4 },
	{ (const uint8_t *)"\r\n\0.\r\n", 6 }, { (const uint8_t *)"\r\n.\0\r\n", 6 },
};

static void
assert_octets(struct span got, struct span expected)
{
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(got.at, expected.at, expected.len);
}

/* statements 8 and 10: text and not an end, so what follows is no command */
static void
threat_8_what_is_no_end_passes_as_it_is(void **state)
{
	uint8_t mem[128];
	struct buf text;

	(void)state;
	for (size_t i = 0; i < COUNT(smuggled); i++) {
		buf_init(&text, mem, sizeof(mem));
		buf_put(&text, SPAN("a"));
		buf_put(&text, smuggled[i]);
		buf_put(&text, SPAN("MAIL FROM:<>\r\nSTARTTLS\r\nXCRYPT\r\nDATA\r\nQUIT\r\n"));
		for (size_t cut = 0; cut < 16; cut++) {
			relay_in_data();
			bench_cut(&bench, cut);
			bench_wire_octets(&bench, buf_peek(&text));
			assert_octets(bench_said_local(&bench), buf_peek(&text));
			assert_wire(&bench, "");
			assert_int_equal(relay.queue_len, 0);
			bench_wire(&bench, "\r\n.\r\n");
			assert_local(&bench, "\r\n.\r\n");
			assert_int_equal(relay.queue_len, 1);
			relay_wipe(&relay);
		}
	}
}

/* statement 8: all octet values, a line of a megabyte, no newline before the final dot */
static void
threat_8_octets_out_are_octets_in(void **state)
{
	static uint8_t line[1 << 20];

	(void)state;
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = (uint8_t)(i % 256 == '\r' ? 'r' : i);
	relay_in_data();
	struct span left = span(line, sizeof(line) - 4096);
	while (left.len > 0) {
		size_t len = left.len < 4096 ? left.len : 4096;
		assert_int_equal(bench_wire_octets(&bench, span(left.at, len)), len);
		assert_octets(bench_said_local(&bench), span(left.at, len));
		left = span_from(left, len);
	}
	bench_wire(&bench, "\r\n.\r\n");
	assert_int_equal(relay.queue_len, 1);
}

/* statement 10: as many messages out as in */
static void
threat_10_messages_are_counted(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "DATA\r\n", "", "DATA\r\n" },
		{ MAILER, "354 go\r\n", "354 go\r\n", "" },
		{ CLIENT, ".\r\nDATA\r\n", "", ".\r\n" },
		{ MAILER, "250 one\r\n", "250 one\r\n", "DATA\r\n" },
		{ MAILER, "354 go\r\n", "354 go\r\n", "" },
		{ CLIENT, "a\r\n.\r\n", "", "a\r\n.\r\n" },
		{ MAILER, "550 not that\r\n", "550 not that\r\n", "" },
		{ CLIENT, "DATA\r\n", "", "DATA\r\n" },
		{ MAILER, "503 no\r\n", "503 no\r\n", "" },
		{ CLIENT, "RSET\r\nDATA\r\n", "", "RSET\r\nDATA\r\n" },
		{ MAILER, "250 r\r\n354 go\r\n", "250 r\r\n354 go\r\n", "" },
		{ CLIENT, "b\r\n.\r\n", "", "b\r\n.\r\n" },
		{ MAILER, "250-t\r\n250 two\r\n", "250-t\r\n250 two\r\n", "" },
	};

	(void)state;
	relay_plays_cut(relay_inside, turns, COUNT(turns));
	assert_int_equal(relay.messages, 2);
}

/* statement 10: the backend saw an end that the relay did not */
static void
threat_10_an_answer_inside_a_message_ends_the_session(void **state)
{
	(void)state;
	relay_in_data();
	bench_wire(&bench, "a\n.\nMAIL FROM:<evil>");
	bench_local(&bench, "250 queued\r\n");
	assert_int_equal(bench.io.end, OUTCOME_EARLY_REPLY);
	assert_wire(&bench, "");
	relay_wipe(&relay);

	relay_in_data();
	bench_local(&bench, "421 4.3.2 I go\r\n");
	assert_int_equal(bench.io.end, OUTCOME_EARLY_REPLY);
	assert_wire(&bench, "421 4.3.2 I go\r\n");
	relay_wipe(&relay);

	/* directly after 354, before the message */
	relay_inside();
	bench_wire(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n250 queued\r\n");
	assert_int_equal(bench.io.end, OUTCOME_EARLY_REPLY);
	assert_wire(&bench, "354 go\r\n");
}

/* The relay knows the end, but the backend cannot have seen it yet. */
static void
threat_10_an_answer_before_the_end_has_left_is_early(void **state)
{
	(void)state;
	relay_in_data();
	bench.local_stuck = true;
	bench_wire(&bench, "a\r\n.\r\n");
	assert_int_equal(relay.queue_len, 1);
	buf_take(&bench.io.to_local, buf_len(&bench.io.to_local) - 1);
	bench_local(&bench, "250 queued\r\n");
	assert_int_equal(bench.io.end, OUTCOME_EARLY_REPLY);
	relay_wipe(&relay);

	relay_in_data();
	bench.local_stuck = true;
	bench_wire(&bench, "a\r\n.\r\n");
	buf_take(&bench.io.to_local, buf_len(&bench.io.to_local));
	bench_local(&bench, "250 queued\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	assert_wire(&bench, "250 queued\r\n");
}

static void
a_client_that_goes_inside_a_message_leaves_none(void **state)
{
	(void)state;
	relay_in_data();
	bench_wire(&bench, "a\r\n.\r");
	bench_wire_eof(&bench);
	assert_true(bench.io.shut_local);
	assert_local(&bench, "a\r\n.\r");
	assert_int_equal(relay.messages, 0);
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
}

/* The trace line in front of a message. */
static void
trace_line(char *out, size_t cap, const char *date)
{
	snprintf(out, cap, "Received: from a.example ([192.0.2.1]) by mx.b.example\r\n"
	    "    with ESMTP (XCRYPT chacha20poly1305_2.0); %s\r\n", date);
}

static void
the_trace_line_goes_in_front_of_a_message(void **state)
{
	char date[CLOCK_DATE_MAX], trace[256], want[1024];

	(void)state;
	relay_set.mark = true;
	relay_inside();
	bench.io.wall_s = 1800000000;
	clock_date(date, bench.io.wall_s);
	trace_line(trace, sizeof(trace), date);
	bench_wire(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n");
	bench_wire(&bench, ".\r\n");
	bench_local(&bench, "250 ok\r\n");
	bench_wire(&bench, "BDAT 2\r\n.\rBDAT 0 LAST\r\n");
	bench_local(&bench, "250 ok\r\n");
	snprintf(want, sizeof(want), "DATA\r\n%s.\r\nBDAT %zu\r\n%s.\rBDAT 0 LAST\r\n", trace,
	    strlen(trace) + 2, trace);
	assert_local(&bench, want);
}

/* statement 15 */
static void
threat_15_the_clients_name_is_one_in_the_trace_line(void **state)
{
	(void)state;
	relay_set.mark = true;
	relay_inside();
	bench_wire(&bench, "HELO x (y) <z>:\tX: \xe9\r\n");
	bench_local(&bench, "250 mx\r\n");
	bench_wire(&bench, "DATA\r\n");
	bench_said_local(&bench);
	bench_local(&bench, "354 go\r\n");
		assert_local(&bench, "");	/* sent together with what follows */
	bench_wire(&bench, "x");
	struct span said = bench_said_local(&bench);
	assert_true(span_starts(said, SPAN("Received: from x??y???z?:?X:?? ([192.0.2.1]) by "
	    "mx.b.example\r\n    with SMTP (XCRYPT ")));
}

/* statement 11: counted to the octet, however it is cut */
static void
threat_11_chunks_are_counted(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "BDAT 4\r\n.\r\n.BDAT 0\r\nbdat  LAST\r\n", "",
		    "BDAT 4\r\n.\r\n.BDAT 0\r\n" },
	};
	static const struct turn good[] = {
		{ CLIENT, "BDAT 0\r\nBDAT 00007\r\nQUIT\r\n\nBDAT 1 last\r\n\nRSET\r\n", "",
		    "BDAT 0\r\nBDAT 7\r\nQUIT\r\n\nBDAT 1 LAST\r\n\nRSET\r\n" },
		{ MAILER, "250 0\r\n250 7\r\n250 all\r\n250 r\r\n",
		    "250 0\r\n250 7\r\n250 all\r\n250 r\r\n", "" },
		{ CLIENT, "BDAT 0 LAST\r\nBDAT 2  LAST \r\n..NOOP\r\n", "",
		    "BDAT 0 LAST\r\nBDAT 2 LAST\r\n..NOOP\r\n" },
		{ MAILER, "250 a\r\n550 b\r\n250 c\r\n", "250 a\r\n550 b\r\n250 c\r\n", "" },
	};

	(void)state;
	relay_plays_cut(relay_inside, good, COUNT(good));
	assert_int_equal(relay.messages, 2);
	relay_plays_cut(relay_inside, turns, COUNT(turns));
}

/* statement 11: without a valid size nobody knows what follows, so the session ends */
static void
threat_11_invalid_sizes_end_the_session(void **state)
{
	static const char *const sizes[] = {
		"BDAT",
		"BDAT ",
		"BDAT LAST",
		"BDAT -1",
		"BDAT +1",
		"BDAT 0x10",
		"BDAT 1.0",
		"BDAT 1a",
		"BDAT 9223372036854774784",
		"BDAT 9223372036854775808",
		"BDAT 18446744073709551616 LAST",
		"BDAT 5 LASTS",
		"BDAT 5 LAST LAST",
		"BDAT 5 FIRST",
		"BDAT 5\tLAST",
		"BDAT 1,000",
		"BDAT \xb2",
		"BDAT 99999999999999999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		relay_inside();
		bench_wire(&bench, sizes[i]);
		bench_wire(&bench, "\r\nQUIT\r\n");
		assert_wire(&bench, "501 5.5.4 Invalid BDAT chunk size\r\n");
		assert_local(&bench, "");
		assert_int_equal(bench.io.end, OUTCOME_BAD_CHUNK);
		relay_wipe(&relay);
	}
	relay_inside();
	bench_wire_octets(&bench, SPAN("BDAT 5\0LAST\r\nQUIT\r\n"));
	assert_local(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_BAD_CHUNK);
}

/* statement 11: more than 32 bits, and the largest number */
static void
threat_11_large_sizes_are_carried(void **state)
{
	static const struct {
		const char *says, *local;
		uint64_t left;
	} rows[] = {
		{ "BDAT 2147483648\r\nQUIT\r\n", "BDAT 2147483648\r\nQUIT\r\n", 2147483642 },
		{ "BDAT 4294967296\r\nQUIT\r\n", "BDAT 4294967296\r\nQUIT\r\n", 4294967290 },
		{ "BDAT 9223372036854774783 LAST\r\nQUIT\r\n",
		    "BDAT 9223372036854774783 LAST\r\nQUIT\r\n", 9223372036854774777 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		relay_inside();
		bench_wire(&bench, rows[i].says);
		assert_local(&bench, rows[i].local);
		assert_true(relay.chunk_left == rows[i].left);
		relay_wipe(&relay);
	}
	/* with the trace line added, the size must still fit into 64 bits */
	relay_set.mark = true;
	relay_inside();
	bench_wire(&bench, "BDAT 9223372036854774783\r\nx");
	assert_true(span_starts(bench_said_local(&bench), SPAN("BDAT 922337203685477")));
	assert_true(relay.chunk_left <= INT64_MAX);
}

/* statement 11: if chunks are not offered, mailers differ about what follows */
static void
threat_11_chunks_that_are_not_offered_end_the_session(void **state)
{
	(void)state;
	relay_encrypts();
	bench_local(&bench, "250-mx\r\n250 PIPELINING\r\n");
	bench_said_wire(&bench);
	bench_said_local(&bench);
	bench_wire(&bench, "BDAT 6\r\nNOOP\r\n");
	assert_wire(&bench, "502 5.5.1 CHUNKING not offered\r\n");
	assert_local(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_BAD_CHUNK);
}

/* One trace line in a message: not in its second chunk, but again after RSET and after LAST. */
static void
a_message_in_chunks_has_one_trace_line(void **state)
{
	static const char *const begins[] = { "", "BDAT 0 LAST\r\n", "BDAT 1\r\nxRSET\r\n",
		"BDAT 1\r\nxEHLO b\r\n" };

	(void)state;
	relay_set.mark = true;
	for (size_t i = 0; i < COUNT(begins); i++) {
		relay_inside();
		bench_wire(&bench, begins[i]);
		bench_local(&bench, i > 0 ? "250 1\r\n" : "");
		bench_local(&bench, i > 1 ? "250-2\r\n250 CHUNKING\r\n" : "");
		bench_said_local(&bench);
		bench_wire(&bench, "BDAT 1\r\nyBDAT 0\r\n");
		struct span said = bench_said_local(&bench);
		assert_true(span_starts(span_from(said, strlen("BDAT 123\r\n")),
		    SPAN("Received: ")));
		assert_memory_equal(said.at + said.len - 9, "yBDAT 0\r\n", 9);
		bench_wire(&bench, "NOOP\r\nBDAT 0\r\n");
		assert_local(&bench, "NOOP\r\nBDAT 0\r\n");
		relay_wipe(&relay);
	}
}

/* statement 26: renewed by each block, not by single octets */
static void
threat_26_the_deadline_of_a_message_goes_by_blocks(void **state)
{
	static uint8_t block[IO_BLOCK];

	(void)state;
	memset(block, 'a', sizeof(block));
	relay_in_data();
	assert_int_equal(bench.io.wait, WAIT_DATA);
	uint64_t before = bench.io.progress;
	bench_wire_octets(&bench, span(block, IO_BLOCK - 1));
	assert_int_equal(bench.io.progress, before);
	bench_wire(&bench, "a");
	assert_true(bench.io.progress > before);
	bench_wire(&bench, "\r\n.\r\n");
	assert_int_equal(bench.io.wait, WAIT_FINAL);
	bench_local(&bench, "250 ok\r\n");
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
}

static void
threat_26_the_deadline_of_a_chunk_too(void **state)
{
	static uint8_t block[IO_BLOCK];

	(void)state;
	memset(block, 'a', sizeof(block));
	relay_inside();
	bench_wire(&bench, "BDAT 20000 LAST\r\n");
	assert_int_equal(bench.io.wait, WAIT_DATA);
	uint64_t before = bench.io.progress;
	bench_wire_octets(&bench, span(block, IO_BLOCK - 1));
	assert_int_equal(bench.io.progress, before);
	bench_wire(&bench, "a");
	assert_true(bench.io.progress > before);
	bench_wire_octets(&bench, span(block, 20000 - IO_BLOCK));
	assert_int_equal(bench.io.wait, WAIT_FINAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(threat_8_what_is_no_end_passes_as_it_is),
		with_relay(threat_8_octets_out_are_octets_in),
		with_relay(threat_10_messages_are_counted),
		with_relay(threat_10_an_answer_inside_a_message_ends_the_session),
		with_relay(threat_10_an_answer_before_the_end_has_left_is_early),
		with_relay(a_client_that_goes_inside_a_message_leaves_none),
		with_relay(the_trace_line_goes_in_front_of_a_message),
		with_relay(threat_15_the_clients_name_is_one_in_the_trace_line),
		with_relay(threat_11_chunks_are_counted),
		with_relay(threat_11_invalid_sizes_end_the_session),
		with_relay(threat_11_large_sizes_are_carried),
		with_relay(threat_11_chunks_that_are_not_offered_end_the_session),
		with_relay(a_message_in_chunks_has_one_trace_line),
		with_relay(threat_26_the_deadline_of_a_message_goes_by_blocks),
		with_relay(threat_26_the_deadline_of_a_chunk_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
