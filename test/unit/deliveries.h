/* A delivery on the bench; the test plays the remote host with bench_wire(). */
#ifndef TEST_DELIVERIES_H
#define TEST_DELIVERIES_H

#include "handshakes.h"
#include "machine.h"

#include "smtp/deliver.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct bench bench;
static struct deliver deliver;
static struct deliver_message message;
static struct client_settings set;
static char *recipients[] = { (char[]){ "b@b" }, (char[]){ "c@b" }, (char[]){ "d@b" } };

static inline int
deliver_set_up(void **state)
{
	set = (struct client_settings){ .suites = &client_suites };
	message = (struct deliver_message){
		.sender = "a@a", .recipients = recipients, .recipient_count = 3, .octets = 12345,
		.length = UINT64_MAX,
	};
	suites_named(&client_suites, "");
	return hosts_set_up(state);
}

static inline int
deliver_tear_down(void **state)
{
	deliver_wipe(&deliver);
	return hosts_tear_down(state);
}

#define with_delivery(test) cmocka_unit_test_setup_teardown(test, deliver_set_up, deliver_tear_down)

/* Connected; the host has not greeted yet. */
static inline void
deliver_up(void)
{
	deliver_start(&deliver, &set, &message, keys_source(&client_keys), "a.example");
	bench_start(&bench, (struct machine){ &deliver, deliver_step, deliver_fault });
	deliver_connected(&deliver, CLIENT_CALL_FIRST);
	bench_step(&bench);
}

/* The same, then greeted; EHLO was sent. */
static inline void
deliver_ehlo(void)
{
	deliver_up();
	bench_wire(&bench, "220 mx\r\n");
	assert_wire(&bench, "EHLO a.example\r\n");
}

#define ENVELOPE "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\nRCPT TO:<c@b>\r\nRCPT TO:<d@b>\r\n"

/* The same, with PIPELINING offered; the envelope was sent. */
static inline void
deliver_envelope(void)
{
	deliver_ehlo();
	bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
	assert_wire(&bench, ENVELOPE);
}

#define GROUP "MAIL FROM:<a@a>\r\nRCPT TO:<b@b>\r\nDATA\r\n"

/* One recipient, and PIPELINING offered: the envelope was sent together with DATA. */
static inline void
deliver_group(void)
{
	message.recipient_count = 1;
	deliver_ehlo();
	bench_wire(&bench, "250-mx\r\n250 PIPELINING\r\n");
	assert_wire(&bench, GROUP);
}

/* Three recipients, and the envelope accepted; DATA was sent. */
static inline void
deliver_data(void)
{
	deliver_envelope();
	bench_wire(&bench, "250 m\r\n250 b\r\n250 c\r\n250 d\r\n");
	assert_wire(&bench, "DATA\r\n");
}

/* The same, with 354 received; the message comes next. */
static inline void
deliver_body(void)
{
	deliver_data();
	bench_wire(&bench, "354 go\r\n");
	assert_wire(&bench, "");
}

/* Ends the message, with exactly the announced length. */
static inline void
deliver_message_end(void)
{
	message.octets = deliver.octets + (deliver.line_start ? 0 : deliver.last_cr ? 1 : 2);
	bench_local_eof(&bench);
}

#endif
