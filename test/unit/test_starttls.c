/*
 * STARTTLS by a transparent client, with and without `must`: the replies to it, and TLS itself.
 */
#include "transparents.h"

#define OFFERS "250-mx\r\n250-STARTTLS\r\n250 SIZE 1\r\n"

/* Sends STARTTLS to a host without XCRYPT. */
static void
asks(bool must, bool again)
{
	hosts_meet(MODERN, MODERN);
	set.encryption_required = must;
	set.starttls = "mx.b.example";
	transparent_start(&transparent, &set, keys_source(&client_keys));
	bench_start(&bench, (struct machine){ &transparent, transparent_step, transparent_fault });
	transparent_connected(&transparent, again ? CLIENT_CALL_CLEAR : CLIENT_CALL_FIRST);
	bench_wire(&bench, "220 mx\r\n");
	bench_local(&bench, "EHLO a\r\n");
	assert_wire(&bench, "EHLO a\r\n");
	bench_wire(&bench, OFFERS);
	assert_local(&bench, again ? "220 mx\r\n" OFFERS : "220 mx\r\n");
	assert_wire(&bench, again ? "" : "STARTTLS\r\n");
}

static void
settles(enum io_tls tls)
{
	assert_string_equal(bench.io.start_tls, "mx.b.example");
	bench.io.start_tls = NULL;
	bench.io.tls = tls;
	bench_step(&bench);
}

static void
ehlo_is_said_again_inside(void **state)
{
	(void)state;
	asks(true, false);
	bench_wire(&bench, "220 go\r\n");
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
	bench_local(&bench, "MAIL FROM:<>\r\n");
	assert_wire(&bench, "");
	settles(IO_TLS_OPEN);
	assert_wire(&bench, "EHLO a\r\n");
	bench_wire(&bench, "250-mx\r\n250-STARTTLS\r\n250-XCRYPT x\r\n250 SIZE 2\r\n");
	assert_local(&bench, "250-mx\r\n250 SIZE 2\r\n");
	assert_wire(&bench, "MAIL FROM:<>\r\n");
	assert_true(passes_on());
	assert_string_equal(client_handshake_crypt(&transparent.client), "starttls");
	assert_int_equal(transparent.client.tls_result, CLIENT_TLS_OPEN);
}

/* A refusal leaves the connection in the clear; an invalid reply causes another connection. */
static void
answers_that_are_not_220(void **state)
{
	static const struct { const char *reply; enum outcome may;
	} cases[] = {
		{ "454 not now\r\n", OUTCOME_NONE },
		{ "400 no\r\n", OUTCOME_NONE },
		{ "599 no\r\n", OUTCOME_NONE },
		{ "421 closing\r\n", OUTCOME_RETRY_CLEAR },
		{ "250 ok\r\n", OUTCOME_RETRY_CLEAR },
		{ "354 go\r\n", OUTCOME_RETRY_CLEAR },
		{ "221 bye\r\n", OUTCOME_RETRY_CLEAR },
		{ "what?\r\n", OUTCOME_RETRY_CLEAR },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		asks(false, false);
		bench_wire(&bench, cases[i].reply);
		assert_int_equal(bench.io.end, cases[i].may);
		assert_int_equal(transparent.client.tls_result, CLIENT_TLS_REFUSED);
		assert_local(&bench, cases[i].may == OUTCOME_NONE ? OFFERS : "");
		assert_int_equal(bench.io.settled, cases[i].may == OUTCOME_NONE);
		transparent_wipe(&transparent);
		asks(true, false);
		bench_wire(&bench, cases[i].reply);
		assert_int_equal(bench.io.end, OUTCOME_NOT_ENCRYPTED);
		assert_null(bench.io.start_tls);
		transparent_wipe(&transparent);
	}
}

/* statement 2, for STARTTLS: octets in the same packet, or waiting in the socket */
static void
threat_2_octets_after_220_are_an_attack(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		asks(i == 0, false);
		bench_wire(&bench, "220 go\r\n250 injected\r\n");
		assert_int_equal(bench.io.end, OUTCOME_INJECTED);
		transparent_wipe(&transparent);
		asks(i == 0, false);
		bench_cut(&bench, 8);
		bench_wire(&bench, "220 go\r\nX");
		assert_int_equal(bench.io.end, OUTCOME_INJECTED);
		assert_null(bench.io.start_tls);
		transparent_wipe(&transparent);
	}
}

static void
tls_that_fails_is_not_tried_again(void **state)
{
	(void)state;
	asks(false, false);
	bench_wire(&bench, "220 go\r\n");
	settles(IO_TLS_FAILED);
	assert_int_equal(bench.io.end, OUTCOME_RETRY_CLEAR);
	assert_string_equal(transparent.client.why, "tls-failed");
	assert_int_equal(transparent.client.tls_result, CLIENT_TLS_BROKE);
	transparent_wipe(&transparent);
	asks(false, true);
	assert_true(bench.io.settled);
	assert_int_equal(transparent.client.tls_result, CLIENT_TLS_NOT_TRIED);
	transparent_wipe(&transparent);

	asks(true, false);
	bench_wire(&bench, "220 go\r\n");
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_int_equal(bench.io.end, OUTCOME_NOT_ENCRYPTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_caller(ehlo_is_said_again_inside),
		with_caller(answers_that_are_not_220),
		with_caller(threat_2_octets_after_220_are_an_attack),
		with_caller(tls_that_fails_is_not_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
