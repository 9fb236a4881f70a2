/*
 * Answers of the DNS as DANE reads them.  The input is a message.  Chains of CNAME records end,
 * and every TLSA record that is read is one of the message's.
 */
#include "fuzz.h"

#include "base/octets.h"
#include "crypt/dane.h"
#include "sys/dns_alias.h"
#include "sys/dns_tlsa.h"

#include <string.h>

#define NAME "_25._tcp.mx.b.example"

/* The end of a chain has no CNAME record, and is the same again when it is followed from there. */
static void
look_at_chain(struct span message, char name[DNS_NAME_MAX])
{
	char again[DNS_NAME_MAX];
	unsigned links = 0, none = 0;

	bool followed = dns_alias_follow(message, name, &links);
	assert(memchr(name, '\0', DNS_NAME_MAX) != NULL && name[0] != '\0');
	assert(strchr(name, '?') == NULL);
	if (!followed)
		return;
	assert(links <= DNS_ALIASES_MAX && !dns_alias_has(message, name, DNS_CNAME));
	memcpy(again, name, sizeof(again));
	assert(dns_alias_follow(message, again, &none) && none == 0);
	assert(strcmp(again, name) == 0);
}

static void
look_at_records(struct span message, const char *name)
{
	static struct dns_tlsa_list list;
	struct dns_tlsa record;
	struct dns_reader reader;
	size_t at = 0, count = 0, usable = 0;
	const uint8_t public[HOSTKEY_PUBLIC_LEN] = { 4 };

	bool read = dns_tlsa_read_answer(&list, name, message);
	assert(read == dns_open(&reader, message) && list.len <= message.len);
	assert((list.count > 0) == dns_alias_has(message, name, DNS_TLSA));
	assert(!read || list.count <= reader.left);
	for (; dns_tlsa_next(&list, &at, &record); count++) {
		assert(record.data.len == 0 || (record.data.at >= list.mem &&
		    record.data.at + record.data.len <= list.mem + list.len));
		usable += dane_is_usable(&record);
	}
	assert(count == list.count && at == list.len);
	assert(dane_has_usable(&list) == (usable > 0));
	assert(dane_match_key(&list, public, &record) == DANE_DIFFERENT || usable > 0);
}

/* A question in an answer, with whatever letters, gets its own letters again. */
static void
look_at_letters(const uint8_t *data, size_t size)
{
	static uint8_t copy[DNS_MESSAGE_MAX];
	uint8_t question[DNS_QUERY_MAX], random[DNS_CASE_LEN] = { 0 };
	size_t len;

	if (size < 12 || size > sizeof(copy))
		return;
	len = dns_question(question, octets_get16(data), NAME, DNS_TLSA);
	memcpy(random, data, size < sizeof(random) ? size : sizeof(random));
	dns_mix_case(question, len, random);
	assert(dns_want_dnssec(question, len, false) == len);
	if (!dns_is_answer(span(data, size), span(question, len)))
		return;
	memcpy(copy, data, size);
	dns_restore_case(copy, NAME);
	len = dns_question(question, octets_get16(data), NAME, DNS_TLSA);
	assert(dns_is_answer_exactly(span(copy, size), span(question, len)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span(data, size);
	char name[DNS_NAME_MAX] = NAME;
	struct dns_reader reader;

	look_at_letters(data, size);
	look_at_records(message, NAME);
	look_at_chain(message, name);
	look_at_records(message, name);
	assert(!dns_has_soa(message) || dns_open(&reader, message));
	return 0;
}
