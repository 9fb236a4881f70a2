#include "sys/tlsa_lookup.h"

#include "sys/dns_ask.h"

#include <stdio.h>

#define BASES_MAX 2		/* names to ask for: the end of the CNAME records, the first name */
#define LONGEST 253		/* characters of a name */

/* Evaluates the answer for one base name.  The chain of CNAME records may lead elsewhere. */
static enum tlsa_found
tlsa_read(struct tlsa *out, const struct dns_asked *asked, const char *base)
{
	snprintf(out->base, sizeof(out->base), "%s", base);
	out->failed = asked->failed;
	if (asked->said == DNS_SAID_LATER)
		return TLSA_LATER;
	if (!asked->secure || asked->said == DNS_SAID_NO_NAME)
		return TLSA_NONE;
	if (!dns_tlsa_read_answer(&out->list, asked->name, span(asked->answer, asked->len)))
		return TLSA_LATER;
	return out->list.count > 0 ? TLSA_FOUND : TLSA_NONE;
}

/* The first base name that has records, or cannot be looked up, decides. */
static enum tlsa_found
ask_for_bases(struct nameservers *n, const char *const *bases, size_t count, uint16_t port,
    int64_t deadline_ms, struct tlsa *out)
{
	uint8_t answers[BASES_MAX][DNS_MESSAGE_MAX];
	struct dns_asked asked[BASES_MAX];
	const char *asked_for[BASES_MAX] = { NULL };
	enum tlsa_found found = TLSA_NONE;
	size_t fit = 0;

	for (size_t i = 0; i < count; i++) {
		char name[DNS_NAME_MAX + sizeof("_65535._tcp.")];

		/* if the name does not fit, no zone has it */
		if (snprintf(name, sizeof(name), "_%u._tcp.%s", (unsigned)port, bases[i]) > LONGEST)
			continue;
		dns_asked_set(&asked[fit], name, DNS_TLSA, answers[fit]);
		asked_for[fit++] = bases[i];
	}
	dns_ask(n, asked, fit, deadline_ms);
	for (size_t i = 0; i < fit && found == TLSA_NONE; i++)
		found = tlsa_read(out, &asked[i], asked_for[i]);
	return found;
}

/*
 * The addresses are not secure, but the name is an alias.  If its own zone is signed, its TLSA
 * records are (RFC 7672 section 2.2.2).
 */
static enum tlsa_found
ask_for_alias(struct nameservers *n, const char *name, int64_t deadline_ms, struct tlsa *out)
{
	uint8_t answer[DNS_MESSAGE_MAX];
	struct dns_asked asked;

	dns_asked_set(&asked, name, DNS_CNAME, answer);
	dns_ask(n, &asked, 1, deadline_ms);
	snprintf(out->base, sizeof(out->base), "%s", name);
	out->failed = asked.failed;
	if (asked.said == DNS_SAID_LATER)
		return TLSA_LATER;
	return asked.secure ? TLSA_FOUND : TLSA_NONE;
}

enum tlsa_found
tlsa_look_up(struct nameservers *n, const char *name, const struct host_origin *origin,
    uint16_t port, int64_t deadline_ms, struct tlsa *out)
{
	const char *bases[BASES_MAX] = { origin->end, name };
	enum tlsa_found found;

	out->base[0] = '\0';
	out->list.count = out->list.len = 0;
	out->failed = false;
	if (!n->dnssec || (!origin->secure && !origin->alias))
		return TLSA_NONE;
	if (origin->secure)
		return ask_for_bases(n, bases, origin->alias ? 2 : 1, port, deadline_ms, out);
	found = ask_for_alias(n, name, deadline_ms, out);
	return found == TLSA_FOUND ? ask_for_bases(n, &bases[1], 1, port, deadline_ms, out) : found;
}
