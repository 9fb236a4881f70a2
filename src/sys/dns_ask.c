#include "sys/dns_ask.h"

#include "sys/dns_alias.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void
dns_asked_set(struct dns_asked *a, const char *name, enum dns_type type,
    uint8_t answer[DNS_MESSAGE_MAX])
{
	*a = (struct dns_asked){ .type = type, .answer = answer, .secure = true };
	if (strlen(name) < sizeof(a->name))
		snprintf(a->name, sizeof(a->name), "%s", name);
}

/* Each server by itself: the one that answers first may be the one that does not validate. */
enum dns_validates
dns_ask_validates(struct nameservers *n, int64_t deadline_ms)
{
	uint8_t answer[DNS_MESSAGE_MAX];
	bool unknown = false;

	for (size_t i = 0; i < n->count && !n->validates && !n->probed; i++) {
		struct nameserver_lookup root = { .name = ".", .type = DNS_NS, .answer = answer };
		struct nameservers one = *n;

		one.count = 1;
		one.at[0] = n->at[i];
		nameservers_ask(&one, &root, 1, deadline_ms);
		n->validates = root.result == NAMESERVER_SECURE;
		unknown |= root.result != NAMESERVER_INSECURE;
	}
	if (n->validates)
		return DNS_VALIDATES_YES;
	n->probed |= !unknown;
	return n->probed ? DNS_VALIDATES_NO : DNS_VALIDATES_UNKNOWN;
}

/* Whether the chain goes on after this answer; `a->name` is the name to ask for then. */
static bool
goes_on(struct dns_asked *a)
{
	struct span answer = span(a->answer, a->len);
	unsigned before = a->links;

	if (a->type == DNS_CNAME)
		return false;
	if (!dns_alias_follow(answer, a->name, &a->links)) {
		/* without DNSSEC, the records alone count */
		if (a->secure)
			a->said = DNS_SAID_LATER;
		a->secure = false;
		return false;
	}
	return a->links > before && a->said == DNS_SAID_NOERROR &&
	    !dns_alias_has(answer, a->name, a->type) && !dns_has_soa(answer);
}

/* Evaluates an answer.  True if another query is needed. */
static bool
evaluate(struct nameservers *n, struct dns_asked *a, const struct nameserver_lookup *lookup,
    int64_t deadline_ms)
{
	a->len = lookup->len;
	a->secure &= lookup->result == NAMESERVER_SECURE;
	a->failed = lookup->result == NAMESERVER_FAILED;
	a->said = DNS_SAID_LATER;
	if (lookup->result < NAMESERVER_DOUBTFUL || (lookup->result == NAMESERVER_DOUBTFUL &&
	    dns_ask_validates(n, deadline_ms) != DNS_VALIDATES_NO)) {
		a->secure = false;
		a->len = 0;
		return false;
	}
	a->said = dns_code(span(a->answer, a->len)) == DNS_NXDOMAIN ? DNS_SAID_NO_NAME :
	    DNS_SAID_NOERROR;
	return goes_on(a);
}

void
dns_ask(struct nameservers *n, struct dns_asked *at, size_t count, int64_t deadline_ms)
{
	struct nameserver_lookup lookups[NAMESERVER_LOOKUPS_MAX];
	struct dns_asked *open[NAMESERVER_LOOKUPS_MAX];
	size_t open_count = count;

	assert(count <= NAMESERVER_LOOKUPS_MAX);
	for (size_t i = 0; i < count; i++)
		open[i] = &at[i];
	while (open_count > 0) {
		size_t left = 0;

		for (size_t i = 0; i < open_count; i++)
			lookups[i] = (struct nameserver_lookup){ open[i]->name, open[i]->type,
				open[i]->answer, 0, NAMESERVER_SILENT };
		nameservers_ask(n, lookups, open_count, deadline_ms);
		for (size_t i = 0; i < open_count; i++)
			if (evaluate(n, open[i], &lookups[i], deadline_ms))
				open[left++] = open[i];
		open_count = left;
	}
}
