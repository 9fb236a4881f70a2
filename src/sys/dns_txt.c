#include "sys/dns_txt.h"

#include "sys/dns_alias.h"

#include <string.h>

/* Joins the strings of a record.  Returns their length, or `size` + 1. */
static size_t
dns_txt_join(struct span data, uint8_t *text, size_t size)
{
	size_t len = 0;

	while (data.len > 0) {
		size_t part = data.at[0];

		data = span_from(data, 1);
		if (part > data.len || part > size - len)
			return size + 1;
		if (part > 0)
			memcpy(text + len, data.at, part);
		len += part;
		data = span_from(data, part);
	}
	return len;
}

bool
dns_txt_next(struct dns_reader *reader, const char *name, uint8_t *text, size_t size, size_t *len)
{
	struct dns_record record;

	while (dns_next(reader, &record)) {
		if (record.type != DNS_TXT || !dns_alias_owns(reader->message, &record, name))
			continue;
		*len = dns_txt_join(span(reader->message.at + record.data,
			record.end - record.data), text, size);
		return true;
	}
	return false;
}
