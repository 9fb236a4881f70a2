/* XCLIENT: what a backend is told of the client, and which replies count as success. */
#include "machine.h"

#include "smtp/dialog.h"
#include "smtp/xclient.h"

static struct bench bench;
static struct xclient xclient;

#define OFFER "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"

static void
xclient_up(const char *address, unsigned port)
{
	xclient_start(&xclient, "mx.b.example", address, port);
	bench_start(&bench, (struct machine){ &xclient, xclient_step, dialog_fault });
}

/* Up to XCLIENT; `offer` is one of the keywords. */
static void
offered(const char *offer)
{
	char reply[256];

	bench_wire(&bench, "220-mx\r\n220 mx ESMTP\r\n");
	assert_wire(&bench, "EHLO mx.b.example\r\n");
	snprintf(reply, sizeof(reply), "250-mx\r\n250-%s\r\n250 8BITMIME\r\n", offer);
	bench_wire(&bench, reply);
}

/* statement 31, cut in all ways: the backend is told, and greets again */
static void
threat_31_a_mailer_is_told(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < 80; cut++) {
		xclient_up("198.51.100.77", 40025);
		bench_cut(&bench, cut);
		offered(OFFER);
		assert_wire(&bench, "XCLIENT ADDR=198.51.100.77 PORT=40025 NAME=[UNAVAILABLE]\r\n");
		assert_int_equal(bench.io.end, OUTCOME_NONE);
		bench_wire(&bench, "220-mx\r\n220 for you\r\n");
		assert_wire(&bench, "");
		assert_int_equal(bench.io.end, OUTCOME_DONE);
		assert_span(buf_peek(&xclient.reply.raw), "220-mx\r\n220 for you\r\n");
		assert_local(&bench, "");
	}
}

/* Only attributes that it offers are sent; the address is required. */
static void
what_is_said_is_what_it_takes(void **state)
{
	static const struct {
		const char *offer, *address;
		unsigned port;
		const char *said;
	} cases[] = {
		{ OFFER, "IPV6:2001:db8::9", 40025,
		    "XCLIENT ADDR=IPV6:2001:db8::9 PORT=40025 NAME=[UNAVAILABLE]\r\n" },
		{ OFFER, "198.51.100.77", 0, "XCLIENT ADDR=198.51.100.77 NAME=[UNAVAILABLE]\r\n" },
		{ OFFER, "[UNAVAILABLE]", 0, "XCLIENT ADDR=[UNAVAILABLE] NAME=[UNAVAILABLE]\r\n" },
		{ "xclient addr port", "198.51.100.77", 65535,
		    "XCLIENT ADDR=198.51.100.77 PORT=65535\r\n" },
		{ "XCLIENT NAME ADDR", "198.51.100.77", 25,
		    "XCLIENT ADDR=198.51.100.77 NAME=[UNAVAILABLE]\r\n" },
		{ "XCLIENT ADDR", "198.51.100.77", 25, "XCLIENT ADDR=198.51.100.77\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		xclient_up(cases[i].address, cases[i].port);
		offered(cases[i].offer);
		assert_wire(&bench, cases[i].said);
	}
}

/* statement 31: a backend that cannot be told the address would take our own for it */
static void
threat_31_not_offered(void **state)
{
	static const char *const offers[] = { "PIPELINING", "XCLIENT", "XCLIENT NAME PORT",
	    "XCLIENTS ADDR", "X-XCLIENT ADDR", "XCLIENT ADDRESS", "XFORWARD NAME ADDR PORT" };

	(void)state;
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		xclient_up("198.51.100.77", 40025);
		offered(offers[i]);
		assert_wire(&bench, "");
		assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
	}
}

/* Failures at each step. */
static void
threat_31_refused(void **state)
{
	static const struct {
		const char *greeting, *ehlo, *xclient;
		enum outcome end;
	} cases[] = {
		{ "421 busy\r\n", NULL, NULL, OUTCOME_REFUSED_LATER },
		{ "554 no\r\n", NULL, NULL, OUTCOME_REFUSED_LATER },
		{ "250 mx\r\n", NULL, NULL, OUTCOME_BAD_REPLY },
		{ "hello\r\n", NULL, NULL, OUTCOME_BAD_REPLY },
		{ "220 mx\r\n", "502 no\r\n", NULL, OUTCOME_REFUSED_LATER },
		{ "220 mx\r\n", "250 mx " OFFER "\r\n", NULL, OUTCOME_BAD_REPLY },
		{ "220 mx\r\n", "250-" OFFER "\r\n250 SIZE\r\n", NULL, OUTCOME_BAD_REPLY },
		{ "220 mx\r\n", "220-mx\r\n220 " OFFER "\r\n", NULL, OUTCOME_BAD_REPLY },
		{ "220 mx\r\n", "250-mx\r\n250 " OFFER "\r\n", "550 not you\r\n",
		    OUTCOME_REFUSED_LATER },
		{ "220 mx\r\n", "250-mx\r\n250 " OFFER "\r\n", "421 later\r\n",
		    OUTCOME_REFUSED_LATER },
		{ "220 mx\r\n", "250-mx\r\n250 " OFFER "\r\n", "250 ok\r\n", OUTCOME_BAD_REPLY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		xclient_up("198.51.100.77", 40025);
		bench_wire(&bench, cases[i].greeting);
		if (cases[i].ehlo != NULL)
			bench_wire(&bench, cases[i].ehlo);
		if (cases[i].xclient != NULL)
			bench_wire(&bench, cases[i].xclient);
		assert_int_equal(bench.io.end, cases[i].end);
	}
}

/* statement 13: each line waits for the previous reply, even if more is there already */
static void
threat_13_nothing_is_grouped(void **state)
{
	(void)state;
	xclient_up("198.51.100.77", 40025);
	assert_wire(&bench, "");
	bench_wire(&bench, "220-mx\r\n220-more\r\n");
	assert_wire(&bench, "");
	bench_wire(&bench, "220 mx\r\n");
	assert_wire(&bench, "EHLO mx.b.example\r\n");
	bench_wire(&bench, "250-mx\r\n250-" OFFER "\r\n");
	assert_wire(&bench, "");
	bench_wire(&bench, "250 DSN\r\n");
	assert_wire(&bench, "XCLIENT ADDR=198.51.100.77 PORT=40025 NAME=[UNAVAILABLE]\r\n");
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
}

static void
it_goes_away(void **state)
{
	static const char *const said[] = { "", "220 mx\r\n", "220 mx\r\n250-mx\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		xclient_up("198.51.100.77", 40025);
		bench_wire(&bench, said[i]);
		bench_wire_eof(&bench);
		assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
	}
	xclient_up("198.51.100.77", 40025);
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_int_equal(bench.io.end, OUTCOME_TIMEOUT);
	assert_wire(&bench, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_31_a_mailer_is_told),
		cmocka_unit_test(what_is_said_is_what_it_takes),
		cmocka_unit_test(threat_31_not_offered),
		cmocka_unit_test(threat_31_refused),
		cmocka_unit_test(threat_13_nothing_is_grouped),
		cmocka_unit_test(it_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
