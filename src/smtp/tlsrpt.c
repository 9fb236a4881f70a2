#include "smtp/tlsrpt.h"

#include "base/octets.h"

#include <string.h>

#define KEPT_FREE 8192		/* octets for what follows policy strings and patterns */

static bool
tlsrpt_put_escaped(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t octet = s.at[i];
		bool plain = octet >= ' ' && octet < 0x7f && octet != '"' && octet != '\\';

		if (!(plain ? buf_put(out, span(&octet, 1)) : buf_printf(out, "\\u%04x", octet)))
			return false;
	}
	return true;
}

static bool
put_string(struct buf *out, struct span s)
{
	return buf_put(out, SPAN("\"")) && tlsrpt_put_escaped(out, s) && buf_put(out, SPAN("\""));
}

static bool
put_member(struct buf *out, const char *name, const char *value)
{
	return value == NULL ||
	    (buf_printf(out, ",\"%s\":", name) && put_string(out, span_of(value)));
}

/* Whether there is room for an element of an array, escaped or in hexadecimal. */
static bool
has_room(const struct buf *out, size_t len)
{
	return buf_room(out) > KEPT_FREE && (buf_room(out) - KEPT_FREE) / 6 > len;
}

static bool
put_tlsa(struct buf *out, const struct dns_tlsa *record, bool first)
{
	char digits[2];

	if (!buf_printf(out, "%s\"%u %u %u ", first ? "" : ",", record->usage, record->selector,
		record->matching))
		return false;
	for (size_t i = 0; i < record->data.len; i++) {
		octets_to_hex(digits, record->data.at + i, 1);
		if (!buf_put(out, span(digits, sizeof(digits))))
			return false;
	}
	return buf_put(out, SPAN("\""));
}

/* The records, as in a zone file. */
static bool
put_records(struct buf *out, const struct dns_tlsa_list *list)
{
	struct dns_tlsa record;
	size_t at = 0, count = 0;

	if (!buf_put(out, SPAN(",\"policy-string\":[")))
		return false;
	while (dns_tlsa_next(list, &at, &record)) {
		if (!has_room(out, record.data.len + 16))
			continue;
		if (!put_tlsa(out, &record, count++ == 0))
			return false;
	}
	return buf_put(out, SPAN("]"));
}

/* The patterns as RFC 8461 has them: the map's ".example.org" is "*.example.org" there. */
static bool
put_patterns(struct buf *out, const struct tls_policy *sts)
{
	struct span rest = span(sts->patterns, sts->patterns_len), pattern;
	const char *before = "";

	if (rest.len == 0)
		return true;
	if (!buf_put(out, SPAN(",\"mx-host\":[")))
		return false;
	while (span_word(&rest, ':', &pattern)) {
		if (pattern.len == 0 || !has_room(out, pattern.len + 16))
			continue;
		if (!buf_printf(out, "%s\"%s", before, pattern.at[0] == '.' ? "*" : "") ||
		    !tlsrpt_put_escaped(out, pattern) || !buf_put(out, SPAN("\"")))
			return false;
		before = ",";
	}
	return buf_put(out, SPAN("]"));
}

static bool
put_failure(struct buf *out, const struct tlsrpt_session *s)
{
	return buf_printf(out, ",\"failure-details\":[{\"c\":%d", (int)s->failure) &&
	    put_member(out, "n", s->host) && put_member(out, "r", s->address) &&
	    put_member(out, "f", s->reason) && buf_put(out, SPAN("}]"));
}

bool
tlsrpt_put(struct buf *out, const struct tlsrpt_session *s)
{
	int failed = s->failure != TLSRPT_SUCCESS;

	if (!buf_put(out, SPAN("{\"dpv\":\"1\"")) || !put_member(out, "d", s->domain) ||
	    !put_member(out, "pr", s->record) ||
	    !buf_printf(out, ",\"policies\":[{\"policy-type\":%d", (int)s->policy) ||
	    !put_member(out, "policy-domain", s->policy_domain))
		return false;
	if (s->tlsa != NULL && !put_records(out, s->tlsa))
		return false;
	if (s->sts != NULL && !put_patterns(out, s->sts))
		return false;
	if (failed && !put_failure(out, s))
		return false;
	return buf_printf(out, ",\"t\":%d,\"f\":%d}]}", failed, failed);
}

/* Lower case of the letters of ASCII. */
static uint8_t
folded(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet + ('a' - 'A')) : octet;
}

void
tlsrpt_scan(struct tlsrpt_scan *scan, struct span octets)
{
	static const char field[] = "tls-report-domain:";

	while (octets.len > 0 && !scan->found) {
		if (scan->inside) {
			octets = span_from(octets, span_find(octets, '\n'));
			scan->inside = octets.len == 0;
			scan->matched = 0;
		} else if (folded(octets.at[0]) == (uint8_t)field[scan->matched]) {
			scan->found = ++scan->matched == sizeof(field) - 1;
		} else {
			scan->inside = octets.at[0] != '\n';
			scan->matched = 0;
		}
		octets = span_from(octets, 1);
	}
}
