#include "sys/mx.h"

#include <arpa/nameser.h>
#include <assert.h>
#include <limits.h>
#include <string.h>

/* The host of one MX record, as text; "." is the root.  False when the record is malformed. */
static bool
read_record(const ns_msg *message, const ns_rr *record, uint16_t *preference,
    char name[NS_MAXDNAME])
{
	const uint8_t *data = ns_rr_rdata(*record);
	int len = ns_rr_rdlen(*record);

	if (len < 3)
		return false;
	*preference = octets_get16(data);
	/* compressed, the name may go on anywhere in the message, but it must end the record */
	return ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), data + 2, name,
	    NS_MAXDNAME) == len - 2;
}

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
	ns_msg parsed;
	ns_rr record;
	bool some = false, null = false, other = false;
	uint16_t preference;
	char name[NS_MAXDNAME];

	list->count = 0;
	if (len > NS_MAXMSG || ns_initparse(message, (int)len, &parsed) < 0 ||
	    !ns_msg_getflag(parsed, ns_f_qr))
		return MX_USELESS;
	for (int i = 0; i < ns_msg_count(parsed, ns_s_an); i++) {
		if (ns_parserr(&parsed, ns_s_an, i, &record) < 0)
			continue;
		if (ns_rr_type(record) != ns_t_mx || ns_rr_class(record) != ns_c_in)
			continue;
		some = true;
		if (!read_record(&parsed, &record, &preference, name))
			other = true;
		else if (name[0] == '\0' || strcmp(name, ".") == 0)
			null = true;
		else {
			other = true;
			add(list, preference, name);
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
