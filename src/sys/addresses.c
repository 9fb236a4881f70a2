#include "sys/addresses.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

void
addresses_add(struct addresses *list, const struct address *address)
{
	if (list->count < list->max)
		list->at[list->count++] = *address;
}

static void
add_four(struct addresses *list, struct span octets)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(list->port) };
	struct address address = { .len = sizeof(in) };

	if (octets.len != sizeof(in.sin_addr))
		return;
	memcpy(&in.sin_addr, octets.at, octets.len);
	memcpy(&address.at, &in, sizeof(in));
	addresses_add(list, &address);
}

static void
add_six(struct addresses *list, struct span octets)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons(list->port) };
	struct address address = { .len = sizeof(in) };

	if (octets.len != sizeof(in.sin6_addr))
		return;
	memcpy(&in.sin6_addr, octets.at, octets.len);
	memcpy(&address.at, &in, sizeof(in));
	addresses_add(list, &address);
}

bool
addresses_read_answer(struct addresses *list, enum dns_type type, const uint8_t *message,
    size_t len)
{
	struct dns_reader reader;
	struct dns_record record;

	assert(type == DNS_A || type == DNS_AAAA);
	if (!dns_open(&reader, span(message, len)))
		return false;
	if (dns_code(reader.message) == DNS_NXDOMAIN)
		return true;
	while (dns_next(&reader, &record)) {
		struct span octets = span(message + record.data, record.end - record.data);

		if (record.type != type)
			continue;
		if (type == DNS_A)
			add_four(list, octets);
		else
			add_six(list, octets);
	}
	return true;
}
