/*
 * The transparent client and its handshake.  An input is a script (stage.h) of what the server and the
 * local MTA send; its first octet is the setup.  Own acts:
 *
 *	X octets	an honest server's next reply, followed by the octets; in the one to EHLO
 *			they are a line
 *	Y at mask	the same, with one octet changed
 *	C		a new connection, if that is next
 *	A		the next session of the local MTA, where the connection is kept
 *	R		a new connection after a kept one that was of no use
 *	G		there is no other host to call
 */
#include "honest.h"
#include "openings.h"
#include "stage.h"

#include "smtp/transparent.h"

#define KEEPS 9		/* of the setup: from here on, connections are kept */

static struct play {
	struct stage stage;
	struct transparent transparent;
	struct transparent_kept kept;
	uint8_t how;
	struct honest server;
	struct client_settings set;
	struct suite_list suites;
	bool changed;
	bool ahead;	/* the server has said something before it was asked */
	bool heard;	/* the last piece came from it; then, */
	bool followed;	/* the dialogue was followed, */
	bool mail;	/* MAIL was answered and has no reply, */
	size_t wire;	/* and so much was sent */
} plays[2];

/* Whether MAIL is answered here then depends on which of the two comes first. */
static void
before(struct stage *s, bool from_wire)
{
	struct play *p = (struct play *)(void *)s;
	const struct transparent *t = &p->transparent;
	const struct follow *f = &t->follow;
	bool asked = t->dialogue == TRANSPARENT_FOLLOWS ?
	    f->owed > 0 || f->reset_owed || (follow_is_midway(f) && !f->answered) :
	    t->waits || t->greeting_due || t->dialogue == TRANSPARENT_STARTTLS;

	if (!asked && (from_wire || buf_len(&s->io.from_wire) > 0))
		p->ahead = true;
	/* it may have been answered between two octets that came together */
	bool mail = f->answered || f->mail_owed, followed = t->dialogue == TRANSPARENT_FOLLOWS;
	bool answered = (mail && (!p->mail || buf_len(&s->wire) > p->wire)) ||
	    (followed && !p->followed);
	if (from_wire && p->heard && answered)
		p->ahead = true;
	p->heard = from_wire;
	p->followed = followed;
	p->mail = mail;
	p->wire = buf_len(&s->wire);
}

static void
start(struct play *p)
{
	transparent_start(&p->transparent, &p->set,
	    honest_keys(HOST_TESTED, p->how % 3, &p->suites));
	honest_start(&p->server, true, &p->suites);
}

static void
again(struct play *p)
{
	struct stage *s = &p->stage;

	if (s->io.end == OUTCOME_NONE || !s->io.keeps || s->io.wire_eof)
		return;
	assert(p->how >= KEEPS);
	s->io.end = OUTCOME_NONE;
	s->io.keeps = s->io.local_eof = false;
	buf_clear(&s->io.from_local);
	buf_clear(&s->local_next);
	transparent_again(&p->transparent);
	stage_step(s);
}

static void
resume(struct play *p)
{
	static uint8_t mem[TRANSPARENT_SAID_MAX + STAGE_BUFFER + 2 * REPLY_MAX];
	struct transparent *t = &p->transparent;
	struct stage *s = &p->stage;
	bool answered = false;
	struct buf said;

	if (s->io.end != OUTCOME_KEPT_LOST || t->kept->resumed)
		return;
	buf_init(&said, mem, sizeof(mem));
	buf_put(&said, transparent_said(t));
	buf_put(&said, buf_peek(&s->io.from_local));
	size_t len = buf_len(&said);
	buf_put(&said, transparent_told(t));
	answered = transparent_has_answered(t);
	if (len > STAGE_BUFFER)
		return;
	transparent_wipe(t);
	start(p);
	transparent_resume(t, &p->kept, span_from(buf_peek(&said), len), answered);
	transparent_keep(t, &p->kept);
	transparent_connected(t, CLIENT_CALL_FIRST);
	buf_clear(&s->io.from_local);
	buf_put(&s->io.from_local, span(mem, len));
	stage_call_again(s);
}

static void
act(struct stage *s, struct span octets)
{
	struct play *p = (struct play *)(void *)s;
	bool was_encrypted = s->encrypted;
	enum client_call call;

	switch (s->letter) {
	case 'X':
	case 'Y':
		openings_act(s, &p->server, octets, &p->changed);
		if (s->encrypted && !was_encrypted)
			openings_switched(s, &p->transparent.client, &p->server, p->changed);
		break;
	case 'C':
		if (!openings_call(s->io.end, &call))
			break;
		transparent_connected(&p->transparent, call);
		honest_start(&p->server, true, &p->suites);
		stage_call_again(s);
		break;
	case 'A':
		again(p);
		break;
	case 'R':
		resume(p);
		break;
	case 'G':
		if (s->io.end != OUTCOME_NONE)
			transparent_give_up(&p->transparent, &s->io.to_local,
			    "421 4.4.1 nobody reached");
		break;
	}
}

static void
perform(struct play *p, uint8_t how, struct span script, bool single)
{
	honest_suites(&p->suites, openings_offers[how & 3]);
	p->set = (struct client_settings){ .suites = &p->suites, .encryption_required = how & 4,
		.starttls = how & 8 ? "mx.b.example" : NULL };
	p->how = how >> 4;
	p->changed = p->how % 3 == KEPT_WRONG;
	start(p);
	if (p->how >= KEEPS)
		transparent_keep(&p->transparent, &p->kept);
	stage_start(&p->stage,
	    (struct machine){ &p->transparent, transparent_step, transparent_fault }, single);
	p->stage.act = act;
	p->stage.before = before;
	p->ahead = p->heard = p->mail = false;
	p->wire = 0;
	transparent_connected(&p->transparent, CLIENT_CALL_FIRST);
	stage_step(&p->stage);
	stage_play(&p->stage, script);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span script = span(data, size);
	uint8_t how = take_octet(&script);

	for (size_t i = 0; i < 2; i++)
		perform(&plays[i], how, script, i == 1);
	if (!plays[1].ahead) {
		stage_assert_same(&plays[0].stage, &plays[1].stage);
		assert(plays[0].transparent.client.why == plays[1].transparent.client.why);
	}
	if (plays[0].set.encryption_required)
		openings_must(&plays[0].stage, true);
	for (size_t i = 0; i < 2; i++) {
		transparent_wipe(&plays[i].transparent);
		honest_wipe(&plays[i].server);
	}
	return 0;
}
