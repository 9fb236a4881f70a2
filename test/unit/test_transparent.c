/* The transparent client with the local MTA on its standard input. */
#include "transparents.h"

static void
the_mailer_sees_the_second_reply_only(void **state)
{
	(void)state;
	call_inside(MODERN);
	assert_local(&bench, "");
	bench_wire(&bench, "250-mx inside\r\n250-XCRYPT x\r\n250-STARTTLS\r\n250-SIZE 2\r\n"
	    "250 XCRYPT-ID k\r\n");
	assert_local(&bench, "250-mx inside\r\n250 SIZE 2\r\n");
	assert_true(passes_on());
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench_local(&bench, "MAIL FROM:<>\r\n");
	assert_wire(&bench, "MAIL FROM:<>\r\n");
	bench_wire(&bench, "250 ok\r\n");
	assert_local(&bench, "250 ok\r\n");
}

/* statement 7 */
static void
threat_7_packets_do_not_matter_to_the_client(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < 1800; cut += cut < 150 || cut > 1600 ? 1 : 37) {
		hosts_meet(MODERN, MODERN);
		transparent_start(&transparent, &set, keys_source(&client_keys));
		bench_start(&bench,
		    (struct machine){ &transparent, transparent_step, transparent_fault });
		bench_cut(&bench, cut);
		transparent_connected(&transparent, CLIENT_CALL_FIRST);
		bench_wire(&bench, "220-mx\r\n220 ESMTP\r\n");
		bench_local(&bench, "EHLO a.example\r\n");
		assert_wire(&bench, "EHLO a.example\r\n");
		server_offers();
		server_says(spell("250-mx\r\n250 @", offer));
		take_text(choice, bench_said_wire(&bench));
		server_agrees();
		server_says(answer_line);
		assert_true(bench.encrypted);
		assert_wire(&bench, "");
		bench_wire(&bench, "250-mx\r\n250 SIZE 1\r\n");
		assert_local(&bench, "220-mx\r\n220 ESMTP\r\n250-mx\r\n250 SIZE 1\r\n");
		assert_true(passes_on());
		transparent_wipe(&transparent);
	}
}

/* 2.0: octets in the packet of the answer are the server's records. */
static void
records_may_follow_the_answer_at_once(void **state)
{
	static char text[2 * LINE_TEXT];

	(void)state;
	for (size_t cut = 0; cut < 1800; cut += 57) {
		call_choice(MODERN);
		server_agrees();
		bench_cut(&bench, cut);
		snprintf(text, sizeof(text), "%s\r\n250-mx\r\n250 SIZE 1\r\n", answer_line);
		bench_wire(&bench, text);
		assert_true(bench.encrypted && passes_on());
		assert_local(&bench, "250-mx\r\n250 SIZE 1\r\n");
		assert_wire(&bench, "");
		transparent_wipe(&transparent);
	}
}

/*
 * statement 2, before 2.0: octets in the same packet, in a later one that is there, or one octet
 */
static void
threat_2_octets_after_the_ok_end_the_session(void **state)
{
	static const char *const behind[] = { "\r", "250 mx\r\n", "250-mx\r\n250 SIZE\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(behind); i++) {
		for (size_t cut = 0; cut < 45; cut++) {
			call_ok("arsyfor_1.0");
			bench_cut(&bench, cut);
			strcat(ok_reply, "\r\n");
			bench_wire(&bench, strcat(ok_reply, behind[i]));
			assert_int_equal(bench.io.end, OUTCOME_INJECTED);
			assert_false(bench.encrypted);
			assert_wire(&bench, "");
			assert_local(&bench, "");
			transparent_wipe(&transparent);
		}
	}
}

/* statement 14, and lines that are not an offer */
static void
threat_14_replies_without_an_offer_are_passed(void **state)
{
	static const struct {
		const char *reply, *seen, *why;
	} rows[] = {
		{ "250 mx\r\n", "250 mx\r\n", "not-offered" },
		{ "250 XCRYPT aes256gcm_2.0\r\n", "250 XCRYPT aes256gcm_2.0\r\n", "not-offered" },
		{ "250-XCRYPT aes256gcm_2.0\r\n250 SIZE\r\n",
		    "250-XCRYPT aes256gcm_2.0\r\n250 SIZE\r\n", "not-offered" },
		{ "250-mx\r\n250-STARTTLS\r\n250 XCRYPT-ID k\r\n", "250-mx\r\n250 STARTTLS\r\n",
		    "not-offered" },
		{ "250-mx\r\n250 XCRYPT\r\n", "250 mx\r\n", "no-common-suite" },
		{ "250-mx\r\n250-XCRYPT arsyfor_1.0\r\n250 SIZE\r\n", "250-mx\r\n250 SIZE\r\n",
		    "no-common-suite" },
		{ "250-mx\r\n250-XCRYPT aes256gcm_2.0\r\n250-X\r\n250 xcrypt aes256gcm_2.0\r\n",
		    "250-mx\r\n250 X\r\n", "two-offers" },
		{ "250-mx\r\n250-XXXXXXXXXXXXX\r\n250 SIZE\r\n",
		    "250-mx\r\n250-XXXXXXXXXXXXX\r\n250 SIZE\r\n", "masked-on-the-way" },
		{ "250-mx\n250 X\n", "250-mx\r\n250 X\r\n", "not-offered" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		call_ehlo(MODERN);
		bench_wire(&bench, rows[i].reply);
		assert_local(&bench, rows[i].seen);
		assert_true(bench.io.settled);
		assert_string_equal(transparent.client.why, rows[i].why);
		assert_wire(&bench, "");
		transparent_wipe(&transparent);
	}
}

/*
 * An offer with embedded control characters, or too long to be hashed, is ignored.
 */
static void
hostile_offers_are_ignored(void **state)
{
	static char text[LINE_TEXT];

	(void)state;
	call_ehlo(MODERN);
	bench_wire_octets(&bench, SPAN("250-mx\r\n250 XCRYPT aes256gcm_2.0\0\r\n"));
	assert_true(passes_on());
	transparent_wipe(&transparent);
	call_ehlo(MODERN);
	bench_wire(&bench, "250-mx\r\n250 XCRYPT aes256gcm_2.0\rx\r\n");
	assert_true(passes_on());
	transparent_wipe(&transparent);

	memset(text, 'x', sizeof(text));
	memcpy(text, "250-mx\r\n250 XCRYPT aes256gcm_2.0 ", 33);
	strcpy(text + 12 + XCRYPT_LINE_MAX + 1, "\r\n");
	call_ehlo(MODERN);
	bench_wire(&bench, text);
	assert_true(passes_on());
	transparent_wipe(&transparent);
}

/* The refusal of XCRYPT is not passed to the local MTA as a reply to its EHLO. */
static void
a_clean_refusal_goes_on_in_the_clear(void **state)
{
	(void)state;
	call_choice(MODERN);
	server_says("454 4.7.0 XCRYPT FAIL temporarily unavailable");
	assert_local(&bench, "250-mx clear\r\n250-STARTTLS\r\n250 SIZE 1\r\n");
	assert_true(bench.io.settled);
	assert_string_equal(transparent.client.why, "refused");
	assert_wire(&bench, "");
}

static void
a_key_that_we_refuse_goes_on_in_the_clear(void **state)
{
	(void)state;
	call_choice("arsyfor_1.0");
	server_says(spell("250 XCRYPT@", strchr(strchr(choice, ' ') + 1, ' ')));
	assert_wire(&bench, "XCRYPT FAIL\r\n");
	assert_local(&bench, "");
	server_says("250 XCRYPT FAIL");
	assert_local(&bench, "250-mx clear\r\n250-STARTTLS\r\n250 SIZE 1\r\n");
	assert_true(bench.io.settled);
	assert_string_equal(transparent.client.why, "key-refused");
}

static void
a_host_without_keys_goes_on_in_the_clear(void **state)
{
	(void)state;
	client_keys.none = true;
	call_ehlo("arsyfor_1.0");
	bench_wire(&bench, "250-mx\r\n250 XCRYPT arsyfor_1.0\r\n");
	assert_local(&bench, "250 mx\r\n");
	assert_true(bench.io.settled);
	assert_string_equal(transparent.client.why, "no-key");
}

/* A second call: the local MTA has had its greeting, and its EHLO is repeated for it. */
static void
assert_called_again(const char *hello, const char *seen)
{
	bench.io.end = OUTCOME_NONE;
	bench.io.wire_eof = false;
	buf_clear(&bench.io.from_wire);
	transparent_connected(&transparent, CLIENT_CALL_CLEAR);
	bench_step(&bench);
	bench_wire(&bench, "220 mx again\r\n");
	assert_local(&bench, "");
	assert_wire(&bench, hello);
	bench_wire(&bench, "250-mx\r\n250-XCRYPT " MODERN "\r\n250 SIZE 3\r\n");
	assert_wire(&bench, "");
	assert_local(&bench, seen);
	assert_true(bench.io.settled);
	assert_string_equal(transparent.client.why, "called-again");
}

static void
threat_25_retried_in_the_clear_the_hello_is_repeated(void **state)
{
	(void)state;
	call_choice(MODERN);
	server_says("250 what?");
	assert_int_equal(bench.io.end, OUTCOME_RETRY_CLEAR);
	assert_called_again("EHLO a.example\r\n", "250-mx\r\n250 SIZE 3\r\n");
	transparent_wipe(&transparent);

	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "HELO b.example\r\n");
	bench_wire(&bench, "250-mx\r\n250 XCRYPT " MODERN "\r\n");
	bench_said_wire(&bench);
	bench_said_local(&bench);
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_RETRY_CLEAR);
	assert_called_again("EHLO b.example\r\n", "250 mx\r\n");
}

static void
helo_is_answered_in_one_line(void **state)
{
	(void)state;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "helo b.example\r\n");
	assert_wire(&bench, "EHLO b.example\r\n");
	bench_wire(&bench, "250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n");
	assert_local(&bench, "220 mx\r\n250 mx\r\n");
	assert_true(passes_on());
}

/* If EHLO is refused, the local MTA's HELO is sent, or it sends its own. */
static void
helo_is_said_where_ehlo_is_refused(void **state)
{
	(void)state;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "HELO b\r\n");
	bench_wire(&bench, "502 what?\r\n");
	assert_wire(&bench, "EHLO b\r\nHELO b\r\n");
	bench_wire(&bench, "250 mx\r\n");
	assert_local(&bench, "220 mx\r\n250 mx\r\n");
	assert_true(passes_on());
	assert_string_equal(transparent.client.why, "no-ehlo");
	transparent_wipe(&transparent);

	call_ehlo(MODERN);
	bench_wire(&bench, "500-what\r\n500 is that\r\n");
	assert_local(&bench, "500-what\r\n500 is that\r\n");
	assert_false(passes_on());
	bench_local(&bench, "HELO a.example\r\n");
	assert_wire(&bench, "HELO a.example\r\n");
	bench_wire(&bench, "550 not you\r\n");
	assert_local(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_GREETED_NEVER);
	assert_true(bench.io.elsewhere);
}

/* On the next host the local MTA has its greeting, and its hello is repeated, first as EHLO. */
static void
the_next_host_is_asked(void **state)
{
	(void)state;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "HELO a.example\r\n");
	bench_wire(&bench, "500 what?\r\n");
	assert_wire(&bench, "EHLO a.example\r\nHELO a.example\r\n");
	bench_wire(&bench, "451 not now\r\n");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_LATER);
	assert_true(bench.io.elsewhere);
	assert_wire(&bench, "QUIT\r\n");
	bench.io.end = OUTCOME_NONE;
	transparent_connected(&transparent, CLIENT_CALL_FIRST);
	bench_wire(&bench, "220 mx2\r\n");
	assert_wire(&bench, "EHLO a.example\r\n");
	bench_wire(&bench, "250-mx2\r\n250 SIZE\r\n");
	assert_local(&bench, "220 mx\r\n250 mx2\r\n");
	assert_true(passes_on() && bench.io.settled);
	transparent_wipe(&transparent);

	/* the host disconnects before the local MTA has said anything */
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_fault(&bench, OUTCOME_WIRE_BROKEN);
	assert_true(bench.io.elsewhere);
	transparent_wipe(&transparent);
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_false(bench.io.elsewhere);
}

/* statement 24: nothing after a QUIT is sent, because it would be in the clear */
static void
threat_24_quit_before_a_hello_ends_it(void **state)
{
	(void)state;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "QUIT\r\nMAIL FROM:<secret@a.example>\r\n");
	assert_false(passes_on());
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_wire(&bench, "QUIT\r\n");
	assert_local(&bench, "220 mx\r\n221 2.0.0 Bye\r\n");
}

/* Once all is answered, QUIT is answered here, in the clear and inside, after a HELO as well. */
static void
quit_is_answered_at_once(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		if (how == 0)
			call_inside(MODERN);
		else
			call(MODERN);
		if (how > 0) {
			bench_wire(&bench, "220 mx\r\n");
			bench_local(&bench, how == 1 ? "EHLO a\r\n" : "HELO a\r\n");
		}
		bench_wire(&bench, "250 mx\r\n");
		bench_said_local(&bench);
		bench_said_wire(&bench);
		bench_local(&bench, "MAIL FROM:<>\r\nRCPT TO:<b@b>\r\nDATA\r\n");
		bench_wire(&bench, "250 m\r\n250 b\r\n354 go\r\n");
		bench_local(&bench, "QUIT\r\n.\r\nQUIT\r\n");
		assert_wire(&bench, "MAIL FROM:<>\r\nRCPT TO:<b@b>\r\nDATA\r\nQUIT\r\n.\r\n");
		assert_local(&bench, "250 m\r\n250 b\r\n354 go\r\n");
		assert_int_equal(bench.io.end, OUTCOME_NONE);
		assert_int_equal(bench.io.wait, WAIT_IDLE);
		bench_wire(&bench, "250 taken\r\n");
		assert_wire(&bench, "QUIT\r\n");
		assert_local(&bench, "250 taken\r\n221 2.0.0 Bye\r\n");
		assert_int_equal(bench.io.end, OUTCOME_DONE);
		assert_int_equal(bench.io.wait, WAIT_LINGER);
		assert_false(bench.io.pipe);
		transparent_wipe(&transparent);
	}
}

/* QUIT passes where the dialogue is not understood, or one side has closed. */
static void
what_is_not_understood_is_a_pipe(void **state)
{
	static const char *const says[] = { "ETRN b.example\r\n", "MAIL\n", "STARTTLS\r\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(says); i++) {
		call_inside(MODERN);
		bench_wire(&bench, "250 mx\r\n");
		assert_false(bench.io.pipe);
		bench_local(&bench, says[i]);
		assert_true(bench.io.pipe);
		bench_local(&bench, "QUIT\r\n");
		bench_said_local(&bench);
		struct span said = bench_said_wire(&bench);
		assert_true(span_starts(said, span_of(says[i])));
		assert_span(span_from(said, strlen(says[i])), "QUIT\r\n");
		transparent_wipe(&transparent);
	}
	call_inside(MODERN);
	bench_wire(&bench, "250 mx\r\n421 gone\r\n");
	bench_wire_eof(&bench);
	assert_local(&bench, "250 mx\r\n421 gone\r\n");
	assert_true(bench.io.pipe);
	transparent_wipe(&transparent);
	call_inside(MODERN);
	bench_wire(&bench, "250 mx\r\n");
	bench_local(&bench, "RSET");
	bench_local_eof(&bench);
	assert_wire(&bench, "RSET");
	assert_true(bench.io.pipe);
}

/* Before its hello the local MTA's commands are answered by us. */
static void
commands_before_hello_are_answered(void **state)
{
	(void)state;
	call(MODERN);
	bench_local(&bench, "NOOP\r\nrset\r\nMAIL FROM:<>\r\n\r\n");
	assert_local(&bench, "");
	bench_wire(&bench, "220 mx\r\n");
	assert_local(&bench,
	    "220 mx\r\n250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n503 5.5.1 Send EHLO first\r\n"
	    "503 5.5.1 Send EHLO first\r\n");
	assert_wire(&bench, "");
}

static void
threat_15_names_that_are_none_are_not_said(void **state)
{
	static char name[CLIENT_NAME_MAX + 16];

	(void)state;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_said_local(&bench);
	bench_local_octets(&bench, SPAN("EHLO a\0b\r\nEHLO a\nMAIL FROM:<>\r\nHELO a\rb\r\n"));
	assert_local(&bench, "501 5.5.4 Invalid domain name\r\n501 5.5.4 Invalid domain name\r\n"
	    "501 5.5.4 Invalid domain name\r\n");
	memset(name, 'a', sizeof(name));
	memcpy(name, "EHLO ", 5);
	memcpy(name + 5 + CLIENT_NAME_MAX + 1, "\r\n", 3);
	bench_local(&bench, name);
	assert_local(&bench, "501 5.5.4 Invalid domain name\r\n");
	assert_wire(&bench, "");
	memcpy(name + 5 + CLIENT_NAME_MAX, "\r\n", 3);
	bench_local(&bench, name);
	assert_wire(&bench, name);
}

static void
an_empty_name_is_passed_on(void **state)
{
	(void)state;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "EHLO\r\n");
	assert_wire(&bench, "EHLO \r\n");
	bench_wire(&bench, "501 a name?\r\n");
	assert_local(&bench, "220 mx\r\n501 a name?\r\n");
}

static void
a_mailer_that_goes_before_hello_ends_it(void **state)
{
	(void)state;
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "EHL");
	bench_local_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
}

/* Our last reply is sent once, and where the local MTA waits for one. */
static void
giving_up_answers_a_waiting_mta(void **state)
{
	(void)state;
	call(MODERN);
	transparent_give_up(&transparent, &bench.io.to_local, "421 4.4.1 nobody");
	transparent_give_up(&transparent, &bench.io.to_local, "421 4.4.1 nobody");
	bench_drain(&bench);
	assert_local(&bench, "421 4.4.1 nobody\r\n");
	transparent_wipe(&transparent);
	call_choice(MODERN);
	transparent_give_up(&transparent, &bench.io.to_local, "421 4.7.5 no");
	bench_drain(&bench);
	assert_local(&bench, "421 4.7.5 no\r\n");
	transparent_wipe(&transparent);
	call(MODERN);
	bench_wire(&bench, "220 mx\r\n");
	bench_said_local(&bench);
	transparent_give_up(&transparent, &bench.io.to_local, "421 4.7.5 no");
	bench_drain(&bench);
	assert_local(&bench, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_caller(the_mailer_sees_the_second_reply_only),
		with_caller(threat_7_packets_do_not_matter_to_the_client),
		with_caller(records_may_follow_the_answer_at_once),
		with_caller(threat_2_octets_after_the_ok_end_the_session),
		with_caller(threat_14_replies_without_an_offer_are_passed),
		with_caller(hostile_offers_are_ignored),
		with_caller(a_clean_refusal_goes_on_in_the_clear),
		with_caller(a_key_that_we_refuse_goes_on_in_the_clear),
		with_caller(a_host_without_keys_goes_on_in_the_clear),
		with_caller(threat_25_retried_in_the_clear_the_hello_is_repeated),
		with_caller(helo_is_answered_in_one_line),
		with_caller(helo_is_said_where_ehlo_is_refused),
		with_caller(the_next_host_is_asked),
		with_caller(threat_24_quit_before_a_hello_ends_it),
		with_caller(quit_is_answered_at_once),
		with_caller(what_is_not_understood_is_a_pipe),
		with_caller(commands_before_hello_are_answered),
		with_caller(threat_15_names_that_are_none_are_not_said),
		with_caller(an_empty_name_is_passed_on),
		with_caller(a_mailer_that_goes_before_hello_ends_it),
		with_caller(giving_up_answers_a_waiting_mta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
