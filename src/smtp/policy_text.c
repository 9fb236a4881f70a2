/* The texts of policy: why a message waits, and what accepts the change of a host. */
#include "smtp/policy_internal.h"

#include <stdio.h>

static const char *
why(const struct policy_facts *f)
{
	return f->why != NULL ? f->why : "-";
}

static void
policy_put_key(char text[HOSTKEY_TEXT_LEN + 1], const uint8_t key[HOSTKEY_PUBLIC_LEN])
{
	hostkey_put_public(text, key);
	text[HOSTKEY_TEXT_LEN] = '\0';
}

void
policy_put_expected(struct policy_verdict *v, const struct policy_facts *f)
{
	const struct policy_known *k = &f->known;
	unsigned version = k->version > 0 ? k->version : KEX_VERSION_2_0;

	if (v->alarm == ALARM_KEY_CHANGED)
		policy_put_key(v->expected, k->pin != NULL ? k->pin : k->key);
	else if (k->mx_changed)
		snprintf(v->expected, sizeof(v->expected), "%s", k->last_host);
	else
		snprintf(v->expected, sizeof(v->expected), "%u.%u", version / 10, version % 10);
}

/*
 * The texts are short and begin with what matters: `mailq -v` shows the first 80 characters,
 * `mailq` 40.  The log of the local MTA has the rest.
 */

/* Why no host key was shown that could be compared. */
static const char *
key_fault(const struct policy_facts *f)
{
	switch (f->shown) {
	case STATEMENT_INVALID:
		return "shows a host key that it cannot prove";
	case STATEMENT_EXPIRED:
		return "shows a host key past its time (are both clocks right?)";
	default:
		return "shows no host key";
	}
}

/* The level requires encryption or a pinned key, whatever is known of the host. */
static void
say_required(struct policy_verdict *v, const struct policy_facts *f)
{
	char key[HOSTKEY_TEXT_LEN + 1];

	if (!policy_is_encrypted(f)) {
		snprintf(v->text, sizeof(v->text), "encryption is required, but the host does not "
		    "encrypt (%s)", f->encrypted ? "old-version" : why(f));
	} else if (f->shown == STATEMENT_GOOD) {
		policy_put_key(key, f->shown_key);
		snprintf(v->text, sizeof(v->text), "no host key is pinned: " POLICY_COMMAND
		    "pin -- %s %s accepts the one it shows", f->host, key);
	} else {
		snprintf(v->text, sizeof(v->text), "no host key is pinned, and it %s; the policy "
		    "is %s", key_fault(f), policy_table[f->policy].name);
	}
}

/* Suggests no command: the host shown now may not be the one that would be remembered. */
static void
say_incomplete(struct policy_verdict *v, const struct policy_facts *f)
{
	snprintf(v->text, sizeof(v->text), "known hosts are off or cannot be read here (see the "
	    "log); the policy is %s", policy_table[f->policy].name);
}

/* The DNS may be forged, so it does not make a message bounce that waits for encryption. */
static void
say_not_in_dns(struct policy_verdict *v, const struct policy_facts *f)
{
	const struct policy_level *level = &policy_table[f->policy];

	if (level->encryption_required)
		snprintf(v->text, sizeof(v->text), "is not in the DNS (%s); mail waits because the "
		    "policy is %s", why(f), level->name);
	else if (policy_entry_forbids(f))
		snprintf(v->text, sizeof(v->text), "is not in the DNS (%s); mail waits because it "
		    "has an entry in the policy map", why(f));
	else
		snprintf(v->text, sizeof(v->text), "is gone from the DNS (%s): " POLICY_COMMAND
		    "forget -- %s accepts that", why(f), f->domain);
}

/* Suggests no command: only the domain's administrator can change the records. */
static void
say_dane(struct policy_verdict *v, const struct policy_facts *f)
{
	if (f->starttls)
		snprintf(v->text, sizeof(v->text), "shows a certificate that matches none of its "
		    "TLSA records");
	else if (!policy_is_encrypted(f))
		snprintf(v->text, sizeof(v->text), "has TLSA records, but does not encrypt (%s)",
		    f->encrypted ? "old-version" : why(f));
	else if (f->shown == STATEMENT_GOOD)
		snprintf(v->text, sizeof(v->text), "shows a host key that matches none of its "
		    "TLSA records");
	else
		snprintf(v->text, sizeof(v->text), "has TLSA records, but it %s", key_fault(f));
}

static void
say_downgrade(struct policy_verdict *v, const struct policy_facts *f, const char *name)
{
	if (f->known.mx_changed)
		snprintf(v->text, sizeof(v->text), "not a host that is known for its domain: "
		    POLICY_COMMAND "forget -- %s accepts it", f->domain);
	else if (f->starttls)
		snprintf(v->text, sizeof(v->text), "has only STARTTLS now (%s): " POLICY_COMMAND
		    "forget -- %s accepts that", why(f), name);
	else if (f->encrypted)
		snprintf(v->text, sizeof(v->text), "encrypts with an older version now: "
		    POLICY_COMMAND "forget -- %s accepts that", name);
	else
		snprintf(v->text, sizeof(v->text), "no longer encrypts (%s): " POLICY_COMMAND
		    "forget -- %s accepts that", why(f), name);
}

static void
say_key_changed(struct policy_verdict *v, const struct policy_facts *f, const char *name)
{
	const struct policy_level *level = &policy_table[f->policy];
	char key[HOSTKEY_TEXT_LEN + 1];

	if (f->shown == STATEMENT_GOOD) {
		policy_put_key(key, f->shown_key);
		snprintf(v->text, sizeof(v->text), "shows another host key: " POLICY_COMMAND
		    "pin -- %s %s accepts it", name, key);
	} else if (level->pin_required) {
		snprintf(v->text, sizeof(v->text), "%s; the policy is %s", key_fault(f),
		    level->name);
	} else {
		snprintf(v->text, sizeof(v->text), "%s, but did: " POLICY_COMMAND
		    "forget -- %s accepts that", key_fault(f), name);
	}
}

void
policy_say_refusal(struct policy_verdict *v, const struct policy_facts *f)
{
	const struct policy_level *level = &policy_table[f->policy];
	const char *name = f->known.pin != NULL && f->known.pin_is_domains ? f->domain : f->host;

	if (f->known.incomplete && policy_uses_known_hosts(level))
		say_incomplete(v, f);
	else if (f->not_in_dns)
		say_not_in_dns(v, f);
	else if (policy_dane_forbids(f))
		say_dane(v, f);
	else if (policy_entry_forbids(f))
		policy_entry_say(v, f);
	else if (v->alarm == ALARM_DOWNGRADE && !level->encryption_required)
		say_downgrade(v, f, name);
	else if (v->alarm == ALARM_KEY_CHANGED)
		say_key_changed(v, f, name);
	else
		say_required(v, f);
}
