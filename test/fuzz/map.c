/*
 * What a policy map answers.  The input is the octets that come from the daemon.  The result does
 * not depend on how they are cut, an answer that is not understood demands more than any other, and
 * only hosts that a pattern names are permitted.
 */
#include "fuzz.h"

#include "smtp/tls_policy.h"
#include "sys/socketmap.h"

#include <string.h>

#define DOMAIN "b.example"

/* NETSTRING_MORE for each part of it, until the verdict, which then stays. */
static enum netstring
take(struct span input, struct span *content)
{
	enum netstring found = NETSTRING_MORE;
	struct span other;

	for (size_t len = 0; len <= input.len; len++) {
		enum netstring now = socketmap_netstring(span(input.at, len), SOCKETMAP_ANSWER_MAX,
		    found == NETSTRING_MORE ? content : &other);

		assert(found == NETSTRING_MORE || now == found);
		found = now;
		/* the rest of a long one costs time and finds nothing */
		if (found != NETSTRING_MORE && len > 64)
			break;
	}
	return found;
}

static void
look_at_hosts(const struct tls_policy *policy)
{
	static const char *const hosts[] = { "mx.b.example", "MX.B.EXAMPLE.", "b.example",
		"a.mx.b.example", "mx.c.example", "", "." };
	struct span patterns = span(policy->patterns, policy->patterns_len);
	bool words = false;

	for (size_t i = 0; i + 4 <= patterns.len; i++)
		words |= span_starts_nocase(span_from(patterns, i), SPAN("host")) ||
		    span_starts_nocase(span_from(patterns, i), SPAN("next"));
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		bool has = tls_policy_has_host(policy, DOMAIN, hosts[i]);

		assert(has || policy->level == TLS_POLICY_SECURE);
		if (policy->level != TLS_POLICY_SECURE || !has || words || patterns.len == 0)
			continue;
		/* at least the last letters of it are in the patterns */
		bool found = false;
		for (size_t j = 0; j < patterns.len; j++)
			found |= span_starts_nocase(span_from(patterns, j), SPAN("example"));
		assert(found);
	}
	assert(tls_policy_has_host(policy, DOMAIN, hosts[0]) ==
	    tls_policy_has_host(policy, "B.Example.", hosts[1]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tls_policy policy, again;
	struct span content = span(NULL, 0), text;

	if (take(span(data, size), &content) != NETSTRING_WHOLE)
		return 0;
	assert(content.at > data && content.at + content.len < data + size);
	enum socketmap_said said = socketmap_read(content, &text);
	assert(said <= SOCKETMAP_UNKNOWN && text.len <= content.len);
	tls_policy_read(&policy, text);
	assert(policy.patterns_len <= sizeof(policy.patterns));
	assert(memchr(policy.fault, '\0', sizeof(policy.fault)) != NULL);
	assert(policy.level == TLS_POLICY_UNKNOWN || policy.fault[0] == '\0');
	assert(policy.level != TLS_POLICY_UNKNOWN || policy.patterns_len == 0);
	assert(tls_policy_requires_encryption(&policy) == (policy.level != TLS_POLICY_NONE));
	look_at_hosts(&policy);
	tls_policy_read(&again, text);
	assert(again.level == policy.level && again.patterns_len == policy.patterns_len);
	return 0;
}
