/*
 * Both machines against each other: blackponyd's relay and blackpony's transparent client.  First
 * on the bench, with the wire between them cut in all ways; then as sessions with sockets, where
 * the test plays the mailers at both ends.
 */
#include "sessions.h"
#include "transparents.h"

#include "smtp/relay.h"
#include "sys/fd.h"

#include <signal.h>

static struct relay relay;
static struct relay_settings relay_set;
static struct bench far_bench;
static struct running near, far;

static void
relay_up(const char *names)
{
	relay_set = (struct relay_settings){
		.suites = &server_suites, .hostname = "mx.b.example", .peer = "[192.0.2.1]",
	};
	hosts_meet(names, names);
	relay_start(&relay, &relay_set, keys_source(&server_keys));
}

/* Carries what each says to the other until neither says anything. */
static void
carry(void)
{
	do {
		bench_join(&bench, &far_bench);
		bench_join(&far_bench, &bench);
	} while (bench.wire_seen < buf_len(&bench.wire) ||
	    far_bench.wire_seen < buf_len(&far_bench.wire));
}

static void
near_mailer_says(const char *text)
{
	bench_local(&bench, text);
	carry();
}

static void
far_mailer_says(const char *text)
{
	bench_local(&far_bench, text);
	carry();
}

/* Asserts that each side has received a record that proves the other. */
static void
prove(bool met)
{
	assert_int_equal(handshake_met(&relay.handshake), met);
	assert_int_equal(handshake_met(&transparent.client.handshake), met);
	handshake_proved(&relay.handshake);
	handshake_proved(&transparent.client.handshake);
}

/* A complete session on the bench; the octets on the wire are cut as in bench_cut(). */
static void
play(const char *names, size_t cut, bool met)
{
	relay_up(names);
	bench_start(&far_bench, (struct machine){ &relay, relay_step, relay_fault });
	call(names);
	bench_cut(&bench, cut);
	bench_cut(&far_bench, cut);
	far_mailer_says("220 mx\r\n");
	near_mailer_says("EHLO a.example\r\n");
	assert_local(&far_bench, "EHLO a.example\r\n");
	far_mailer_says("250-mx\r\n250-STARTTLS\r\n250 SIZE\r\n");
	assert_true(bench.encrypted && far_bench.encrypted);
	/* statement 3: both mailers get a fresh EHLO */
	assert_local(&far_bench, "EHLO a.example\r\n");
	far_mailer_says("250-mx\r\n250-STARTTLS\r\n250-PIPELINING\r\n250 SIZE\r\n");
	assert_local(&bench, "220 mx\r\n250-mx\r\n250-PIPELINING\r\n250 SIZE\r\n");
	assert_true(passes_on());
	near_mailer_says("MAIL FROM:<>\r\nRCPT TO:<b>\r\nDATA\r\n");
	assert_local(&far_bench, "MAIL FROM:<>\r\nRCPT TO:<b>\r\nDATA\r\n");
	far_mailer_says("250 m\r\n250 r\r\n354 go\r\n");
	near_mailer_says("XCRYPT\r\n.\r\nQUIT\r\n");
	assert_local(&far_bench, "XCRYPT\r\n.\r\n");
	/* MAIL and QUIT are answered at the near end, QUIT when the message is */
	far_mailer_says("250 ok\r\n");
	assert_local(&bench, "250 2.1.0 Ok\r\n250 r\r\n354 go\r\n250 ok\r\n221 2.0.0 Bye\r\n");
	assert_int_equal(bench.io.end, OUTCOME_DONE);
	assert_local(&far_bench, "QUIT\r\n");
	far_mailer_says("221 bye\r\n");
	assert_int_equal(far_bench.io.end, OUTCOME_DONE);
	if (is_hybrid(&relay.handshake))
		prove(met);
	relay_wipe(&relay);
	transparent_wipe(&transparent);
}

/* statement 7: cut at many places, with every suite; 2.0 also with a pre-shared secret */
static void
threat_7_both_ends_in_any_division(void **state)
{
	(void)state;
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		bool hybrid = s->kex == &kex_hybrid;

		for (size_t cut = 0; cut < (hybrid ? 1800 : 240); cut += hybrid && cut < 60 ? 1 : 37) {
			hosts_set_up(NULL);
			play(s->name, cut, false);
			if (hybrid)
				play(s->name, cut, true);
		}
	}
}

/* Two sessions up to EHLO in the encrypted session; the test plays the mailers. */
static void
sessions_up(const char *names, int64_t relay_command_ms)
{
	struct session_limits limits = long_limits();
	struct machine relays = { &relay, relay_step, relay_fault };
	struct machine calls = { &transparent, transparent_step, transparent_fault };

	relay_up(names);
	transparent_start(&transparent, &set, keys_source(&client_keys));
	transparent_connected(&transparent, CLIENT_CALL_FIRST);
	session_up(&near, calls, &limits);
	limits.command_ms = relay_command_ms;
	session_up(&far, relays, &limits);
	far.session.serving = true;
	assert_int_equal(fd_prepare(far.wire), 0);
	session_wire(&near.session, far.wire, far.wire);
	session_off(&far);
	session_off(&near);
}

static void
sessions_inside(const char *names)
{
	sessions_up(names, LONG_MS);
	say(far.local, "220 mx\r\n");
	hear(near.local, "220 mx\r\n");
	say(near.local, "EHLO a.example\r\n");
	hear(far.local, "EHLO a.example\r\n");
	say(far.local, "250 mx\r\n");
	hear(far.local, "EHLO a.example\r\n");
	say(far.local, "250-mx\r\n250 SIZE\r\n");
	hear(near.local, "250-mx\r\n250 SIZE\r\n");
}

/* Sends `len` octets of a message to one end and expects the same at the other. */
static void
carry_message(size_t len)
{
	struct flow out = { .fd = near.local }, in = { .fd = far.local };

	while (in.received < len) {
		struct pollfd fds[2] = {
			{ .fd = near.local, .events = (short)(out.sent < len ? POLLOUT : 0) },
			{ .fd = far.local, .events = POLLIN },
		};

		assert_true(poll(fds, 2, LONG_MS) > 0);
		if (fds[0].revents != 0)
			flow_send(&out, len);
		if (fds[1].revents != 0)
			flow_receive(&in, 0);
	}
}

/* statement 8: a megabyte of all octet values; after it the session continues */
static void
threat_8_a_megabyte_arrives_as_it_was_sent(void **state)
{
	(void)state;
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		sessions_inside(s->name);
		say(near.local, "DATA\r\n");
		hear(far.local, "DATA\r\n");
		say(far.local, "354 go\r\n");
		hear(near.local, "354 go\r\n");
		carry_message(1 << 20);
		say(near.local, "\r\n.\r\n");
		hear(far.local, "\r\n.\r\n");
		say(far.local, "250 ok\r\n");
		hear(near.local, "250 ok\r\n");
		say(near.local, "QUIT\r\n");
		hear(near.local, "221 2.0.0 Bye\r\n");
		hear(far.local, "QUIT\r\n");
		say(far.local, "221 bye\r\n");
		shutdown(far.local, SHUT_WR);
		assert_int_equal(session_ends(&far), OUTCOME_DONE);
		assert_int_equal(session_ends(&near), OUTCOME_DONE);
		assert_int_equal(relay.messages, 1);
		session_close(&near);
		session_close(&far);
		relay_wipe(&relay);
	}
}

/* A reply of a megabyte, in the other direction. */
static void
a_megabyte_of_reply_arrives_too(void **state)
{
	static char line[128];
	size_t sent = 0, heard = 0, lines = 8192;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "214-", 4);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	sessions_inside(MODERN);
	say(near.local, "HELP\r\n");
	hear(far.local, "HELP\r\n");
	while (heard < lines * sizeof(line)) {
		struct pollfd fds[2] = {
			{ .fd = far.local, .events = (short)(sent < lines ? POLLOUT : 0) },
			{ .fd = near.local, .events = POLLIN },
		};
		char got[sizeof(line)];

		assert_true(poll(fds, 2, LONG_MS) > 0);
		if (fds[0].revents & POLLOUT) {
			assert_int_equal(write(far.local, line, sizeof(line)), sizeof(line));
			sent++;
		}
		if (fds[1].revents & POLLIN) {
			ssize_t n = recv(near.local, got, sizeof(got) - heard % sizeof(got), 0);
			assert_true(n > 0);
			assert_memory_equal(got, line + heard % sizeof(line), (size_t)n);
			heard += (size_t)n;
		}
	}
	say(far.local, "214 end\r\n");
	hear(near.local, "214 end\r\n");
	shutdown(far.local, SHUT_WR);
	session_close(&near);
	session_close(&far);
	relay_wipe(&relay);
}

/* statement 26: a backend that stalls is given up, and the client is told */
static void
threat_26_a_stalled_backend_is_cut_off(void **state)
{
	(void)state;
	sessions_up(MODERN, 5);
	assert_int_equal(session_ends(&far), OUTCOME_TIMEOUT);
	assert_int_equal(session_ends(&near), OUTCOME_GREETED_LATER);
	assert_span(reply_last_line(&transparent.client.reply),
	    "421 4.4.2 mx.b.example Timeout exceeded");
	session_close(&near);
	session_close(&far);
	relay_wipe(&relay);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_caller(threat_7_both_ends_in_any_division),
		with_caller(threat_8_a_megabyte_arrives_as_it_was_sent),
		with_caller(a_megabyte_of_reply_arrives_too),
		with_caller(threat_26_a_stalled_backend_is_cut_off),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
