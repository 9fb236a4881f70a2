/*
 * Nothing waits while it could move (statement 32): sessions in one thread, where session_move()
 * is called again only if poll(2) would have returned.  Messages, replies and pipes of all sizes
 * near those of the buffers and records; with everything there at once, with a reader that starts
 * late, and piece by piece.
 */
#include "keys.h"

#include "crypt/random.h"
#include "session/session_internal.h"
#include "smtp/deliver.h"
#include "smtp/line.h"
#include "smtp/relay_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST (3 * SESSION_BUFFER)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct session s;
static struct channel peer;
static int far_wire = -1, far_local = -1;
static uint8_t text_mem[MOST], expected_mem[2 * MOST], sealed_mem[2 * MOST], wire_mem[2 * MOST],
    plain_mem[2 * MOST], local_mem[2 * MOST];
static struct buf text, expected, sealed, from_session, plain, to_mailer;
static bool local_ended;

/* What comes from one side: octets, then the end of file. */
struct source {
	struct span rest;
	bool silent;		/* sends nothing, and no end of file */
};
static struct source from_far, from_mailer;

/* All that fits before the first turn, the same with full sockets, or with each read. */
enum way { AT_ONCE, STUCK, IN_TURN, WAYS };

static int
end_of_a_pair(int *far)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
	    0);
	*far = ends[1];
	return ends[0];
}

static void
fault(void *machine, struct io *io, enum outcome what)
{
	(void)machine;
	io->end = what;
}

static void
step(void *machine, struct io *io)
{
	(void)machine;
	io->pipe = true;
}

static void
up(struct machine machine, const struct suite *suite)
{
	static const struct session_limits limits;
	struct agreement a = { .suite = suite };
	int fd = end_of_a_pair(&far_wire);

	session_start(&s, machine, &limits);
	session_wire(&s, fd, fd);
	fd = end_of_a_pair(&far_local);
	session_local(&s, fd, fd);
	from_far = from_mailer = (struct source){ .silent = true };
	local_ended = false;
	buf_init(&text, text_mem, sizeof(text_mem));
	buf_init(&expected, expected_mem, sizeof(expected_mem));
	buf_init(&sealed, sealed_mem, sizeof(sealed_mem));
	buf_init(&from_session, wire_mem, sizeof(wire_mem));
	buf_init(&plain, plain_mem, sizeof(plain_mem));
	buf_init(&to_mailer, local_mem, sizeof(local_mem));
	if (suite == NULL)
		return;
	a.key_ab[0] = a.key_ba[0] = 13;
	assert_int_equal(channel_start(&peer, &a), 0);
	a.server = true;
	assert_int_equal(channel_start(&s.channel, &a), 0);
	s.layer = &channel_layer;
	s.layer_state = &s.channel;
}

static void
down(void)
{
	if (s.layer != NULL)
		channel_stop(&peer);
	session_wipe(&s);
	close(s.wire_read_fd);
	close(s.local_read_fd);
	close(far_wire);
	close(far_local);
}

/* The remote host sends octets, encrypted if the wire is, and its end of file. */
static void
far_end_says(struct span octets)
{
	struct buf said;

	from_far = (struct source){ .rest = octets };
	if (s.layer == NULL)
		return;
	buf_init(&said, plain_mem, sizeof(plain_mem));
	assert_true(buf_put(&said, octets));
	assert_int_equal(channel_seal(&peer, &sealed, &said), 0);
	assert_true(buf_len(&said) == 0 && channel_end(&peer, &sealed));
	from_far.rest = buf_peek(&sealed);
}

/* One read: octets, or end of file after them.  False if there is nothing, or no room. */
static bool
reads(struct source *from, struct buf *into, bool *eof)
{
	size_t len = from->rest.len < buf_room(into) ? from->rest.len : buf_room(into);

	if (s.io.end != OUTCOME_NONE || from->silent || *eof || buf_room(into) == 0)
		return false;
	buf_put(into, span(from->rest.at, len));
	from->rest = span_from(from->rest, len);
	*eof = len == 0;
	return true;
}

static bool
read_sides(void)
{
	bool direct = s.layer == NULL && !s.by_hand;
	bool wire = !(s.io.pipe && buf_len(&s.io.from_wire) > 0) &&
	    reads(&from_far, direct ? session_plain_from_wire(&s) : &s.wire_in, &s.wire_closed);
	bool local = !(s.io.pipe && buf_len(&s.io.from_local) > 0) &&
	    reads(&from_mailer, session_plain_from_local(&s), &s.io.local_eof);

	return wire || local;
}

/* Takes what the session has written.  True if there is room again where there was none. */
static bool
take(int fd, struct buf *into, bool *ended, bool *full)
{
	ssize_t len;
	size_t room;

	for (;;) {
		uint8_t *space = buf_space(into, &room);

		len = read(fd, space, room);
		if (len <= 0)
			break;
		buf_added(into, (size_t)len);
	}
	*ended = *ended || len == 0;
	bool was = *full;
	*full = false;
	return was;
}

static void
run(enum way way)
{
	bool wire_ended = false, again;

	s.wire_full = s.local_full = way == STUCK;
	while (way != IN_TURN && read_sides())
		if (way == STUCK)
			session_move(&s);
	do {
		session_move(&s);
		again = take(far_wire, &from_session, &wire_ended, &s.wire_full);
		again = take(far_local, &to_mailer, &local_ended, &s.local_full) || again;
		again = read_sides() || again;
	} while (again);
	if (s.layer == NULL)
		buf_move(&plain, &from_session);
	else
		assert_int_equal(channel_open(&peer, &plain, &from_session), 0);
}

/* Repeats `piece` up to `len` octets. */
static void
repeat(struct buf *into, struct span piece, size_t len)
{
	for (; len > piece.len; len -= piece.len)
		assert_true(buf_put(into, piece));
	assert_true(buf_put(into, span(piece.at, len)));
}

#define X76 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Lines of `len` octets in all; the last octet is an LF or not. */
static void
lines(size_t len, bool crlf, bool newline)
{
	buf_clear(&text);
	repeat(&text, crlf ? SPAN(X76 "\r\n") : SPAN(X76 "\n"), len - 1);
	buf_put(&text, newline ? SPAN("\n") : SPAN("x"));
}

/* Converts a message to its form on the wire; returns its length. */
static size_t
as_sent(struct span message)
{
	size_t line;

	buf_clear(&expected);
	for (struct span rest = message; rest.len > 0; rest = span_from(rest, line + 1)) {
		line = span_find(rest, '\n');
		buf_put(&expected, span(rest.at, line));
		buf_put(&expected,
		    line > 0 && rest.at[line - 1] == '\r' ? SPAN("\n") : SPAN("\r\n"));
		if (line == rest.len)
			break;
	}
	size_t len = buf_len(&expected);
	buf_put(&expected, SPAN(".\r\n"));
	return len;
}

/* Sizes, of the message or on the wire, at which something is full. */
static const size_t edges[] = { 16384, 2 * 16384, SESSION_BUFFER - 2 * IO_BLOCK,
	(SESSION_BUFFER - 2 * IO_BLOCK) / 78 * 77, SESSION_BUFFER / 78 * 77, SESSION_BUFFER,
	SESSION_BUFFER + 16384, 2 * SESSION_BUFFER - 2 * IO_BLOCK, 2 * SESSION_BUFFER };

/* Calls `one` with all sizes up to `far` from each edge, and all ways in which octets come. */
static void
around_edges(size_t far, const struct suite *suite,
    void (*one)(const struct suite *, size_t, enum way))
{
	for (size_t i = 0; i < COUNT(edges); i++)
		for (size_t len = edges[i] - far; len <= edges[i] + far; len++)
			for (enum way way = 0; way < WAYS; way++)
				one(suite, len, way);
}

static void
with_each_layer(void (*one)(const struct suite *, size_t, enum way))
{
	around_edges(6, NULL, one);
	for (const struct suite *suite = suite_table; suite->name != NULL; suite++)
		around_edges(1, suite, one);
}

/* A delivery, from the reply 354 on. */
static void
deliver(const struct suite *suite, size_t len, enum way way, bool crlf, bool newline)
{
	static struct deliver d;
	static struct keys keys;
	static const struct suite_list none;
	struct client_settings set = { .suites = &none };
	struct deliver_message message = { .sender = "", .length = len };

	deliver_start(&d, &set, &message, keys_source(&keys), "a.example");
	d.state = DELIVER_BODY;
	d.line_start = true;
	reply_start(&d.reply);
	up((struct machine){ &d, deliver_step, deliver_fault }, suite);
	lines(len, crlf, newline);
	message.octets = as_sent(buf_peek(&text));
	from_mailer = (struct source){ .rest = buf_peek(&text) };
	run(way);
	if (d.state != DELIVER_FINAL)
		print_error("%zu octets, way %d, %s: it waits\n", len, (int)way,
		    suite ? suite->name : "-");
	assert_int_equal(d.state, DELIVER_FINAL);
	assert_true(span_equal(buf_peek(&plain), buf_peek(&expected)));
	deliver_wipe(&d);
	down();
}

static void
deliver_any(const struct suite *suite, size_t len, enum way way)
{
	/* all shapes in the clear; with encryption, one for each size */
	for (size_t shape = 0; shape < 4; shape++)
		if (suite == NULL || shape == (len + way) % 4)
			deliver(suite, len, way, shape & 1, shape & 2);
}

static void
threat_32_a_delivered_message_goes_to_its_end(void **state)
{
	(void)state;
	with_each_layer(deliver_any);
}

/* A message whose end was never sent, and then sizes up to the next edge. */
static void
threat_32_the_end_of_a_message_that_filled_the_buffer(void **state)
{
	(void)state;
	deliver(NULL, 77 * 1266, AT_ONCE, false, true);
	for (size_t len = SESSION_BUFFER - 3 * IO_BLOCK; len < SESSION_BUFFER + IO_BLOCK;
	     len += 1021)
		for (enum way way = 0; way < WAYS; way++)
			deliver_any(NULL, len, way);
}

static struct relay relay;

/* An encrypted relay whose backend owes no reply. */
static void
relay_inside(const struct suite *suite, bool mark)
{
	static struct keys keys;
	static struct suite_list suites;
	static struct relay_settings set;

	suites_named(&suites, "aes256gcm_2.0");
	set = (struct relay_settings){ .suites = &suites,
		.mark = mark,
		.hostname = "mx",
		.peer = "" };
	relay_start(&relay, &set, keys_source(&keys));
	relay_queue_take(&relay);
	relay.handshake.agreement.suite = suites.at[0];
	relay.crypt = CRYPT_ON;
	relay.hello_inside = relay.chunking = true;
	up((struct machine){ &relay, relay_step, relay_fault }, suite);
	s.serving = true;
}

static void
relay_down(void)
{
	relay_wipe(&relay);
	down();
}

/* DATA, with the final dot as its last octets, or a message without an end. */
static void
relay_data(const struct suite *suite, size_t len, enum way way)
{
	for (int ends = 0; ends < 2; ends++) {
		relay_inside(suite, ends);
		relay_message_follows(&relay, &s.io);
		lines(len - (ends ? 5 : 0), true, false);
		if (ends)
			buf_put(&text, SPAN("\r\n.\r\n"));
		far_end_says(buf_peek(&text));
		run(way);
		struct span got = buf_peek(&to_mailer);
		assert_true(got.len >= len);
		assert_true(span_equal(span_from(got, got.len - len), buf_peek(&text)));
		assert_true(local_ended && s.io.wire_eof && relay.input == INPUT_OVER);
		relay_down();
	}
}

static void
threat_32_data_goes_to_its_end_and_the_clients(void **state)
{
	(void)state;
	with_each_layer(relay_data);
}

static void
relay_bdat(const struct suite *suite, size_t len, enum way way)
{
	char head[32];
	int head_len = snprintf(head, sizeof(head), "BDAT %zu LAST\r\n", len);

	relay_inside(suite, false);
	buf_put(&text, span(head, (size_t)head_len));
	size_t at = buf_len(&text);
	repeat(&text, SPAN("\r\n.\r\n octets\0of any kind"), len);
	assert_int_equal(buf_len(&text), at + len);
	buf_put(&text, SPAN("RSET\r\n"));
	far_end_says(buf_peek(&text));
	run(way);
	assert_true(span_equal(buf_peek(&to_mailer), buf_peek(&text)));
	assert_true(local_ended && relay.input == INPUT_OVER && relay.queue_len == 2);
	relay_down();
}

static void
threat_32_a_chunk_goes_to_its_end_and_the_next_command(void **state)
{
	(void)state;
	with_each_layer(relay_bdat);
}

/* A backend's last reply, which fills the buffer to the client, and its end of file. */
static void
relay_replies(const struct suite *suite, size_t len, enum way way)
{
	struct span line = SPAN("250-" X76 "\r\n");

	relay_inside(suite, false);
	relay_queue_put(&relay, VERB_NOOP);
	repeat(&text, line, len / line.len * line.len);
	buf_put(&text, SPAN("250 "));
	repeat(&text, SPAN("y"), len % line.len);
	buf_put(&text, SPAN("\r\n"));
	from_mailer = (struct source){ .rest = buf_peek(&text) };
	run(way);
	buf_put(&expected, buf_peek(&text));
	buf_put(&expected, SPAN("421 4.3.0 mx Lost connection to the mail server\r\n"));
	assert_true(span_equal(buf_peek(&plain), buf_peek(&expected)));
	assert_int_equal(s.io.end, OUTCOME_LOCAL_GONE);
	relay_down();
}

static void
threat_32_replies_go_to_the_mailers_end(void **state)
{
	(void)state;
	with_each_layer(relay_replies);
}

static const struct machine pipes = { NULL, step, fault };

/* A pipe in both directions; either side ends it. */
static void
pipe_both(const struct suite *suite, size_t len, enum way way)
{
	for (int serving = 0; serving < 2; serving++) {
		up(pipes, suite);
		s.io.pipe = true;
		s.serving = serving;
		lines(len, true, true);
		struct span said = buf_peek(&text);
		if (serving)
			far_end_says(said);
		else
			from_mailer = (struct source){ .rest = said };
		run(way);
		assert_true(span_equal(buf_peek(serving ? &to_mailer : &plain), said));
		assert_int_equal(s.io.end, OUTCOME_NONE);
		assert_true(serving ? local_ended : s.wire_shut);
		if (serving)
			from_mailer = (struct source){ .rest = said };
		else
			far_end_says(said);
		run(way);
		assert_true(span_equal(buf_peek(serving ? &plain : &to_mailer), said));
		assert_int_equal(s.io.end, OUTCOME_DONE);
		down();
	}
}

static void
threat_32_a_pipe_goes_to_its_end(void **state)
{
	(void)state;
	with_each_layer(pipe_both);
}

/* Lines typed by hand get longer (CR is added), in the clear and with a cipher for people. */
static void
typed(const struct suite *suite, size_t len, enum way way)
{
	up(pipes, suite);
	s.io.pipe = s.by_hand = s.serving = true;
	repeat(&text, SPAN("xx\n"), len);
	far_end_says(buf_peek(&text));
	run(way);
	repeat(&expected, SPAN("xx\r\n"), len + len / 3);
	assert_true(span_equal(buf_peek(&to_mailer), buf_peek(&expected)));
	assert_true(local_ended);
	down();
}

static void
threat_32_what_is_typed_goes_to_its_end(void **state)
{
	(void)state;
	around_edges(5, NULL, typed);
	around_edges(1, suite_find(SPAN("rotn_0.1")), typed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_32_a_delivered_message_goes_to_its_end),
		cmocka_unit_test(threat_32_the_end_of_a_message_that_filled_the_buffer),
		cmocka_unit_test(threat_32_data_goes_to_its_end_and_the_clients),
		cmocka_unit_test(threat_32_a_chunk_goes_to_its_end_and_the_next_command),
		cmocka_unit_test(threat_32_replies_go_to_the_mailers_end),
		cmocka_unit_test(threat_32_a_pipe_goes_to_its_end),
		cmocka_unit_test(threat_32_what_is_typed_goes_to_its_end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
