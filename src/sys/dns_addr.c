#include "sys/dns_addr.h"

#include <assert.h>

void
dns_addr_add(struct dns_addr_list *list, const struct address *address)
{
	if (list->count < list->max)
		list->at[list->count++] = *address;
}

bool
dns_addr_read_answer(struct dns_addr_list *list, enum dns_type type, const uint8_t *message,
    size_t len)
{
	struct dns_reader reader;
	struct dns_record record;
	struct address address;

	assert(type == DNS_A || type == DNS_AAAA);
	if (!dns_open(&reader, span(message, len)))
		return false;
	if (dns_code(reader.message) == DNS_NXDOMAIN)
		return true;
	while (dns_next(&reader, &record)) {
		struct span octets = span(message + record.data, record.end - record.data);

		if (record.type != type)
			continue;
		if (octets.len != (type == DNS_A ? 4 : 16))
			continue;
		address_make(&address, octets, list->port);
		dns_addr_add(list, &address);
	}
	return true;
}
