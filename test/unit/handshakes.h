/* Two handshakes that talk to each other line by line, so that a test can change each line. */
#ifndef TEST_HANDSHAKES_H
#define TEST_HANDSHAKES_H

#include "keys.h"

#include "smtp/handshake.h"

#define LINE_TEXT 2304		/* longer than the longest XCRYPT line */
#define HELLO "EHLO a.example"

static struct keys client_keys, server_keys;
static struct suite_list client_suites, server_suites;
static struct handshake client, server;

/* The lines of the dialogue, without CRLF; a test changes them here as an attacker would. */
static char offer[LINE_TEXT], choice[LINE_TEXT], answer_line[LINE_TEXT];
static char ok[LINE_TEXT], ok_reply[LINE_TEXT];

static inline int
hosts_set_up(void **state)
{
	(void)state;
	memset(&client_keys, 0, sizeof(client_keys));
	memset(&server_keys, 0, sizeof(server_keys));
	return 0;
}

static inline int
hosts_tear_down(void **state)
{
	(void)state;
	handshake_wipe(&client);
	handshake_wipe(&server);
	return 0;
}

/* The names of all built-in suites. */
static inline const char *
every_suite(void)
{
	static char names[SUITE_MAX * (SUITE_NAME_MAX + 1) + 1];

	names[0] = '\0';
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		strcat(names, s->name);
		strcat(names, " ");
	}
	return names;
}

/* Starts a connection between two hosts that accept these suites. */
static inline void
hosts_meet(const char *client_names, const char *server_names)
{
	suites_named(&client_suites, client_names);
	suites_named(&server_suites, server_names);
	handshake_start(&client, false, &client_suites, keys_source(&client_keys));
	handshake_start(&server, true, &server_suites, keys_source(&server_keys));
	handshake_hello(&client, SPAN(HELLO));
	handshake_hello(&server, SPAN(HELLO));
}

static inline bool
is_hybrid(const struct handshake *h)
{
	return handshake_suite(h)->kex == &kex_hybrid;
}

/* The text of a line without its CRLF. */
static inline void
take_text(char text[LINE_TEXT], struct span line)
{
	assert_true(line.len >= 2 && line.len < LINE_TEXT);
	assert_memory_equal(line.at + line.len - 2, "\r\n", 2);
	memcpy(text, line.at, line.len - 2);
	text[line.len - 2] = '\0';
}

/* Copies `pattern`, with `text` in place of each @. */
static inline const char *
spell(const char *pattern, const char *text)
{
	static char out[2 * LINE_TEXT];
	size_t len = 0;

	for (; *pattern != '\0'; pattern++) {
		const char *piece = *pattern == '@' ? text : (const char[]){ *pattern, '\0' };

		assert_true(len + strlen(piece) < sizeof(out));
		strcpy(out + len, piece);
		len += strlen(piece);
	}
	out[len] = '\0';
	return out;
}

/* Parses `raw` as the client parses the server's reply; it may be broken. */
static inline const struct reply *
reply_of(struct span raw)
{
	static struct reply reply;
	static uint8_t mem[REPLY_MAX];
	struct buf in;

	buf_init(&in, mem, sizeof(mem));
	buf_put(&in, raw);
	reply_start(&reply);
	if (reply_take(&reply, &in) != REPLY_BROKEN)
		assert_true(reply.code != 0 && buf_len(&in) == 0);
	return &reply;
}

/* The same for a line of text without CRLF. */
static inline const struct reply *
reply_line(const char *text)
{
	char raw[LINE_TEXT + 2];

	snprintf(raw, sizeof(raw), "%s\r\n", text);
	return reply_of(span_of(raw));
}

static inline void
server_offers(void)
{
	struct span line = handshake_offer(&server);

	assert_true(line.len < LINE_TEXT);
	memcpy(offer, line.at, line.len);
	offer[line.len] = '\0';
}

static inline void
client_proposes(void)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	assert_true(handshake_choose(&client, span_of(offer)));
	assert_int_equal(handshake_propose(&client, &out), 0);
	take_text(choice, buf_peek(&out));
}

static inline enum handshake_answer
server_answers(void)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	enum handshake_answer what = handshake_answer(&server, span_of(choice), &out);
	take_text(answer_line, buf_peek(&out));
	return what;
}

static inline enum handshake_verdict
client_takes_answer(void)
{
	return handshake_take_answer(&client, reply_line(answer_line));
}

static inline void
client_says_ok(void)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	assert_int_equal(client_takes_answer(), VERDICT_GOOD);
	assert_int_equal(handshake_compute(&client), 0);
	assert_int_equal(handshake_put_ok(&client, &out), 0);
	take_text(ok, buf_peek(&out));
}

static inline bool
server_takes_ok(void)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	bool good = handshake_take_ok(&server, span_of(ok), &out);
	take_text(ok_reply, buf_peek(&out));
	return good;
}

static inline enum handshake_verdict
client_takes_ok(void)
{
	return handshake_take_ok_reply(&client, reply_line(ok_reply));
}

/* Checks that the server's answer is the 250 line of its version. */
static inline void
server_agrees(void)
{
	enum handshake_answer what = server_answers();

	assert_non_null(handshake_suite(&server));
	assert_int_equal(what, is_hybrid(&server) ? HANDSHAKE_ENCRYPTED : HANDSHAKE_AGREED);
}

/* Everything up to `250 XCRYPT ...`. */
static inline void
hosts_agree(void)
{
	server_offers();
	client_proposes();
	server_agrees();
}

static inline void
assert_same_keys(void)
{
	const struct agreement *a = &client.agreement, *b = &server.agreement;

	assert_ptr_equal(a->suite, b->suite);
	assert_memory_equal(a->key_ab, b->key_ab, sizeof(a->key_ab));
	assert_memory_equal(a->key_ba, b->key_ba, sizeof(a->key_ba));
	assert_memory_equal(a->iv_ab, b->iv_ab, sizeof(a->iv_ab));
	assert_memory_equal(a->iv_ba, b->iv_ba, sizeof(a->iv_ba));
}

/* A complete handshake that succeeds. */
static inline void
hosts_shake_hands(void)
{
	hosts_agree();
	if (is_hybrid(&client)) {
		assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
	} else {
		client_says_ok();
		assert_true(server_takes_ok());
		assert_int_equal(client_takes_ok(), VERDICT_GOOD);
	}
	assert_same_keys();
}

/* ... and each has received a record of the other side. */
static inline void
hosts_prove(void)
{
	handshake_proved(&server);
	handshake_proved(&client);
}

/* A first meeting, after which both have the pre-shared secret. */
static inline void
hosts_have_met(const char *suites)
{
	hosts_meet(suites, suites);
	hosts_shake_hands();
	assert_false(handshake_met(&client) || handshake_met(&server));
	hosts_prove();
}

#endif
