#include "client/host_tlsa.h"

#include "base/clock.h"
#include "sys/resolver.h"

#include <string.h>

#define REPORTED_MAX 16		/* records that -t prints */
#define REPORTED_OCTETS 64	/* of the data of each */

struct found {
	enum tlsa_found found;
	struct tlsa tlsa;
};

static struct found result;

struct span
host_tlsa_look_up(const struct target *target, uint32_t timeout_ms)
{
	result.found = tlsa_look_up(resolver_servers(), target->name, &target->origin,
	    address_port(&target->address), clock_ms() + timeout_ms, &result.tlsa);
	return span(&result, offsetof(struct found, tlsa) + tlsa_octets(&result.tlsa));
}

void
host_tlsa_none(struct host_tlsa *h)
{
	h->found = TLSA_NONE;
	h->usable = false;
	h->tlsa.base[0] = '\0';
	h->tlsa.list.count = h->tlsa.list.len = 0;
	host_tlsa_start(h);
}

void
host_tlsa_ask(struct host_tlsa *h, const struct outside *outside,
    const struct outside_request *request, const struct target *target, const char *domain)
{
	host_tlsa_none(h);
	h->mx_secure = target->mx_secure;
	h->domain = domain;
	h->found = TLSA_LATER;
	if (outside_ask_for(outside, request, &result, sizeof(result)) <= 0)
		return;
	h->found = result.found;
	memcpy(&h->tlsa, &result.tlsa, tlsa_octets(&result.tlsa));
	h->usable = h->found == TLSA_FOUND && dane_has_usable(&h->tlsa.list);
}

void
host_tlsa_start(struct host_tlsa *h)
{
	h->shown = false;
	h->match = DANE_DIFFERENT;
}

enum policy_dane
host_tlsa_facts(const struct host_tlsa *h)
{
	if (h->found != TLSA_FOUND)
		return POLICY_DANE_NONE;
	if (!h->usable)
		return POLICY_DANE_UNUSABLE;
	return h->shown && h->match == DANE_MATCHES ? POLICY_DANE_MATCHED : POLICY_DANE_UNMATCHED;
}

enum policy_dane
host_tlsa_facts_chain(struct host_tlsa *h, const mbedtls_x509_crt *chain)
{
	const char *const names[] = { h->tlsa.base, h->domain };

	h->shown = h->usable && chain != NULL;
	if (h->shown)
		h->match = dane_match_chain(&h->tlsa.list, chain, names, h->mx_secure ? 2 : 1,
		    &h->record);
	return host_tlsa_facts(h);
}

enum policy_dane
host_tlsa_facts_key(struct host_tlsa *h, const uint8_t public[HOSTKEY_PUBLIC_LEN])
{
	h->shown = h->usable;
	if (h->shown)
		h->match = dane_match_key(&h->tlsa.list, public, &h->record);
	return host_tlsa_facts(h);
}

const char *
host_tlsa_word(const struct host_tlsa *h)
{
	static const char *const names[] = { [DANE_MATCHES] = "matched",
		[DANE_WRONG_NAME] = "wrong-name", [DANE_EXPIRED] = "expired",
		[DANE_NOT_TRUSTED] = "not-trusted", [DANE_DIFFERENT] = "unmatched" };

	if (!h->usable)
		return "unusable";
	return h->shown ? names[h->match] : "not-compared";
}

void
host_tlsa_log(const struct host_tlsa *h, struct buf *line)
{
	if (h->found != TLSA_FOUND)
		return;
	buf_printf(line, " tlsa=%s", host_tlsa_word(h));
	if (!h->mx_secure)
		buf_printf(line, " mx=insecure");
}

/* Puts a record as in a zone file. */
static void
put_record(struct buf *out, const char *label, const struct dns_tlsa *r)
{
	size_t len = r->data.len < REPORTED_OCTETS ? r->data.len : REPORTED_OCTETS;

	buf_printf(out, "%s=%u %u %u ", label, r->usage, r->selector, r->matching);
	for (size_t i = 0; i < len; i++)
		buf_printf(out, "%02x", r->data.at[i]);
	buf_printf(out, "%s\n", len < r->data.len ? "..." : "");
}

void
host_tlsa_report(const struct host_tlsa *h, struct buf *out)
{
	static const char *const found[] = { [TLSA_NONE] = "none", [TLSA_LATER] = "failed",
		[TLSA_FOUND] = "found" };
	struct dns_tlsa record;
	size_t at = 0, count = 0;

	buf_printf(out, "tlsa=%s\n", found[h->found]);
	if (h->found == TLSA_NONE)
		return;
	buf_printf(out, "tlsa-name=%s\n", h->tlsa.base);
	while (count++ < REPORTED_MAX && dns_tlsa_next(&h->tlsa.list, &at, &record))
		put_record(out, dane_is_usable(&record) ? "tlsa-usable" : "tlsa-unusable",
		    &record);
	if (h->tlsa.list.count > REPORTED_MAX)
		buf_printf(out, "tlsa-more=%zu\n", h->tlsa.list.count - REPORTED_MAX);
	if (h->found == TLSA_FOUND)
		buf_printf(out, "tlsa-match=%s\n", host_tlsa_word(h));
	if (h->shown && h->match != DANE_DIFFERENT)
		put_record(out, "tlsa-matched", &h->record);
}
