/*
 * The transparent client and its handshake.  An input is a script (stage.h) of what the server and the
 * local MTA send; its first octet is the setup.  Own acts:
 *
 *	X octets	an honest server's next reply, followed by the octets; in the one to EHLO
 *			they are a line
 *	Y at mask	the same, with one octet changed
 *	C		a new connection, if that is next
 *	G		there is no other host to call
 */
#include "honest.h"
#include "openings.h"
#include "stage.h"

#include "smtp/transparent.h"

static struct play {
	struct stage stage;
	struct transparent transparent;
	struct honest server;
	struct client_settings set;
	struct suite_list suites;
	bool changed;
} plays[2];

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
	p->changed = (how >> 4) % 3 == KEPT_WRONG;
	transparent_start(&p->transparent, &p->set,
	    honest_keys(HOST_TESTED, (how >> 4) % 3, &p->suites));
	honest_start(&p->server, true, &p->suites);
	stage_start(&p->stage,
	    (struct machine){ &p->transparent, transparent_step, transparent_fault }, single);
	p->stage.act = act;
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
	stage_assert_same(&plays[0].stage, &plays[1].stage);
	assert(plays[0].transparent.client.why == plays[1].transparent.client.why);
	if (plays[0].set.encryption_required)
		openings_must(&plays[0].stage, true);
	for (size_t i = 0; i < 2; i++) {
		transparent_wipe(&plays[i].transparent);
		honest_wipe(&plays[i].server);
	}
	return 0;
}
