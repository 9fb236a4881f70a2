/*
 * The caller and its opening: a script (stage.h) of what a far end and the mailer on this host
 * say.  The first octet of an input says how it is set up.  Acts of its own:
 *
 *	X octets	an honest server's next reply, with the octets behind it; in the one to
 *			EHLO they are a line
 *	Y at mask	the same, with one octet changed
 *	C		called again, where that is what is next
 *	G		no call is left to be made
 */
#include "honest.h"
#include "openings.h"
#include "stage.h"

#include "smtp/transparent.h"

static struct play {
	struct stage stage;
	struct caller caller;
	struct honest server;
	struct opening_settings set;
	struct suite_list suites;
	bool changed;
} plays[2];

static void
act(struct stage *s, struct span octets)
{
	struct play *p = (struct play *)(void *)s;
	bool was_encrypted = s->encrypted;

	switch (s->letter) {
	case 'X':
	case 'Y':
		openings_act(s, &p->server, octets, &p->changed);
		if (s->encrypted && !was_encrypted)
			openings_switched(s, &p->caller.opening, &p->server, p->changed);
		break;
	case 'C':
		if (s->io.end != END_CALL_PLAIN && s->io.end != END_GREETED_LATER)
			break;
		caller_connected(&p->caller, s->io.end == END_CALL_PLAIN);
		stage_call_again(s);
		break;
	case 'G':
		if (s->io.end != END_NONE)
			caller_give_up(&p->caller, &s->io.to_local, "421 4.4.1 nobody reached");
		break;
	}
}

static void
perform(struct play *p, uint8_t how, struct span script, bool single)
{
	honest_suites(&p->suites, openings_offers[how & 3]);
	p->set = (struct opening_settings){ .suites = &p->suites, .must = how & 4,
		.starttls = how & 8 ? "mx.b.example" : NULL };
	p->changed = (how >> 4) % 3 == KEPT_WRONG;
	caller_start(&p->caller, &p->set, honest_keys(HOST_TESTED, (how >> 4) % 3));
	honest_start(&p->server, true, &p->suites);
	stage_start(&p->stage, (struct machine){ &p->caller, caller_step, caller_fault }, single);
	p->stage.act = act;
	caller_connected(&p->caller, false);
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
	stage_assert_same(&plays[0].stage, &plays[1].stage);
	assert(plays[0].caller.opening.why == plays[1].caller.opening.why);
	if (plays[0].set.must)
		openings_must(&plays[0].stage, true);
	for (size_t i = 0; i < 2; i++) {
		caller_wipe(&plays[i].caller);
		honest_wipe(&plays[i].server);
	}
	return 0;
}
