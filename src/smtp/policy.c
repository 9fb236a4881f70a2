#include "smtp/policy_internal.h"

#include <string.h>

enum { VERSION_0_1 = 1, VERSION_0_2 = 2 };

const struct policy_level policy_table[] = {
	[POLICY_NEVER] = { .name = "never" },
	[POLICY_MAY] = {
		.name = "may",
		.xcrypt = true,
		.lowest_version = VERSION_0_1,
		.starttls = STARTTLS_DELIVERING,
		.downgrade = REACTION_LOGGED,
		.key_changed = REACTION_LOGGED,
	},
	[POLICY_KNOWN] = {
		.name = "known",
		.xcrypt = true,
		.lowest_version = KEX_VERSION_2_0,
		.starttls = STARTTLS_DELIVERING,
		.downgrade = REACTION_WAITS,
		.key_changed = REACTION_WAITS,
	},
	[POLICY_MUST] = {
		.name = "must",
		.xcrypt = true,
		.lowest_version = KEX_VERSION_2_0,
		.encryption_required = true,
		.starttls = STARTTLS_ALWAYS,
		.downgrade = REACTION_LOGGED,
		.key_changed = REACTION_LOGGED,
	},
	/* no STARTTLS: a certificate cannot replace a pinned key */
	[POLICY_PINNED] = {
		.name = "pinned",
		.xcrypt = true,
		.lowest_version = KEX_VERSION_2_0,
		.encryption_required = true,
		.downgrade = REACTION_WAITS,
		.key_changed = REACTION_WAITS,
		.pin_required = true,
	},
};

bool
policy_requires_encryption(enum policy policy)
{
	return policy_table[policy].encryption_required;
}

bool
policy_uses_starttls(enum policy policy, bool delivers)
{
	enum policy_starttls starttls = policy_table[policy].starttls;

	return starttls == STARTTLS_ALWAYS || (starttls == STARTTLS_DELIVERING && delivers);
}

bool
policy_uses_known_hosts(const struct policy_level *level)
{
	return level->downgrade == REACTION_WAITS || level->key_changed == REACTION_WAITS;
}

/* Older versions are accepted if no newer one is enabled, but not 0.1, which protects nothing. */
static bool
is_accepted(unsigned version, unsigned lowest, unsigned newest_enabled)
{
	if (lowest == KEX_VERSION_2_0 && newest_enabled < KEX_VERSION_2_0)
		lowest = VERSION_0_2;
	return version >= lowest;
}

struct suite_list
policy_suites(enum policy policy, const struct suite_list *enabled)
{
	const struct policy_level *level = &policy_table[policy];
	struct suite_list accepted = { .count = 0 };
	unsigned newest = suite_list_newest(enabled);

	for (size_t i = 0; level->xcrypt && i < enabled->count; i++)
		if (is_accepted(enabled->at[i]->kex->version, level->lowest_version, newest))
			accepted.at[accepted.count++] = enabled->at[i];
	return accepted;
}

/* Is it encrypted well enough to satisfy a level that requires encryption? */
bool
policy_is_encrypted(const struct policy_facts *f)
{
	return f->encrypted && is_accepted(f->version, KEX_VERSION_2_0, f->newest_version);
}

bool
policy_is_shown(const struct policy_facts *f, const uint8_t *key)
{
	return key != NULL && f->shown == STATEMENT_GOOD &&
	    memcmp(f->shown_key, key, HOSTKEY_PUBLIC_LEN) == 0;
}

bool
policy_dane_forbids(const struct policy_facts *f)
{
	if (f->dane == POLICY_DANE_NONE ||
	    (policy_is_encrypted(f) && policy_is_shown(f, f->known.pin)))
		return false;
	return f->dane == POLICY_DANE_UNMATCHED || !(policy_is_encrypted(f) || f->starttls);
}

enum outcome
policy_refusal(const struct policy_facts *f)
{
	if (policy_dane_forbids(f) || policy_entry_forbids(f))
		return policy_is_encrypted(f) || f->starttls ? OUTCOME_NOT_TRUSTED :
		    OUTCOME_NOT_ENCRYPTED;
	return policy_uses_known_hosts(&policy_table[f->policy]) ? OUTCOME_NOT_TRUSTED :
	    OUTCOME_NOT_ENCRYPTED;
}

/* Does a TLSA record match the host key?  Then it counts like a pin. */
static bool
is_key_in_dns(const struct policy_facts *f)
{
	return f->dane == POLICY_DANE_MATCHED && policy_is_encrypted(f) &&
	    f->shown == STATEMENT_GOOD;
}

static bool
key_is_right(const struct policy_facts *f)
{
	/* the DNS may replace a key that was only remembered, but not one that was pinned here */
	if (policy_is_shown(f, f->known.pin) || (f->known.pin == NULL && is_key_in_dns(f)))
		return true;
	return !policy_table[f->policy].pin_required &&
	    (policy_is_shown(f, f->known.key) || policy_is_shown(f, f->known.next));
}

/* Is it less than has worked with this host before, and could work with what is enabled now? */
static bool
is_less(const struct policy_facts *f)
{
	return !policy_is_encrypted(f) ||
	    (f->version < f->known.version && f->known.version <= f->newest_version);
}

static enum alarm
find_alarm(const struct policy_facts *f)
{
	const struct policy_known *k = &f->known;

	if (k->mx_changed)
		return ALARM_DOWNGRADE;
	/* we chose STARTTLS, and it has proved to be the host */
	if (f->instead && (f->dane == POLICY_DANE_MATCHED ? f->starttls : policy_entry_proved(f)))
		return ALARM_NONE;
	if (k->established && is_less(f))
		return ALARM_DOWNGRADE;
	if ((k->pin != NULL || k->key != NULL) && !key_is_right(f))
		return ALARM_KEY_CHANGED;
	return ALARM_NONE;
}

static enum policy_reaction
reaction(const struct policy_level *level, enum alarm alarm)
{
	switch (alarm) {
	case ALARM_DOWNGRADE:
		return level->downgrade;
	case ALARM_KEY_CHANGED:
		return level->key_changed;
	case ALARM_NONE:
		break;
	}
	return REACTION_NONE;
}

static bool
may_go_on(const struct policy_facts *f, enum alarm alarm)
{
	const struct policy_level *level = &policy_table[f->policy];
	bool tls = f->starttls && level->starttls != STARTTLS_NO;

	if (level->encryption_required && !policy_is_encrypted(f) && !tls)
		return false;
	if (policy_dane_forbids(f) || policy_entry_forbids(f))
		return false;
	/* a forged MX record could name a host with records of its own */
	if (level->pin_required && f->known.pin == NULL && !(is_key_in_dns(f) && f->mx_secure))
		return false;
	if (policy_uses_known_hosts(level) && f->known.incomplete)
		return false;
	return reaction(level, alarm) != REACTION_WAITS;
}

static enum policy_auth
find_auth(const struct policy_facts *f)
{
	if (f->starttls && f->dane == POLICY_DANE_MATCHED)
		return POLICY_AUTH_DANE;
	if (policy_entry_proved(f))
		return POLICY_AUTH_STS;
	if (!policy_is_encrypted(f))
		return POLICY_AUTH_NONE;
	if (policy_is_shown(f, f->known.pin))
		return POLICY_AUTH_PINNED;
	if (is_key_in_dns(f))
		return POLICY_AUTH_DANE;
	return policy_is_shown(f, f->known.key) || policy_is_shown(f, f->known.next) ? POLICY_AUTH_TOFU :
	    POLICY_AUTH_NONE;
}

/* Where records or the entry are all that forbids it: what else may deliver the message now. */
static void
find_ways(struct policy_verdict *v, const struct policy_facts *f)
{
	const struct policy_level *level = &policy_table[f->policy];

	if ((!policy_dane_forbids(f) && !policy_entry_forbids(f)) ||
	    reaction(level, v->alarm) == REACTION_WAITS)
		return;
	v->next_host = true;
	v->starttls_instead = f->starttls_left && level->starttls != STARTTLS_NO &&
	    policy_entry_may_be_proved(f);
}

void
policy_decide(struct policy_verdict *v, const struct policy_facts *f)
{
	memset(v, 0, sizeof(*v));
	v->go_on = true;
	if (!policy_table[f->policy].xcrypt)
		return;
	v->alarm = find_alarm(f);
	v->warn = v->alarm != ALARM_NONE && !f->known.alerted;
	v->go_on = may_go_on(f, v->alarm);
	if (v->warn)
		v->remember = REMEMBER_ALERTED;
	else if (v->alarm == ALARM_NONE && v->go_on && !f->refused && f->encrypted &&
	    f->version >= KEX_VERSION_2_0)
		v->remember = REMEMBER_WORKED;
	if (v->alarm != ALARM_NONE)
		policy_put_expected(v, f);
	if (v->go_on) {
		v->auth = find_auth(f);
	} else {
		policy_say_refusal(v, f);
		find_ways(v, f);
	}
}

const char *
policy_auth_name(enum policy_auth auth)
{
	static const char *const names[] = {
		[POLICY_AUTH_NONE] = "none",
		[POLICY_AUTH_TOFU] = "tofu",
		[POLICY_AUTH_PINNED] = "pinned",
		[POLICY_AUTH_DANE] = "dane",
		[POLICY_AUTH_STS] = "sts",
	};

	return names[auth];
}

const char *
policy_asked_name(enum policy policy, enum policy_dane dane, enum tls_policy_level entry)
{
	const struct policy_level *level = &policy_table[policy];

	if (!level->xcrypt || level->pin_required)
		return level->name;
	if (entry == TLS_POLICY_UNKNOWN)
		return "unknown";
	if (dane == POLICY_DANE_MATCHED || dane == POLICY_DANE_UNMATCHED ||
	    entry == TLS_POLICY_DANE_ONLY)
		return "dane";
	if (entry == TLS_POLICY_SECURE)
		return "sts";
	return level->encryption_required || (dane == POLICY_DANE_NONE &&
	    entry == TLS_POLICY_NONE) ? level->name : policy_table[POLICY_MUST].name;
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
