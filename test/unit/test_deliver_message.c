/* Sending a message: lines, dots, long addresses, and hosts that do not read. */
#include "deliveries.h"

#include "smtp/mailbox.h"

/* The expected octets on the wire, computed differently: line by line. */
static size_t
reference(uint8_t *out, struct span text)
{
	struct span line;
	size_t len = 0;

	if (text.len == 0)
		text.at = NULL;
	else if (text.at[text.len - 1] == '\n')
		text.len--;
	while (span_word(&text, '\n', &line)) {
		if (line.len > 0 && line.at[0] == '.')
			out[len++] = '.';
		if (line.len > 0)
			memcpy(out + len, line.at, line.len);
		len += line.len;
		if (line.len == 0 || line.at[line.len - 1] != '\r')
			out[len++] = '\r';
		out[len++] = '\n';
	}
	memcpy(out + len, ".\r\n", 3);
	return len + 3;
}

/* What is said from there on: QUIT is sent with the final dot. */
static struct span
expect_quit(uint8_t *expected, size_t len)
{
	memcpy(expected + len, "QUIT\r\n", 6);
	return span(expected, len + 6);
}

/* The SIZE of a message that is sent like this: without added dots and the final dot. */
static uint64_t
announced(struct span wire)
{
	uint64_t octets = wire.len - 3;

	for (size_t i = 0; i < wire.len - 3; i++)
		octets -= wire.at[i] == '.' && (i == 0 || wire.at[i - 1] == '\n');
	return octets;
}

static void
assert_sent(struct span text, size_t cut)
{
	static uint8_t expected[1024];

	deliver_body();
	bench_cut(&bench, cut);
	size_t len = reference(expected, text);
	message.octets = announced(span(expected, len));
	bench_local_octets(&bench, text);
	bench_local_eof(&bench);
	struct span got = bench_said_wire(&bench);
	if (!span_equal(got, expect_quit(expected, len)))
		fail_msg("of \"%.*s\" cut at %zu: \"%.*s\"", (int)text.len, (const char *)text.at,
		    cut,
		    (int)got.len, (const char *)got.at);
	assert_int_equal(deliver.state, DELIVER_FINAL);
	deliver_wipe(&deliver);
}

static void
the_reference_is_right(void **state)
{
	static const struct {
		const char *text, *wire;
	} rows[] = {
		{ "", ".\r\n" }, { "\n", "\r\n.\r\n" }, { "a", "a\r\n.\r\n" }, { "a\r",
		    "a\r\n.\r\n" },
		{ ".", "..\r\n.\r\n" }, { ".\n", "..\r\n.\r\n" }, { ".\r\n", "..\r\n.\r\n" },
		{ "a\n.\nb\n", "a\r\n..\r\nb\r\n.\r\n" }, { "\r\n\r\n", "\r\n\r\n.\r\n" },
		{ "\n\n", "\r\n\r\n.\r\n" }, { "..\n", "...\r\n.\r\n" }, { "a.\n", "a.\r\n.\r\n" },
	};
	uint8_t out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = reference(out, span_of(rows[i].text));
		assert_span(span(out, len), rows[i].wire);
	}
}

/* statements 7 and 8: lines that end in LF or CRLF, dots anywhere, cut anywhere */
static void
threat_8_messages_go_out_as_they_should(void **state)
{
	static const struct span texts[] = {
#define ROW(text) { (const uint8_t *)text, sizeof(text) - 1 }
		ROW(""), ROW("\n"), ROW("\r\n"), ROW("a"), ROW("a\r"), ROW("."), ROW(".\n"),
		ROW(".\r\n"), ROW("..\n.\n"), ROW("a\n.\nb"), ROW("a\r\n.\r\nb\r\n"), ROW("\n.\n"),
		ROW("\r.\r"), ROW("\r.\n"), ROW("\n.\r"), ROW("\n.\r\n"), ROW("\r\n.\n"),
		ROW("\r.\r\n"), ROW("\r\n.\r"), ROW("\r\n\0.\r\n"), ROW("\r\n.\0\r\n"),
		ROW("a\r\r\n.b\r\r\n"), ROW("\n\n\n.\n\n"),
		    ROW("QUIT\nDATA\n.\nXCRYPT\nSTARTTLS\n"),
		ROW("S: \xc3\xa9\n\n\xff\xfe\n.\x80\n"), ROW("no newline."), ROW("...\r..\n"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t cut = 0; cut <= texts[i].len; cut++)
			assert_sent(texts[i], cut);
}

/* All messages of four octets out of those that matter. */
static void
threat_8_all_short_messages(void **state)
{
	static const uint8_t octets[] = { '\r', '\n', '.', 'a' };
	uint8_t text[4];

	(void)state;
	for (unsigned n = 0; n < 256; n++) {
		for (unsigned i = 0; i < 4; i++)
			text[i] = octets[n >> 2 * i & 3];
		assert_sent(span(text, 4), n % 5);
	}
}

/* A message of only newlines doubles in size; sent to a host that reads irregularly. */
static void
a_large_message_waits_for_its_reader(void **state)
{
	static uint8_t newlines[BENCH_BUFFER];
	size_t sent = 0, want = 4 * sizeof(newlines);

	(void)state;
	memset(newlines, '\n', sizeof(newlines));
	deliver_body();
	while (sent < want) {
		bench.wire_stuck = true;
		size_t fed = bench_local_octets(&bench, span(newlines,
		    want - sent < sizeof(newlines) ? want - sent : sizeof(newlines)));
		assert_true(buf_len(&bench.io.to_wire) <= BENCH_BUFFER);
		bench.wire_stuck = false;
		bench_step(&bench);
		sent += fed;
	}
	deliver_message_end();
	struct span got = bench_said_wire(&bench);
	assert_int_equal(got.len, 2 * want + strlen(".\r\nQUIT\r\n"));
	for (size_t i = 0; i < 2 * want; i += 2)
		assert_true(got.at[i] == '\r' && got.at[i + 1] == '\n');
	assert_memory_equal(got.at + 2 * want, ".\r\nQUIT\r\n", strlen(".\r\nQUIT\r\n"));
}

/* Octets appended to a file after it was measured are not part of the message. */
static void
a_file_that_has_grown_goes_as_it_was(void **state)
{
	static const char *const texts[] = { "", "hello\n", "hello", "hello\r", "hello\nthere\n" };
	static const char *const more[] = { "\n", "x", ".\n", "\r\n.\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t j = 0; j < 2 * COUNT(more); j++) {
			uint8_t expected[64];
			size_t len = reference(expected, span_of(texts[i]));

			message.length = UINT64_MAX;
			deliver_body();
			message.length = strlen(texts[i]);
			message.octets = announced(span(expected, len));
			bench_local(&bench, texts[i]);
			bench_local(&bench, more[j / 2]);
			if (j % 2 == 1)
				bench_local_eof(&bench);
			assert_true(span_equal(bench_said_wire(&bench), expect_quit(expected, len)));
			assert_int_equal(deliver.state, DELIVER_FINAL);
			deliver_wipe(&deliver);
		}
}

/* If the file can no longer be read, or was truncated, the message is not completed. */
static void
a_message_that_is_not_all_there_is_not_ended(void **state)
{
	static const char *const texts[] = { "", "hello\n", "hello", "hello\r", "hello\nthere\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (int more = -1; more <= 1; more += 2) {
			uint8_t expected[64];
			size_t len = reference(expected, span_of(texts[i]));

			deliver_body();
			message.octets = announced(span(expected, len)) + (uint64_t)more;
			bench_local(&bench, texts[i]);
			bench_local_eof(&bench);
			assert_int_equal(bench.io.end, OUTCOME_LOCAL_BROKEN);
			assert_int_equal(deliver.state, DELIVER_BODY);
			assert_true(span_equal(bench_said_wire(&bench), span(expected, len - 3)));
			deliver_wipe(&deliver);
		}
}

/* statement 26 */
static void
threat_26_the_deadline_goes_by_blocks(void **state)
{
	static uint8_t block[IO_BLOCK];

	(void)state;
	memset(block, 'a', sizeof(block));
	deliver_body();
	uint64_t before = bench.io.progress;
	bench_local_octets(&bench, span(block, IO_BLOCK - 1));
	assert_int_equal(bench.io.progress, before);
	bench_local(&bench, "a");
	assert_true(bench.io.progress > before);
}

/* More recipients than a buffer holds, and a host that answers late. */
static void
threat_12_thousands_of_recipients(void **state)
{
	enum { MANY = 5000 };
	static char *many[MANY];
	static char address[] = "somebody.with.a.long.name@somewhere.b.example";

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		many[i] = address;
	message.recipients = many;
	message.recipient_count = MANY;
	deliver_ehlo();
	bench.wire_stuck = true;
	bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
	assert_true(deliver.said < MANY);
	assert_true(buf_room(&bench.io.to_wire) <= MAILBOX_PUT_MAX + 128);
	bench.wire_stuck = false;
	bench_step(&bench);
	assert_int_equal(deliver.said, MANY + 1);
	for (size_t i = 0; i < MANY; i++)
		bench_wire(&bench, "250 2.1.5 ok\r\n");
	bench_said_wire(&bench);
	bench_wire(&bench, "250 2.1.5 ok\r\n");
	assert_wire(&bench, "DATA\r\n");
	assert_int_equal(deliver.accepted, MANY);
}

/* The longest possible address is sent in full, with everything that MAIL can have. */
static void
long_addresses_are_said_in_full(void **state)
{
	static char address[MAILBOX_MAX + 1], quoted[MAILBOX_PUT_MAX + 1],
	    expected[2 * MAILBOX_MAX];
	char *one[] = { address };

	(void)state;
	memset(address, 'a', MAILBOX_MAX);
	memcpy(address + 1, ":", 1);
	snprintf(quoted, sizeof(quoted), "\"%s\"", address);
	message = (struct deliver_message){
		.sender = address, .recipients = one, .recipient_count = 1,
		.octets = UINT64_MAX, .eight_bit = true, .utf8 = true,
	};
	deliver_ehlo();
	bench_wire(&bench, "250-mx\r\n250-SIZE\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
	snprintf(expected, sizeof(expected),
	    "MAIL FROM:<%s> SIZE=18446744073709551615 BODY=8BITMIME SMTPUTF8\r\n", quoted);
	assert_wire(&bench, expected);
	bench_wire(&bench, "250 m\r\n");
	snprintf(expected, sizeof(expected), "RCPT TO:<%s>\r\n", quoted);
	assert_wire(&bench, expected);
}

/* The reply that decides is kept, truncated to the space for it. */
static void
long_replies_are_cut(void **state)
{
	static char reply[1024];

	(void)state;
	for (size_t len = DELIVER_TEXT_MAX - 2; len <= DELIVER_TEXT_MAX + 1; len++) {
		memset(reply, 'x', len);
		memcpy(reply, "550 ", 4);
		strcpy(reply + len, "\r\n");
		deliver_envelope();
		bench_wire(&bench, reply);
		assert_int_equal(strlen(deliver.text),
		    len < DELIVER_TEXT_MAX ? len : DELIVER_TEXT_MAX - 1);
		deliver_wipe(&deliver);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_right),
		with_delivery(threat_8_messages_go_out_as_they_should),
		with_delivery(threat_8_all_short_messages),
		with_delivery(a_large_message_waits_for_its_reader),
		with_delivery(a_file_that_has_grown_goes_as_it_was),
		with_delivery(a_message_that_is_not_all_there_is_not_ended),
		with_delivery(threat_26_the_deadline_goes_by_blocks),
		with_delivery(threat_12_thousands_of_recipients),
		with_delivery(long_addresses_are_said_in_full),
		with_delivery(long_replies_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
