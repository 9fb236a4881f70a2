/*
 * The handshake, both roles, with an attacker between them.  The input says which suites each role
 * accepts, which secrets each has stored (2 bits for the client, 2 for the server), whether the
 * EHLO line is changed (16) and whether the client sends XCRYPT with it (32).  Five edits follow,
 * one for each line of the dialogue: offer, choice, answer, OK, reply to OK.  In 2.0 the last two
 * are the second choice and its answer, after a 450.  An edit is a letter and its arguments:
 *
 *	p		pass unchanged
 *	x at mask	change one octet
 *	c len		cut short
 *	b octets LF	add octets after it
 *	r octets LF	replace the line
 */
#include "honest.h"

#include "smtp/line.h"

#include <string.h>

enum leg { OFFER, CHOICE, ANSWER, OK, OK_REPLY, LINES };

static struct {
	struct span edits;
	struct handshake client, server;
	struct suite_list suites[2];
	bool kept_wrong;	/* by one of the two */
	bool hello_changed;
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

	assert(line.len <= XCRYPT_OLD_LINE_MAX && span_starts_nocase(line, SPAN("250 XCRYPT OK")));
	line.len -= 2;
	if (x->version != 2)
		assert(line.len == strlen("250 XCRYPT OK"));
}

/* Before 2.0 there is no confirmation, so a wrong stored secret is not noticed. */
static void
look_at_keys(bool client_good)
{
	if (client_good && !f.kept_wrong && unchanged(CHOICE) && unchanged(ANSWER) &&
	    unchanged(OK) && unchanged(OK_REPLY))
		assert(honest_same_keys(&f.client.agreement, &f.server.agreement));
}

/* Both sides have received a record that proves the other: both store the same secret. */
static void
look_at_kept(void)
{
	const struct hybrid_kept *ours, *theirs;

	assert(handshake_met(&f.client) == handshake_met(&f.server));
	handshake_settle(&f.client);
	handshake_settle(&f.server);
	handshake_proved(&f.client);
	handshake_proved(&f.server);
	ours = honest_has_kept(HOST_TESTED);
	theirs = honest_has_kept(HOST_HONEST);
	assert((ours == NULL) == handshake_met(&f.client));
	assert((ours == NULL) == (theirs == NULL));
	assert(ours == NULL || memcmp(ours, theirs, sizeof(*ours)) == 0);
}

/* Statement 5: a 2.0 client that encrypts has the server's keys, and both saw the same lines. */
static void
look_at_hybrid(enum leg choice, enum leg answer)
{
	struct span line = buf_peek(&f.heard[answer]);

	assert(line.len <= XCRYPT_LINE_MAX && span_starts_nocase(line, SPAN("250 XCRYPT ")));
	assert(!f.hello_changed && unchanged(OFFER) && unchanged(choice) && unchanged(answer));
	assert(!f.kept_wrong || !handshake_met(&f.client));
	assert(honest_same_keys(&f.client.agreement, &f.server.agreement));
	look_at_kept();
}

/*
 * One choice and its answer.  Returns the client's verdict; `*said` receives the server's result.
 */
static enum handshake_verdict
exchange(enum leg choice, enum leg answer, enum handshake_answer *said)
{
	const struct reply *reply;

	*said = handshake_answer(&f.server, pass(choice), &f.sent[answer]);
	assert(span_starts(buf_peek(&f.sent[answer]), SPAN("250 XCRYPT ")) ==
	    (*said == HANDSHAKE_AGREED || *said == HANDSHAKE_ENCRYPTED));
	reply = pass_reply(answer);
	return reply != NULL ? handshake_take_answer(&f.client, reply) : VERDICT_UNINTELLIGIBLE;
}

/* One exchange of 2.0, which must succeed if no line is changed. */
static void
talk_hybrid(enum leg choice, enum leg answer)
{
	enum handshake_answer said;
	bool met = f.client.hybrid.met, undisturbed = !f.hello_changed && unchanged(OFFER);
	enum handshake_verdict verdict = exchange(choice, answer, &said);

	undisturbed = undisturbed && unchanged(choice) && unchanged(answer);
	if (verdict == VERDICT_ENCRYPTED) {
		assert(said == HANDSHAKE_ENCRYPTED);
		look_at_hybrid(choice, answer);
	} else if (verdict == VERDICT_UNKNOWN_ID) {
		assert(choice == CHOICE && met);
		if (said != HANDSHAKE_ENCRYPTED &&
		    handshake_propose(&f.client, &f.sent[OK]) == 0) {
			assert(!f.client.hybrid.met);
			talk_hybrid(OK, OK_REPLY);
		}
	} else if (undisturbed && said == HANDSHAKE_ENCRYPTED) {
		assert(verdict == VERDICT_TAMPERED && met && f.kept_wrong);
	} else {
		assert(!undisturbed);
	}
}

/* Goes on until one side stops. */
static void
talk(bool rides)
{
	const struct reply *reply;
	enum handshake_answer answer;
	struct span line;

	handshake_hello(&f.client, SPAN("EHLO a.example"));
	handshake_hello(&f.server, f.hello_changed ? SPAN("ehlo a.example") : SPAN("EHLO a.example"));
	buf_put(&f.sent[OFFER], handshake_offer(&f.server));
	buf_put(&f.sent[OFFER], SPAN("\r\n"));
	line = pass(OFFER);
	if (rides && handshake_ride(&f.client, &f.sent[CHOICE])) {
		if (!handshake_same_offer(&f.client, line))
			return;
		assert(unchanged(OFFER));
	} else if (!handshake_choose(&f.client, line) ||
	    handshake_propose(&f.client, &f.sent[CHOICE]) < 0) {
		return;
	}
	if (handshake_suite(&f.client)->kex == &kex_hybrid) {
		talk_hybrid(CHOICE, ANSWER);
		return;
	}
	if (exchange(CHOICE, ANSWER, &answer) != VERDICT_GOOD ||
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
	bool client_wrong = client_kept == KEPT_WRONG, server_wrong = server_kept == KEPT_WRONG;

	fixed_start(1);
	f.kept_wrong = client_wrong != server_wrong;
	f.hello_changed = kept & 16;
	honest_suites(&f.suites[0], names[who & 7]);
	honest_suites(&f.suites[1], names[who >> 3 & 7]);
	handshake_start(&f.client, false, &f.suites[0],
	    honest_keys(HOST_TESTED, client_kept, &f.suites[1]));
	handshake_start(&f.server, true, &f.suites[1],
	    honest_keys(HOST_HONEST, server_kept, &f.suites[1]));
	talk(kept & 32);
	handshake_wipe(&f.client);
	handshake_wipe(&f.server);
	return 0;
}
