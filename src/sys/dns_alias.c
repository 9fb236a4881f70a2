#include "sys/dns_alias.h"

#include <string.h>

/* dns_name() turns octets that no host name has into `?`: such a name equals none. */
bool
dns_alias_owns(struct span answer, const struct dns_record *record, const char *name)
{
	char owner[DNS_NAME_MAX];

	return dns_name(answer, record->name, record->name_end, owner) &&
	    strchr(owner, '?') == NULL && span_equal_nocase(span_of(owner), span_of(name));
}

/* Finds the first record of the type that belongs to `name`. */
static bool
dns_alias_find(struct span answer, const char *name, enum dns_type type,
    struct dns_record *record)
{
	struct dns_reader reader;

	if (!dns_open(&reader, answer))
		return false;
	while (dns_next(&reader, record))
		if (record->type == type && dns_alias_owns(answer, record, name))
			return true;
	return false;
}

bool
dns_alias_follow(struct span answer, char name[DNS_NAME_MAX], unsigned *links)
{
	struct dns_reader reader;
	struct dns_record record;
	char target[DNS_NAME_MAX];

	if (!dns_open(&reader, answer))
		return false;
	while (dns_alias_find(answer, name, DNS_CNAME, &record)) {
		if (++*links > DNS_ALIASES_MAX ||
		    !dns_name(answer, record.data, record.end, target) ||
		    target[0] == '\0' || strchr(target, '?') != NULL)
			return false;
		memcpy(name, target, sizeof(target));
	}
	return true;
}

bool
dns_alias_has(struct span answer, const char *name, enum dns_type type)
{
	struct dns_record record;

	return dns_alias_find(answer, name, type, &record);
}
