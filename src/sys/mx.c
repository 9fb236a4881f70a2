#include "sys/mx.h"

#include "sys/dns.h"

#include <assert.h>
#include <string.h>

static void
add(struct mx_list *list, uint16_t preference, const char *name)
{
	struct span host = span_of(name);

	if (!host_is_name(host) || list->count == MX_MAX)
		return;
	struct mx *mx = &list->at[list->count++];
	mx->preference = preference;
	memcpy(mx->name, host.at, host.len);
	mx->name[host.len] = '\0';
}

enum mx_answer
mx_read_answer(struct mx_list *list, const uint8_t *message, size_t len)
{
	struct dns_reader reader;
	struct dns_record record;
	bool some = false, null = false, other = false;
	char name[DNS_NAME_MAX];

	list->count = 0;
	if (!dns_open(&reader, span(message, len)))
		return MX_USELESS;
	while (dns_next(&reader, &record)) {
		if (record.type != DNS_MX)
			continue;
		some = true;
		if (record.end - record.data < 3 ||
		    !dns_name(reader.message, record.data + 2, record.end, name))
			other = true;
		else if (name[0] == '\0')
			null = true;
		else {
			other = true;
			add(list, octets_get16(message + record.data), name);
		}
	}
	if (list->count > 0)
		return MX_FOUND;
	if (!some)
		return MX_NONE;
	return null && !other ? MX_NULL : MX_USELESS;
}

static void
swap(struct mx *a, struct mx *b)
{
	struct mx old = *a;

	*a = *b;
	*b = old;
}

void
mx_order(struct mx_list *list, const uint32_t random[MX_MAX])
{
	assert(list->count <= MX_MAX);
	for (size_t i = list->count; i > 1; i--)
		swap(&list->at[i - 1], &list->at[random[i - 1] % i]);
	/* insertion keeps the order of equal ones, which is by chance now */
	for (size_t i = 1; i < list->count; i++) {
		struct mx *mx = list->at;

		for (size_t j = i; j > 0 && mx[j].preference < mx[j - 1].preference; j--)
			swap(&mx[j], &mx[j - 1]);
	}
}

size_t
mx_better(const struct mx_list *list, size_t index)
{
	size_t better = 0;

	assert(index < list->count);
	while (list->at[better].preference < list->at[index].preference)
		better++;
	return better;
}
