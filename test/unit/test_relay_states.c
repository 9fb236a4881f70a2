/* The relay's checks in all states where they matter, and last replies. */
#include "relays.h"

/* statement 15: a continuation of AUTH that some mailers would take for two lines */
static void
threat_15_a_torn_continuation_cancels_auth(void **state)
{
	static const struct span lines[] = {
		{ (const uint8_t *)"AGEA\nMAIL FROM:<>\r\n", 19 },
		{ (const uint8_t *)"AGEA\rMAIL FROM:<>\r\n", 19 },
		{ (const uint8_t *)"AG\0EA\r\n", 7 },
		{ (const uint8_t *)"\n\r\n", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		for (size_t cut = 0; cut <= lines[i].len; cut++) {
			relay_inside();
			bench_wire(&bench, "AUTH LOGIN\r\n");
			bench_local(&bench, "334 VXNlcg==\r\n");
			assert_local(&bench, "AUTH LOGIN\r\n");
			bench_cut(&bench, cut);
			bench_wire_octets(&bench, lines[i]);
			assert_local(&bench, "*\r\n");
			bench_wire(&bench, "NOOP\r\n");
			assert_local(&bench, "");
			bench_local(&bench, "501 5.7.0 cancelled\r\n");
			assert_wire(&bench, "334 VXNlcg==\r\n501 5.7.0 cancelled\r\n");
			assert_local(&bench, "NOOP\r\n");
			relay_wipe(&relay);
		}
}

/* A skipped line is not a continuation, whatever the backend makes of the cancelled AUTH. */
static void
threat_15_what_is_skipped_continues_nothing(void **state)
{
	static uint8_t line[LINE_MAX_OCTETS];

	(void)state;
	memset(line, 'a', sizeof(line));
	relay_inside();
	bench_wire(&bench, "AUTH LOGIN\r\n");
	bench_local(&bench, "334 VXNlcg==\r\n");
	bench_said_local(&bench);
	bench_wire_octets(&bench, span(line, sizeof(line)));
	assert_local(&bench, "*\r\n");
	bench_local(&bench, "334 more\r\n");
	assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
	assert_local(&bench, "");
}

/* statement 11: the octets of a refused chunk are never read as commands, in any state */
static void
threat_11_a_refused_chunk_is_not_read_as_commands(void **state)
{
	static const char chunk[] = "BDAT 14 LAST\r\nEHLO injected\r\n";

	(void)state;
	relay_encrypts();
	bench_local(&bench, "550 no\r\n");
	assert_wire(&bench, "550 no\r\n");
	bench_wire(&bench, chunk);
	assert_wire(&bench, "503 5.5.1 Send EHLO again first\r\n");
	assert_local(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_BAD_CHUNK);
	relay_wipe(&relay);

	relay_set.encryption_required = true;
	relay_offers();
	bench_wire(&bench, "BDAT 0 LAST\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench_wire(&bench, chunk);
	assert_wire(&bench,
	    "530 5.7.0 Must use XCRYPT first\r\n530 5.7.0 Must use XCRYPT first\r\n");
	assert_local(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_BAD_CHUNK);
}

/* statement 10: no backend can accept a chunk that it has not seen; it may refuse one */
static void
threat_10_a_chunk_is_not_taken_before_its_end(void **state)
{
	static const char *const begins[] = { "BDAT 5\r\nabcd", "BDAT 5 LAST\r\nabcd",
		"BDAT 1\r\nxBDAT 5\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(begins); i++) {
		relay_inside();
		bench_wire(&bench, begins[i]);
		bench_local(&bench, i == 2 ? "250 x\r\n" : "");
		bench_said_wire(&bench);
		bench_local(&bench, "250 taken\r\n");
		assert_int_equal(bench.io.end, OUTCOME_EARLY_REPLY);
		assert_wire(&bench, "");
		relay_wipe(&relay);

		relay_inside();
		bench_wire(&bench, begins[i]);
		bench_local(&bench, i == 2 ? "250 x\r\n" : "");
		bench_said_wire(&bench);
		bench_local(&bench, "452 4.3.1 full\r\n");
		assert_int_equal(bench.io.end, OUTCOME_NONE);
		assert_wire(&bench, "452 4.3.1 full\r\n");
		bench_wire(&bench, i == 2 ? "abcdeNOOP\r\n" : "eNOOP\r\n");
		bench_said_local(&bench);
		bench_local(&bench, "250 n\r\n");
		assert_wire(&bench, "250 n\r\n");
		relay_wipe(&relay);
	}
}

static void
assert_last_words(const char *says, const char *heard, enum outcome end)
{
	for (size_t cut = 0; cut <= strlen(says); cut++) {
		relay_inside();
		bench_cut(&bench, cut);
		bench_local(&bench, says);
		assert_wire(&bench, heard);
		assert_int_equal(bench.io.end, end);
		relay_wipe(&relay);
	}
}

/* statement 27: a last reply of several lines arrives whole */
static void
threat_27_last_words_are_not_cut(void **state)
{
	static const char two[] = "421-4.4.2 mx waited\r\n421 4.4.2 too long\r\n";

	(void)state;
	assert_last_words(two, two, OUTCOME_LOCAL_GONE);
	assert_last_words("421-a\r\n421-b\r\n421 c\r\n421 d\r\n", "421-a\r\n421-b\r\n421 c\r\n",
	    OUTCOME_LOCAL_GONE);
	assert_last_words("451-timeout\r\n451 (#4.4.2)\r\n", "451-timeout\r\n451 (#4.4.2)\r\n",
	    OUTCOME_UNASKED_REPLY);
	assert_last_words("421-a\r\n250 b\r\n", "421-a\r\n", OUTCOME_LOCAL_GONE);
	/* replies other than 421 are not passed on: they could cost a message */
	assert_last_words("250-a\r\n250 b\r\n", "", OUTCOME_UNASKED_REPLY);
	assert_last_words("550-a\r\n550 b\r\n", "", OUTCOME_UNASKED_REPLY);

	/* between its lines, the client sends something that is not answered any more */
	relay_inside();
	bench_local(&bench, "421-a\r\n");
	bench_wire(&bench, "MAIL FROM:<a@a>\r\n");
	assert_local(&bench, "");
	bench_local(&bench, "421 b\r\n");
	assert_wire(&bench, "421-a\r\n421 b\r\n");
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	relay_wipe(&relay);
	/* or the backend breaks off */
	relay_inside();
	bench_local(&bench, "421-a\r\n");
	bench_local_eof(&bench);
	assert_wire(&bench, "421-a\r\n");
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	relay_wipe(&relay);
	/* also within a message */
	relay_in_data();
	bench_wire(&bench, "text");
	bench_local(&bench, two);
	assert_wire(&bench, two);
	assert_int_equal(bench.io.end, OUTCOME_EARLY_REPLY);
}

/* The backend replies `words` to `command` (or as greeting) and disconnects; `ours` follows. */
static void
assert_parting(const char *command, const char *words, const char *ours)
{
	char want[256];

	if (command == NULL) {
		relay_up();
	} else {
		relay_inside();
		bench_wire(&bench, command);
	}
	bench_local(&bench, words);
	bench_local_eof(&bench);
	snprintf(want, sizeof(want), "%s%s", words, ours);
	assert_wire(&bench, want);
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	relay_wipe(&relay);
}

/* statement 27: a client that got a reason does not get another one */
static void
threat_27_our_last_words_do_not_contradict_the_mailers(void **state)
{
	static const char ours[] = "421 4.3.0 mx.b.example Lost connection to the mail server\r\n";

	(void)state;
	assert_parting(NULL, "521 mx takes no mail\r\n", "");
	assert_parting(NULL, "554-mx takes no mail\r\n554 ever\r\n", "");
	assert_parting(NULL, "450 not now\r\n", "");
	assert_parting("MAIL FROM:<a@a>\r\n", "550 5.7.1 drop\r\n", "");
	assert_parting("MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n", "521 5.7.1 drop\r\n", "");
	assert_parting("NOOP\r\n", "421 4.7.0 too much\r\n", "");
	/* after a positive reply, or with one missing, we give the reason */
	assert_parting(NULL, "220 mx\r\n", ours);
	assert_parting("MAIL FROM:<a@a>\r\n", "250 m\r\n", ours);
	assert_parting("MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\n", "550 5.7.1 no\r\n", ours);

	relay_up();
	bench_local(&bench, "521 mx takes no mail\r\n");
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_wire(&bench, "521 mx takes no mail\r\n");
	relay_wipe(&relay);
	relay_up();
	bench_local(&bench, "521 mx takes no mail\r\n");
	bench_fault(&bench, OUTCOME_LOCAL_BROKEN);
	assert_wire(&bench, "521 mx takes no mail\r\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(threat_15_a_torn_continuation_cancels_auth),
		with_relay(threat_15_what_is_skipped_continues_nothing),
		with_relay(threat_11_a_refused_chunk_is_not_read_as_commands),
		with_relay(threat_10_a_chunk_is_not_taken_before_its_end),
		with_relay(threat_27_last_words_are_not_cut),
		with_relay(threat_27_our_last_words_do_not_contradict_the_mailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
