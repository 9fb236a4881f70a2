/* The relay: a reply counts only for the command and the transaction that it answers. */
#include "relays.h"

static void
starts(void)
{
	relay_set.mark = true;
	relay_inside();
}

/* Subtracts the trace line's length from the size in the chunk command at the end of `out`. */
static void
less_mark(struct buf *out, size_t len)
{
	struct span said = buf_peek(out);
	size_t at = said.len;
	uint64_t size;

	while (at > 0 && !span_starts(span_from(said, at), SPAN("BDAT ")) &&
	    !span_starts(span_from(said, at), SPAN("DATA\r\n")))
		at--;
	struct span words = span_from(said, at), word;
	if (span_starts(words, SPAN("DATA")))
		return;
	words = span_from(words, strlen("BDAT "));
	bool last = span_find(words, ' ') < words.len;
	assert_true(span_word(&words, last ? ' ' : '\r', &word) && span_number(word, 1000, &size));
	out->tail -= said.len - at;
	buf_printf(out, "BDAT %u%s\r\n", (unsigned)(size - len), last ? " LAST" : "");
}

/*
 * Asserts what the backend has received since the last call, with `#` for each trace line and
 * chunk sizes without it: `text` shows that each message has one, at its front.
 */
static void
assert_heard(const char *text)
{
	static uint8_t mem[BENCH_SAID];
	struct span said = bench_said_local(&bench);
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	while (said.len > 0) {
		bool mark = span_starts(said, SPAN("Received: "));
		size_t len = mark ? span_find(said, '\n') + 1 : 1;

		if (mark) {
			len += span_find(span_from(said, len), '\n') + 1;
			less_mark(&out, len);
		}
		buf_put(&out, mark ? SPAN("#") : span(said.at, 1));
		said = span_from(said, len);
	}
	bench_assert_same(buf_peek(&out), text, __FILE__, __LINE__);
}

/* A refused chunk of an abandoned transaction, whose reply comes after the next one has begun. */
static void
threat_33_a_refused_chunk_says_nothing_of_the_next_message(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < 60; cut++) {
		starts();
		bench_cut(&bench, cut);
		bench_wire(&bench, "MAIL FROM:<a>\r\nRCPT TO:<no>\r\nBDAT 5\r\nabcdeRSET\r\n"
		    "MAIL FROM:<b>\r\nRCPT TO:<b>\r\nBDAT 7\r\nfghijkl");
		bench_local(&bench, "250 m\r\n550 no\r\n503 no\r\n250 r\r\n250 m\r\n250 b\r\n");
		bench_local(&bench, "250 seven\r\n");
		bench_wire(&bench, "BDAT 5 LAST\r\nmnopq");
		assert_heard("MAIL FROM:<a>\r\nRCPT TO:<no>\r\nBDAT 5\r\n#abcdeRSET\r\n"
		    "MAIL FROM:<b>\r\nRCPT TO:<b>\r\nBDAT 7\r\n#fghijklBDAT 5 LAST\r\nmnopq");
		bench_local(&bench, "250 all\r\n");
		assert_int_equal(relay.messages, 1);
		relay_wipe(&relay);
	}
}

/* A refused RSET or EHLO ends no transaction: the message continues, with its one trace line. */
static void
threat_33_what_is_refused_starts_nothing_anew(void **state)
{
	static const struct {
		const char *says, *refused;
	} rows[] = {
		{ "RSET now\r\n", "501 5.5.4 no argument\r\n" },
		{ "MAIL FROM:<c>\r\n", "503 5.5.1 nested\r\n" },
		{ "EHLO\r\n", "501 5.5.4 a name\r\n" },
		{ "EHLO a.example\r\n", "503 5.5.1 once\r\n" },
		{ "HELO\r\n", "501 5.5.4 a name\r\n" },
		{ "BDAT 1\r\nz", "452 4.3.1 not now\r\n" },
		{ "BDAT 1 LAST\r\nz", "452 4.3.1 not now\r\n" },
		{ "DATA\r\n", "503 5.5.1 BDAT was begun\r\n" },
	};
	char want[128];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		starts();
		bench_wire(&bench, "BDAT 1\r\nx");
		bench_local(&bench, "250 one\r\n");
		assert_heard("BDAT 1\r\n#x");
		bench_wire(&bench, rows[i].says);
		bench_local(&bench, rows[i].refused);
		bench_wire(&bench, "BDAT 1 LAST\r\ny");
		snprintf(want, sizeof(want), "%sBDAT 1 LAST\r\ny", rows[i].says);
		assert_heard(want);
		relay_wipe(&relay);
	}
}

/* The same without waiting: a chunk waits until it is known whether it begins a message. */
static void
threat_33_a_chunk_waits_to_know_its_place(void **state)
{
	static const struct {
		const char *says, *good, *refused;
	} rows[] = {
		{ "RSET\r\n", "250 r\r\n", "501 r\r\n" },
		{ "MAIL FROM:<c>\r\n", "250 m\r\n", "503 m\r\n" },
		{ "BDAT 1 LAST\r\nz", "250 l\r\n", "452 l\r\n" },
	};
	char flight[128];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		bool good = i % 2 == 0;
		size_t row = i / 2;

		starts();
		bench_wire(&bench, "BDAT 1\r\nx");
		bench_local(&bench, "250 one\r\n");
		bench_said_local(&bench);
		snprintf(flight, sizeof(flight), "%sBDAT 0\r\nRCPT TO:<d>\r\nBDAT 1\r\ny",
		    rows[row].says);
		bench_wire(&bench, flight);
		snprintf(flight, sizeof(flight), "%sBDAT 0\r\nRCPT TO:<d>\r\n", rows[row].says);
		assert_heard(flight);
		bench_local(&bench, good ? rows[row].good : rows[row].refused);
		assert_heard(good ? "BDAT 1\r\n#y" : "BDAT 1\r\ny");
		relay_wipe(&relay);
	}
	/* also after a first chunk, which may be refused */
	for (size_t good = 0; good < 2; good++) {
		starts();
		bench_wire(&bench, "BDAT 1\r\nxBDAT 1\r\nyNOOP\r\n");
		assert_heard("BDAT 1\r\n#x");
		bench_local(&bench, good ? "250 one\r\n" : "452 one\r\n");
		assert_heard(good ? "BDAT 1\r\nyNOOP\r\n" : "BDAT 1\r\n#yNOOP\r\n");
		relay_wipe(&relay);
	}
	/* without a trace line nothing needs to wait */
	starts();
	relay_set.mark = false;
	bench_wire(&bench, "BDAT 1\r\nxBDAT 1 LAST\r\nyMAIL FROM:<>\r\nBDAT 1\r\nz");
	assert_heard("BDAT 1\r\nxBDAT 1 LAST\r\nyMAIL FROM:<>\r\nBDAT 1\r\nz");
}

/* A backend may accept DATA after chunks: it continues the message that they began. */
static void
threat_33_data_after_chunks_has_no_second_mark(void **state)
{
	(void)state;
	starts();
	bench_wire(&bench, "BDAT 1\r\nx");
	bench_local(&bench, "250 one\r\n");
	bench_wire(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n");
	bench_wire(&bench, "y\r\n.\r\n");
	assert_heard("BDAT 1\r\n#xDATA\r\ny\r\n.\r\n");
	bench_local(&bench, "250 taken\r\n");
	bench_wire(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n");
	bench_wire(&bench, "z\r\n.\r\n");
	assert_heard("DATA\r\n#z\r\n.\r\n");
}

/* The name in the trace line is the one that the backend has accepted. */
static void
threat_33_a_refused_name_is_not_used(void **state)
{
	(void)state;
	starts();
	bench_wire(&bench, "EHLO evil\r\n");
	bench_local(&bench, "501 5.5.4 bad name\r\n");
	bench_wire(&bench, "HELO evil\r\n");
	bench_local(&bench, "501 5.5.4 bad name\r\n");
	bench_wire(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n");
	bench_said_local(&bench);
	bench_wire(&bench, "x\r\n.\r\n");
	assert_true(span_starts(bench_said_local(&bench),
	    SPAN("Received: from a.example ([192.0.2.1]) by mx.b.example\r\n    with ESMTP ")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(threat_33_a_refused_chunk_says_nothing_of_the_next_message),
		with_relay(threat_33_what_is_refused_starts_nothing_anew),
		with_relay(threat_33_a_chunk_waits_to_know_its_place),
		with_relay(threat_33_data_after_chunks_has_no_second_mark),
		with_relay(threat_33_a_refused_name_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
