#include "client/attempt.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/call_log.h"
#include "client/starttls.h"
#include "client/tls_result.h"
#include "store/meetings.h"
#include "sys/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A policy applies to the destination as named in the arguments, not to its mail hosts. */
static enum policy
policy_of(const struct attempt *c, size_t element)
{
	return settings_policy_for(&c->options->settings, span_of(c->hosts->at[element].name));
}

/* Whether a host may have TLSA records that count for it: see tlsa_look_up(). */
static bool
may_have_tlsa(const struct attempt *c, const struct target *target)
{
	return policy_table[policy_of(c, target->element)].xcrypt &&
	    (target->origin.secure || target->origin.alias);
}

/* Whether the entry of the policy map forbids sessions in the clear. */
static bool
has_entry(const struct attempt *c, size_t element)
{
	return tls_policy_requires_encryption(&c->map.at[element]);
}

bool
attempt_may_need_tls(const struct attempt *c)
{
	for (size_t i = 0; i < c->targets.count; i++) {
		const struct target *target = &c->targets.at[i];

		if (policy_uses_starttls(policy_of(c, target->element),
		    c->delivers || may_have_tlsa(c, target) || has_entry(c, target->element)))
			return true;
	}
	return false;
}

/* Sets the policy and the destination that peer_check applies.  set_place() adds the host. */
static void
set_check(struct attempt *c, size_t element)
{
	enum policy policy = policy_of(c, element);

	c->suites = policy_suites(policy, &c->options->suites);
	c->check.known_hosts = c->known_hosts;
	c->check.cache = c->cache;
	c->check.now_s = clock_wall_s;
	c->check.policy = policy;
	c->check.suites = &c->suites;
	c->check.tlsa = NULL;
	c->check.entry = &c->map.at[element];
	c->check.listed = false;
	c->check.place = (struct known_hosts_place){ .domain = c->hosts->at[element].name,
		.host = c->hosts->at[element].name, .hosts = c->names };
}

static void
set_place(struct attempt *c)
{
	struct known_hosts_place *place = &c->check.place;

	place->host = c->target->name;
	/* the addresses of one host are adjacent */
	for (size_t i = 0; i < c->targets.count; i++) {
		const struct target *t = &c->targets.at[i];

		if (t->element == c->target->element && (place->host_count == 0 ||
		    strcmp(c->names[place->host_count - 1], t->name) != 0))
			c->names[place->host_count++] = t->name;
	}
}

/* Makes target `i` the present one, which is called or asked about. */
static void
set_target(struct attempt *c, size_t i)
{
	c->target = &c->targets.at[i];
	set_check(c, c->target->element);
	set_place(c);
}

static void
apply_policy(struct attempt *c)
{
	struct client_settings *set = c->client_settings;
	enum policy policy = c->check.policy;
	bool records = c->tlsa.found == TLSA_FOUND;
	bool asked = records || has_entry(c, c->target->element);
	/* a certificate that counts without records is for the name of the host */
	bool by_records = c->tlsa.usable ||
	    (records && peer_check_entry(&c->check) != TLS_POLICY_SECURE);
	const char *name = by_records ? c->tlsa.tlsa.base : c->target->name;

	set->suites = &c->suites;
	set->encryption_required = policy_requires_encryption(policy) || asked;
	starttls_strict(set->encryption_required);
	set->starttls = policy_uses_starttls(policy, c->delivers || asked) ? name : NULL;
	set->check = peer_check_decide;
	set->check_context = &c->check;
}

/* Of several destinations, reports one of which something is known, if possible with an alarm. */
enum outcome
attempt_nowhere(struct attempt *c, const char *why)
{
	size_t alerted = c->hosts->count;

	for (size_t i = 0; i < c->hosts->count; i++) {
		set_check(c, i);
		if (peer_check_not_in_dns(&c->check, why) != OUTCOME_NONE &&
		    (alerted == c->hosts->count || c->check.verdict.alarm != ALARM_NONE))
			alerted = i;
	}
	if (alerted == c->hosts->count)
		return OUTCOME_NONE;
	set_check(c, alerted);
	return peer_check_not_in_dns(&c->check, why);
}

enum { OUTSIDE_DIAL, OUTSIDE_LEARN, OUTSIDE_TLSA };

_Static_assert(sizeof(struct known_hosts_lesson) <= OUTSIDE_OCTETS, "a lesson fits into a request");
_Static_assert(HOST_TARGETS_MAX <= KNOWN_HOSTS_PLACES_MAX, "every target can be noted");

/* Runs in the process outside, which serves requests about these targets only. */
static int
serve_outside(void *context, const struct outside_request *request,
    struct outside_answer *answer)
{
	struct attempt *c = context;
	struct known_hosts_lesson lesson;

	errno = EINVAL;
	if (request->about >= c->targets.count)
		return -1;
	set_target(c, request->about);
	switch (request->what) {
	case OUTSIDE_DIAL:
		answer->fd = dial(&c->target->address, NULL, request->number);
		return answer->fd < 0 ? -1 : 0;
	case OUTSIDE_TLSA:
		answer->octets = host_tlsa_look_up(c->target, request->number);
		return 0;
	case OUTSIDE_LEARN:
		memcpy(&lesson, request->octets, sizeof(lesson));
		return known_hosts_learn(c->known_hosts, &c->check.place, clock_wall_s(), &lesson);
	default:
		return -1;
	}
}

/* Runs in the session, about the present target. */
static int
learn_outside(void *context, const struct known_hosts_lesson *lesson)
{
	struct attempt *c = context;
	struct outside_request request = { .what = OUTSIDE_LEARN,
		.about = (uint16_t)(c->target - c->targets.at) };

	memcpy(request.octets, lesson, sizeof(*lesson));
	return outside_ask(&c->outside, &request, NULL);
}

static int
dial_outside(struct attempt *c, int64_t timeout_ms)
{
	struct outside_request request = { .what = OUTSIDE_DIAL,
		.about = (uint16_t)(c->target - c->targets.at),
		.number = timeout_ms > INT32_MAX ? INT32_MAX : (uint32_t)timeout_ms };
	int fd;

	return outside_ask(&c->outside, &request, &fd) == 0 ? fd : -1;
}

static int64_t
at_most(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A silent host or name server must leave time for the hosts after it. */
static int64_t
share(const struct attempt *c)
{
	int64_t left = c->deadline_ms - clock_ms();

	return c->session->io.others ? left / 2 : left;
}

static bool
is_same_host(const struct target *a, const struct target *b)
{
	return a->element == b->element && strcmp(a->name, b->name) == 0;
}

/*
 * Looks up the TLSA records of the present target, once for all addresses of its host.  False: that
 * failed, and the host must not be called.
 */
static bool
find_tlsa(struct attempt *c)
{
	struct outside_request request = { .what = OUTSIDE_TLSA,
		.about = (uint16_t)(c->target - c->targets.at) };
	bool known = c->tlsa_of != NULL && is_same_host(c->tlsa_of, c->target);
	int64_t timeout_ms = share(c);

	c->tlsa_of = c->target;
	if (known)
		return c->tlsa.found != TLSA_LATER;
	host_tlsa_none(&c->tlsa);
	if (!may_have_tlsa(c, c->target))
		return true;
	request.number = timeout_ms < 0 ? 0 : (uint32_t)at_most(timeout_ms, INT32_MAX);
	host_tlsa_ask(&c->tlsa, &c->outside, &request, c->target,
	    c->hosts->at[c->target->element].name);
	if (c->tlsa.found != TLSA_LATER)
		return true;
	c->end = OUTCOME_TLSA_FAILED;
	call_log_uncalled(c, c->tlsa.tlsa.failed ?
	    SPAN("SERVFAIL for its TLSA records; perhaps a bad signature") :
	    SPAN("no answer about its TLSA records"));
	tls_result_send_uncalled(c);
	return false;
}

/*
 * Whether the present target may be called.  If not, that is logged once for all addresses of its
 * host.  Every host that DNSSEC names may be, if it has
 * usable records: DANE comes before MTA-STS.
 */
static bool
is_permitted(struct attempt *c)
{
	c->check.tlsa = &c->tlsa;
	c->check.listed = (c->tlsa.usable && c->target->mx_secure) ||
	    tls_policy_has_host(c->check.entry, c->check.place.domain, c->target->name);
	if (peer_check_may_call(&c->check))
		return true;
	bool again = c->refused != NULL && is_same_host(c->refused, c->target);
	c->refused = c->target;
	c->end = OUTCOME_NOT_PERMITTED;
	if (again)
		return false;
	call_log_uncalled(c, span_of(c->check.verdict.text));
	tls_result_send_uncalled(c);
	return false;
}

int
attempt_prepare(struct attempt *c)
{
	for (size_t i = 0; i < c->targets.count; i++) {
		set_target(c, i);
		known_hosts_note(c->known_hosts, &c->check.place, clock_wall_s());
	}
	c->target = NULL;
	if (outside_start(&c->outside, serve_outside, c) < 0)
		return -1;
	known_hosts_leave(c->known_hosts, learn_outside, c);
	return 0;
}

void
attempt_settled(struct attempt *c)
{
	outside_end(&c->outside);
}

/* Tells the key cache which host is called, so that pre-shared secrets are kept per host. */
static void
set_meeting(struct attempt *c)
{
	char address[ADDRESS_TEXT_MAX];

	address_text(&c->target->address, address);
	meetings_set_host(c->cache, c->target->name, span_of(address),
	    address_port(&c->target->address));
}

/* One connection to the present target. */
static void
connect_and_run(struct attempt *c, enum client_call call)
{
	const struct settings *settings = &c->options->settings;
	int64_t begun = clock_ms(), left = c->deadline_ms - begun;
	int fd = -1;

	peer_check_start(&c->check);
	if (left > 0)
		fd = dial_outside(c, at_most(left, settings->connect_timeout_ms));
	else
		errno = ETIMEDOUT;
	c->connected_ms = clock_ms();
	c->dialled_ms = c->connected_ms - begun;
	if (fd < 0) {
		c->end = OUTCOME_NOT_REACHED;
		snprintf(c->why, sizeof(c->why), "%.200s: %.50s", c->target->name, strerror(errno));
		call_log(c, begun);
		return;
	}
	c->session->limits.greeting_ms = at_most(share(c), settings->command_timeout_ms);
	set_meeting(c);
	c->connected(c->machine, call);
	session_wire(c->session, fd, fd);
	c->end = session_run(c->session);
	if (!c->session->io.keeps)
		close(fd);
	call_log(c, begun);
	tls_result_send(c);
}

/* Why the policy refuses the present target, kept for when another one is called. */
static void
note_refusal(struct attempt *c)
{
	bool refused = c->end == OUTCOME_NOT_TRUSTED || c->end == OUTCOME_NOT_ENCRYPTED ||
	    c->end == OUTCOME_NOT_PERMITTED;

	snprintf(c->refusal, sizeof(c->refusal), "%s", refused ? c->check.verdict.text : "");
}

bool
attempt_called(const struct attempt *c)
{
	return c->end != OUTCOME_NOT_REACHED && c->end != OUTCOME_TLSA_FAILED &&
	    c->end != OUTCOME_NOT_PERMITTED;
}

/* Whether the next target may be called after this one. */
static bool
goes_on(const struct attempt *c)
{
	return !attempt_called(c) ||
	    c->session->io.elsewhere || c->check.verdict.next_host;
}

/*
 * The present target did not take the message, and the next one is tried.  The report is about
 * the last target that sent a reply.
 */
static void
take_note(struct attempt *c)
{
	const struct reply *reply = &c->client->reply;
	bool in_opening = reply->code >= 300 && attempt_called(c);
	bool said = in_opening || c->end == OUTCOME_REFUSED_LATER;

	if (c->end == OUTCOME_NOT_REACHED || (c->one_said && !said))
		return;
	c->one_said = said;
	c->alerted = c->target;
	c->left = c->end;
	note_refusal(c);
	reply_start(&c->greeting);
	if (in_opening)
		reply_copy(&c->greeting, reply);
}

static void
call_target(struct attempt *c, bool others)
{
	c->session->io.others = others;
	c->end = OUTCOME_TLSA_FAILED;
	if (!find_tlsa(c) || !is_permitted(c))
		return;
	apply_policy(c);
	connect_and_run(c, CLIENT_CALL_FIRST);
	if (c->end == OUTCOME_RETRY_APART)
		connect_and_run(c, CLIENT_CALL_APART);
	if (c->end == OUTCOME_RETRY_STARTTLS) {
		log_line(LOG_NOTICE, "%s: XCRYPT does not authenticate it as its TLSA records or "
		    "the policy map ask; connecting again for STARTTLS", c->target->name);
		connect_and_run(c, CLIENT_CALL_STARTTLS);
		return;
	}
	if (c->end != OUTCOME_RETRY_CLEAR)
		return;
	log_line(LOG_WARNING, "%s: encryption failed; connecting again without it",
	    c->target->name);
	connect_and_run(c, CLIENT_CALL_CLEAR);
}

enum outcome
attempt_run(struct attempt *c)
{
	bool someone_else = c->targets.some_missing || c->targets.count == 0;

	c->left = c->end = OUTCOME_NOT_REACHED;
	reply_start(&c->greeting);
	snprintf(c->why, sizeof(c->why), "no address");
	for (size_t i = 0; i < c->targets.count; i++) {
		set_target(c, i);
		call_target(c, i + 1 < c->targets.count);
		if (!goes_on(c)) {
			c->alerted = c->target;
			note_refusal(c);
			return c->end;
		}
		take_note(c);
		someone_else = someone_else || c->end != OUTCOME_GREETED_NEVER ||
		    c->client->provisional;
	}
	c->refused_only = !someone_else;
	c->end = c->left;
	return c->end;
}

enum outcome
attempt_again(struct attempt *c, int64_t begun_ms)
{
	c->session->io.others = c->target + 1 < c->targets.at + c->targets.count;
	c->alerted = c->target;
	reply_start(&c->greeting);
	c->end = session_run(c->session);
	call_log(c, begun_ms);
	return c->end;
}

static enum outcome
compare_only(void *context, const struct client_handshake *ch, bool again)
{
	if (ch->tls && !again)
		host_tlsa_facts_chain(context, starttls_chain());
	return OUTCOME_NONE;
}

void
attempt_compare_certificate(struct attempt *c)
{
	struct client_settings *set = c->client_settings;

	set->encryption_required = true;
	set->starttls = c->tlsa.tlsa.base;
	set->check = compare_only;
	set->check_context = &c->tlsa;
	connect_and_run(c, CLIENT_CALL_STARTTLS);
}
