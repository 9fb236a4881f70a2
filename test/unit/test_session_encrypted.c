/*
 * The poll loop with an encrypted wire: two sessions connected to each other, or one session and a
 * channel of the test's.
 */
#include "sessions.h"

#include "crypt/random.h"
#include "sys/fd.h"

#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>

/* A machine that encrypts at once and then is a pipe. */
struct encrypting {
	struct agreement agreement;
	bool begun;
};

static struct encrypting client_machine, server_machine;
static struct running client, server;

static void
step(void *machine, struct io *io)
{
	struct encrypting *e = machine;

	if (e->begun) {
		io->pipe = true;
		return;
	}
	/* in the clear: the reply that goes with the switch precedes it */
	if (e->agreement.server)
		buf_put(&io->to_wire, SPAN("250 XCRYPT OK\r\n"));
	e->begun = true;
	io->encrypt = &e->agreement;
}

static void
fault(void *machine, struct io *io, enum outcome what)
{
	(void)machine;
	io->end = what;
}

/* Gives both machines the same keys. */
static void
draw_keys(const char *name)
{
	struct agreement a = { .suite = suite_find(span_of(name)) };

	assert_non_null(a.suite);
	assert_int_equal(random_octets(a.key_ab, CIPHER_KEY_MAX), 0);
	assert_int_equal(random_octets(a.key_ba, CIPHER_KEY_MAX), 0);
	if (a.suite->kex == &kex_rotn)
		a.key_ab[0] = a.key_ba[0] = 13;
	assert_int_equal(random_octets(a.iv_ab, CIPHER_IV_LEN), 0);
	assert_int_equal(random_octets(a.iv_ba, CIPHER_IV_LEN), 0);
	client_machine = (struct encrypting){ .agreement = a };
	a.server = true;
	server_machine = (struct encrypting){ .agreement = a };
}

static void
server_up(const char *suite)
{
	struct session_limits limits = long_limits();

	draw_keys(suite);
	session_up(&server, (struct machine){ &server_machine, step, fault }, &limits);
	server.session.serving = true;
}

/* The client's session uses the test's end of the server's wire as its own. */
static void
both_up(const char *suite)
{
	struct session_limits limits = long_limits();

	server_up(suite);
	session_up(&client, (struct machine){ &client_machine, step, fault }, &limits);
	assert_int_equal(fd_prepare(server.wire), 0);
	session_wire(&client.session, server.wire, server.wire);
}

/* Receives what the server says in the clear. */
static void
take_clear_word(void)
{
	char got[16];

	struct pollfd said = { .fd = server.wire, .events = POLLIN };
	assert_int_equal(poll(&said, 1, LONG_MS), 1);
	assert_int_equal(read(server.wire, got, 15), 15);
	assert_memory_equal(got, "250 XCRYPT OK\r\n", 15);
}

static void
a_megabyte_goes_both_ways(void **state)
{
	(void)state;
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		both_up(s->name);
		session_off(&server);
		take_clear_word();
		session_off(&client);
		flow_both_ways(client.local, server.local, 1 << 20);
		shutdown(server.local, SHUT_WR);
		assert_int_equal(session_ends(&server), OUTCOME_DONE);
		assert_int_equal(session_ends(&client), OUTCOME_DONE);
		assert_true(server.session.wire_written >= 1 << 20);
		session_close(&client);
		session_close(&server);
	}
}

static void
an_end_goes_through_by_halves(void **state)
{
	(void)state;
	both_up("aes256gcm_2.0");
	session_off(&server);
	take_clear_word();
	session_off(&client);
	say(client.local, "QUIT\r\n");
	shutdown(client.local, SHUT_WR);
	hear(server.local, "QUIT\r\n");
	hear_eof(server.local);
	say(server.local, "221 bye\r\n");
	shutdown(server.local, SHUT_WR);
	hear(client.local, "221 bye\r\n");
	assert_int_equal(session_ends(&client), OUTCOME_DONE);
	assert_int_equal(session_ends(&server), OUTCOME_DONE);
	session_close(&client);
	session_close(&server);
}

/* The client's end of a channel, used directly, and its octets on the wire. */
static struct channel channel;
static uint8_t wire_mem[4 * RECORD_MAX], plain_mem[RECORD_MAX];
static struct buf wire, plain;

static void
client_by_hand(const char *suite)
{
	server_up(suite);
	session_off(&server);
	take_clear_word();
	assert_int_equal(channel_start(&channel, &client_machine.agreement), 0);
	buf_init(&wire, wire_mem, sizeof(wire_mem));
	buf_init(&plain, plain_mem, sizeof(plain_mem));
}

static void
seal(const char *text)
{
	buf_put(&plain, span_of(text));
	assert_int_equal(channel_seal(&channel, &wire, &plain), 0);
}

static void
send_wire(void)
{
	struct span s = buf_peek(&wire);

	assert_int_equal(write(server.wire, s.at, s.len), s.len);
	buf_clear(&wire);
}

static void
hand_closes(void)
{
	channel_stop(&channel);
	session_close(&server);
}

/* statement 7: octet by octet, each sent by itself */
static void
threat_7_records_come_in_pieces(void **state)
{
	(void)state;
	client_by_hand("chacha20poly1305_2.0");
	seal("hello ");
	seal("there");
	for (struct span s = buf_peek(&wire); s.len > 0; s = span_from(s, 1))
		assert_int_equal(write(server.wire, s.at, 1), 1);
	hear(server.local, "hello there");
	hand_closes();
}

/* statement 21 */
static void
threat_21_a_fin_without_notice_is_a_truncation(void **state)
{
	(void)state;
	client_by_hand("aes256gcm_2.0");
	seal("hello");
	send_wire();
	shutdown(server.wire, SHUT_WR);
	hear(server.local, "hello");
	assert_int_equal(session_ends(&server), OUTCOME_TRUNCATED);
	hand_closes();

	/* within a record */
	client_by_hand("aes256gcm_2.0");
	seal("hello");
	wire.tail--;
	send_wire();
	shutdown(server.wire, SHUT_WR);
	assert_int_equal(session_ends(&server), OUTCOME_TRUNCATED);
	hand_closes();

	/* announced: the end, after everything that came before it */
	client_by_hand("aes256gcm_2.0");
	seal("hello");
	assert_true(channel_end(&channel, &wire));
	send_wire();
	shutdown(server.wire, SHUT_WR);
	hear(server.local, "hello");
	hear_eof(server.local);
	shutdown(server.local, SHUT_WR);
	assert_int_equal(session_ends(&server), OUTCOME_DONE);
	hand_closes();
}

/* A stream cipher cannot announce its end. */
static void
a_stream_ends_with_its_fin(void **state)
{
	(void)state;
	client_by_hand("arsyfor_1.0");
	seal("hello");
	send_wire();
	shutdown(server.wire, SHUT_WR);
	hear(server.local, "hello");
	hear_eof(server.local);
	shutdown(server.local, SHUT_WR);
	assert_int_equal(session_ends(&server), OUTCOME_DONE);
	hand_closes();
}

/* statement 20: even if the backend still has something to send */
static void
threat_20_a_changed_record_ends_it_with_octets_to_send(void **state)
{
	(void)state;
	client_by_hand("chacha20poly1305_2.0");
	seal("bad");
	wire_mem[RECORD_HEADER_LEN] ^= 1;
	send_wire();
	say(server.local, "octets on their way to the client");
	assert_int_equal(session_ends(&server), OUTCOME_BAD_RECORD);
	hand_closes();
}

/* statement 20: what came before the changed record is passed on, nothing of it or after it */
static void
threat_20_a_changed_record_ends_the_session(void **state)
{
	(void)state;
	client_by_hand("chacha20poly1305_2.0");
	seal("good");
	size_t good = buf_len(&wire);
	seal("bad");
	seal("behind");
	wire_mem[good + RECORD_HEADER_LEN] ^= 1;
	send_wire();
	assert_int_equal(session_ends(&server), OUTCOME_BAD_RECORD);
	assert_string_equal(server.session.layer_fault, channel_fault_text(CHANNEL_BAD_RECORD));
	close(server.ours[1]);
	server.ours[1] = -1;
	hear(server.local, "good");
	hear_eof(server.local);
	hand_closes();
}

/* The server sends close_notify before its FIN, and waits for the client's. */
static void
threat_21_the_servers_end_is_announced(void **state)
{
	uint8_t got[RECORD_MAX];
	ssize_t len;

	(void)state;
	client_by_hand("aes256gcm_2.0");
	say(server.local, "221 bye\r\n");
	shutdown(server.local, SHUT_WR);
	while ((len = read(server.wire, got, sizeof(got))) > 0)
		assert_true(buf_put(&wire, span(got, (size_t)len)));
	assert_int_equal(channel_open(&channel, &plain, &wire), 0);
	assert_span(buf_peek(&plain), "221 bye\r\n");
	assert_true(channel_ended(&channel));
	shutdown(server.wire, SHUT_WR);
	assert_int_equal(session_ends(&server), OUTCOME_DONE);
	hand_closes();
}

/* A cipher for people, who cannot type CR. */
static void
lines_typed_in_cipher_may_end_in_lf(void **state)
{
	(void)state;
	server_up("rotn_0.1");
	server.session.by_hand = true;
	session_off(&server);
	take_clear_word();
	say(server.wire, "DHVG\nabc\r\n");
	hear(server.local, "QUIT\r\nnop\r\n");
	session_close(&server);
}

/* A layer with records of 15000 octets that holds what there is no room for, as TLS does. */
static uint8_t held_mem[15000];
static struct buf held;
static bool answers, owes; /* it has something of its own to send, as TLS has an alert */

static int
holding_open(void *state, struct buf *to, struct buf *from)
{
	(void)state;
	owes = owes || (answers && buf_len(from) >= sizeof(held_mem));
	do {
		buf_move(to, &held);
		if (buf_room(to) > 0 && buf_len(from) >= sizeof(held_mem))
			buf_move(&held, from);
	} while (buf_room(to) > 0 && buf_len(&held) > 0);
	return 0;
}

static int
holding_seal(void *state, struct buf *to, struct buf *from)
{
	(void)state;
	if (owes)
		owes = !buf_put(to, SPAN("alert"));
	buf_move(to, from);
	return 0;
}

static bool
holding_end(void *state, struct buf *to)
{
	(void)state;
	(void)to;
	return true;
}

static bool
holding_ended(const void *state)
{
	(void)state;
	return buf_len(&held) == 0;
}

static bool
holding_holds(const void *state)
{
	(void)state;
	return buf_len(&held) > 0;
}

static enum layer_state
holding_state(const void *state)
{
	(void)state;
	return LAYER_OPEN;
}

static void
holding_stop(void *state)
{
	(void)state;
}

static int
holding_start(const char *host, const struct layer **layer, void **state)
{
	static const struct layer holding = { holding_open, holding_seal, holding_end,
		holding_ended, holding_holds, NULL, holding_state, holding_stop };

	assert_string_equal(host, "mx");
	buf_init(&held, held_mem, sizeof(held_mem));
	*layer = &holding;
	*state = &held;
	return 0;
}

static void
tls_step(void *machine, struct io *io)
{
	(void)machine;
	if (io->tls == IO_TLS_OPEN)
		io->pipe = true;
	else
		io->start_tls = "mx";
}

/* The remote host's last octets are held in a layer while the local MTA reads slowly. */
static void
what_a_layer_holds_comes_before_the_end(void **state)
{
	/* more than fits on the way to the local MTA */
	static uint8_t octets[(SESSION_BUFFER / sizeof(held_mem) + 1) * sizeof(held_mem)];
	struct session_limits limits = long_limits();
	size_t filled = 0;
	ssize_t len;
	int unread = 1;

	(void)state;
	session_up(&client, (struct machine){ NULL, tls_step, fault }, &limits);
	client.session.tls_start = holding_start;
	while ((len = send(client.ours[1], octets, 1000, MSG_DONTWAIT)) > 0)
		filled += (size_t)len;
	assert_int_equal(write(client.wire, octets, sizeof(octets)), sizeof(octets));
	shutdown(client.wire, SHUT_WR);
	session_off(&client);
	for (int i = 0; unread > 0 && i < LONG_MS; i++) {
		assert_int_equal(ioctl(client.wire, SIOCOUTQ, &unread), 0);
		poll(NULL, 0, 1);
	}
	for (size_t got = 0; got < filled + sizeof(octets); got += (size_t)len) {
		len = read(client.local, octets, sizeof(octets));
		assert_true(len > 0);
	}
	assert_int_equal(session_ends(&client), OUTCOME_DONE);
	session_close(&client);
}

/* Statement 32: what a layer has to send does not wait for other octets to be sent. */
static void
what_a_layer_has_to_say_goes_out_by_itself(void **state)
{
	static uint8_t octets[sizeof(held_mem)];
	struct session_limits limits = long_limits();

	(void)state;
	session_up(&client, (struct machine){ NULL, tls_step, fault }, &limits);
	client.session.tls_start = holding_start;
	answers = true;
	assert_int_equal(write(client.wire, octets, sizeof(octets)), sizeof(octets));
	session_off(&client);
	hear(client.wire, "alert");
	session_close(&client);
	answers = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_megabyte_goes_both_ways),
		cmocka_unit_test(an_end_goes_through_by_halves),
		cmocka_unit_test(threat_7_records_come_in_pieces),
		cmocka_unit_test(threat_21_a_fin_without_notice_is_a_truncation),
		cmocka_unit_test(a_stream_ends_with_its_fin),
		cmocka_unit_test(threat_20_a_changed_record_ends_the_session),
		cmocka_unit_test(threat_20_a_changed_record_ends_it_with_octets_to_send),
		cmocka_unit_test(threat_21_the_servers_end_is_announced),
		cmocka_unit_test(lines_typed_in_cipher_may_end_in_lf),
		cmocka_unit_test(what_a_layer_holds_comes_before_the_end),
		cmocka_unit_test(what_a_layer_has_to_say_goes_out_by_itself),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
