#include "smtp/tls_policy.h"

#include <string.h>

struct word {
	const char *text;
	int value;
};

static const struct word levels[] = {
	{ "none", TLS_POLICY_NONE },
	{ "may", TLS_POLICY_NONE },
	{ "dane", TLS_POLICY_NONE },
	{ "encrypt", TLS_POLICY_ENCRYPT },
	{ "dane-only", TLS_POLICY_DANE_ONLY },
	{ "secure", TLS_POLICY_SECURE },
	{ NULL, TLS_POLICY_UNKNOWN },
};

/* ATTRIBUTE_IGNORED: Postfix's, with no bearing on which host is the right one. */
enum { ATTRIBUTE_UNKNOWN, ATTRIBUTE_IGNORED, ATTRIBUTE_MATCH, ATTRIBUTE_SERVERNAME };

static const struct word attributes[] = {
	{ "match", ATTRIBUTE_MATCH },
	{ "servername", ATTRIBUTE_SERVERNAME },
	{ "ciphers", ATTRIBUTE_IGNORED },
	{ "protocols", ATTRIBUTE_IGNORED },
	{ "exclude", ATTRIBUTE_IGNORED },
	{ "connection_reuse", ATTRIBUTE_IGNORED },
	{ "enable_rpk", ATTRIBUTE_IGNORED },
	{ "policy_type", ATTRIBUTE_IGNORED },
	{ "policy_domain", ATTRIBUTE_IGNORED },
	{ "policy_string", ATTRIBUTE_IGNORED },
	{ "policy_ttl", ATTRIBUTE_IGNORED },
	{ "policy_failure", ATTRIBUTE_IGNORED },
	{ "mx_host_pattern", ATTRIBUTE_IGNORED },
	{ NULL, ATTRIBUTE_UNKNOWN },
};

static int
tls_policy_word(const struct word *words, struct span text)
{
	while (words->text != NULL && !span_equal_nocase(text, span_of(words->text)))
		words++;
	return words->value;
}

/* The separators of Postfix's tables. */
static bool
is_separator(uint8_t octet)
{
	return octet == ' ' || octet == ',' || octet == '\t' || octet == '\r' || octet == '\n';
}

static struct span
tls_policy_trim(struct span s)
{
	while (s.len > 0 && is_separator(s.at[0]))
		s = span_from(s, 1);
	while (s.len > 0 && is_separator(s.at[s.len - 1]))
		s.len--;
	return s;
}

/*
 * Takes the next word off `*rest`.  Separators inside braces do not end it: "{ name = value }".
 * False at the end.
 */
static bool
next_word(struct span *rest, struct span *word)
{
	size_t len = 0, depth = 0;

	*rest = tls_policy_trim(*rest);
	while (len < rest->len && (depth > 0 || !is_separator(rest->at[len]))) {
		depth += rest->at[len] == '{';
		depth -= depth > 0 && rest->at[len] == '}';
		len++;
	}
	*word = span(rest->at, len);
	*rest = span_from(*rest, len);
	return len > 0;
}

/* Splits "name=value" or "{ name = value }".  False: there is no value. */
static bool
tls_policy_split(struct span word, struct span *name, struct span *value)
{
	if (word.at[0] == '{' && word.at[word.len - 1] == '}')
		word = span(word.at + 1, word.len - 2);
	size_t equals = span_find(word, '=');
	*name = tls_policy_trim(span(word.at, equals));
	*value = tls_policy_trim(span_from(word, equals + 1));
	return value->len > 0;
}

void
tls_policy_none(struct tls_policy *p)
{
	p->level = TLS_POLICY_NONE;
	p->patterns_len = 0;
	p->fault[0] = '\0';
}

void
tls_policy_unknown(struct tls_policy *p, struct span fault)
{
	p->level = TLS_POLICY_UNKNOWN;
	p->patterns_len = 0;
	span_printable(p->fault, sizeof(p->fault), fault);
}

/* Appends patterns; each use of "match" adds some.  False: no room. */
static bool
add_patterns(struct tls_policy *p, struct span patterns)
{
	size_t colon = p->patterns_len > 0;

	if (patterns.len + colon > sizeof(p->patterns) - p->patterns_len)
		return false;
	if (colon)
		p->patterns[p->patterns_len++] = ':';
	memcpy(p->patterns + p->patterns_len, patterns.at, patterns.len);
	p->patterns_len += patterns.len;
	return true;
}

/* The name to send as SNI: the host's, as we always do.  Another would get another certificate. */
static bool
is_good_servername(struct span value)
{
	return span_equal_nocase(value, SPAN("hostname"));
}

static bool
read_attribute(struct tls_policy *p, struct span word)
{
	struct span name, value;

	if (!tls_policy_split(word, &name, &value))
		return false;
	switch (tls_policy_word(attributes, name)) {
	case ATTRIBUTE_IGNORED:
		return true;
	case ATTRIBUTE_MATCH:
		return add_patterns(p, value);
	case ATTRIBUTE_SERVERNAME:
		return is_good_servername(value);
	default:
		return false;
	}
}

void
tls_policy_read(struct tls_policy *p, struct span entry)
{
	struct span word;

	tls_policy_none(p);
	if (!next_word(&entry, &word)) {
		tls_policy_unknown(p, entry);
		return;
	}
	p->level = (enum tls_policy_level)tls_policy_word(levels, word);
	while (p->level != TLS_POLICY_UNKNOWN && next_word(&entry, &word))
		if (!read_attribute(p, word))
			p->level = TLS_POLICY_UNKNOWN;
	if (p->level == TLS_POLICY_UNKNOWN)
		tls_policy_unknown(p, word);
}

static struct span
without_dot(struct span name)
{
	if (name.len > 1 && name.at[name.len - 1] == '.')
		name.len--;
	return name;
}

/* Does the host have exactly one label more than the domain? */
static bool
is_one_below(struct span host, struct span domain)
{
	size_t label = span_find(host, '.');

	return label > 0 && span_equal_nocase(span_from(host, label + 1), domain) && domain.len > 0;
}

static bool
matches(struct span pattern, struct span domain, struct span host)
{
	if (span_equal_nocase(pattern, SPAN("hostname")))
		return true;
	if (span_equal_nocase(pattern, SPAN("nexthop")))
		return span_equal_nocase(host, domain);
	if (span_equal_nocase(pattern, SPAN("dot-nexthop")))
		return is_one_below(host, domain);
	pattern = without_dot(pattern);
	if (span_starts(pattern, SPAN(".")))
		return is_one_below(host, span_from(pattern, 1));
	return pattern.len > 0 && span_equal_nocase(host, pattern);
}

bool
tls_policy_has_host(const struct tls_policy *p, const char *domain, const char *host)
{
	struct span rest = span(p->patterns, p->patterns_len), pattern;
	struct span the_domain = without_dot(span_of(domain));
	struct span the_host = without_dot(span_of(host));

	if (p->level != TLS_POLICY_SECURE)
		return true;
	if (rest.len == 0)
		rest = SPAN("nexthop:dot-nexthop");
	while (span_word(&rest, ':', &pattern))
		if (matches(pattern, the_domain, the_host))
			return true;
	return false;
}

bool
tls_policy_requires_encryption(const struct tls_policy *p)
{
	return p->level != TLS_POLICY_NONE;
}

const char *
tls_policy_name(enum tls_policy_level level)
{
	static const char *const names[] = {
		[TLS_POLICY_NONE] = "none",
		[TLS_POLICY_ENCRYPT] = "encrypt",
		[TLS_POLICY_DANE_ONLY] = "dane-only",
		[TLS_POLICY_SECURE] = "secure",
		[TLS_POLICY_UNKNOWN] = "unknown",
	};

	return names[level];
}
