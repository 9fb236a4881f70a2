/*
 * Answers of the DNS.  The input is a message.  Every name in the result is a possible host
 * name, and every address is of the requested family.  The first octet, half of an unused id,
 * is DNS_A or DNS_AAAA for addresses, and anything else for mail hosts.
 */
#include "fuzz.h"

#include "base/octets.h"
#include "sys/dns_addr.h"
#include "sys/dns_mx.h"

#include <string.h>

#define ADDRESSES_MAX 3
#define PORT 25

static void
look_at_exchangers(const uint8_t *data, size_t size)
{
	static struct dns_mx_list list, as_read;
	uint32_t random[DNS_MX_MAX];

	enum mx_answer answer = dns_mx_read_answer(&list, data, size);
	assert(list.count <= DNS_MX_MAX && (answer == DNS_MX_FOUND) == (list.count > 0));
	for (size_t i = 0; i < list.count; i++) {
		assert(memchr(list.at[i].name, '\0', sizeof(list.at[i].name)) != NULL);
		assert(host_is_name(span_of(list.at[i].name)));
	}
	for (size_t i = 0; i < DNS_MX_MAX; i++)
		random[i] = i < size ? data[size - 1 - i] * 0x01010101u : 0;
	as_read = list;
	dns_mx_order(&list, random);
	assert(list.count == as_read.count);
	for (size_t i = 0; i < list.count; i++) {
		size_t found = 0;

		assert(i == 0 || list.at[i - 1].preference <= list.at[i].preference);
		assert(dns_mx_better(&list, i) <= i);
		for (size_t j = 0; j < list.count; j++)
			found += list.at[i].preference == as_read.at[j].preference &&
			    strcmp(list.at[i].name, as_read.at[j].name) == 0;
		assert(found > 0);
	}
}

/* The records of the type and no other, and the same ones where there is less room. */
static void
look_at_addresses(enum dns_type type, const uint8_t *data, size_t size)
{
	struct address at[ADDRESSES_MAX], first;
	struct dns_addr_list list = { at, ADDRESSES_MAX, 0, PORT }, one = { &first, 1, 0, PORT };
	struct dns_reader reader;

	bool read = dns_addr_read_answer(&list, type, data, size);
	assert(read == dns_open(&reader, span(data, size)));
	assert(list.count <= ADDRESSES_MAX &&
	    (list.count == 0 || (read && list.count <= reader.left)));
	for (size_t i = 0; i < list.count; i++) {
		assert(at[i].at.ss_family == (type == DNS_A ? AF_INET : AF_INET6));
		assert(address_port(&at[i]) == PORT);
	}
	assert(
	    dns_addr_read_answer(&one, type, data, size) == read && one.count == (list.count > 0));
	assert(one.count == 0 || memcmp(&first.at, &at[0].at, at[0].len) == 0);
}

/*
 * Reads it as the one who asked: whether it answers the question, and how.  With another id it
 * does not.
 */
static void
look_at_head(enum dns_type type, const uint8_t *data, size_t size)
{
	uint8_t question[DNS_QUESTION_MAX];
	struct span message = span(data, size);
	uint16_t id = size >= 2 ? octets_get16(data) : 0;
	size_t len = dns_question(question, id, "b.example", type);

	if (!dns_is_answer(message, span(question, len)))
		return;
	assert(size >= len && octets_get16(data + len - 4) == type);
	assert(!dns_is_lame(message) || octets_get16(data + 6) == 0);
	assert(dns_is_cut(message) == ((data[2] & 2) != 0) && dns_code(message) == (data[3] & 15));
	octets_put16(question, id ^ 1);
	assert(!dns_is_answer(message, span(question, len)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dns_type type = DNS_MX;

	if (size > 0 && (data[0] == DNS_A || data[0] == DNS_AAAA))
		type = data[0];
	look_at_head(type, data, size);
	if (type == DNS_MX)
		look_at_exchangers(data, size);
	else
		look_at_addresses(type, data, size);
	return 0;
}
