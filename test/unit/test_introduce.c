/* How a mailer that knows XCLIENT is told who its client is. */
#include "machine.h"

#include "smtp/introduce.h"

static struct bench bench;
static struct introduce introduce;

static void
introduce_up(const char *address, unsigned port)
{
	introduce_start(&introduce, "b.example", address, port);
	bench_start(&bench, (struct machine){ &introduce, introduce_step, introduce_fault });
}

/* statement 13: nothing rides behind EHLO or XCLIENT, in any division of the replies */
static void
threat_13_one_thing_is_said_at_a_time(void **state)
{
	(void)state;
	for (size_t cut = 0; cut < 30; cut++) {
		introduce_up("192.0.2.1", 4321);
		bench_cut(&bench, cut);
		assert_wire(&bench, "");
		bench_wire(&bench, "220-mx\r\n220 mx\r\n");
		assert_wire(&bench, "EHLO b.example\r\n");
		bench_wire(&bench, "250-mx\r\n250-SIZE\r\n250 XCLIENT NAME ADDR PORT\r\n");
		assert_wire(&bench, "XCLIENT ADDR=192.0.2.1 PORT=4321 NAME=[UNAVAILABLE]\r\n");
		assert_int_equal(bench.io.end, END_NONE);
		bench_wire(&bench, "220 mx for you\r\n");
		assert_int_equal(bench.io.end, END_DONE);
		assert_span(reply_last_line(&introduce.reply), "220 mx for you");
		assert_wire(&bench, "");
		assert_local(&bench, "");
	}
}

static void
what_is_said_is_what_the_mailer_takes(void **state)
{
	static const struct {
		const char *offers, *says;
		unsigned port;
	} rows[] = {
		{ "250-mx\r\n250 XCLIENT ADDR\r\n", "XCLIENT ADDR=IPV6:2001:db8::1\r\n", 25 },
		{ "250-mx\r\n250 xclient addr port\r\n",
		    "XCLIENT ADDR=IPV6:2001:db8::1 PORT=25\r\n", 25 },
		{ "250-mx\r\n250 XCLIENT PORT ADDR\r\n", "XCLIENT ADDR=IPV6:2001:db8::1\r\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		introduce_up("IPV6:2001:db8::1", rows[i].port);
		bench_wire(&bench, "220 mx\r\n");
		bench_said_wire(&bench);
		bench_wire(&bench, rows[i].offers);
		assert_wire(&bench, rows[i].says);
	}
}

/* statement 31: a mailer that does not take the address is not talked to */
static void
threat_31_no_session_without_the_address(void **state)
{
	static const struct {
		const char *says;
		enum ending end;
	} rows[] = {
		{ "554 no\r\n", END_REFUSED_LATER }, { "421 no\r\n", END_REFUSED_LATER },
		{ "250 odd\r\n", END_BAD_REPLY }, { "hello\r\n", END_BAD_REPLY },
		{ "220 mx\r\n502 what?\r\n", END_REFUSED_LATER },
		{ "220 mx\r\n250 mx\r\n", END_BAD_REPLY },
		{ "220 mx\r\n250-mx\r\n250 XCLIENT NAME\r\n", END_BAD_REPLY },
		{ "220 mx\r\n250-XCLIENT ADDR\r\n250 SIZE\r\n", END_BAD_REPLY },
		{ "220 mx\r\n250-mx\r\n250 XCLIENT ADDR\r\n550 not you\r\n", END_REFUSED_LATER },
		{ "220 mx\r\n250-mx\r\n250 XCLIENT ADDR\r\n250 odd\r\n", END_BAD_REPLY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		introduce_up("192.0.2.1", 1);
		bench_wire(&bench, rows[i].says);
		assert_int_equal(bench.io.end, rows[i].end);
	}
	introduce_up("192.0.2.1", 1);
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, END_WIRE_GONE);
	introduce_up("192.0.2.1", 1);
	bench_fault(&bench, END_TIMEOUT);
	assert_int_equal(bench.io.end, END_TIMEOUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_13_one_thing_is_said_at_a_time),
		cmocka_unit_test(what_is_said_is_what_the_mailer_takes),
		cmocka_unit_test(threat_31_no_session_without_the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
