/* A connection that is kept between two messages. */
#include "machine.h"

#include "smtp/rest.h"

static struct bench bench;
static struct rest machine;

static void
begin(bool reset, unsigned resets)
{
	bench_start(&bench, (struct machine){ &machine, rest_step, rest_fault });
	rest_start(&machine, reset, resets);
	bench_step(&bench);
}

static void
begin_to_wait(void)
{
	bench_start(&bench, (struct machine){ &machine, rest_step, rest_fault });
	rest_wait(&machine);
	bench_step(&bench);
	assert_int_equal(bench.io.wait, WAIT_IDLE);
}

static void
the_server_resets(void **state)
{
	(void)state;
	begin(false, 0);
	assert_wire(&bench, "RSET\r\n");
	assert_int_equal(bench.io.wait, WAIT_COMMAND);
	bench_wire(&bench, "250-2.0.0 all\r\n250 2.0.0 of it\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_true(bench.io.keeps);
	/* said with the message, and answered or not */
	begin(true, 1);
	assert_wire(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench_wire(&bench, "250 ok\r\n");
	assert_true(bench.io.keeps);
	begin(true, 0);
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_true(bench.io.keeps);
	assert_wire(&bench, "");
	/* one before, and something said since */
	begin(false, 1);
	assert_wire(&bench, "RSET\r\n");
	bench_wire(&bench, "250 ok\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench_wire(&bench, "250 ok\r\n");
	assert_true(bench.io.keeps);
}

static void
a_server_that_does_not_is_left(void **state)
{
	(void)state;
	begin(false, 0);
	assert_wire(&bench, "RSET\r\n");
	bench_wire(&bench, "502 what?\r\n");
	assert_wire(&bench, "QUIT\r\n");
	assert_int_equal(bench.io.wait, WAIT_LINGER);
	bench_wire(&bench, "221 bye\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_false(bench.io.keeps);
	begin(false, 0);
	bench_wire(&bench, "421 enough\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_false(bench.io.keeps);
	begin(false, 0);
	bench_wire(&bench, "nonsense\r\n");
	assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
	assert_false(bench.io.keeps);
	begin(false, 0);
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
	assert_false(bench.io.keeps);
	begin(false, 0);
	bench_fault(&bench, OUTCOME_TIMEOUT);
	bench_step(&bench);
	assert_wire(&bench, "RSET\r\nQUIT\r\n");
	/* the late reply is not the one to QUIT */
	bench_wire(&bench, "250 reset\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench_wire(&bench, "221 bye\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_false(bench.io.keeps);
}

/* statement 33: a reply counts for the command that it answers */
static void
threat_33_replies_in_advance_are_none(void **state)
{
	(void)state;
	begin(true, 1);
	bench_wire(&bench, "250 reset\r\n250 2.1.0 Sender ok\r\n");
	assert_int_equal(bench.io.end, OUTCOME_UNASKED_REPLY);
	assert_false(bench.io.keeps);
	for (size_t i = 0; i < 2; i++) {
		begin_to_wait();
		if (i == 0)
			bench_wire(&bench, "2");
		else
			bench_wire_eof(&bench);
		assert_int_equal(bench.io.end, i == 0 ? OUTCOME_UNASKED_REPLY : OUTCOME_WIRE_GONE);
		assert_false(bench.io.keeps);
		assert_wire(&bench, "");
	}
}

static void
it_waits_for_a_call(void **state)
{
	(void)state;
	begin_to_wait();
	bench_fault(&bench, OUTCOME_LOCAL_GONE);
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
	assert_true(bench.io.keeps);
	assert_wire(&bench, "");
	begin_to_wait();
	bench_fault(&bench, OUTCOME_TIMEOUT);
	bench_step(&bench);
	assert_wire(&bench, "QUIT\r\n");
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_int_equal(bench.io.end, OUTCOME_TIMEOUT);
	assert_false(bench.io.keeps);
	begin_to_wait();
	bench_fault(&bench, OUTCOME_BAD_RECORD);
	assert_int_equal(bench.io.end, OUTCOME_BAD_RECORD);
	assert_false(bench.io.keeps);
	bench_start(&bench, (struct machine){ &machine, rest_step, rest_fault });
	rest_leave(&machine);
	bench_step(&bench);
	assert_wire(&bench, "QUIT\r\n");
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_false(bench.io.keeps);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_resets),
		cmocka_unit_test(a_server_that_does_not_is_left),
		cmocka_unit_test(threat_33_replies_in_advance_are_none),
		cmocka_unit_test(it_waits_for_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
