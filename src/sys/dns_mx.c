#include "sys/dns_mx.h"

#include "base/octets.h"
#include "sys/dns.h"

#include <assert.h>
#include <string.h>

/*
 * Room for a record of that preference, if need be in place of the worst one.  NULL: none is
 * worse.
 */
static struct dns_mx *
place_for(struct dns_mx_list *list, uint16_t preference)
{
	struct dns_mx *worst = &list->at[0];

	if (list->count < DNS_MX_MAX)
		return &list->at[list->count++];
	for (size_t i = 1; i < DNS_MX_MAX; i++)
		if (list->at[i].preference > worst->preference)
			worst = &list->at[i];
	uint16_t dropped = worst->preference > preference ? worst->preference : preference;
	if (dropped < list->dropped)
		list->dropped = dropped;
	return worst->preference > preference ? worst : NULL;
}

static void
dns_mx_add(struct dns_mx_list *list, uint16_t preference, const char *name)
{
	struct span host = span_of(name);

	if (!host_is_name(host))
		return;
	struct dns_mx *mx = place_for(list, preference);
	if (mx == NULL)
		return;
	mx->preference = preference;
	memcpy(mx->name, host.at, host.len);
	mx->name[host.len] = '\0';
}

/* Drops the last group of equal preference if it is incomplete and there are better ones. */
static void
drop_broken_group(struct dns_mx_list *list)
{
	size_t better = 0;

	for (size_t i = 0; i < list->count; i++)
		better += list->at[i].preference < list->dropped;
	if (better == 0 || better == list->count)
		return;
	for (size_t i = 0, to = 0; i < list->count; i++)
		if (list->at[i].preference < list->dropped)
			list->at[to++] = list->at[i];
	list->count = better;
}

enum mx_answer
dns_mx_read_answer(struct dns_mx_list *list, const uint8_t *message, size_t len)
{
	struct dns_reader reader;
	struct dns_record record;
	bool some = false, null = false, other = false;
	char name[DNS_NAME_MAX];

	list->count = 0;
	list->dropped = MX_NONE_DROPPED;
	if (!dns_open(&reader, span(message, len)))
		return DNS_MX_USELESS;
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
			dns_mx_add(list, octets_get16(message + record.data), name);
		}
	}
	drop_broken_group(list);
	if (list->count > 0)
		return DNS_MX_FOUND;
	if (!some)
		return DNS_MX_NONE;
	return null && !other ? DNS_MX_NULL : DNS_MX_USELESS;
}

static void
swap(struct dns_mx *a, struct dns_mx *b)
{
	struct dns_mx old = *a;

	*a = *b;
	*b = old;
}

void
dns_mx_order(struct dns_mx_list *list, const uint32_t random[DNS_MX_MAX])
{
	assert(list->count <= DNS_MX_MAX);
	for (size_t i = list->count; i > 1; i--)
		swap(&list->at[i - 1], &list->at[random[i - 1] % i]);
	/* insertion sort is stable, so equal ones stay shuffled */
	for (size_t i = 1; i < list->count; i++) {
		struct dns_mx *mx = list->at;

		for (size_t j = i; j > 0 && mx[j].preference < mx[j - 1].preference; j--)
			swap(&mx[j], &mx[j - 1]);
	}
}

size_t
dns_mx_better(const struct dns_mx_list *list, size_t index)
{
	size_t better = 0;

	assert(index < list->count);
	while (list->at[better].preference < list->at[index].preference)
		better++;
	return better;
}
