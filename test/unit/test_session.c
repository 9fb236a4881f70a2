/*
 * The poll loop in the clear: pipes, ends of file, deadlines, last replies, lines typed by hand.
 */
#include "sessions.h"

#include "base/clock.h"

#include <signal.h>

static struct running running;

/* A machine that does once what a test sets, and answers faults with a word and their name. */
static struct {
	bool pipe;
	enum io_wait wait;
	const char *says;	/* sent to the wire at once */
	enum outcome end;	/* how it ends, once `line` has come */
	bool line, had_octets;
	unsigned faults;
} does;

static void
step(void *machine, struct io *io)
{
	(void)machine;
	io->pipe = does.pipe;
	io->wait = does.wait;
	if (does.says != NULL)
		buf_put(&io->to_wire, span_of(does.says));
	does.says = NULL;
	does.line = does.line || span_find(buf_peek(&io->from_wire),
	    '\n') < buf_len(&io->from_wire);
	if (does.line && does.end != OUTCOME_NONE) {
		does.had_octets = io->wire_has_octets(io->context);
		io->end = does.end;
	}
}

static void
fault(void *machine, struct io *io, enum outcome what)
{
	(void)machine;
	does.faults++;
	io->end = what;
	buf_put(&io->to_wire, SPAN("last word\r\n"));
}

static const struct machine machine = { NULL, step, fault };

static void
up(const struct session_limits *limits)
{
	struct session_limits usual = long_limits();

	session_up(&running, machine, limits != NULL ? limits : &usual);
}

static int
set_up(void **state)
{
	(void)state;
	memset(&does, 0, sizeof(does));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	session_close(&running);
	return 0;
}

static void
a_pipe_passes_octets_both_ways(void **state)
{
	(void)state;
	does.pipe = true;
	up(NULL);
	session_off(&running);
	say(running.wire, "to local");
	hear(running.local, "to local");
	say(running.local, "to wire");
	hear(running.wire, "to wire");
	flow_both_ways(running.wire, running.local, 1 << 20);
}

static struct {
	char text[64];
	size_t len;
} seen;

static void
see(void *context, struct span octets)
{
	assert_true(context == &seen && octets.len <= sizeof(seen.text) - seen.len);
	memcpy(seen.text + seen.len, octets.at, octets.len);
	seen.len += octets.len;
}

/* Before the pipe and in it, each octet once, and none from the wire. */
static void
what_the_local_side_sends_can_be_seen(void **state)
{
	(void)state;
	seen.len = 0;
	up(NULL);
	running.session.local_seen = see;
	running.session.local_seen_context = &seen;
	does.says = "ready\r\n";
	session_off(&running);
	hear(running.wire, "ready\r\n");
	does.pipe = true;
	say(running.local, "one ");
	hear(running.wire, "one ");
	say(running.wire, "other\r\n");
	hear(running.local, "other\r\n");
	say(running.local, "two");
	hear(running.wire, "two");
	shutdown(running.wire, SHUT_RDWR);
	session_ends(&running);
	assert_span(span(seen.text, seen.len), "one two");
}

/* The client: the remote host's end of file ends the session, the local MTA's only its half. */
static void
a_calling_pipe_closes_by_halves(void **state)
{
	(void)state;
	does.pipe = true;
	up(NULL);
	session_off(&running);
	say(running.local, "QUIT\r\n");
	shutdown(running.local, SHUT_WR);
	hear(running.wire, "QUIT\r\n");
	hear_eof(running.wire);
	say(running.wire, "221 bye\r\n");
	hear(running.local, "221 bye\r\n");
	shutdown(running.wire, SHUT_WR);
	assert_int_equal(session_ends(&running), OUTCOME_DONE);
	assert_int_equal(running.session.wire_read, 9);
	assert_int_equal(running.session.wire_written, 6);
}

/* If the local MTA is gone, the session does not wait for a host that does not close. */
static void
threat_26_a_client_pipe_ends_with_its_mta(void **state)
{
	(void)state;
	does.pipe = true;
	for (int replied = 0; replied < 2; replied++) {
		up(NULL);
		session_off(&running);
		say(running.local, "QUIT\r\n");
		hear(running.wire, "QUIT\r\n");
		if (replied) {
			say(running.wire, "221 bye\r\n");
			hear(running.local, "221 bye\r\n");
		}
		close(running.local);
		running.local = -1;
		assert_int_equal(session_ends(&running), OUTCOME_DONE);
		hear_eof(running.wire);
		tear_down(NULL);
		set_up(NULL);
		does.pipe = true;
	}
	up(NULL);
}

/* While it still listens it gets replies, but not octets without end. */
static void
threat_26_octets_do_not_renew_the_last_deadline(void **state)
{
	struct session_limits limits = long_limits();

	(void)state;
	limits.command_ms = 50;
	does.pipe = true;
	up(&limits);
	session_off(&running);
	shutdown(running.local, SHUT_WR);
	hear_eof(running.wire);
	for (int i = 0; i < 100; i++) {
		say(running.wire, "x");
		poll(NULL, 0, 5);
	}
	assert_int_equal(session_ends(&running), OUTCOME_TIMEOUT);
	assert_true(running.session.wire_read < 100);
}

/* The server: the other way round. */
static void
a_serving_pipe_closes_by_halves(void **state)
{
	(void)state;
	does.pipe = true;
	up(NULL);
	running.session.serving = true;
	session_off(&running);
	say(running.wire, "QUIT\r\n");
	shutdown(running.wire, SHUT_WR);
	hear(running.local, "QUIT\r\n");
	hear_eof(running.local);
	say(running.local, "221 bye\r\n");
	shutdown(running.local, SHUT_WR);
	hear(running.wire, "221 bye\r\n");
	hear_eof(running.wire);
	assert_int_equal(session_ends(&running), OUTCOME_DONE);
}

/* Octets renew each deadline except the last one. */
static void
threat_26_all_waits_together_have_an_end(void **state)
{
	(void)state;
	up(NULL);
	does.pipe = true;
	running.session.until_ms = clock_ms() + 50;
	session_off(&running);
	say(running.wire, "a");
	hear(running.local, "a");
	assert_int_equal(session_ends(&running), OUTCOME_TIMEOUT);
	assert_true(clock_ms() >= running.session.until_ms);
}

static void
threat_26_each_deadline_is_its_own(void **state)
{
	static const size_t at[] = {
		[WAIT_COMMAND] = offsetof(struct session_limits, command_ms),
		[WAIT_GREETING] = offsetof(struct session_limits, greeting_ms),
		[WAIT_DATA] = offsetof(struct session_limits, data_ms),
		[WAIT_FINAL] = offsetof(struct session_limits, final_ms),
		[WAIT_HANDSHAKE] = offsetof(struct session_limits, handshake_ms),
		[WAIT_IDLE] = offsetof(struct session_limits, idle_ms),
		[WAIT_LINGER] = offsetof(struct session_limits, linger_ms),
	};

	(void)state;
	for (size_t wait = 0; wait < COUNT(at); wait++) {
		struct session_limits limits = long_limits();

		memcpy((uint8_t *)&limits + at[wait], &(int64_t){ 5 }, sizeof(int64_t));
		set_up(NULL);
		does.wait = (enum io_wait)wait;
		up(&limits);
		session_off(&running);
		assert_int_equal(session_ends(&running), OUTCOME_TIMEOUT);
		assert_int_equal(does.faults, 1);
		hear(running.wire, "last word\r\n");
		hear_eof(running.wire);
		tear_down(NULL);
	}
	up(NULL);
}

/* Nothing is inserted into a pipe; the machine is not asked any more. */
static void
threat_26_an_idle_pipe_is_closed(void **state)
{
	struct session_limits limits = long_limits();

	(void)state;
	limits.idle_ms = 5;
	does.pipe = true;
	up(&limits);
	session_off(&running);
	assert_int_equal(session_ends(&running), OUTCOME_TIMEOUT);
	assert_int_equal(does.faults, 0);
	hear_eof(running.wire);
}

/* The server waits for the client's end of file after its own, for a limited time. */
static void
the_last_word_arrives(void **state)
{
	struct session_limits limits = long_limits();

	(void)state;
	does.end = OUTCOME_DONE;
	does.says = "221 bye\r\n";
	up(NULL);
	running.session.serving = true;
	session_off(&running);
	say(running.wire, "QUIT\r\n");
	hear(running.wire, "221 bye\r\n");
	hear_eof(running.wire);
	say(running.wire, "what else there is");
	shutdown(running.wire, SHUT_WR);
	assert_int_equal(session_ends(&running), OUTCOME_DONE);
	tear_down(NULL);

	set_up(NULL);
	does.end = OUTCOME_DONE;
	limits.linger_ms = 5;
	up(&limits);
	running.session.serving = true;
	session_off(&running);
	say(running.wire, "QUIT\r\n");
	assert_int_equal(session_ends(&running), OUTCOME_DONE);
}

/* statement 1: the machine is told of octets in the socket */
static void
threat_1_octets_in_the_socket_are_seen(void **state)
{
	(void)state;
	does.line = true;
	does.end = OUTCOME_DONE;
	up(NULL);
	session_off(&running);
	assert_int_equal(session_ends(&running), OUTCOME_DONE);
	assert_false(does.had_octets);
	tear_down(NULL);

	set_up(NULL);
	does.line = true;
	does.end = OUTCOME_DONE;
	up(NULL);
	say(running.wire, "x");
	session_off(&running);
	assert_int_equal(session_ends(&running), OUTCOME_DONE);
	assert_true(does.had_octets);
}

/* The remote host resets with octets unread: the machine is told. */
static void
a_broken_wire_is_a_fault(void **state)
{
	(void)state;
	does.says = "220 hello\r\n";
	up(NULL);
	session_off(&running);
	struct pollfd said = { .fd = running.wire, .events = POLLIN };
	assert_int_equal(poll(&said, 1, LONG_MS), 1);
	close(running.wire);
	running.wire = -1;
	assert_int_equal(session_ends(&running), OUTCOME_WIRE_BROKEN);
	assert_int_equal(does.faults, 1);
}

/* A backend that no longer reads: its octets are dropped, and nothing else is delayed. */
static void
a_backend_that_is_gone_delays_nothing(void **state)
{
	(void)state;
	does.pipe = true;
	up(NULL);
	session_off(&running);
	shutdown(running.local, SHUT_RD);
	for (int i = 0; i < 20; i++)
		say(running.wire, "more and more\r\n");
	say(running.local, "still here");
	hear(running.wire, "still here");
	shutdown(running.wire, SHUT_WR);
	assert_int_equal(session_ends(&running), OUTCOME_DONE);
}

/* A new connection starts afresh, except for what the local MTA said and was not answered. */
static void
another_call_begins_anew(void **state)
{
	int old_wire, old_ours;

	(void)state;
	does.line = true;
	does.end = OUTCOME_RETRY_CLEAR;
	up(NULL);
	say(running.wire, "left over");
	say(running.local, "EHLO a\r\n");
	session_off(&running);
	assert_int_equal(session_ends(&running), OUTCOME_RETRY_CLEAR);
	old_wire = running.wire;
	old_ours = running.ours[0];
	buf_put(&running.session.io.from_wire, SPAN("left over"));

	set_up(NULL);
	does.pipe = true;
	socket_pair(&running.ours[0], &running.wire);
	session_wire(&running.session, running.ours[0], running.ours[0]);
	session_off(&running);
	hear(running.wire, "EHLO a\r\n");
	say(running.wire, "new");
	hear(running.local, "new");
	close(old_wire);
	close(old_ours);
}

static void
what_is_typed_may_end_in_lf(void **state)
{
	(void)state;
	does.pipe = true;
	up(NULL);
	running.session.by_hand = true;
	session_off(&running);
	say(running.wire, "a\nb\r\n\n\r\r\n\rc\r");
	hear(running.local, "a\r\nb\r\n\r\n\r\r\n\rc\r");
	say(running.wire, "\nd\n");
	hear(running.local, "\nd\r\n");
	say(running.local, "e\nf\r\n");
	hear(running.wire, "e\nf\r\n");
}

#define tested(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tested(a_pipe_passes_octets_both_ways),
		tested(what_the_local_side_sends_can_be_seen),
		tested(a_calling_pipe_closes_by_halves),
		tested(threat_26_a_client_pipe_ends_with_its_mta),
		tested(threat_26_octets_do_not_renew_the_last_deadline),
		tested(a_serving_pipe_closes_by_halves),
		tested(threat_26_all_waits_together_have_an_end),
		tested(threat_26_each_deadline_is_its_own),
		tested(threat_26_an_idle_pipe_is_closed),
		tested(the_last_word_arrives),
		tested(threat_1_octets_in_the_socket_are_seen),
		tested(a_broken_wire_is_a_fault),
		tested(a_backend_that_is_gone_delays_nothing),
		tested(another_call_begins_anew),
		tested(what_is_typed_may_end_in_lf),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
