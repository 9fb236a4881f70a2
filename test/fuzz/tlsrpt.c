/*
 * The TXT record of a domain that asks for reports, and the datagram with it.  The input is a
 * message of the DNS, whose octets also stand for everything else.  The datagram is ASCII, and has
 * no quotation mark or backslash that is not JSON's own.
 */
#include "fuzz.h"

#include "smtp/tlsrpt.h"
#include "sys/tlsrpt_lookup.h"

#include <string.h>

#define NAME "_smtp._tls.b.example"

/* Counts brackets outside of strings; a string ends where it should. */
static void
look_at_json(struct span s)
{
	size_t depth = 0;
	bool string = false;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t octet = s.at[i];

		assert(octet >= ' ' && octet < 0x7f);
		if (octet == '\\') {
			assert(string && i + 5 < s.len && s.at[i + 1] == 'u');
			i += 5;
		} else if (octet == '"') {
			string = !string;
		} else if (!string) {
			depth += octet == '{' || octet == '[';
			assert(depth > 0);
			depth -= octet == '}' || octet == ']';
			assert(depth > 0 || i + 1 == s.len);
		}
	}
	assert(depth == 0 && !string);
}

static void
look_at_scan(const uint8_t *data, size_t size)
{
	struct tlsrpt_scan whole = { 0 }, parts = { 0 };
	size_t cut = size > 0 ? data[0] % size : 0;

	tlsrpt_scan(&whole, span(data, size));
	tlsrpt_scan(&parts, span(data, cut));
	tlsrpt_scan(&parts, span(data + cut, size - cut));
	assert(whole.found == parts.found);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t mem[TLSRPT_DATAGRAM_MAX];
	static struct dns_tlsa_list tlsa;
	static struct tls_policy sts;
	char record[TLSRPT_RECORD_MAX], reason[256] = "";
	struct tlsrpt_session session = { .domain = "b.example", .record = record,
		.policy = TLSRPT_STS, .policy_domain = "b.example", .host = reason,
		.failure = TLSRPT_VALIDATION_FAILURE, .reason = reason, .tlsa = &tlsa,
		.sts = &sts };
	struct buf out;

	look_at_scan(data, size);
	bool found = tlsrpt_read_answer(span(data, size), NAME, record);
	assert(memchr(record, '\0', sizeof(record)) != NULL && found == (record[0] != '\0'));
	dns_tlsa_read_answer(&tlsa, NAME, span(data, size));
	memcpy(reason, data, size < sizeof(reason) - 1 ? size : sizeof(reason) - 1);
	tls_policy_read(&sts, span(data, size));
	buf_init(&out, mem, sizeof(mem));
	bool fits = tlsrpt_put(&out, &session);
	assert(fits);
	look_at_json(buf_peek(&out));
	return 0;
}
