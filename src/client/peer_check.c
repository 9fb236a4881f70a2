#include "client/peer_check.h"

#include "base/log.h"

#include <string.h>

void
peer_check_start(struct peer_check *j)
{
	j->shown = STATEMENT_NONE;
	memset(&j->verdict, 0, sizeof(j->verdict));
}

void
peer_check_log(const struct peer_check *j, struct buf *line)
{
	const struct policy_verdict *t = &j->verdict;

	/* a key has to come out as it can be pinned, and is nothing that needs escaping */
	if (t->alarm == ALARM_KEY_CHANGED)
		buf_printf(line, " %s=%s", policy_alarm_name(t->alarm), t->expected);
	else if (t->alarm != ALARM_NONE)
		log_pair(line, policy_alarm_name(t->alarm), span_of(t->expected));
}

/* Once, in a line of its own, so that nobody has to look for it among those of all connections. */
static void
warn(const struct peer_check *j, const struct policy_case *c)
{
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("not as it was:"));
	log_pair(&line, "to", span_of(c->domain));
	log_pair(&line, "host", span_of(c->host));
	peer_check_log(j, &line);
	if (c->why != NULL)
		log_pair(&line, "why", span_of(c->why));
	log_line(LOG_WARNING, "%.*s: %s", (int)buf_len(&line), (const char *)mem,
	    j->verdict.go_on ? "mail goes there all the same" : "mail waits");
}

/* The host key shown inside. */
static enum statement_verdict
check_key(struct peer_check *j, const struct client_handshake *o, int64_t now_s)
{
	const struct agreement *a = &o->handshake.agreement;
	struct span id, next;

	policy_find_statements(&o->reply, &id, &next);
	return hostkey_cache_check(j->cache, a->suite->kex, a->peer_public, id, next, now_s,
	    &j->verified);
}

static unsigned
newest_version(const struct suite_list *suites)
{
	unsigned newest = 0;

	for (size_t i = 0; i < suites->count; i++)
		if (suites->at[i]->kex->version > newest)
			newest = suites->at[i]->kex->version;
	return newest;
}

static void
remember(struct peer_check *j, const struct policy_case *c, int64_t now_s)
{
	const struct verified_statement *v = j->shown == STATEMENT_GOOD ? &j->verified : NULL;

	switch (j->verdict.remember) {
	case REMEMBER_WORKED:
		known_hosts_worked(j->known_hosts, &j->place, now_s, c->version,
		    v != NULL ? v->public : NULL, v != NULL && v->has_next ? &v->next : NULL);
		break;
	case REMEMBER_ALERTED:
		known_hosts_alerted(j->known_hosts, &j->place, now_s);
		break;
	case REMEMBER_NOTHING:
		break;
	}
}

/* What is remembered, and what follows.  Whether it would go on in the clear, where that is `again`. */
static enum outcome
decide(struct peer_check *j, struct policy_case *c, int64_t now_s, bool again)
{
	policy_decide(&j->verdict, c);
	/* in the clear it is asked about once more, and then it is certain that it comes to that */
	if (again && j->verdict.go_on) {
		peer_check_start(j);
		return OUTCOME_NONE;
	}
	if (j->verdict.warn)
		warn(j, c);
	remember(j, c, now_s);
	if (j->verdict.go_on)
		return OUTCOME_NONE;
	return j->policy == POLICY_MUST ? OUTCOME_NOT_ENCRYPTED : OUTCOME_NOT_TRUSTED;
}

static void
look(struct peer_check *j, struct policy_case *c, struct known_host *known, int64_t now_s)
{
	c->policy = j->policy;
	c->newest_version = newest_version(j->suites);
	c->domain = j->place.domain;
	c->host = j->place.host;
	c->known = known;
	c->verified = &j->verified;
	known_hosts_look_up(j->known_hosts, &j->place, now_s, known);
	c->incomplete = !known_hosts_complete(j->known_hosts);
}

enum outcome
peer_check_decide(void *check, const struct client_handshake *o, bool again)
{
	struct peer_check *j = check;
	int64_t now_s = j->now_s();
	struct known_host known;
	struct policy_case c = {
		.encrypted = o->encrypted && !o->tls && !again,
		.starttls = o->tls && !again,
		.refused = o->reply.code >= 500,
		.why = o->why,
	};

	look(j, &c, &known, now_s);
	if (c.encrypted)
		c.version = o->handshake.agreement.suite->kex->version;
	j->shown = c.version >= KEX_VERSION_2_0 ? check_key(j, o, now_s) : STATEMENT_NONE;
	c.shown = j->shown;
	return decide(j, &c, now_s, again);
}

enum outcome
peer_check_nowhere(struct peer_check *j, const char *why)
{
	int64_t now_s = j->now_s();
	struct known_host known;
	struct policy_case c = { .nowhere = true, .why = why };

	peer_check_start(j);
	look(j, &c, &known, now_s);
	return decide(j, &c, now_s, true);
}
