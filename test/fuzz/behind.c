/*
 * The two small machines that send a few commands to the backend: the probe, and XCLIENT.  An
 * input is a script (stage.h) of what the backend sends; its first octet says which machine it
 * is for.
 */
#include "stage.h"

#include "smtp/dialog.h"
#include "smtp/probe.h"
#include "smtp/xclient.h"

#include <string.h>

static struct play {
	struct stage stage;
	struct probe probe;
	struct xclient xclient;
} plays[2];

static void
perform(struct play *p, bool probe, struct span script, bool single)
{
	struct machine asks = { &p->probe, probe_step, dialog_fault };
	struct machine says = { &p->xclient, xclient_step, dialog_fault };

	probe_start(&p->probe, "mx.b.example");
	xclient_start(&p->xclient, "mx.b.example", "192.0.2.1", 12345);
	stage_start(&p->stage, probe ? asks : says, single);
	stage_step(&p->stage);
	stage_play(&p->stage, script);
}

/*
 * 13: each of our commands is sent when the one before is answered; octet by octet, they come
 * out complete.
 */
static void
look_at_commands(struct span said, bool probe)
{
	static const char *const probe_says[] = { "EHLO mx.b.example", "MAIL FROM:<>",
		"RCPT TO:<relay-test@example.com>", "RSET", "QUIT" };
	struct span line;

	for (size_t i = 0; stage_line(&said, &line); i++)
		if (probe)
			assert(span_equal(line, SPAN("QUIT")) ||
			    (i < 4 && span_equal(line, span_of(probe_says[i]))));
		else if (i == 0)
			assert(span_equal(line, SPAN("EHLO mx.b.example")));
		else
			assert(i == 1 && span_starts(line, SPAN("XCLIENT ADDR=192.0.2.1")));
	assert(said.len == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span script = span(data, size);
	bool probe = take_octet(&script) & 1;
	const struct play *p = &plays[1];

	for (size_t i = 0; i < 2; i++)
		perform(&plays[i], probe, script, i == 1);
	stage_assert_same(&plays[0].stage, &plays[1].stage);
	look_at_commands(buf_peek(&p->stage.wire), probe);
	assert(plays[0].probe.relays == p->probe.relays);
	assert(strcmp(plays[0].probe.said, p->probe.said) == 0);
	if (p->probe.relays)
		assert(p->probe.said[0] == '2');
	if (!probe && p->stage.io.end == OUTCOME_DONE)
		assert(p->xclient.reply.code == 220 && p->xclient.step == XCLIENT_ANSWER);
	return 0;
}
