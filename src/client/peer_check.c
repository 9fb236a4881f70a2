#include "client/peer_check.h"

#include "base/log.h"
#include "client/starttls.h"
#include "smtp/ehlo.h"

#include <string.h>

_Static_assert(POLICY_EXPECTED_MAX > KNOWN_HOSTS_NAME_MAX, "a verdict has room for a host's name");
_Static_assert(POLICY_EXPECTED_MAX > HOSTKEY_TEXT_LEN, "a verdict has room for a host key");

void
peer_check_start(struct peer_check *check)
{
	check->shown = STATEMENT_NONE;
	memset(&check->verdict, 0, sizeof(check->verdict));
	if (check->tlsa != NULL)
		host_tlsa_start(check->tlsa);
}

enum tls_policy_level
peer_check_entry(const struct peer_check *check)
{
	return check->entry != NULL ? check->entry->level : TLS_POLICY_NONE;
}

bool
peer_check_may_call(struct peer_check *check)
{
	const struct policy_facts facts = { .policy = check->policy, .domain = check->place.domain,
		.host = check->place.host, .entry = peer_check_entry(check),
		.listed = check->listed };

	peer_check_start(check);
	return policy_may_call(&check->verdict, &facts);
}

void
peer_check_log(const struct peer_check *check, struct buf *line)
{
	const struct policy_verdict *v = &check->verdict;

	/* a key is logged as `-k pin` takes it; base64 needs no escapes */
	if (v->alarm == ALARM_KEY_CHANGED)
		buf_printf(line, " %s=%s", policy_alarm_name(v->alarm), v->expected);
	else if (v->alarm != ALARM_NONE)
		log_pair(line, policy_alarm_name(v->alarm), span_of(v->expected));
}

void
peer_check_log_auth(const struct peer_check *check, struct buf *line)
{
	enum policy_dane dane =
	    check->tlsa != NULL ? host_tlsa_facts(check->tlsa) : POLICY_DANE_NONE;

	buf_printf(line, " auth=%s asked=%s", policy_auth_name(check->verdict.auth),
	    policy_asked_name(check->policy, dane, peer_check_entry(check)));
	if (check->tlsa != NULL)
		host_tlsa_log(check->tlsa, line);
}

/* The warning has a line of its own, so that it is found among the lines of all connections. */
static void
log_warning(const struct peer_check *check, const struct policy_facts *facts)
{
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("not as it was:"));
	log_pair(&line, "to", span_of(facts->domain));
	log_pair(&line, "host", span_of(facts->host));
	peer_check_log(check, &line);
	if (facts->why != NULL)
		log_pair(&line, "why", span_of(facts->why));
	log_line(LOG_WARNING, "%.*s: %s", (int)buf_len(&line), (const char *)mem,
	    check->verdict.go_on || check->verdict.starttls_instead ?
		"mail goes there all the same" : "mail waits");
}

static void
check_statements(struct peer_check *check, const struct client_handshake *ch, int64_t now_s)
{
	const struct agreement *a = &ch->handshake.agreement;
	struct span id, next;

	ehlo_find_statements(&ch->reply, &id, &next);
	check->shown = hostkey_cache_check(check->cache, a->suite->kex, a->peer_public, id, next,
	    now_s, &check->verified);
}

static void
write_known_hosts(struct peer_check *check, const struct policy_facts *facts, int64_t now_s)
{
	const struct verified_statement *s = &check->verified;
	const uint8_t *key = check->shown == STATEMENT_GOOD ? s->public : NULL;

	switch (check->verdict.remember) {
	case REMEMBER_WORKED:
		known_hosts_worked(check->known_hosts, &check->place, now_s, facts->version, key,
		    key != NULL && s->has_next ? &s->next : NULL);
		break;
	case REMEMBER_ALERTED:
		known_hosts_alerted(check->known_hosts, &check->place, now_s);
		break;
	case REMEMBER_NOTHING:
		break;
	}
}

struct policy_known
peer_check_known(const struct known_host *known)
{
	return (struct policy_known){
		.established = known->standing == KNOWN_ESTABLISHED,
		.mx_changed = known->standing == KNOWN_MX_CHANGED,
		.alerted = known->alerted,
		.version = known->version,
		.pin = known->has_pin ? known->pin : NULL,
		.pin_is_domains = known->pin_is_domains,
		.key = known->has_key ? known->key : NULL,
		.next = known->has_next ? known->next : NULL,
		.last_host = known->last_host,
	};
}

/* The facts that do not depend on the session.  They point into `known`. */
static void
gather(const struct peer_check *check, struct known_host *known, int64_t now_s,
    struct policy_facts *facts)
{
	facts->policy = check->policy;
	facts->newest_version = suite_list_newest(check->suites);
	facts->domain = check->place.domain;
	facts->host = check->place.host;
	known_hosts_look_up(check->known_hosts, &check->place, now_s, known);
	facts->known = peer_check_known(known);
	facts->entry = peer_check_entry(check);
	facts->listed = check->listed;
	/* asked after the look-up, which may have found damage */
	facts->known.incomplete = !known_hosts_complete(check->known_hosts);
}

/* What the TLSA records say of the host key or the certificate that the host has shown. */
static enum policy_dane
compare_tlsa(const struct peer_check *check, const struct policy_facts *facts)
{
	if (check->tlsa == NULL)
		return POLICY_DANE_NONE;
	host_tlsa_start(check->tlsa);
	if (facts->starttls)
		return host_tlsa_facts_chain(check->tlsa, starttls_chain());
	if (facts->shown == STATEMENT_GOOD)
		return host_tlsa_facts_key(check->tlsa, facts->shown_key);
	return host_tlsa_facts(check->tlsa);
}

/* Is STARTTLS left to try where XCRYPT does not authenticate the host? */
static bool
starttls_is_left(const struct client_handshake *ch)
{
	return ch->offer_len > 0 && !ch->starttls_tried &&
	    ehlo_offers(&ch->clear, "STARTTLS", NULL);
}

/* `again`: the facts are those of a call in the clear that has not been made. */
static enum outcome
decide(struct peer_check *check, const struct policy_facts *facts, int64_t now_s, bool again)
{
	policy_decide(&check->verdict, facts);
	if (again && check->verdict.go_on) {
		/* the call in the clear is checked again once it is made, and logged then */
		peer_check_start(check);
		return OUTCOME_NONE;
	}
	if (check->verdict.warn)
		log_warning(check, facts);
	write_known_hosts(check, facts, now_s);
	if (check->verdict.starttls_instead)
		return OUTCOME_RETRY_STARTTLS;
	return check->verdict.go_on ? OUTCOME_NONE : policy_refusal(facts);
}

enum outcome
peer_check_decide(void *context, const struct client_handshake *ch, bool again)
{
	struct peer_check *check = context;
	int64_t now_s = check->now_s();
	struct known_host known;
	struct policy_facts facts = {
		.encrypted = ch->encrypted && !ch->tls && !again,
		.starttls = ch->tls && !again,
		.instead = ch->instead,
		.starttls_left = starttls_is_left(ch),
		.refused = ch->reply.code >= 500,
		.why = ch->why,
	};

	gather(check, &known, now_s, &facts);
	if (facts.encrypted)
		facts.version = ch->handshake.agreement.suite->kex->version;
	check->shown = STATEMENT_NONE;
	if (facts.version >= KEX_VERSION_2_0)
		check_statements(check, ch, now_s);
	facts.shown = check->shown;
	facts.shown_key = check->verified.public;
	facts.dane = compare_tlsa(check, &facts);
	facts.mx_secure = check->tlsa != NULL && check->tlsa->mx_secure;
	facts.certified = facts.starttls && starttls_is_verified();
	return decide(check, &facts, now_s, again);
}

enum outcome
peer_check_not_in_dns(struct peer_check *check, const char *why)
{
	int64_t now_s = check->now_s();
	struct known_host known;
	struct policy_facts facts = { .not_in_dns = true, .why = why };

	peer_check_start(check);
	gather(check, &known, now_s, &facts);
	return decide(check, &facts, now_s, true);
}
