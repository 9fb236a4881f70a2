/* What the entry of a policy map (smtp/tls_policy.h) adds to the policy of the settings. */
#include "smtp/policy_internal.h"

#include <stdio.h>

static bool
has_usable_records(const struct policy_facts *f)
{
	return f->dane == POLICY_DANE_MATCHED || f->dane == POLICY_DANE_UNMATCHED;
}

/* Is it encrypted by XCRYPT, with a host key that is known?  One in the DNS is DANE's affair. */
static bool
is_known_by_key(const struct policy_facts *f)
{
	return policy_is_encrypted(f) && (policy_is_shown(f, f->known.pin) ||
	    (f->known.pin == NULL && (policy_is_shown(f, f->known.key) ||
	    policy_is_shown(f, f->known.next))));
}

bool
policy_entry_proved(const struct policy_facts *f)
{
	return f->entry == TLS_POLICY_SECURE && f->listed && f->starttls && f->certified;
}

bool
policy_entry_forbids(const struct policy_facts *f)
{
	switch (f->entry) {
	case TLS_POLICY_NONE:
		return false;
	case TLS_POLICY_ENCRYPT:
		return !policy_is_encrypted(f) && !f->starttls;
	case TLS_POLICY_DANE_ONLY:
		/* a key that was pinned here needs no record */
		return !has_usable_records(f) &&
		    !(policy_is_encrypted(f) && policy_is_shown(f, f->known.pin));
	case TLS_POLICY_SECURE:
		return !f->listed || (!has_usable_records(f) && !is_known_by_key(f) &&
		    !policy_entry_proved(f));
	case TLS_POLICY_UNKNOWN:
		break;
	}
	return true;
}

bool
policy_entry_may_be_proved(const struct policy_facts *f)
{
	if (has_usable_records(f))
		return f->entry != TLS_POLICY_UNKNOWN;
	return f->entry != TLS_POLICY_DANE_ONLY && f->entry != TLS_POLICY_UNKNOWN;
}

static void
say_secure(struct policy_verdict *v, const struct policy_facts *f)
{
	static const char demands[] = "the policy map demands a valid certificate";

	if (!f->listed)
		snprintf(v->text, sizeof(v->text), "is no host that the policy map names for %s",
		    f->domain);
	else if (f->starttls)
		snprintf(v->text, sizeof(v->text), "shows a certificate that is not valid for its "
		    "name; %s", demands);
	else if (policy_is_encrypted(f))
		snprintf(v->text, sizeof(v->text), "shows no host key that is known here; %s",
		    demands);
	else
		snprintf(v->text, sizeof(v->text), "does not encrypt (%s); %s",
		    f->encrypted ? "old-version" : f->why != NULL ? f->why : "-", demands);
}

void
policy_entry_say(struct policy_verdict *v, const struct policy_facts *f)
{
	switch (f->entry) {
	case TLS_POLICY_NONE:
		break;
	case TLS_POLICY_ENCRYPT:
		snprintf(v->text, sizeof(v->text), "does not encrypt (%s); the policy map demands "
		    "it", f->encrypted ? "old-version" : f->why != NULL ? f->why : "-");
		break;
	case TLS_POLICY_DANE_ONLY:
		snprintf(v->text, sizeof(v->text), "has no usable TLSA records; the policy map "
		    "demands them");
		break;
	case TLS_POLICY_SECURE:
		say_secure(v, f);
		break;
	case TLS_POLICY_UNKNOWN:
		snprintf(v->text, sizeof(v->text), "is not called, because the answer of the "
		    "policy map is not understood (see the log)");
		break;
	}
}

bool
policy_may_call(struct policy_verdict *v, const struct policy_facts *f)
{
	bool listed = f->entry != TLS_POLICY_SECURE || f->listed;

	if (!policy_table[f->policy].xcrypt || (f->entry != TLS_POLICY_UNKNOWN && listed))
		return true;
	*v = (struct policy_verdict){ .next_host = true };
	policy_entry_say(v, f);
	return false;
}
