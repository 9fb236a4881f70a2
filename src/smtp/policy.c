#include "smtp/policy.h"

#include "smtp/ehlo.h"

#include <stdio.h>
#include <string.h>

#define VERSION_BY_HAND 1		/* 0.1, which nobody means by encryption */

/*
 * The texts are short, and what matters is in front: `mailq -v` shows 80 characters of them and mailq 40;
 * the rest is in the mailer's log.
 */

/* Does it count as encrypted?  An older generation does where there is no newer one to be had. */
static bool
counts(const struct policy_case *c)
{
	return c->encrypted &&
	    (c->version >= KEX_VERSION_2_0 ||
		(c->newest_version < KEX_VERSION_2_0 && c->version > VERSION_BY_HAND));
}

static bool
is_shown(const struct policy_case *c, bool known, const uint8_t key[HOSTKEY_PUBLIC_LEN])
{
	return known && c->shown == STATEMENT_GOOD &&
	    memcmp(c->verified->public, key, HOSTKEY_PUBLIC_LEN) == 0;
}

static bool
key_is_right(const struct policy_case *c)
{
	const struct known_host *k = c->known;

	if (is_shown(c, k->has_pin, k->pin))
		return true;
	return c->policy != POLICY_PINNED &&
	    (is_shown(c, k->has_key, k->key) || is_shown(c, k->has_next, k->next));
}

/* Less than worked before, and than could work now. */
static bool
is_less(const struct policy_case *c)
{
	return !counts(c) ||
	    (c->version < c->known->version && c->known->version <= c->newest_version);
}

static enum alarm
find_alarm(const struct policy_case *c)
{
	const struct known_host *k = c->known;

	if (k->standing == KNOWN_MX_CHANGED || (k->standing == KNOWN_ESTABLISHED && is_less(c)))
		return ALARM_DOWNGRADE;
	if ((k->has_pin || k->has_key) && !key_is_right(c))
		return ALARM_KEY_CHANGED;
	return ALARM_NONE;
}

static bool
may_go_on(const struct policy_case *c, enum alarm alarm)
{
	switch (c->policy) {
	case POLICY_NEVER:
	case POLICY_MAY:
		return true;
	case POLICY_KNOWN:
		return alarm == ALARM_NONE && !c->incomplete;
	case POLICY_MUST:
		return counts(c) || c->starttls;
	case POLICY_PINNED:
		return counts(c) && c->known->has_pin && alarm == ALARM_NONE && !c->incomplete;
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
say_expected(struct policy_verdict *t, const struct policy_case *c)
{
	const struct known_host *k = c->known;
	unsigned version = k->version > 0 ? k->version : KEX_VERSION_2_0;

	if (t->alarm == ALARM_KEY_CHANGED)
		put_key(t->expected, k->has_pin ? k->pin : k->key);
	else if (k->standing == KNOWN_MX_CHANGED)
		snprintf(t->expected, sizeof(t->expected), "%s", k->last_host);
	else
		snprintf(t->expected, sizeof(t->expected), "%u.%u", version / 10, version % 10);
}

/* What is wrong with the key, but for its being another one. */
static const char *
key_fault(const struct policy_case *c)
{
	switch (c->shown) {
	case STATEMENT_INVALID:
		return "shows a host key that it cannot prove";
	case STATEMENT_EXPIRED:
		return "shows a host key past its time (are both clocks right?)";
	default:
		return "shows no host key";
	}
}

/* Policy apart from memory: encryption is wanted, or a key on file. */
static void
say_policy(struct policy_verdict *t, const struct policy_case *c)
{
	char key[HOSTKEY_TEXT_LEN + 1] = "KEY";

	if (!counts(c)) {
		snprintf(t->text, sizeof(t->text), "encryption is required here and not to be had "
		    "there (%s)", c->encrypted ? "old-generation" : c->why != NULL ? c->why : "-");
	} else if (c->shown == STATEMENT_GOOD) {
		put_key(key, c->verified->public);
		snprintf(t->text, sizeof(t->text),
		    "no host key is pinned: " POLICY_COMMAND "pin -- %s %s "
		    "accepts the one it shows",
		    c->host, key);
	} else {
		snprintf(t->text, sizeof(t->text), "no host key is pinned, and it %s; the policy "
		    "is pinned", key_fault(c));
	}
}

/* No command is named: whoever accepts what is shown now could be accepting anybody. */
static void
say_unsure(struct policy_verdict *t, const struct policy_case *c)
{
	snprintf(t->text, sizeof(t->text),
	    "what is remembered of other hosts is off or cannot be read "
	    "here (see the log); the policy is %s",
	    c->policy == POLICY_KNOWN ? "known" : "pinned");
}

/* The policy alone, or what is remembered, keeps mail from being refused for what the DNS says. */
static void
say_nowhere(struct policy_verdict *t, const struct policy_case *c)
{
	const char *why = c->why != NULL ? c->why : "-";

	if (c->policy == POLICY_KNOWN)
		snprintf(t->text, sizeof(t->text),
		    "is gone from the DNS (%s): " POLICY_COMMAND "forget -- %s "
		    "accepts that",
		    why, c->domain);
	else
		snprintf(t->text, sizeof(t->text),
		    "is not in the DNS (%s), whose word costs no mail "
		    "where the policy is %s",
		    why, c->policy == POLICY_MUST ? "must" : "pinned");
}

static void
say_downgrade(struct policy_verdict *t, const struct policy_case *c, const char *name)
{
	if (c->known->standing == KNOWN_MX_CHANGED)
		snprintf(t->text, sizeof(t->text),
		    "not a host that is known for its domain: " POLICY_COMMAND
		    "forget -- %s accepts it",
		    c->domain);
	else if (c->starttls)
		snprintf(t->text, sizeof(t->text),
		    "has only STARTTLS now (%s): " POLICY_COMMAND "forget -- %s "
		    "accepts that",
		    c->why != NULL ? c->why : "-", name);
	else if (c->encrypted)
		snprintf(t->text, sizeof(t->text),
		    "encrypts with an older generation now: " POLICY_COMMAND
		    "forget -- %s accepts that",
		    name);
	else
		snprintf(t->text, sizeof(t->text),
		    "no longer encrypts (%s): " POLICY_COMMAND "forget -- %s "
		    "accepts that",
		    c->why != NULL ? c->why : "-", name);
}

static void
say_key_changed(struct policy_verdict *t, const struct policy_case *c, const char *name)
{
	char key[HOSTKEY_TEXT_LEN + 1];

	if (c->shown == STATEMENT_GOOD) {
		put_key(key, c->verified->public);
		snprintf(t->text, sizeof(t->text),
		    "shows another host key: " POLICY_COMMAND "pin -- %s %s "
		    "accepts it",
		    name, key);
	} else if (c->policy == POLICY_PINNED) {
		snprintf(t->text, sizeof(t->text), "%s; the policy is pinned", key_fault(c));
	} else {
		snprintf(t->text, sizeof(t->text),
		    "%s, but did: " POLICY_COMMAND "forget -- %s accepts that", key_fault(c), name);
	}
}

void
policy_decide(struct policy_verdict *t, const struct policy_case *c)
{
	const struct known_host *k = c->known;
	const char *name = k->has_pin && k->pin_is_domains ? c->domain : c->host;

	memset(t, 0, sizeof(*t));
	t->go_on = true;
	if (c->policy == POLICY_NEVER)
		return;
	t->alarm = find_alarm(c);
	t->warn = t->alarm != ALARM_NONE && !k->alerted;
	t->go_on = may_go_on(c, t->alarm);
	if (t->warn)
		t->remember = REMEMBER_ALERTED;
	else if (t->alarm == ALARM_NONE && t->go_on && !c->refused && c->encrypted &&
	    c->version >= KEX_VERSION_2_0)
		t->remember = REMEMBER_WORKED;
	if (t->alarm != ALARM_NONE)
		say_expected(t, c);
	if (t->go_on)
		return;
	if (c->incomplete && c->policy != POLICY_MUST)
		say_unsure(t, c);
	else if (c->nowhere)
		say_nowhere(t, c);
	else if (t->alarm == ALARM_DOWNGRADE && c->policy != POLICY_MUST &&
	    c->policy != POLICY_PINNED)
		say_downgrade(t, c, name);
	else if (t->alarm == ALARM_KEY_CHANGED)
		say_key_changed(t, c, name);
	else
		say_policy(t, c);
}

const char *
policy_alarm_name(enum alarm alarm)
{
	switch (alarm) {
	case ALARM_DOWNGRADE:
		return "downgrade";
	case ALARM_KEY_CHANGED:
		return "key-changed";
	case ALARM_NONE:
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
policy_find_statements(const struct reply *reply, struct span *id, struct span *next)
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
