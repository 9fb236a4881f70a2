#include "sys/tlsrpt_lookup.h"

#include "sys/dns_ask.h"
#include "sys/dns_txt.h"

#include <stdio.h>
#include <string.h>

/* "v=TLSRPTv1", then a semicolon, before which blanks are permitted (RFC 8460 section 3). */
static bool
is_tlsrpt(struct span text)
{
	const struct span version = SPAN("v=TLSRPTv1");

	if (!span_starts(text, version) || span_find(text, '\0') < text.len)
		return false;
	text = span_from(text, version.len);
	while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
		text = span_from(text, 1);
	return span_starts(text, SPAN(";"));
}

bool
tlsrpt_read_answer(struct span answer, const char *name, char record[TLSRPT_RECORD_MAX])
{
	uint8_t text[TLSRPT_RECORD_MAX - 1];
	struct dns_reader reader;
	size_t len, found = 0;

	record[0] = '\0';
	if (!dns_open(&reader, answer))
		return false;
	while (dns_txt_next(&reader, name, text, sizeof(text), &len)) {
		if (len > sizeof(text) || !is_tlsrpt(span(text, len)))
			continue;
		memcpy(record, text, len);
		record[len] = '\0';
		found++;
	}
	if (found != 1)
		record[0] = '\0';
	return found == 1;
}

bool
tlsrpt_look_up(struct nameservers *n, const char *domain, int64_t deadline_ms,
    char record[TLSRPT_RECORD_MAX])
{
	uint8_t answer[DNS_MESSAGE_MAX];
	char name[DNS_NAME_MAX + sizeof("_smtp._tls.")];
	struct dns_asked asked;

	record[0] = '\0';
	snprintf(name, sizeof(name), "_smtp._tls.%s", domain);
	dns_asked_set(&asked, name, DNS_TXT, answer);
	dns_ask(n, &asked, 1, deadline_ms);
	return asked.said == DNS_SAID_NOERROR &&
	    tlsrpt_read_answer(span(answer, asked.len), asked.name, record);
}
