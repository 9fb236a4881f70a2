/*
 * The poll loop when XCRYPT 2.0 encrypts: records after a line in the clear, a first record that
 * is gathered and padded, and the record that proves the peer.
 */
#include "sessions.h"

#include "base/octets.h"
#include "crypt/random.h"
#include "sys/fd.h"

#include <signal.h>

#define WORD "250 XCRYPT\r\n"
#define OVERHEAD (RECORD_HEADER_LEN + CIPHER_TAG_LEN)

/*
 * A machine that encrypts after WORD, which a server sends and a client waits for, and then
 * passes everything on.  A server gathers its first output up to the first `!`.
 */
static struct talker {
	struct agreement agreement;
	bool begun, gathers;
	size_t hides;
} talker;

static struct running session;
static unsigned proofs;
static struct channel channel;		/* the other end */
static uint8_t wire_mem[4 * RECORD_MAX], plain_mem[2 * RECORD_MAX];
static struct buf wire, plain;

static bool
begins(struct talker *t, struct io *io)
{
	struct span heard = buf_peek(&io->from_wire);
	size_t newline = span_find(heard, '\n');

	if (t->agreement.server) {
		buf_put(&io->to_wire, SPAN(WORD));
		io->gathers = t->gathers;
		io->hides = t->hides;
	} else if (newline == heard.len) {
		return false;
	} else {
		buf_take(&io->from_wire, newline + 1);
	}
	return true;
}

static void
step(void *machine, struct io *io)
{
	struct talker *t = machine;

	if (!t->begun) {
		t->begun = begins(t, io);
		io->encrypt = t->begun ? &t->agreement : NULL;
	} else {
		buf_move(&io->to_wire, &io->from_local);
		buf_move(&io->to_local, &io->from_wire);
		if (span_find(buf_peek(&io->to_wire), '!') < buf_len(&io->to_wire))
			io->gathers = false;
	}
	if (io->wire_eof && buf_len(&io->from_wire) == 0)
		io->end = io->wire_truncated ? OUTCOME_TRUNCATED : OUTCOME_DONE;
}

static void
fault(void *machine, struct io *io, enum outcome what)
{
	(void)machine;
	io->end = what;
}

static void
proved(void *context)
{
	assert_ptr_equal(context, &talker);
	proofs++;
}

/* Sets up a session with new keys; the test is the other end. */
static void
up(bool server)
{
	struct session_limits limits = long_limits();
	struct agreement *a = &talker.agreement;

	memset(&talker, 0, sizeof(talker));
	a->suite = suite_find(SPAN("aes256gcm_2.0"));
	assert_int_equal(random_octets(a->key_ab, CIPHER_KEY_MAX), 0);
	assert_int_equal(random_octets(a->key_ba, CIPHER_KEY_MAX), 0);
	a->server = !server;
	channel_stop(&channel);
	assert_int_equal(channel_start(&channel, a), 0);
	a->server = server;
	proofs = 0;
	session_up(&session, (struct machine){ &talker, step, fault }, &limits);
	session.session.serving = server;
	session.session.proved = proved;
	session.session.proved_context = &talker;
	buf_init(&wire, wire_mem, sizeof(wire_mem));
	buf_init(&plain, plain_mem, sizeof(plain_mem));
}

static int
down(void **state)
{
	(void)state;
	channel_stop(&channel);
	session_close(&session);
	return 0;
}

/* Writes a record with that content to `wire`. */
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

	assert_int_equal(write(session.wire, s.at, s.len), s.len);
	buf_clear(&wire);
}

static void
say_sealed(const char *text)
{
	seal(text);
	send_wire();
}

/* Asserts content and plaintext length of the next record on the wire. */
static void
hear_record(size_t inner_len, const char *text)
{
	uint8_t record[RECORD_MAX];
	size_t len = 0, want = inner_len + OVERHEAD;

	while (len < want) {
		ssize_t n = read(session.wire, record + len, want - len);
		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_int_equal(octets_get16(record + 3), inner_len + CIPHER_TAG_LEN);
	buf_put(&wire, span(record, len));
	assert_int_equal(channel_open(&channel, &plain, &wire), 0);
	assert_span(buf_peek(&plain), text);
	buf_clear(&plain);
	buf_clear(&wire);
}

static void
assert_silence(void)
{
	struct pollfd fd = { .fd = session.wire, .events = POLLIN };

	assert_int_equal(poll(&fd, 1, 100), 0);
}

/* A server's gathered output is one record, sent when it is complete. */
static void
what_is_gathered_is_one_record(void **state)
{
	(void)state;
	up(true);
	talker.gathers = true;
	session_off(&session);
	hear(session.wire, WORD);
	say(session.local, "250-mx\r\n");
	assert_silence();
	say(session.local, "250-SIZE\r\n");
	assert_silence();
	say(session.local, "250 end!\r\n");
	hear_record(1024, "250-mx\r\n250-SIZE\r\n250 end!\r\n");
	/* later output is sent at once */
	say(session.local, "250 ok\r\n");
	hear_record(256, "250 ok\r\n");
}

/* Output that fills a record is sent without waiting for the rest. */
static void
more_than_a_record_is_not_gathered(void **state)
{
	static char text[RECORD_CONTENT_MAX + 1];

	(void)state;
	up(true);
	talker.gathers = true;
	session_off(&session);
	hear(session.wire, WORD);
	memset(text, 'x', RECORD_CONTENT_MAX - 1);
	say(session.local, text);
	assert_silence();
	say(session.local, "x");
	text[RECORD_CONTENT_MAX - 1] = 'x';
	hear_record(RECORD_INNER_MAX, text);
}

static void
threat_22_a_first_record_hides_what_is_not_said(void **state)
{
	static const struct { size_t hides, len, inner; } rows[] = {
		{ 0, 10, 1024 }, { 0, 1100, 1280 }, { 410, 10, 1024 }, { 410, 1100, 1536 },
		{ 206, 1304, 1536 }, { 0, 1510, 1536 },
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		up(true);
		talker.gathers = true;
		talker.hides = rows[i].hides;
		session_off(&session);
		hear(session.wire, WORD);
		memset(text, 'x', rows[i].len);
		text[rows[i].len - 1] = '!';
		text[rows[i].len] = '\0';
		say(session.local, text);
		hear_record(rows[i].inner, text);
		if (i + 1 < COUNT(rows))
			down(NULL);
	}
}

/* Records may come in the packet of the line, cut anywhere. */
static void
threat_7_records_follow_the_line_at_once(void **state)
{
	uint8_t text[4096];

	(void)state;
	for (size_t cut = 0; cut < 1400; cut += cut < 20 ? 1 : 97) {
		up(false);
		session_off(&session);
		seal("250 one\r\n");
		seal("250 two\r\n");
		size_t len = strlen(WORD) + buf_len(&wire), first = cut < len ? cut : len;
		memcpy(text, WORD, strlen(WORD));
		memcpy(text + strlen(WORD), buf_peek(&wire).at, buf_len(&wire));
		assert_int_equal(write(session.wire, text, first), first);
		if (cut % 2 == 0)
			usleep(2000);
		assert_int_equal(write(session.wire, text + first, len - first), len - first);
		buf_clear(&wire);
		hear(session.local, "250 one\r\n250 two\r\n");
		say(session.local, "QUIT\r\n");
		hear_record(256, "QUIT\r\n");
		if (cut < 1380)
			down(NULL);
		else
			break;
	}
}

/* ... followed by the end of the connection: with close_notify, truncated, or without a record. */
static void
threat_21_an_end_may_follow_the_line_at_once(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		up(false);
		if (how < 2)
			seal("421 bye\r\n");
		if (how == 0)
			assert_true(channel_end(&channel, &wire));
		say(session.wire, WORD);
		send_wire();
		shutdown(session.wire, SHUT_WR);
		session_off(&session);
		if (how < 2)
			hear(session.local, "421 bye\r\n");
		assert_int_equal(session_ends(&session),
		    how == 0 ? OUTCOME_DONE : OUTCOME_TRUNCATED);
		assert_int_equal(proofs, 0);
		if (how < 2)
			down(NULL);
	}
}

/* On a server, any record of the client proves it, once. */
static void
a_client_is_proved_by_its_first_record(void **state)
{
	(void)state;
	up(true);
	session_off(&session);
	hear(session.wire, WORD);
	say(session.local, "250 mx\r\n");
	hear_record(1024, "250 mx\r\n");
	assert_int_equal(proofs, 0);
	for (int i = 0; i < 3; i++) {
		say_sealed("MAIL\r\n");
		hear(session.local, "MAIL\r\n");
		assert_int_equal(proofs, 1);
	}
}

static void
what_does_not_verify_proves_nothing(void **state)
{
	(void)state;
	up(true);
	session_off(&session);
	hear(session.wire, WORD);
	seal("MAIL\r\n");
	wire_mem[RECORD_HEADER_LEN] ^= 1;
	send_wire();
	assert_int_equal(session_ends(&session), OUTCOME_BAD_RECORD);
	assert_int_equal(proofs, 0);
	down(NULL);

	/* half a record or a line in the clear proves nothing */
	up(true);
	session_off(&session);
	hear(session.wire, WORD);
	seal("MAIL\r\n");
	wire.tail--;
	send_wire();
	shutdown(session.wire, SHUT_WR);
	assert_int_equal(session_ends(&session), OUTCOME_TRUNCATED);
	assert_int_equal(proofs, 0);
}

/* On a client, records that the server made before it received one of ours prove nothing. */
static void
a_server_is_proved_by_its_reply(void **state)
{
	(void)state;
	up(false);
	session_off(&session);
	say(session.wire, WORD);
	say_sealed("250-mx\r\n");
	say_sealed("250 SIZE\r\n");
	hear(session.local, "250-mx\r\n250 SIZE\r\n");
	assert_int_equal(proofs, 0);
	say(session.local, "MAIL\r\n");
	hear_record(256, "MAIL\r\n");
	assert_int_equal(proofs, 0);
	for (int i = 0; i < 3; i++) {
		say_sealed("250 ok\r\n");
		hear(session.local, "250 ok\r\n");
		assert_int_equal(proofs, 1);
	}
}

/* The proof of one host does not count for the next one. */
static void
each_connection_has_its_own_proof(void **state)
{
	(void)state;
	up(false);
	for (unsigned call = 1; call <= 2; call++) {
		session_off(&session);
		say(session.wire, WORD);
		say_sealed("250 mx\r\n");
		hear(session.local, "250 mx\r\n");
		say(session.local, "QUIT\r\n");
		hear_record(256, "QUIT\r\n");
		assert_int_equal(proofs, call - 1);
		say_sealed("221 bye\r\n");
		hear(session.local, "221 bye\r\n");
		assert_int_equal(proofs, call);
		shutdown(session.wire, SHUT_WR);
		assert_int_equal(session_ends(&session), OUTCOME_TRUNCATED);
		if (call == 2)
			break;
		close(session.ours[0]);
		close(session.wire);
		socket_pair(&session.ours[0], &session.wire);
		session_wire(&session.session, session.ours[0], session.ours[0]);
		talker.begun = false;
		channel_stop(&channel);
		talker.agreement.server = true;
		assert_int_equal(channel_start(&channel, &talker.agreement), 0);
		talker.agreement.server = false;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_gathered_is_one_record, down),
		cmocka_unit_test_teardown(more_than_a_record_is_not_gathered, down),
		cmocka_unit_test_teardown(threat_22_a_first_record_hides_what_is_not_said, down),
		cmocka_unit_test_teardown(threat_7_records_follow_the_line_at_once, down),
		cmocka_unit_test_teardown(threat_21_an_end_may_follow_the_line_at_once, down),
		cmocka_unit_test_teardown(a_client_is_proved_by_its_first_record, down),
		cmocka_unit_test_teardown(what_does_not_verify_proves_nothing, down),
		cmocka_unit_test_teardown(a_server_is_proved_by_its_reply, down),
		cmocka_unit_test_teardown(each_connection_has_its_own_proof, down),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
