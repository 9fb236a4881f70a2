/* blackponyd's own STARTTLS: who answers it, what may follow it, and the dialogue inside. */
#include "relays.h"

#define GREETS { MAILER, "220 mx.b.example ESMTP\r\n", "220 mx.b.example ESMTP\r\n", "" }
#define SAYS_EHLO { CLIENT, "EHLO a.example\r\n", "", "EHLO a.example\r\n" }
#define OFFERS { MAILER, "250-mx.b.example\r\n250-STARTTLS\r\n250 CHUNKING\r\n", \
	"250-mx.b.example\r\n250-CHUNKING\r\n250 STARTTLS\r\n", "" }
#define GO "220 2.0.0 Ready to start TLS\r\n"

static const char *
name(void *context)
{
	(void)context;
	return "TLSv1.2 TLS-ECDHE-X";
}

static void
set_own(void)
{
	relay_set.starttls = RELAY_STARTTLS_OWN;
	relay_set.tls_name = name;
	suites_named(&relay_suites, "");
}

static void
own_up(void)
{
	set_own();
	relay_up();
}

/* After the reply to EHLO. */
static void
offers(void)
{
	const struct turn turns[] = { GREETS, SAYS_EHLO, OFFERS };

	own_up();
	relay_plays(turns, COUNT(turns));
}

/* After the TLS handshake. */
static void
inside(void)
{
	offers();
	assert_says("STARTTLS", GO);
	assert_non_null(bench.io.start_tls);
	assert_int_equal(relay.crypt, CRYPT_TLS);
	bench.io.tls = IO_TLS_OPEN;
	bench_step(&bench);
	assert_int_equal(relay.crypt, CRYPT_ON);
	assert_wire(&bench, "");
	assert_local(&bench, "");
}

static void
ours_in_place_of_the_backends(void **state)
{
	(void)state;
	offers();
	assert_false(bench.io.settled);
}

/* XCRYPT beside it, and last. */
static void
beside_xcrypt(void **state)
{
	(void)state;
	set_own();
	suites_named(&relay_suites, MODERN);
	relay_greets();
	bench_wire(&bench, "EHLO a.example\r\n");
	bench_said_local(&bench);
	bench_local(&bench, "250 mx.b.example\r\n");
	struct span said = bench_said_wire(&bench);
	assert_true(span_starts(said, SPAN("250-mx.b.example\r\n250-STARTTLS\r\n250 XCRYPT ")));
}

/* Statement 4: neither is offered or accepted inside the other. */
static void
neither_inside_the_other(void **state)
{
	(void)state;
	set_own();
	suites_named(&relay_suites, MODERN);
	relay_greets();
	bench_wire(&bench, "EHLO a.example\r\n");
	bench_said_local(&bench);
	bench_local(&bench, "250 mx.b.example\r\n");
	bench_said_wire(&bench);
	assert_says("STARTTLS", GO);
	bench.io.tls = IO_TLS_OPEN;
	bench_step(&bench);
	assert_says("STARTTLS", "503 5.5.1 Already encrypted\r\n");
	assert_says("XCRYPT chacha20poly1305_2.0 x", "503 5.5.1 XCRYPT FAIL already encrypted\r\n");
	bench_wire(&bench, "EHLO a.example\r\n");
	assert_local(&bench, "EHLO a.example\r\n");
	bench_local(&bench, "250-mx.b.example\r\n250 STARTTLS\r\n");
	assert_wire(&bench, "250 mx.b.example\r\n");
}

/* Statement 42: an octet that follows STARTTLS, read already or not, ends the session. */
static void
injected_octets(void **state)
{
	static const char line[] = "STARTTLS\r\nMAIL FROM:<>\r\n";

	(void)state;
	for (size_t cut = 0; cut <= strlen(line); cut++) {
		offers();
		bench_cut(&bench, cut);
		bench_wire(&bench, line);
		assert_wire(&bench, "503 5.5.1 improper command pipelining\r\n");
		assert_local(&bench, "");
		assert_null(bench.io.start_tls);
		assert_int_equal(bench.io.end, OUTCOME_INJECTED);
		relay_wipe(&relay);
	}
}

/* Statements 3 and 42: inside, the dialogue begins again. */
static void
starts_over(void **state)
{
	static const struct turn turns[] = {
		{ CLIENT, "MAIL FROM:<a@a.example>\r\n", "503 5.5.1 Send EHLO again first\r\n", "" },
		{ CLIENT, "NOOP\r\n", "", "NOOP\r\n" },
		{ MAILER, "250 ok\r\n", "250 ok\r\n", "" },
		{ CLIENT, "EHLO c.example\r\n", "", "EHLO c.example\r\n" },
		{ MAILER, "250-mx\r\n250-XFOREIGN\r\n250 PIPELINING\r\n",
		    "250-mx\r\n250 PIPELINING\r\n", "" },
		{ CLIENT, "MAIL FROM:<a@a.example>\r\n", "", "MAIL FROM:<a@a.example>\r\n" },
	};

	(void)state;
	inside();
	relay_plays(turns, COUNT(turns));
	assert_true(bench.io.settled);
}

/* RFC 3848: ESMTPS, and ESMTPSA after AUTH. */
static void
trace(bool authenticated)
{
	relay_set.mark = true;
	inside();
	bench_wire(&bench, "EHLO c.example\r\n");
	bench_local(&bench, "250-mx\r\n250 AUTH PLAIN\r\n");
	if (authenticated) {
		bench_wire(&bench, "AUTH PLAIN AGEAYg==\r\n");
		bench_local(&bench, "235 ok\r\n");
	}
	bench_wire(&bench, "DATA\r\n");
	bench_local(&bench, "354 go\r\n");
	bench_said_local(&bench);
	bench_wire(&bench, "Subject: x\r\n\r\n.\r\n");
	struct span said = bench_said_local(&bench);
	const char *begins = authenticated ?
	    "Received: from c.example ([192.0.2.1]) by mx.b.example\r\n"
	    "    with ESMTPSA (TLSv1.2 TLS-ECDHE-X); " :
	    "Received: from c.example ([192.0.2.1]) by mx.b.example\r\n"
	    "    with ESMTPS (TLSv1.2 TLS-ECDHE-X); ";
	assert_true(span_starts(said, span_of(begins)));
	relay_wipe(&relay);
}

static void
trace_line(void **state)
{
	(void)state;
	trace(false);
	trace(true);
}

static void
refusals(void **state)
{
	const struct turn greets[] = { GREETS }, helo[] = { GREETS,
		{ CLIENT, "HELO a.example\r\n", "", "HELO a.example\r\n" },
		{ MAILER, "250 mx\r\n", "250 mx\r\n", "" } };

	(void)state;
	own_up();
	relay_plays(greets, COUNT(greets));
	assert_says("STARTTLS", "503 5.5.1 Send EHLO first\r\n");
	relay_wipe(&relay);
	own_up();
	relay_plays(helo, COUNT(helo));
	assert_says("STARTTLS", "503 5.5.1 Send EHLO first\r\n");
	relay_wipe(&relay);
	offers();
	assert_says("STARTTLS now", "501 5.5.4 STARTTLS takes no parameters\r\n");
	/* not a pipe, where the backend could read it */
	assert_says("STARTTLS\nMAIL", "500 5.5.2 Command contains NUL, bare CR or bare LF\r\n");
	assert_says("starttls", GO);
}

/* A command to encrypt that did not wait for the offer waits now, like XCRYPT. */
static void
before_its_turn(void **state)
{
	const struct turn turns[] = { GREETS,
		{ CLIENT, "EHLO a.example\r\nSTARTTLS\r\n", "", "EHLO a.example\r\n" },
		{ MAILER, "250 mx\r\n", "250-mx\r\n250 STARTTLS\r\n" GO, "" },
	};

	(void)state;
	own_up();
	relay_plays(turns, COUNT(turns));
	assert_non_null(bench.io.start_tls);
}

static void
handshake_fails(void **state)
{
	(void)state;
	offers();
	assert_says("STARTTLS", GO);
	bench.io.tls = IO_TLS_FAILED;
	bench_step(&bench);
	assert_int_equal(bench.io.end, OUTCOME_TLS_FAILED);
	assert_wire(&bench, "");
	relay_wipe(&relay);
	offers();
	assert_says("STARTTLS", GO);
	bench_wire_eof(&bench);
	assert_int_equal(bench.io.end, OUTCOME_WIRE_GONE);
	relay_wipe(&relay);
	/* nothing can be said between the 220 and the handshake */
	offers();
	assert_says("STARTTLS", GO);
	assert_int_equal(bench.io.wait, WAIT_HANDSHAKE);
	bench_fault(&bench, OUTCOME_TIMEOUT);
	assert_int_equal(bench.io.end, OUTCOME_TIMEOUT);
	assert_wire(&bench, "");
}

/* What the backend says during the handshake waits for its end. */
static void
backend_leaves_meanwhile(void **state)
{
	(void)state;
	offers();
	assert_says("STARTTLS", GO);
	bench_local(&bench, "421 4.4.2 timeout\r\n");
	assert_wire(&bench, "");
	bench.io.tls = IO_TLS_OPEN;
	bench_step(&bench);
	assert_wire(&bench, "421 4.4.2 timeout\r\n");
	assert_int_equal(bench.io.end, OUTCOME_LOCAL_GONE);
}

/* Statement 24: under must, STARTTLS counts where XCRYPT does. */
static void
required(void **state)
{
	(void)state;
	relay_set.encryption_required = true;
	offers();
	assert_says("MAIL FROM:<>", "530 5.7.0 Must use XCRYPT or STARTTLS first\r\n");
	assert_says("STARTTLS", GO);
	bench.io.tls = IO_TLS_OPEN;
	bench_step(&bench);
	bench_wire(&bench, "EHLO a.example\r\n");
	bench_local(&bench, "250 mx\r\n");
	assert_wire(&bench, "250 mx\r\n");
	bench_said_local(&bench);
	bench_wire(&bench, "MAIL FROM:<>\r\n");
	assert_local(&bench, "MAIL FROM:<>\r\n");
}

static void
left_to_the_backend(void **state)
{
	const struct turn turns[] = { GREETS, SAYS_EHLO,
		{ MAILER, "250-mx\r\n250 STARTTLS\r\n", "250-mx\r\n250 STARTTLS\r\n", "" },
		{ CLIENT, "STARTTLS\r\n", "", "STARTTLS\r\n" },
	};

	(void)state;
	suites_named(&relay_suites, "");
	relay_up();
	relay_plays(turns, COUNT(turns));
	assert_true(bench.io.pipe);
}

static void
nobodys(void **state)
{
	const struct turn turns[] = { GREETS, SAYS_EHLO,
		{ MAILER, "250-mx\r\n250 STARTTLS\r\n", "250 mx\r\n", "" },
		{ CLIENT, "STARTTLS\r\n", "502 5.5.1 STARTTLS not offered\r\n", "" },
		{ CLIENT, "MAIL FROM:<>\r\n", "", "MAIL FROM:<>\r\n" },
	};

	(void)state;
	relay_set.starttls = RELAY_STARTTLS_NOBODY;
	suites_named(&relay_suites, "");
	relay_up();
	relay_plays(turns, COUNT(turns));
	assert_true(bench.io.pipe);
}

/* Statement 38: after a failed XCRYPT, STARTTLS may follow, so nothing is settled; in a pipe it is. */
static void
after_a_failed_xcrypt(void **state)
{
	(void)state;
	set_own();
	suites_named(&relay_suites, MODERN);
	relay_greets();
	bench_wire(&bench, "EHLO a.example\r\n");
	bench_said_local(&bench);
	bench_local(&bench, "250 mx.b.example\r\n");
	bench_said_wire(&bench);
	relay_says("XCRYPT chacha20poly1305_2.0 nonsense");
	assert_int_equal(relay.crypt, CRYPT_GIVEN_UP);
	assert_false(bench.io.settled);
	assert_says("STARTTLS", GO);
	assert_true(bench.io.settled);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_relay(ours_in_place_of_the_backends),
		with_relay(beside_xcrypt),
		with_relay(neither_inside_the_other),
		with_relay(injected_octets),
		with_relay(starts_over),
		with_relay(trace_line),
		with_relay(refusals),
		with_relay(before_its_turn),
		with_relay(handshake_fails),
		with_relay(backend_leaves_meanwhile),
		with_relay(required),
		with_relay(left_to_the_backend),
		with_relay(nobodys),
		with_relay(after_a_failed_xcrypt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
