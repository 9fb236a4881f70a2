#include "client/peer_check.h"

#include "base/log.h"

#include <string.h>

void
judge_connected(struct judge *j)
{
	j->shown = VOUCH_NONE;
	memset(&j->trust, 0, sizeof(j->trust));
}

void
judge_log(const struct judge *j, struct buf *line)
{
	const struct trust *t = &j->trust;

	/* a key has to come out as it can be pinned, and is nothing that needs escaping */
	if (t->alarm == TRUST_KEY_CHANGED)
		buf_printf(line, " %s=%s", trust_alarm_name(t->alarm), t->expected);
	else if (t->alarm != TRUST_QUIET)
		log_pair(line, trust_alarm_name(t->alarm), span_of(t->expected));
}

/* Once, in a line of its own, so that nobody has to look for it among those of all connections. */
static void
warn(const struct judge *j, const struct trust_case *c)
{
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("not as it was:"));
	log_pair(&line, "to", span_of(c->domain));
	log_pair(&line, "host", span_of(c->host));
	judge_log(j, &line);
	if (c->why != NULL)
		log_pair(&line, "why", span_of(c->why));
	log_line(LOG_WARNING, "%.*s: %s", (int)buf_len(&line), (const char *)mem,
	    j->trust.go_on ? "mail goes there all the same" : "mail waits");
}

/* The host key shown inside. */
static enum vouch
check_key(struct judge *j, const struct opening *o, int64_t now_s)
{
	const struct agreement *a = &o->handshake.agreement;
	struct span id, next;

	trust_find_statements(&o->reply, &id, &next);
	return vouch_check(j->ring, a->suite->exchange, a->peer_public, id, next, now_s, &j->vouched);
}

static unsigned
newest_rank(const struct suite_list *suites)
{
	unsigned newest = 0;

	for (size_t i = 0; i < suites->count; i++)
		if (suites->at[i]->exchange->rank > newest)
			newest = suites->at[i]->exchange->rank;
	return newest;
}

static void
remember(struct judge *j, const struct trust_case *c, int64_t now_s)
{
	const struct vouched *v = j->shown == VOUCH_GOOD ? &j->vouched : NULL;

	switch (j->trust.remember) {
	case TRUST_WORKED:
		memory_worked(j->memory, &j->place, now_s, c->rank, v != NULL ? v->public : NULL,
		    v != NULL && v->has_next ? &v->next : NULL);
		break;
	case TRUST_TOLD:
		memory_told(j->memory, &j->place, now_s);
		break;
	case TRUST_NOTHING:
		break;
	}
}

/* What is remembered, and what follows.  Whether it would go on in the clear, where that is `again`. */
static enum ending
decide(struct judge *j, struct trust_case *c, int64_t now_s, bool again)
{
	trust_decide(&j->trust, c);
	/* in the clear it is asked about once more, and then it is certain that it comes to that */
	if (again && j->trust.go_on) {
		judge_connected(j);
		return END_NONE;
	}
	if (j->trust.loud)
		warn(j, c);
	remember(j, c, now_s);
	if (j->trust.go_on)
		return END_NONE;
	return j->policy == POLICY_MUST ? END_MUST : END_TRUST;
}

static void
look(struct judge *j, struct trust_case *c, struct memory_known *known, int64_t now_s)
{
	c->policy = j->policy;
	c->newest_rank = newest_rank(j->suites);
	c->domain = j->place.domain;
	c->host = j->place.host;
	c->known = known;
	c->vouched = &j->vouched;
	memory_look(j->memory, &j->place, now_s, known);
	c->unsure = !memory_is_whole(j->memory);
}

enum ending
judge_opening(void *judge, const struct opening *o, bool again)
{
	struct judge *j = judge;
	int64_t now_s = j->now_s();
	struct memory_known known;
	struct trust_case c = {
		.encrypted = o->encrypted && !o->tls && !again,
		.starttls = o->tls && !again,
		.refused = o->reply.code >= 500,
		.why = o->why,
	};

	look(j, &c, &known, now_s);
	if (c.encrypted)
		c.rank = o->handshake.agreement.suite->exchange->rank;
	j->shown = c.rank >= EXCHANGE_RANK_2_0 ? check_key(j, o, now_s) : VOUCH_NONE;
	c.shown = j->shown;
	return decide(j, &c, now_s, again);
}

enum ending
judge_nowhere(struct judge *j, const char *why)
{
	int64_t now_s = j->now_s();
	struct memory_known known;
	struct trust_case c = { .nowhere = true, .why = why };

	judge_connected(j);
	look(j, &c, &known, now_s);
	return decide(j, &c, now_s, true);
}
