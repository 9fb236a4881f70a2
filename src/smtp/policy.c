#include "smtp/policy.h"

#include "smtp/ehlo.h"

#include <stdio.h>
#include <string.h>

#define RANK_BY_HAND 1		/* 0.1, which nobody means by encryption */

/*
 * The texts are short, and what matters is in front: `mailq -v` shows 80 characters of them and mailq 40;
 * the rest is in the mailer's log.
 */

/* Does it count as encrypted?  An older generation does where there is no newer one to be had. */
static bool
counts(const struct trust_case *c)
{
	return c->encrypted &&
	    (c->rank >= EXCHANGE_RANK_2_0 || (c->newest_rank < EXCHANGE_RANK_2_0 && c->rank > RANK_BY_HAND));
}

static bool
is_shown(const struct trust_case *c, bool known, const uint8_t key[HOSTKEY_PUBLIC_LEN])
{
	return known && c->shown == VOUCH_GOOD &&
	    memcmp(c->vouched->public, key, HOSTKEY_PUBLIC_LEN) == 0;
}

static bool
key_is_right(const struct trust_case *c)
{
	const struct memory_known *k = c->known;

	if (is_shown(c, k->has_pin, k->pin))
		return true;
	return c->policy != POLICY_PINNED &&
	    (is_shown(c, k->has_key, k->key) || is_shown(c, k->has_next, k->next));
}

/* Less than worked before, and than could work now. */
static bool
is_less(const struct trust_case *c)
{
	return !counts(c) || (c->rank < c->known->rank && c->known->rank <= c->newest_rank);
}

static enum trust_alarm
find_alarm(const struct trust_case *c)
{
	const struct memory_known *k = c->known;

	if (k->standing == MEMORY_MOVED || (k->standing == MEMORY_BINDING && is_less(c)))
		return TRUST_DOWNGRADE;
	if ((k->has_pin || k->has_key) && !key_is_right(c))
		return TRUST_KEY_CHANGED;
	return TRUST_QUIET;
}

static bool
may_go_on(const struct trust_case *c, enum trust_alarm alarm)
{
	switch (c->policy) {
	case POLICY_NEVER:
	case POLICY_MAY:
		return true;
	case POLICY_KNOWN:
		return alarm == TRUST_QUIET && !c->unsure;
	case POLICY_MUST:
		return counts(c) || c->starttls;
	case POLICY_PINNED:
		return counts(c) && c->known->has_pin && alarm == TRUST_QUIET && !c->unsure;
	}
	return false;
}

static void
put_key(char text[HOSTKEY_TEXT_LEN + 1], const uint8_t key[HOSTKEY_PUBLIC_LEN])
{
	hostkey_put_public(text, key);
	text[HOSTKEY_TEXT_LEN] = '\0';
}

static void
say_expected(struct trust *t, const struct trust_case *c)
{
	const struct memory_known *k = c->known;
	unsigned rank = k->rank > 0 ? k->rank : EXCHANGE_RANK_2_0;

	if (t->alarm == TRUST_KEY_CHANGED)
		put_key(t->expected, k->has_pin ? k->pin : k->key);
	else if (k->standing == MEMORY_MOVED)
		snprintf(t->expected, sizeof(t->expected), "%s", k->last_host);
	else
		snprintf(t->expected, sizeof(t->expected), "%u.%u", rank / 10, rank % 10);
}

/* What is wrong with the key, but for its being another one. */
static const char *
key_fault(const struct trust_case *c)
{
	switch (c->shown) {
	case VOUCH_INVALID:
		return "shows a host key that it cannot prove";
	case VOUCH_EXPIRED:
		return "shows a host key past its time (are both clocks right?)";
	default:
		return "shows no host key";
	}
}

/* Policy apart from memory: encryption is wanted, or a key on file. */
static void
say_policy(struct trust *t, const struct trust_case *c)
{
	char key[HOSTKEY_TEXT_LEN + 1] = "KEY";

	if (!counts(c)) {
		snprintf(t->text, sizeof(t->text), "encryption is required here and not to be had "
		    "there (%s)", c->encrypted ? "old-generation" : c->why != NULL ? c->why : "-");
	} else if (c->shown == VOUCH_GOOD) {
		put_key(key, c->vouched->public);
		snprintf(t->text, sizeof(t->text), "no host key is pinned: " TRUST_COMMAND "pin -- %s %s "
		    "accepts the one it shows", c->host, key);
	} else {
		snprintf(t->text, sizeof(t->text), "no host key is pinned, and it %s; the policy "
		    "is pinned", key_fault(c));
	}
}

/* No command is named: whoever accepts what is shown now could be accepting anybody. */
static void
say_unsure(struct trust *t, const struct trust_case *c)
{
	snprintf(t->text, sizeof(t->text), "what is remembered of other hosts is off or cannot be read "
	    "here (see the log); the policy is %s", c->policy == POLICY_KNOWN ? "known" : "pinned");
}

/* The policy alone, or what is remembered, keeps mail from being refused for what the DNS says. */
static void
say_nowhere(struct trust *t, const struct trust_case *c)
{
	const char *why = c->why != NULL ? c->why : "-";

	if (c->policy == POLICY_KNOWN)
		snprintf(t->text, sizeof(t->text), "is gone from the DNS (%s): " TRUST_COMMAND "forget -- %s "
		    "accepts that", why, c->domain);
	else
		snprintf(t->text, sizeof(t->text), "is not in the DNS (%s), whose word costs no mail "
		    "where the policy is %s", why, c->policy == POLICY_MUST ? "must" : "pinned");
}

static void
say_downgrade(struct trust *t, const struct trust_case *c, const char *name)
{
	if (c->known->standing == MEMORY_MOVED)
		snprintf(t->text, sizeof(t->text), "not a host that is known for its domain: " TRUST_COMMAND
		    "forget -- %s accepts it", c->domain);
	else if (c->starttls)
		snprintf(t->text, sizeof(t->text), "has only STARTTLS now (%s): " TRUST_COMMAND "forget -- %s "
		    "accepts that", c->why != NULL ? c->why : "-", name);
	else if (c->encrypted)
		snprintf(t->text, sizeof(t->text), "encrypts with an older generation now: " TRUST_COMMAND
		    "forget -- %s accepts that", name);
	else
		snprintf(t->text, sizeof(t->text), "no longer encrypts (%s): " TRUST_COMMAND "forget -- %s "
		    "accepts that", c->why != NULL ? c->why : "-", name);
}

static void
say_key_changed(struct trust *t, const struct trust_case *c, const char *name)
{
	char key[HOSTKEY_TEXT_LEN + 1];

	if (c->shown == VOUCH_GOOD) {
		put_key(key, c->vouched->public);
		snprintf(t->text, sizeof(t->text), "shows another host key: " TRUST_COMMAND "pin -- %s %s "
		    "accepts it", name, key);
	} else if (c->policy == POLICY_PINNED) {
		snprintf(t->text, sizeof(t->text), "%s; the policy is pinned", key_fault(c));
	} else {
		snprintf(t->text, sizeof(t->text), "%s, but did: " TRUST_COMMAND "forget -- %s accepts that",
		    key_fault(c), name);
	}
}

void
trust_decide(struct trust *t, const struct trust_case *c)
{
	const struct memory_known *k = c->known;
	const char *name = k->has_pin && k->pin_is_domains ? c->domain : c->host;

	memset(t, 0, sizeof(*t));
	t->go_on = true;
	if (c->policy == POLICY_NEVER)
		return;
	t->alarm = find_alarm(c);
	t->loud = t->alarm != TRUST_QUIET && !k->told;
	t->go_on = may_go_on(c, t->alarm);
	if (t->loud)
		t->remember = TRUST_TOLD;
	else if (t->alarm == TRUST_QUIET && t->go_on && !c->refused && c->encrypted &&
	    c->rank >= EXCHANGE_RANK_2_0)
		t->remember = TRUST_WORKED;
	if (t->alarm != TRUST_QUIET)
		say_expected(t, c);
	if (t->go_on)
		return;
	if (c->unsure && c->policy != POLICY_MUST)
		say_unsure(t, c);
	else if (c->nowhere)
		say_nowhere(t, c);
	else if (t->alarm == TRUST_DOWNGRADE && c->policy != POLICY_MUST && c->policy != POLICY_PINNED)
		say_downgrade(t, c, name);
	else if (t->alarm == TRUST_KEY_CHANGED)
		say_key_changed(t, c, name);
	else
		say_policy(t, c);
}

const char *
trust_alarm_name(enum trust_alarm alarm)
{
	switch (alarm) {
	case TRUST_DOWNGRADE:
		return "downgrade";
	case TRUST_KEY_CHANGED:
		return "key-changed";
	case TRUST_QUIET:
		break;
	}
	return NULL;
}

static void
take(struct span *found, unsigned *count, struct span text)
{
	*found = ++*count == 1 ? text : span(NULL, 0);
}

void
trust_find_statements(const struct reply *reply, struct span *id, struct span *next)
{
	struct span rest = buf_peek(&reply->raw), text;
	unsigned ids = 0, nexts = 0;

	*id = *next = span(NULL, 0);
	ehlo_next(&rest, &text);
	while (ehlo_next(&rest, &text)) {
		if (ehlo_is(text, SPAN("XCRYPT-ID")))
			take(id, &ids, text);
		else if (ehlo_is(text, SPAN("XCRYPT-NEXT")))
			take(next, &nexts, text);
	}
}
