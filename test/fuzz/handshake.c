/*
 * The handshake in both roles, with an attacker between them.  An input has five edits, one for
 * each line of the dialogue (offer, choice, answer, OK, the reply to it): a letter and its operands.
 *
 *	p		passes as it is
 *	x at mask	one octet changed
 *	c len		cut short
 *	b octets LF	octets after it
 *	r octets LF	another line in its place
 */
#include "honest.h"

#include "smtp/line.h"

#include <string.h>

enum leg { OFFER, CHOICE, ANSWER, OK, OK_REPLY, LINES };

static struct {
	struct span edits;
	struct handshake client, server;
	struct suite_list suites[2];
	bool kept_wrong;
	uint8_t sent_mem[LINES][2 * XCRYPT_LINE_MAX], heard_mem[LINES][4 * XCRYPT_LINE_MAX];
	struct buf sent[LINES], heard[LINES];
} f;

static struct span
take_line(void)
{
	struct span line = span(NULL, 0);

	span_word(&f.edits, '\n', &line);
	if (line.len > 2 * XCRYPT_LINE_MAX)
		line.len = 2 * XCRYPT_LINE_MAX;
	return line;
}

/* The line as it arrives, with its CRLF. */
static struct span
pass(enum leg which)
{
	struct span line = buf_peek(&f.sent[which]);
	struct buf *heard = &f.heard[which];

	assert(line.len >= 2 && line.at[line.len - 1] == '\n' && line.len <= XCRYPT_LINE_MAX);
	line.len -= 2;
	assert(!line_is_torn(line));
	uint8_t letter = take_octet(&f.edits);
	if (letter == 'c')
		line = take_octets(&line, take_octet(&f.edits));
	if (letter == 'r')
		line = take_line();
	buf_put(heard, line);
	if (letter == 'b')
		buf_put(heard, take_line());
	if (letter == 'x' && line.len > 0) {
		size_t at = take_number(&f.edits) % line.len;
		heard->mem[at] ^= take_octet(&f.edits);
	}
	buf_put(heard, SPAN("\r\n"));
	line = buf_peek(heard);
	line.len -= 2;
	return line;
}

/* The same as a reply; NULL if it is not one. */
static const struct reply *
pass_reply(enum leg which)
{
	static struct reply reply;
	struct buf in;

	pass(which);
	in = f.heard[which];
	reply_start(&reply);
	return reply_take(&reply, &in) == REPLY_WHOLE && buf_len(&in) == 0 ? &reply : NULL;
}

static bool
unchanged(enum leg which)
{
	return span_equal(buf_peek(&f.sent[which]), buf_peek(&f.heard[which]));
}

/* Statement 6: the form of a line that switches. */
static void
look_at_switch(const struct kex *x)
{
	struct span line = buf_peek(&f.heard[OK_REPLY]);

	assert(line.len <= XCRYPT_LINE_MAX && span_starts_nocase(line, SPAN("250 XCRYPT OK")));
	line.len -= 2;
	if (x->confirms)
		assert(line.len == strlen("250 XCRYPT OK ") + 32);
	else if (x->version != 2)
		assert(line.len == strlen("250 XCRYPT OK"));
}

/* Statement 5: ends with the same keys in 2.0 have seen the same lines. */
static void
look_at_keys(bool client_good)
{
	bool confirms = handshake_suite(&f.server)->kex->confirms;

	if (confirms)
		assert(unchanged(OFFER) && unchanged(CHOICE) && unchanged(ANSWER));
	/* without a confirmation, a wrong cached secret is not detected */
	if (client_good && (confirms || (!f.kept_wrong && unchanged(CHOICE) && unchanged(ANSWER) &&
	    unchanged(OK) && unchanged(OK_REPLY))))
		assert(honest_same_keys(&f.client.agreement, &f.server.agreement));
}

/* Runs until one of them stops. */
static void
talk(void)
{
	const struct reply *reply;
	struct span line;

	buf_put(&f.sent[OFFER], handshake_offer(&f.server));
	buf_put(&f.sent[OFFER], SPAN("\r\n"));
	if (!handshake_choose(&f.client, pass(OFFER)) ||
	    handshake_propose(&f.client, &f.sent[CHOICE]) < 0)
		return;
	enum handshake_answer answer = handshake_answer(&f.server, pass(CHOICE), &f.sent[ANSWER]);
	assert(span_starts(buf_peek(&f.sent[ANSWER]), SPAN("250 XCRYPT ")) ==
	    (answer == HANDSHAKE_AGREED));
	reply = pass_reply(ANSWER);
	if (reply == NULL || handshake_take_answer(&f.client, reply) != VERDICT_GOOD ||
	    handshake_compute(&f.client) < 0 || handshake_put_ok(&f.client, &f.sent[OK]) < 0)
		return;
	line = pass(OK);
	/* a forged answer, or one that does not belong to this line */
	if (answer != HANDSHAKE_AGREED || handshake_next(line) != HANDSHAKE_OK)
		return;
	bool server_good = handshake_take_ok(&f.server, line, &f.sent[OK_REPLY]);
	assert(span_starts(buf_peek(&f.sent[OK_REPLY]), SPAN("250 XCRYPT OK")) == server_good);
	reply = pass_reply(OK_REPLY);
	bool client_good = reply != NULL &&
	    handshake_take_ok_reply(&f.client, reply) == VERDICT_GOOD;
	if (client_good)
		look_at_switch(handshake_suite(&f.client)->kex);
	if (server_good)
		look_at_keys(client_good);
	/* without changes on the way, both come to an agreement */
	if (!f.kept_wrong && unchanged(OFFER) && unchanged(CHOICE) && unchanged(ANSWER) &&
	    unchanged(OK) && unchanged(OK_REPLY))
		assert(server_good && client_good);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "chacha20poly1305_2.0 aes256gcm_2.0", "arsyfor_1.0",
		"aes256gcm_2.0 t32_1.0 rotn_0.1", "blowfish_0.2 chacha20poly1305_2.0",
		"blowfish_0.2", "rotn_0.1", "t32_1.0 arsyfor_1.0", "aes256gcm_2.0" };

	f.edits = span(data, size);
	uint8_t who = take_octet(&f.edits), kept = take_octet(&f.edits);
	for (size_t i = 0; i < LINES; i++) {
		buf_init(&f.sent[i], f.sent_mem[i], sizeof(f.sent_mem[i]));
		buf_init(&f.heard[i], f.heard_mem[i], sizeof(f.heard_mem[i]));
	}
	enum kept client_kept = (kept & 3) % 3, server_kept = (kept >> 2 & 3) % 3;

	fixed_start(1);
	f.kept_wrong = client_kept == KEPT_WRONG || server_kept == KEPT_WRONG;
	honest_suites(&f.suites[0], names[who & 7]);
	honest_suites(&f.suites[1], names[who >> 3 & 7]);
	handshake_start(&f.client, false, &f.suites[0], honest_keys(HOST_TESTED, client_kept));
	handshake_start(&f.server, true, &f.suites[1], honest_keys(HOST_HONEST, server_kept));
	talk();
	handshake_wipe(&f.client);
	handshake_wipe(&f.server);
	return 0;
}
