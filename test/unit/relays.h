/*
 * A relay on the bench, with a client's handshake (handshakes.h) on its wire.  The test plays the
 * backend with bench_local().
 */
#ifndef TEST_RELAYS_H
#define TEST_RELAYS_H

#include "handshakes.h"
#include "machine.h"

#include "smtp/relay.h"

#define MODERN "chacha20poly1305_2.0 aes256gcm_2.0"

static struct bench bench;
static struct relay relay;
static struct suite_list relay_suites;
static struct relay_settings relay_set;

static inline int
relay_set_up(void **state)
{
	relay_set = (struct relay_settings){
		.suites = &relay_suites,
		.hostname = "mx.b.example",
		.peer = "[192.0.2.1]",
	};
	suites_named(&relay_suites, MODERN);
	return hosts_set_up(state);
}

static inline int
relay_tear_down(void **state)
{
	relay_wipe(&relay);
	return hosts_tear_down(state);
}

#define with_relay(test) cmocka_unit_test_setup_teardown(test, relay_set_up, relay_tear_down)

/* A connection with `relay_set` and `relay_suites`; nothing has been said. */
static inline void
relay_up(void)
{
	handshake_start(&client, false, &relay_suites, keys_source(&client_keys));
	handshake_hello(&client, SPAN(HELLO));
	relay_start(&relay, &relay_set, keys_source(&server_keys));
	bench_start(&bench, (struct machine){ &relay, relay_step, relay_fault });
}

/* The same, after the greeting. */
static inline void
relay_greets(void)
{
	relay_up();
	bench_local(&bench, "220 mx.b.example ESMTP\r\n");
	assert_wire(&bench, "220 mx.b.example ESMTP\r\n");
}

/* The same, after EHLO and a reply of one line, to which the offer is added. */
static inline void
relay_offers(void)
{
	relay_greets();
	bench_wire(&bench, "EHLO a.example\r\n");
	assert_local(&bench, "EHLO a.example\r\n");
	bench_local(&bench, "250 mx.b.example\r\n");
	struct span said = bench_said_wire(&bench);
	assert_true(span_starts(said, SPAN("250-mx.b.example\r\n250 XCRYPT")));
	take_text(offer, span_from(said, strlen("250-mx.b.example\r\n250 ")));
}

/* Sends a client's line with CRLF, and returns all that is answered. */
static inline struct span
relay_says(const char *line)
{
	char out[LINE_TEXT + 2];

	snprintf(out, sizeof(out), "%s\r\n", line);
	bench_wire(&bench, out);
	return bench_said_wire(&bench);
}

/* The same; asserts the text of the answer. */
static inline void
assert_says(const char *line, const char *reply)
{
	struct span said = relay_says(line);

	if (!span_equal(said, span_of(reply)))
		print_error("%s: %.*s\n", line, (int)said.len, (const char *)said.at);
	assert_span(said, reply);
}

/* relay_offers(), then `XCRYPT suite ...` and its answer, which the client accepts. */
static inline void
relay_agrees(void)
{
	relay_offers();
	client_proposes();
	take_text(answer_line, relay_says(choice));
	if (is_hybrid(&client))
		assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
	else
		client_says_ok();
}

/* The same, up to the point where both sides encrypt. */
static inline void
relay_encrypts(void)
{
	relay_agrees();
	if (!is_hybrid(&client)) {
		assert_false(bench.encrypted);
		take_text(ok_reply, relay_says(ok));
		assert_int_equal(client_takes_ok(), VERDICT_GOOD);
	}
	assert_true(bench.encrypted);
	assert_local(&bench, is_hybrid(&client) ? "EHLO a.example\r\n" : "");
}

/* The same, after EHLO in the encrypted session. */
static inline void
relay_inside(void)
{
	relay_encrypts();
	if (!is_hybrid(&client)) {
		bench_wire(&bench, "EHLO a.example\r\n");
		assert_local(&bench, "EHLO a.example\r\n");
	}
	bench_local(&bench, "250-mx.b.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
	assert_wire(&bench, "250-mx.b.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
}

/* The same, after DATA; the message comes next, without a trace line. */
static inline void
relay_in_data(void)
{
	relay_inside();
	bench_wire(&bench, "DATA\r\n");
	assert_local(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n");
	assert_wire(&bench, "354 go\r\n");
	assert_local(&bench, "");
}

/* One side says something, and the machine reacts. */
struct turn {
	enum { CLIENT, MAILER } who;
	const char *says;
	const char *wire, *local;
};

static inline void
relay_plays(const struct turn *turns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(turns[i].who == CLIENT ? bench_wire : bench_local)(&bench, turns[i].says);
		assert_wire(&bench, turns[i].wire);
		assert_local(&bench, turns[i].local);
	}
}

/* Runs the turns after `start`, cut at each place and octet by octet. */
static inline void
relay_plays_cut(void (*start)(void), const struct turn *turns, size_t count)
{
	size_t longest = 0;

	for (size_t i = 0; i < count; i++)
		if (strlen(turns[i].says) > longest)
			longest = strlen(turns[i].says);
	for (size_t cut = 0; cut <= longest; cut++) {
		start();
		bench_cut(&bench, cut);
		relay_plays(turns, count);
		relay_wipe(&relay);
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
