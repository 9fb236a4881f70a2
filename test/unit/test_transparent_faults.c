/* All faults of a remote host at each step of the handshake, under `may` and `must`. */
#include "transparents.h"

#include "smtp/line.h"

/* What the host does instead: it says something, or one of these happens. */
static const char end_of_file[] = "<end of file>";
static const char time_out[] = "<timeout>";
static const char broken[] = "<broken>";
static const char bad_record[] = "<bad record>";

static void
happens(const char *what)
{
	if (what == end_of_file)
		bench_wire_eof(&bench);
	else if (what == time_out)
		bench_fault(&bench, OUTCOME_TIMEOUT);
	else if (what == broken)
		bench_fault(&bench, OUTCOME_WIRE_BROKEN);
	else if (what == bad_record)
		bench_fault(&bench, OUTCOME_BAD_RECORD);
	else
		bench_wire(&bench, what);
}

/* Asserts that the session is encrypted, and that an end of file is a truncation. */
static void
call_inside_cut_off(const char *names)
{
	call_inside(names);
	bench.io.wire_truncated = true;
}

struct row {
	const char *what;
	enum outcome may, must;
	const char *seen;	/* what the local MTA sees under `may` */
	bool goes_on;		/* whether the session continues under `may` */
};

/* Whether the next host may be tried: nothing was said to the local MTA. */
static bool
leaves(enum outcome end)
{
	return end == OUTCOME_WIRE_GONE || end == OUTCOME_WIRE_BROKEN || end == OUTCOME_TIMEOUT ||
	    end == OUTCOME_BAD_REPLY || end == OUTCOME_GREETED_LATER ||
	    end == OUTCOME_GREETED_NEVER || end == OUTCOME_REFUSED_LATER;
}

static void
assert_row(void (*start)(const char *names), const char *names, const struct row *row)
{
	for (int must = 0; must < 2; must++) {
		set.encryption_required = must;
		start(names);
		bench_said_local(&bench);
		bench_said_wire(&bench);
		happens(row->what);
		if (bench.io.end != (must ? row->must : row->may))
			fail_msg("%s under %s: ended by %d", row->what, must ? "must" : "may",
			    bench.io.end);
		assert_wire(&bench, bench.io.end == OUTCOME_REFUSED_LATER ? "QUIT\r\n" : "");
		assert_int_equal(bench.io.elsewhere, leaves(bench.io.end));
		assert_local(&bench, must ? "" : row->seen);
		assert_int_equal(bench.io.settled, must ? false : row->goes_on);
		assert_false(bench.encrypted && row->goes_on);
		transparent_wipe(&transparent);
	}
}

#define assert_rows(start, names, rows) do { \
	for (size_t i_ = 0; i_ < COUNT(rows); i_++) \
		assert_row(start, names, &(rows)[i_]); \
} while (0)

static char long_line[LINE_MAX_OCTETS + 1];

static void
after_an_invalid_greeting_the_next_host_is_tried(void **state)
{
	const struct row rows[] = {
		{ end_of_file, OUTCOME_GREETED_LATER, OUTCOME_GREETED_LATER, "", false },
		{ time_out, OUTCOME_GREETED_LATER, OUTCOME_GREETED_LATER, "", false },
		{ broken, OUTCOME_GREETED_LATER, OUTCOME_GREETED_LATER, "", false },
		{ "SSH-2.0-x\r\n", OUTCOME_NONE, OUTCOME_NONE, "", false },
		{ "\r\nhi\r\n220-mx\r\n\r\n250 x\r\n", OUTCOME_NONE, OUTCOME_NONE,
		    "220-mx\r\n250 x\r\n", false },
		{ "220-mx\r\n554 x\r\n", OUTCOME_GREETED_NEVER, OUTCOME_GREETED_NEVER, "", false },
		{ long_line, OUTCOME_GREETED_LATER, OUTCOME_GREETED_LATER, "", false },
		{ "421 later\r\n", OUTCOME_GREETED_LATER, OUTCOME_GREETED_LATER, "", false },
		{ "450-later\r\n450 x\r\n", OUTCOME_GREETED_LATER, OUTCOME_GREETED_LATER, "",
		    false },
		{ "354 go\r\n", OUTCOME_GREETED_LATER, OUTCOME_GREETED_LATER, "", false },
		{ "554 no\r\n", OUTCOME_GREETED_NEVER, OUTCOME_GREETED_NEVER, "", false },
		{ "220 mx\r\n", OUTCOME_NONE, OUTCOME_NONE, "220 mx\r\n", false },
	};

	(void)state;
	for (int must = 0; must < 2; must++) {
		for (size_t i = 0; i < COUNT(rows); i++) {
			set.encryption_required = must;
			call(MODERN);
			happens(rows[i].what);
			assert_int_equal(bench.io.end, rows[i].may);
			assert_int_equal(bench.io.elsewhere, leaves(rows[i].may));
			assert_int_equal(transparent.client.provisional,
			    must && rows[i].may == OUTCOME_GREETED_NEVER);
			assert_local(&bench, rows[i].seen);
			assert_wire(&bench, "");
			transparent_wipe(&transparent);
		}
	}
}

/* statements 24 and 25 */
static void
threat_25_replies_to_ehlo(void **state)
{
	const struct row rows[] = {
		{ end_of_file, OUTCOME_WIRE_GONE, OUTCOME_WIRE_GONE, "", false },
		{ time_out, OUTCOME_TIMEOUT, OUTCOME_TIMEOUT, "", false },
		{ broken, OUTCOME_WIRE_BROKEN, OUTCOME_WIRE_BROKEN, "", false },
		{ "what?\r\n", OUTCOME_NONE, OUTCOME_NONE, "", false },
		{ "\r\n250-mx\r\n250\tx\r\nSIZE\r\n250 HELP\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED,
		    "250-mx\r\n250 HELP\r\n", true },
		{ "250-mx\r\n550 x\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, "550-mx\r\n550 x\r\n", false },
		{ long_line, OUTCOME_BAD_REPLY, OUTCOME_BAD_REPLY, "", false },
		{ "421 later\r\n", OUTCOME_REFUSED_LATER, OUTCOME_REFUSED_LATER, "", false },
		{ "450 later\r\n", OUTCOME_REFUSED_LATER, OUTCOME_REFUSED_LATER, "", false },
		{ "550-no\r\n550 no\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, "550-no\r\n550 no\r\n",
		    false },
		{ "220 what\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, "220 what\r\n", true },
		{ "354 what\r\n", OUTCOME_REFUSED_LATER, OUTCOME_REFUSED_LATER, "", false },
		{ "250 mx\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, "250 mx\r\n", true },
		{ "250-mx\r\n250 XXXXXXXX\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED,
		    "250-mx\r\n250 XXXXXXXX\r\n", true },
		{ "250-mx\r\n250 XCRYPT rotn_0.1\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, "250 mx\r\n",
		    true },
	};

	(void)state;
	assert_rows(call_ehlo, MODERN, rows);
}

#define CLEAR "250-mx clear\r\n250-STARTTLS\r\n250 SIZE 1\r\n"

static const char half[] = "250 XCRYP";

/* statements 24 and 25 */
static void
threat_25_answers_to_the_proposal(void **state)
{
	const struct row rows[] = {
		{ end_of_file, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ time_out, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ broken, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "what?\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ long_line, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "421 later\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "220 x\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "354 x\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "250 x\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "250 XCRYPT\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "250 XCRYPT OK\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "250 XCRYPT FAIL\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "454-x\r\n454 x\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		/* no id was sent */
		{ "450 x\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, CLEAR, true },
		{ "454 x\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, CLEAR, true },
		{ "500\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, CLEAR, true },
		{ "503 5.5.1 XCRYPT FAIL octets\r\n", OUTCOME_NONE, OUTCOME_NOT_ENCRYPTED, CLEAR, true },
		{ half, OUTCOME_NONE, OUTCOME_NONE, "", false },
	};

	(void)state;
	assert_rows(call_choice, MODERN, rows);
	assert_rows(call_choice, "arsyfor_1.0", rows);
}

/* In 2.0 a wrong reply here is tampering; a missing one is not. */
static void
threat_25_answers_that_are_changed(void **state)
{
	static const struct { size_t at; char to; enum outcome may, must; } rows[] = {
		{ 11, 'x', OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED },	/* Eb */
		{ 11, '\0', OUTCOME_CONFIRMATION, OUTCOME_CONFIRMATION },
		{ 11 + 65, '\0', OUTCOME_CONFIRMATION, OUTCOME_CONFIRMATION },	/* Nb */
		{ 11 + 130, '\0', OUTCOME_CONFIRMATION, OUTCOME_CONFIRMATION },	/* Sb */
		{ 11 + 195, '\0', OUTCOME_CONFIRMATION, OUTCOME_CONFIRMATION },	/* ct */
		{ 11 + 195, '=', OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED },
		{ 11 + 195 + 1453, '0', OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED },	/* keep: 0200 */
		{ 11 + 195 + 1453 + 5, '\0', OUTCOME_CONFIRMATION, OUTCOME_CONFIRMATION },
		{ 11 + 195 + 1453 + 4, '_', OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int must = 0; must < 2; must++) {
			set.encryption_required = must;
			call_choice(MODERN);
			server_agrees();
			char *at = answer_line + rows[i].at;
			*at = rows[i].to != '\0' ? rows[i].to : *at == '2' ? '3' : '2';
			server_says(answer_line);
			if (bench.io.end != (must ? rows[i].must : rows[i].may))
				fail_msg("row %zu: ended by %d", i, bench.io.end);
			assert_false(bench.encrypted || bench.io.elsewhere);
			assert_local(&bench, "");
			assert_wire(&bench, "");
			transparent_wipe(&transparent);
		}
}

static void
threat_25_replies_to_an_older_ok(void **state)
{
	const struct row rows[] = {
		{ end_of_file, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ time_out, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "what?\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "421 later\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "454 no\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "250 XCRYPT OK x\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "250 XCRYPT OK \r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
	};

	(void)state;
	assert_rows(call_ok, "arsyfor_1.0", rows);
}

/* Before the first record, an end or silence is a failed handshake; a bad record is tampering. */
static void
threat_25_before_the_first_record(void **state)
{
	const struct row rows[] = {
		{ end_of_file, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ time_out, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ broken, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ bad_record, OUTCOME_BAD_RECORD, OUTCOME_BAD_RECORD, "", false },
	};

	(void)state;
	assert_rows(call_inside_cut_off, MODERN, rows);
}

/* After a record has verified, no reply or end is a failure of encryption. */
static void
threat_25_replies_inside(void **state)
{
	const struct row rows[] = {
		{ "what?\r\n", OUTCOME_BAD_REPLY, OUTCOME_BAD_REPLY, "", false },
		{ long_line, OUTCOME_BAD_REPLY, OUTCOME_BAD_REPLY, "", false },
		{ "421 later\r\n", OUTCOME_REFUSED_LATER, OUTCOME_REFUSED_LATER, "", false },
		{ "450 later\r\n", OUTCOME_REFUSED_LATER, OUTCOME_REFUSED_LATER, "", false },
	};
	static const struct {
		const char *says, *seen;
		bool pipe;
	} good[] = {
		{ "250 mx\r\n", "250 mx\r\n", true },
		{ "550 no\r\n", "550 no\r\n", false },
	};
	static const char *const ends[] = { end_of_file, time_out, broken };
	static const enum outcome ended[] = { OUTCOME_WIRE_GONE, OUTCOME_TIMEOUT, OUTCOME_WIRE_BROKEN };

	(void)state;
	assert_rows(call_inside, MODERN, rows);
	for (int must = 0; must < 2; must++) {
		set.encryption_required = must;
		for (size_t i = 0; i < COUNT(good); i++) {
			call_inside(MODERN);
			bench_wire(&bench, good[i].says);
			assert_local(&bench, good[i].seen);
			assert_int_equal(passes_on(), good[i].pipe);
			assert_int_equal(bench.io.end, OUTCOME_NONE);
			transparent_wipe(&transparent);
		}
		/* after half a reply, or a close_notify alone */
		for (size_t i = 0; i < COUNT(ends); i++) {
			call_inside(MODERN);
			bench_wire(&bench, "250-mx\r\n25");
			happens(ends[i]);
			assert_int_equal(bench.io.end, ended[i]);
			assert_true(bench.io.elsewhere);
			assert_local(&bench, "");
			transparent_wipe(&transparent);
		}
		call_inside(MODERN);
		bench.io.wire_truncated = false;
		happens(end_of_file);
		assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
		transparent_wipe(&transparent);
	}
}

/* Before 2.0: up to the first reply inside, an invalid reply is a failed handshake. */
static void
threat_25_replies_inside_before_2_0(void **state)
{
	const struct row rows[] = {
		{ end_of_file, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ time_out, OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "what?\r\n", OUTCOME_RETRY_CLEAR, OUTCOME_NOT_ENCRYPTED, "", false },
		{ "421 later\r\n", OUTCOME_REFUSED_LATER, OUTCOME_REFUSED_LATER, "", false },
	};

	(void)state;
	assert_rows(call_inside, "arsyfor_1.0", rows);
}

/* statement 24 */
static void
threat_24_must_does_not_go_on_after_a_refused_key(void **state)
{
	(void)state;
	set.encryption_required = true;
	call_choice("arsyfor_1.0");
	server_says(spell("250 XCRYPT@", strchr(strchr(choice, ' ') + 1, ' ')));
	assert_wire(&bench, "XCRYPT FAIL\r\n");
	server_says("250 XCRYPT FAIL");
	assert_int_equal(bench.io.end, OUTCOME_NOT_ENCRYPTED);
	assert_local(&bench, "");
	assert_false(passes_on());
}

static void
threat_24_must_and_helo(void **state)
{
	(void)state;
	set.encryption_required = true;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "HELO a\r\n");
	assert_wire(&bench, "EHLO a\r\n");
	bench_wire(&bench, "500 what?\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NOT_ENCRYPTED);
	assert_wire(&bench, "");
}

static void
without_suites_nothing_is_taken_up(void **state)
{
	(void)state;
	call_ehlo("");
	bench_wire(&bench, "250-mx\r\n250 XCRYPT aes256gcm_2.0\r\n");
	assert_local(&bench, "250 mx\r\n");
	assert_true(passes_on());
	assert_string_equal(transparent.client.why, "switched-off");
}

/* The deadlines in their order; the handshake has one for all of its lines. */
static void
each_deadline_has_its_time(void **state)
{
	(void)state;
	call(MODERN);
	assert_int_equal(bench.io.wait, WAIT_GREETING);
	bench_wire(&bench, "220 mx\r\n");
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
	bench_local(&bench, "EHLO a\r\n");
	assert_int_equal(bench.io.wait, WAIT_GREETING);
	transparent_wipe(&transparent);
	call_choice(MODERN);
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
	server_agrees();
	server_says(answer_line);
	assert_true(bench.encrypted);
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
	transparent_wipe(&transparent);

	call_choice("arsyfor_1.0");
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
	uint64_t before = bench.io.progress;
	server_agrees();
	server_says(answer_line);
	take_text(ok, bench_said_wire(&bench));
	assert_true(server_takes_ok());
	server_says(ok_reply);
	assert_true(bench.encrypted);
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
	assert_int_equal(bench.io.progress, before);
	bench_wire(&bench, "250 mx\r\n");
	assert_true(bench.io.progress > before);
}

static int
long_line_set_up(void **state)
{
	(void)state;
	memset(long_line, 'a', LINE_MAX_OCTETS);
	memcpy(long_line, "250 ", 4);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_caller(after_an_invalid_greeting_the_next_host_is_tried),
		with_caller(threat_25_replies_to_ehlo),
		with_caller(threat_25_answers_to_the_proposal),
		with_caller(threat_25_answers_that_are_changed),
		with_caller(threat_25_replies_to_an_older_ok),
		with_caller(threat_25_before_the_first_record),
		with_caller(threat_25_replies_inside),
		with_caller(threat_25_replies_inside_before_2_0),
		with_caller(threat_24_must_does_not_go_on_after_a_refused_key),
		with_caller(threat_24_must_and_helo),
		with_caller(without_suites_nothing_is_taken_up),
		with_caller(each_deadline_has_its_time),
	};

	return cmocka_run_group_tests(tests, long_line_set_up, NULL);
}
