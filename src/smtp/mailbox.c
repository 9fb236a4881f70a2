#include "smtp/mailbox.h"

#include "sys/idna.h"

#include <string.h>

struct parts {
	struct span local, domain;	/* `domain` begins with its @; empty if the address has no domain */
	bool quoted;
};

static bool
stands_in(uint8_t octet, const char *list)
{
	return span_find(span_of(list), octet) < span_of(list).len;
}

static bool
has_any(struct span s, const char *list)
{
	for (size_t i = 0; i < s.len; i++)
		if (stands_in(s.at[i], list))
			return true;
	return false;
}

/* The length of the quoted string that `s` begins with; 0: it is not closed. */
static size_t
quoted_len(struct span s)
{
	for (size_t at = 1; at < s.len; at++) {
		if (s.at[at] == '"')
			return at + 1;
		if (s.at[at] == '\\')
			at++;
	}
	return 0;
}

static bool
split(struct parts *parts, struct span address)
{
	size_t at = address.len;

	parts->quoted = span_starts(address, SPAN("\""));
	if (parts->quoted) {
		at = quoted_len(address);
		if (at == 0 || (at < address.len && address.at[at] != '@'))
			return false;
	} else {
		for (size_t i = 0; i < address.len; i++)
			at = address.at[i] == '@' ? i : at;
	}
	parts->local = span(address.at, at);
	parts->domain = span_from(address, at);
	return true;
}

/*
 * Whether it must be quoted.  Misplaced dots are left as they are, since many MTAs accept them.
 */
static bool
needs_quotes(struct span local)
{
	return has_any(local, " ()[]:;@,");
}

/* Whether it is an @ and a name or a literal in brackets.  The server checks the rest. */
static bool
is_domain(struct span s)
{
	bool literal = s.len > 3 && s.at[1] == '[' && s.at[s.len - 1] == ']';

	if (s.len == 1)
		return false;
	for (size_t i = 1; i < s.len; i++) {
		bool bracket = literal && (i == 1 || i == s.len - 1);

		if (!bracket && stands_in(s.at[i], literal ? " ()<>[];@,\\\"" : " ()<>[]:;@,\\\""))
			return false;
	}
	return true;
}

enum mailbox
mailbox_check(struct span address)
{
	struct parts parts;

	if (address.len == 0 || address.len > MAILBOX_MAX)
		return MAILBOX_IMPOSSIBLE;
	for (size_t i = 0; i < address.len; i++)
		if (address.at[i] < ' ' || address.at[i] == 0x7f)
			return MAILBOX_IMPOSSIBLE;
	if (!split(&parts, address) || !is_domain(parts.domain))
		return MAILBOX_UNCLEAR;
	if (parts.quoted)
		return MAILBOX_GOOD;
	struct span local = parts.local;
	/* a route, such as @a.example:b@c.example, begins with an @ */
	if (local.len == 0 || stands_in(local.at[0], "@ ") || local.at[local.len - 1] == ' ')
		return MAILBOX_UNCLEAR;
	/* with an @ inside, it may be several addresses */
	return has_any(local, "\"\\<>") || (has_any(local, "@") && has_any(local, " ,;")) ?
	    MAILBOX_UNCLEAR : MAILBOX_GOOD;
}

void
mailbox_put(struct buf *out, struct span address)
{
	struct parts parts;

	if (!split(&parts, address))
		return;
	bool quotes = !parts.quoted && needs_quotes(parts.local);
	if (quotes)
		buf_put(out, SPAN("\""));
	buf_put(out, parts.local);
	if (quotes)
		buf_put(out, SPAN("\""));
	buf_put(out, parts.domain);
}

bool
mailbox_convert(char out[MAILBOX_MAX + 1], struct span address)
{
	struct parts parts;
	char domain[HOST_NAME_MAX + 1];
	struct buf text;

	if (!split(&parts, address))
		return false;
	bool literal = span_starts(parts.domain, SPAN("@["));
	if (literal || parts.domain.len == 0) {
		memcpy(out, address.at, address.len);
		out[address.len] = '\0';
		return true;
	}
	if (!idna_to_ascii(domain, span_from(parts.domain, 1)))
		return false;
	buf_init(&text, out, MAILBOX_MAX);
	bool fits = buf_put(&text, parts.local) && buf_put(&text, SPAN("@")) &&
	    buf_put(&text, span_of(domain));
	out[buf_len(&text)] = '\0';
	return fits;
}
