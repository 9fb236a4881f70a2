/*
 * A transparent client on the bench, with a server's handshake (handshakes.h) on its wire.  The
 * test plays the local MTA on standard input with bench_local().
 */
#ifndef TEST_CALLERS_H
#define TEST_CALLERS_H

#include "handshakes.h"
#include "machine.h"

#include "smtp/transparent.h"

#define MODERN "chacha20poly1305_2.0 aes256gcm_2.0"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct bench bench;
static struct transparent transparent;
static struct client_settings set;

static inline int
transparent_set_up(void **state)
{
	set = (struct client_settings){ .suites = &client_suites };
	return hosts_set_up(state);
}

static inline int
transparent_tear_down(void **state)
{
	transparent_wipe(&transparent);
	return hosts_tear_down(state);
}

#define with_caller(test) cmocka_unit_test_setup_teardown(test, transparent_set_up, transparent_tear_down)

/* Whether the handshake is over and everything passes. */
static inline bool
passes_on(void)
{
	return bench.io.pipe || transparent.dialogue == TRANSPARENT_FOLLOWS;
}

/* The first connection; nothing has been received. */
static inline void
call(const char *names)
{
	hosts_meet(names, names);
	transparent_start(&transparent, &set, keys_source(&client_keys));
	bench_start(&bench, (struct machine){ &transparent, transparent_step, transparent_fault });
	transparent_connected(&transparent, CLIENT_CALL_FIRST);
	bench_step(&bench);
}

/* The same, after the greeting; EHLO was sent. */
static inline void
call_ehlo(const char *names)
{
	call(names);
	bench_wire(&bench, "220 mx ESMTP\r\n");
	assert_local(&bench, "220 mx ESMTP\r\n");
	bench_local(&bench, "EHLO a.example\r\n");
	assert_wire(&bench, "EHLO a.example\r\n");
	assert_local(&bench, "");
}

/* The same, after an offer in a reply of several lines; XCRYPT was sent. */
static inline void
call_choice(const char *names)
{
	call_ehlo(names);
	server_offers();
	bench_wire(&bench, spell("250-mx clear\r\n250-STARTTLS\r\n250-@\r\n250 SIZE 1\r\n", offer));
	take_text(choice, bench_said_wire(&bench));
}

static inline void
server_says(const char *line)
{
	char text[LINE_TEXT + 2];

	snprintf(text, sizeof(text), "%s\r\n", line);
	bench_wire(&bench, text);
}

/* ... and the answer, after which both sides encrypt in 2.0 */
static inline void
call_answer(const char *names)
{
	call_choice(names);
	server_agrees();
	server_says(answer_line);
	assert_int_equal(bench.encrypted, is_hybrid(&server));
}

/* ... and XCRYPT OK (before 2.0). */
static inline void
call_ok(const char *names)
{
	call_answer(names);
	take_text(ok, bench_said_wire(&bench));
	assert_true(server_takes_ok());
}

/* The same, after the reply to OK; EHLO was sent encrypted. */
static inline void
call_inside(const char *names)
{
	if (strstr(names, "_2.0") != NULL) {
		call_answer(names);
		assert_wire(&bench, "");
		return;
	}
	call_ok(names);
	server_says(ok_reply);
	assert_true(bench.encrypted);
	assert_wire(&bench, "EHLO a.example\r\n");
}

#endif
