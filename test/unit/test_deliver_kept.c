/* Delivery of messages over a connection that is kept. */
#include "deliveries.h"

static void
up(size_t count)
{
	message.recipient_count = count;
	deliver_start(&deliver, &set, &message, keys_source(&client_keys), "a.example");
	deliver_keep(&deliver);
	bench_start(&bench, (struct machine){ &deliver, deliver_step, deliver_fault });
	deliver_connected(&deliver, CLIENT_CALL_FIRST);
	bench_step(&bench);
	bench_wire(&bench, "220 mx\r\n");
	bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
	bench_said_wire(&bench);
}

#define MAIL "MAIL FROM:<a@a>\r\n"
#define ONE MAIL "RCPT TO:<b@b>\r\nDATA\r\n"

/* The next message; the machine has sent what it can. */
static void
again(size_t count)
{
	message.recipient_count = count;
	message.octets = 12345;
	bench.io.end = OUTCOME_NONE;
	bench.io.keeps = bench.io.local_eof = bench.io.elsewhere = false;
	buf_clear(&bench.io.from_local);
	deliver_again(&deliver, &message);
	bench_step(&bench);
}

static void
sends_body(void)
{
	bench_local(&bench, "hello\n");
	deliver_message_end();
	assert_wire(&bench, "hello\r\n.\r\nRSET\r\n");
}

static void
reset_follows_the_message(void **state)
{
	(void)state;
	up(1);
	bench_wire(&bench, "250 m\r\n250 b\r\n354 go\r\n");
	sends_body();
	bench_wire(&bench, "250 2.0.0 taken\r\n");
	assert_wire(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_SENT);
	assert_true(bench.io.keeps && bench.io.reset && bench.io.settled);
	assert_int_equal(bench.io.resets, 1);
	bench_wire(&bench, "250 reset\r\n");
	buf_clear(&bench.io.from_wire);
	again(1);
	assert_wire(&bench, ONE);
	assert_int_equal(deliver.outcome, OUTCOME_NONE);
	bench_wire(&bench, "250 m\r\n250 b\r\n354 go\r\n");
	sends_body();
	bench_wire(&bench, "452 4.3.1 full\r\n");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_LATER);
	assert_true(bench.io.keeps && bench.io.reset);
}

static void
a_refusal_does_not_end_it(void **state)
{
	(void)state;
	up(3);
	bench_wire(&bench, "250 m\r\n550 b\r\n550 c\r\n550 d\r\n");
	assert_wire(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_FOR_GOOD);
	assert_true(bench.io.keeps && !bench.io.reset);
	again(1);
	assert_wire(&bench, ONE);
	bench_wire(&bench, "250 m\r\n550 b\r\n");
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	bench_wire(&bench, "503 no\r\n");
	assert_wire(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_FOR_GOOD);
	assert_true(bench.io.keeps);
	/* a 354 has to be followed by a message */
	again(1);
	bench_wire(&bench, "250 m\r\n550 b\r\n354 go\r\n");
	assert_wire(&bench, ONE);
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_FOR_GOOD);
	assert_false(bench.io.keeps);
}

static void
not_all_replies_are_there(void **state)
{
	(void)state;
	up(3);
	bench_wire(&bench, "550 m\r\n");
	assert_wire(&bench, "QUIT\r\n");
	assert_false(bench.io.keeps);
	deliver_wipe(&deliver);
	up(3);
	bench_wire(&bench, "250 m\r\n250 b\r\n250 c\r\n421 enough\r\n");
	assert_wire(&bench, "QUIT\r\n");
	assert_int_equal(bench.io.end, OUTCOME_REFUSED_LATER);
	assert_false(bench.io.keeps);
	deliver_wipe(&deliver);
	/* the next host is called instead */
	up(3);
	bench.io.others = true;
	bench_wire(&bench, "250 m\r\n450 b\r\n450 c\r\n450 d\r\n");
	assert_wire(&bench, "QUIT\r\n");
	assert_true(bench.io.elsewhere && !bench.io.keeps);
}

/* statement 46: until the reply to MAIL, nothing is lost */
static void
threat_46_a_lost_connection_is_made_anew(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		up(1);
		bench_wire(&bench, "250 m\r\n250 b\r\n354 go\r\n");
		sends_body();
		bench_wire(&bench, "250 taken\r\n");
		again(3);
		assert_wire(&bench, ENVELOPE);
		assert_int_equal(bench.io.wait, WAIT_GREETING);
		if (i == 0)
			bench_wire(&bench, "421 enough\r\n");
		else if (i == 1)
			bench_wire_eof(&bench);
		else if (i == 2)
			bench_fault(&bench, OUTCOME_TIMEOUT);
		else if (i == 3)
			bench_fault(&bench, OUTCOME_WIRE_BROKEN);
		else
			bench_wire(&bench, "nonsense\r\n");
		assert_int_equal(bench.io.end, OUTCOME_KEPT_LOST);
		assert_false(bench.io.keeps);
		deliver_wipe(&deliver);
	}
	/* after it, it is what it always is; and a record that does not verify a sign of tampering */
	for (size_t i = 0; i < 3; i++) {
		up(1);
		bench_wire(&bench, "250 m\r\n250 b\r\n354 go\r\n");
		sends_body();
		bench_wire(&bench, "250 taken\r\n");
		again(3);
		if (i < 2)
			bench_wire(&bench, "250 m\r\n");
		if (i == 0)
			bench_wire_eof(&bench);
		else if (i == 1)
			bench_wire(&bench, "421 enough\r\n");
		else
			bench_fault(&bench, OUTCOME_BAD_RECORD);
		assert_int_equal(bench.io.end, i == 0 ? OUTCOME_WIRE_GONE :
		    i == 1 ? OUTCOME_REFUSED_LATER : OUTCOME_BAD_RECORD);
		deliver_wipe(&deliver);
	}
}

static void
an_unasked_reply_does_not_answer_mail(void **state)
{
	(void)state;
	up(1);
	bench_wire(&bench, "250 m\r\n250 b\r\n354 go\r\n");
	sends_body();
	bench_wire(&bench, "250 taken\r\n");
	buf_put(&bench.io.from_wire, SPAN("250 unasked\r\n"));
	again(1);
	assert_wire(&bench, "");
	assert_int_equal(bench.io.end, OUTCOME_KEPT_LOST);
}

/* statement 33: that is our RSET's, in the clear, too */
static void
threat_33_the_reply_to_reset_accepts_no_message(void **state)
{
	(void)state;
	up(1);
	bench_wire(&bench, "250 m\r\n250 b\r\n354 go\r\n");
	sends_body();
	bench_wire(&bench, "what?\r\n250 reset\r\n");
	assert_int_equal(bench.io.end, OUTCOME_BAD_REPLY);
	assert_false(bench.io.keeps);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_delivery(reset_follows_the_message),
		with_delivery(a_refusal_does_not_end_it),
		with_delivery(not_all_replies_are_there),
		with_delivery(an_unasked_reply_does_not_answer_mail),
		with_delivery(threat_33_the_reply_to_reset_accepts_no_message),
		with_delivery(threat_46_a_lost_connection_is_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
