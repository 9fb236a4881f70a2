/*
 * What the files of the policy share.
 */
#ifndef SMTP_POLICY_INTERNAL_H
#define SMTP_POLICY_INTERNAL_H

#include "smtp/policy.h"

/* Is it encrypted by XCRYPT, well enough to satisfy a level that requires encryption? */
bool policy_is_encrypted(const struct policy_facts *f);

/* Does the host show that host key?  False if `key` is NULL. */
bool policy_is_shown(const struct policy_facts *f, const uint8_t *key);

/* Does the level depend on what is known of a host? */
bool policy_uses_known_hosts(const struct policy_level *level);

/*
 * Do TLSA records forbid the session?  Records without a usable one require encryption (RFC 7672
 * section 2.2).  A key that was pinned here needs no record.
 */
bool policy_dane_forbids(const struct policy_facts *f);

/* Set `expected` for an alarm, and `text` for a session that does not go on. */
void policy_put_expected(struct policy_verdict *v, const struct policy_facts *f);
void policy_say_refusal(struct policy_verdict *v, const struct policy_facts *f);

/* Does the entry of the policy map forbid the session?  What DANE decides is not its affair. */
bool policy_entry_forbids(const struct policy_facts *f);

/* Has the host proved its name with its certificate, as the entry demands? */
bool policy_entry_proved(const struct policy_facts *f);

/* May a certificate, on another connection, be all that the entry lacks? */
bool policy_entry_may_be_proved(const struct policy_facts *f);

/* Sets the text of the verdict for a session that the entry forbids. */
void policy_entry_say(struct policy_verdict *v, const struct policy_facts *f);

#endif
