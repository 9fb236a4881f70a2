/*
 * A delivery.  An input is a script (stage.h) of what the server sends; the local side is the
 * message.  The first octet of an input is the setup.  Own acts: X, Y and C, as in caller.c.
 */
#include "openings.h"

#include "smtp/deliver.h"

#include <string.h>

static char *recipients[] = { (char[]){ "b@b.example" }, (char[]){ "c@b.example" },
	(char[]){ "\"d e\"@b.example" } };

static struct play {
	struct stage stage;
	struct deliver deliver;
	struct honest server;
	struct client_settings set;
	struct deliver_message message;
	struct suite_list suites;
	bool changed;
	bool ahead; /* the server has answered what it cannot have seen, or does not read */
	enum outcome outcome_was;
	enum deliver_state was;
} plays[2];

static void
before(struct stage *s, bool from_wire)
{
	struct play *p = (struct play *)(void *)s;

	(void)from_wire;
	p->outcome_was = p->deliver.outcome;
	p->was = p->deliver.state;
}

/* The message counts as sent only after a 2yz that came after all of it. */
static void
after(struct stage *s, bool from_wire, uint8_t octet)
{
	struct play *p = (struct play *)(void *)s;
	const struct deliver *d = &p->deliver;

	if (from_wire && p->was == DELIVER_DATA && d->state != DELIVER_DATA &&
	    buf_len(&s->wire_next) > 0)
		p->ahead = true;
	/* how much of a message is still unsent when something else fails does not matter */
	if (d->state == DELIVER_BODY && s->wire_stuck)
		p->ahead = true;
	if (d->outcome != OUTCOME_SENT || p->outcome_was == OUTCOME_SENT)
		return;
	assert(from_wire && (octet == '\n' || s->piece > 1));
	assert(d->code >= 200 && d->code < 300 && d->text[0] == '2');
	assert(d->accepted == p->message.recipient_count && d->refused == 0);
	/* all of the message has been written; only QUIT may remain */
	assert(s->io.local_eof && buf_len(&s->io.from_local) == 0);
	assert(buf_len(&s->io.to_wire) <= strlen("QUIT\r\n"));
}

static void
act(struct stage *s, struct span octets)
{
	struct play *p = (struct play *)(void *)s;
	bool was_encrypted = s->encrypted;
	enum client_call call;

	if (s->letter == 'X' || s->letter == 'Y') {
		openings_act(s, &p->server, octets, &p->changed);
		if (s->encrypted && !was_encrypted)
			openings_switched(s, &p->deliver.client, &p->server, p->changed);
	} else if (s->letter == 'C' && openings_call(s->io.end, &call)) {
		deliver_connected(&p->deliver, call);
		honest_start(&p->server, true, &p->suites);
		stage_call_again(s);
	}
}

static void
perform(struct play *p, uint8_t how, struct span script, size_t octets, bool single)
{
	honest_suites(&p->suites, openings_offers[how & 3]);
	p->set = (struct client_settings){ .suites = &p->suites, .encryption_required = how & 4,
		.starttls = how & 8 ? "mx.b.example" : NULL };
	p->message = (struct deliver_message){
		.sender = "a@a.example", .recipients = recipients, .recipient_count = how >> 6,
		.length = UINT64_MAX, .octets = octets, .eight_bit = how & 8, .utf8 = how & 8,
	};
	p->ahead = false;
	p->changed = (how >> 4 & 3) % 3 == KEPT_WRONG;
	deliver_start(&p->deliver, &p->set, &p->message,
	    honest_keys(HOST_TESTED, (how >> 4 & 3) % 3, &p->suites), "a.example");
	honest_start(&p->server, true, &p->suites);
	stage_start(&p->stage, (struct machine){ &p->deliver, deliver_step, deliver_fault },
	    single);
	p->stage.act = act;
	p->stage.before = before;
	p->stage.after = after;
	deliver_connected(&p->deliver, CLIENT_CALL_FIRST);
	stage_step(&p->stage);
	stage_play(&p->stage, script);
}

/*
 * What follows the first DATA, which is ours: nothing that we send before it comes from
 * elsewhere.
 */
static struct span
said_behind_data(struct span said)
{
	struct span line;

	while (stage_line(&said, &line))
		if (span_equal(line, SPAN("DATA")))
			return said;
	return span(NULL, 0);
}

/*
 * On the wire, the message is `text` with CRLF at the end of each line and with its leading
 * dots doubled.
 */
static void
look_at_message(struct span text, struct span wire)
{
	uint8_t last = '\n';
	size_t at = 0;

	for (size_t i = 0; i < text.len; last = text.at[i++]) {
		if (last == '\n' && text.at[i] == '.')
			assert(at < wire.len && wire.at[at++] == '.');
		if (last != '\r' && text.at[i] == '\n')
			assert(at < wire.len && wire.at[at++] == '\r');
		assert(at < wire.len && wire.at[at++] == text.at[i]);
	}
	const char *end = last == '\n' ? ".\r\n" : last == '\r' ? "\n.\r\n" : "\r\n.\r\n";
	assert(span_starts(span_from(wire, at), span_of(end)));
}

/* Its length on the wire, without the doubled dots. */
static size_t
count(struct span text)
{
	uint8_t last = '\n';
	size_t len = text.len;

	for (size_t i = 0; i < text.len; last = text.at[i++])
		len += text.at[i] == '\n' && last != '\r';
	return len + (last == '\n' ? 0 : last == '\r' ? 1 : 2);
}

static void
look_at_both(const struct play *a, const struct play *b)
{
	stage_assert_same(&a->stage, &b->stage);
	assert(a->deliver.outcome == b->deliver.outcome);
	assert(strcmp(a->deliver.text, b->deliver.text) == 0);
}

static void
look(const struct play *p)
{
	if (p->set.encryption_required)
		openings_must(&p->stage, false);
	if (p->deliver.outcome == OUTCOME_SENT)
		look_at_message(buf_peek(&p->stage.local_heard),
		    said_behind_data(buf_peek(&p->stage.wire)));
	assert(p->stage.io.end != OUTCOME_SENT || p->deliver.outcome == OUTCOME_SENT);
	/* statement 32: of a complete message, nothing is held back */
	assert(p->deliver.state != DELIVER_BODY || p->stage.io.end != OUTCOME_NONE ||
	    !p->stage.io.local_eof);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span script = span(data, size);
	uint8_t how = take_octet(&script);

	/* a first run, to learn the length of the message */
	perform(&plays[0], how, script, 0, false);
	size_t octets = count(buf_peek(&plays[0].stage.local_heard));
	deliver_wipe(&plays[0].deliver);
	honest_wipe(&plays[0].server);
	for (size_t i = 0; i < 2; i++)
		perform(&plays[i], how, script, octets, i == 1);
	/* whether it can be an answer depends on when it comes */
	if (!plays[1].ahead)
		look_at_both(&plays[0], &plays[1]);
	for (size_t i = 0; i < 2; i++) {
		look(&plays[i]);
		deliver_wipe(&plays[i].deliver);
		honest_wipe(&plays[i].server);
	}
	return 0;
}
