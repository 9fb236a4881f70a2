#include "sys/dns_tlsa.h"

#include "base/octets.h"
#include "sys/dns_alias.h"

#include <string.h>

bool
dns_tlsa_read_answer(struct dns_tlsa_list *list, const char *name, struct span message)
{
	struct dns_reader reader;
	struct dns_record record;

	list->count = list->len = 0;
	if (!dns_open(&reader, message))
		return false;
	while (dns_next(&reader, &record)) {
		size_t len = record.end - record.data;

		if (record.type != DNS_TLSA || !dns_alias_owns(message, &record, name))
			continue;
		octets_put16(list->mem + list->len, (uint16_t)len);
		memcpy(list->mem + list->len + 2, message.at + record.data, len);
		list->len += 2 + len;
		list->count++;
	}
	return true;
}

bool
dns_tlsa_next(const struct dns_tlsa_list *list, size_t *at, struct dns_tlsa *record)
{
	const uint8_t *data = list->mem + *at + 2;

	if (*at >= list->len)
		return false;
	size_t len = octets_get16(list->mem + *at);
	*at += 2 + len;
	*record = (struct dns_tlsa){ .usage = 255 };
	if (len >= 3)
		*record = (struct dns_tlsa){ data[0], data[1], data[2], span(data + 3, len - 3) };
	return true;
}
