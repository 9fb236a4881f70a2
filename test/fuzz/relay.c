/*
 * The relay.  An input is a script (stage.h) of what its client and its backend send; its first octet is
 * the setup.  Own acts:
 *
 *	X octets	an honest client's next XCRYPT line, followed by the octets
 *	Y at mask	the same, with one octet changed
 */
#include "honest.h"
#include "stage.h"

#include "crypt/hostkey.h"
#include "smtp/relay.h"

#include <string.h>

#define MODERN "chacha20poly1305_2.0 aes256gcm_2.0"
#define SAYS SPAN("XCRYPT-ID key 1800000000 signature")

static const char *const offers[4] = { MODERN, MODERN " arsyfor_1.0 rotn_0.1",
	"t32_1.0 arsyfor_1.0 blowfish_0.2 rotn_0.1", "" };

/* The state of one run. */
static struct play {
	struct stage stage;
	struct relay relay;
	struct honest client;
	struct relay_settings set;
	struct suite_list suites;
	bool modern;		/* only 2.0 suites are offered */
	bool changed;		/* the client's lines have been changed */
	bool kept_wrong;	/* our stored secret is not the client's */

	/* around an octet */
	struct {
		enum relay_input input;
		bool trace_due;
		enum relay_crypt crypt;
		enum verb first;	/* the first verb of those unanswered */
		unsigned reply_lines;
		uint64_t put;		/* octets for the backend so far */
	} was;
	bool ahead;		/* the backend has answered what it cannot have seen yet */
	size_t wire_was, local_was;
	bool in_step;		/* nothing is on its way: an octet has its effect at once */
	uint8_t tail[5];	/* the end of the message */
	bool tracked;		/* the message was seen from its beginning */
	unsigned ehlo_lines;	/* lines of the current reply to EHLO that were passed on */
} plays[2];

static struct play *
play_of(struct stage *s)
{
	return (struct play *)(void *)s;
}

static uint64_t
put_to_mailer(const struct io *io)
{
	return io->to_local.taken + buf_len(&io->to_local);
}

static void
before(struct stage *s, bool from_wire)
{
	struct play *p = play_of(s);
	const struct io *io = &s->io;

	(void)from_wire;
	p->was.input = p->relay.input;
	p->was.trace_due = p->relay.trace_due && p->relay.input == INPUT_MESSAGE;
	p->was.crypt = p->relay.crypt;
	p->was.reply_lines = p->relay.reply_lines;
	p->was.put = put_to_mailer(io);
	p->was.first = p->relay.queue_len > 0 ? p->relay.queue[p->relay.queue_head] : VERB_OTHER;
	p->wire_was = buf_len(&s->wire);
	p->local_was = buf_len(&s->local);
	p->in_step = s->piece == 1 && buf_len(&io->from_wire) == 0 && buf_len(&io->to_local) == 0 &&
	    buf_len(&io->to_wire) == 0 && !s->wire_stuck && !s->local_stuck;
}

/* Statement 8: message octets out are message octets in; 10: only CRLF.CRLF ends them. */
static void
look_at_message(struct play *p, uint8_t octet)
{
	struct span said = span_from(buf_peek(&p->stage.local), p->local_was);

	/* the first ones may be held until it is known whether a trace line may precede them */
	assert(p->was.trace_due || said.len == 1);
	assert(said.len == 0 || said.at[said.len - 1] == octet);
	if (p->was.input != INPUT_MESSAGE)
		return;
	memmove(p->tail, p->tail + 1, sizeof(p->tail) - 1);
	p->tail[4] = octet;
	if (p->tracked)
		assert((p->relay.input == INPUT_COMMAND) == (memcmp(p->tail, "\r\n.\r\n", 5) == 0));
}

/* Whether this line, the `nth` of a reply to EHLO, is one that a client may see. */
static void
look_at_keyword(const struct play *p, struct span line, unsigned nth)
{
	struct span text = span_from(line, 4), rest = text, word;

	if (nth == 0 || !span_starts(line, SPAN("250")) || !span_word(&rest, ' ', &word))
		return;
	if (span_equal_nocase(word, SPAN("STARTTLS")))
		assert(p->was.crypt != CRYPT_ON &&
		    (!p->set.encryption_required || p->set.starttls == RELAY_STARTTLS_OWN));
	if (span_starts_nocase(word, SPAN("XCRYPT-")))
		assert(p->was.crypt == CRYPT_ON && span_equal(text, SAYS));
	if (!span_equal_nocase(word, SPAN("XCRYPT")))
		return;
	/* statements 4 and 5: our line is the last, in the clear only, and before any attempt */
	assert(line.at[3] == ' ' && p->was.crypt == CRYPT_NOT_YET && p->suites.count > 0);
	assert(span_starts(text, SPAN("XCRYPT ")));
	for (size_t i = 0; span_word(&rest, ' ', &word); i++)
		assert(i < p->suites.count && span_equal(word, span_of(p->suites.at[i]->name)));
}

static void
look_at_ehlo(struct play *p)
{
	struct span said = span_from(buf_peek(&p->stage.wire), p->wire_was), line;

	if (p->was.reply_lines == 0)
		p->ehlo_lines = 0;
	while (stage_line(&said, &line))
		look_at_keyword(p, line, p->ehlo_lines++);
}

static void
after(struct stage *s, bool from_wire, uint8_t octet)
{
	struct play *p = play_of(s);
	enum relay_input was = p->was.input;

	if (p->in_step && from_wire && !s->io.pipe && p->was.crypt == CRYPT_ON &&
	    (was == INPUT_MESSAGE || was == INPUT_CHUNK))
		look_at_message(p, octet);
	if (p->relay.input == INPUT_MESSAGE && was != INPUT_MESSAGE) {
		memcpy(p->tail, "354\r\n", sizeof(p->tail));
		p->tracked = p->in_step;
	}
	if (!p->in_step)
		p->tracked = false;
	if (!from_wire && buf_len(&s->local_next) > 0 && put_to_mailer(&s->io) != p->was.put)
		p->ahead = true;
	if (p->in_step && !from_wire && p->was.first == VERB_EHLO)
		look_at_ehlo(p);
	assert(p->relay.queue_len <= RELAY_QUEUE && p->relay.held_len <= sizeof(p->relay.held));
}

/*
 * Statement 6: only the one line switches to encryption.  In 2.0 the client accepts it only if no
 * line was changed.
 */
static void
look_at_switch(struct play *p, bool changed)
{
	bool hybrid = handshake_suite(&p->relay.handshake)->kex == &kex_hybrid;
	struct span said = buf_peek(&p->stage.clear), last = stage_last_line(said);
	uint8_t mem[2 * XCRYPT_LINE_MAX];
	struct buf out;

	buf_init(&out, mem, sizeof(mem));
	assert(span_starts(last, hybrid ? SPAN("250 XCRYPT ") : SPAN("250 XCRYPT OK")));
	if (!hybrid && p->changed)
		return;
	honest_says(&p->client, said, span(NULL, 0), &out);
	if (hybrid)
		assert(p->client.agreed ==
		    (!changed && !(p->kept_wrong && handshake_met(&p->relay.handshake))));
	else
		assert(p->client.agreed);
	if (p->client.agreed)
		assert(honest_same_keys(&p->relay.handshake.agreement,
		    &p->client.handshake.agreement));
}

static void
act(struct stage *s, struct span octets)
{
	struct play *p = play_of(s);
	uint8_t mem[2 * XCRYPT_LINE_MAX];
	struct buf out;

	if (s->letter != 'X' && s->letter != 'Y')
		return;
	buf_init(&out, mem, sizeof(mem));
	/* the relay knows which EHLO line the backend accepted */
	const struct handshake_line *hello = &p->relay.handshake.hello;
	handshake_hello(&p->client.handshake, span(hello->mem, hello->len));
	if (!honest_says(&p->client, buf_peek(&s->wire), span(NULL, 0), &out))
		return;
	bool changed = s->letter == 'Y' && octets.len > 1 && octets.at[1] != 0;
	if (changed) {
		out.mem[octets.at[0] % buf_len(&out)] ^= octets.at[1];
		p->changed = true;
	}
	if (s->letter == 'X' && !buf_put(&out, octets))
		return;
	bool was_encrypted = s->encrypted;
	stage_comes(s, true, buf_peek(&out));
	if (!s->encrypted || was_encrypted)
		return;
	look_at_switch(p, changed);
	/* statement 1: no octets followed the line */
	assert(s->letter != 'X' || octets.len == 0);
}

static size_t
says(void *context, struct span lines[RELAY_SAYS_MAX], size_t *missing)
{
	(void)context;
	lines[0] = SAYS;
	*missing = HOSTKEY_NEXT_LINE_LEN;
	return 1;
}

static const char *
tls_name(void *context)
{
	(void)context;
	return "TLSv1.2 TLS-X";
}

static void
perform(struct play *p, uint8_t how, struct span script, bool single)
{
	honest_suites(&p->suites, offers[how & 3]);
	p->set = (struct relay_settings){
		.suites = &p->suites, .encryption_required = how & 4, .mark = how & 8,
		.hostname = "mx.b.example",
		.peer = "[192.0.2.1]",
	};
	if (how & 64)
		p->set.says = says;
	if (how & 128)
		p->set.starttls = RELAY_STARTTLS_OWN;
	p->set.tls_name = tls_name;
	p->kept_wrong = (how >> 4) % 3 == KEPT_WRONG;
	p->modern = (how & 3) == 0;
	/* before 2.0 there is no confirmation, so a wrong stored secret is not noticed */
	p->changed = !p->modern && p->kept_wrong;
	p->tracked = p->ahead = false;
	p->ehlo_lines = 0;
	relay_start(&p->relay, &p->set, 
	    honest_keys(HOST_TESTED, (how >> 4) % 3, &p->suites));
	honest_start(&p->client, false, &p->suites);
	stage_start(&p->stage, (struct machine){ &p->relay, relay_step, relay_fault }, single);
	p->stage.act = act;
	p->stage.before = before;
	p->stage.after = after;
	stage_play(&p->stage, script);
}

/* Statement 24: in the clear, the backend gets only commands that begin a session. */
static void
look_at_must(const struct play *p)
{
	const struct stage *s = &p->stage;
	struct span said = buf_peek(&s->local), line, arguments;

	assert(!s->io.pipe);
	if (s->encrypted)
		said.len = s->local_clear;
	while (stage_line(&said, &line)) {
		enum verb verb = verb_of(line, &arguments);

		assert(verb == VERB_EHLO || verb == VERB_HELO || verb == VERB_NOOP ||
		    verb == VERB_RSET || verb == VERB_QUIT);
		assert(!line_is_torn(line));
	}
	assert(said.len == 0);
}

/*
 * A backend that sends an unexpected reply ends the session; if there is no room for our own
 * replies, some are outstanding then.
 */
static bool
crowded(const struct io *io)
{
	return (io->end == OUTCOME_BAD_REPLY || io->end == OUTCOME_UNASKED_REPLY) &&
	    io->to_wire.high + XCRYPT_LINE_MAX > io->to_wire.cap;
}

/*
 * Statement 32: the client's end of file reaches the backend, and the backend's ends the
 * session, after all octets before it.
 */
static void
look_at_ends(const struct play *p)
{
	const struct io *io = &p->stage.io;

	/* during the TLS handshake, the machine waits for that only */
	if (io->end != OUTCOME_NONE || io->pipe || p->relay.crypt == CRYPT_TLS)
		return;
	assert(!io->wire_eof || buf_len(&io->from_wire) > 0 || p->relay.input == INPUT_OVER);
	assert(!io->local_eof);
}

/* Statement 7: the result does not depend on how octets come. */
static void
look_at_both(const struct play *a, const struct play *b)
{
	stage_assert_same(&a->stage, &b->stage);
	assert(a->relay.crypt == b->relay.crypt && a->relay.why == b->relay.why);
	assert(a->relay.messages == b->relay.messages);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span script = span(data, size);
	uint8_t how = take_octet(&script);

	for (size_t i = 0; i < 2; i++)
		perform(&plays[i], how, script, i == 1);
	/* whether it can be an answer depends on when it comes */
	if (!plays[1].ahead && !crowded(&plays[0].stage.io))
		look_at_both(&plays[0], &plays[1]);
	if (plays[0].set.encryption_required)
		look_at_must(&plays[0]);
	for (size_t i = 0; i < 2; i++) {
		look_at_ends(&plays[i]);
		relay_wipe(&plays[i].relay);
		honest_wipe(&plays[i].client);
	}
	return 0;
}
