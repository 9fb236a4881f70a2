/*
 * CNAME records of a DNS answer.  No look-ups here.
 */
#ifndef SYS_DNS_ALIAS_H
#define SYS_DNS_ALIAS_H

#include "sys/dns.h"

#define DNS_ALIASES_MAX 8		/* links of a chain */

/*
 * Follows the CNAME records of the answer section, in whatever order they are, from `name`, which
 * becomes the name at the end of the chain.  Adds the number of links to `*links`.  False if they
 * become more than DNS_ALIASES_MAX, or the answer or a name is malformed.
 */
bool dns_alias_follow(struct span answer, char name[DNS_NAME_MAX], unsigned *links);

/* Whether the answer section has a record of that type and with that owner. */
bool dns_alias_has(struct span answer, const char *name, enum dns_type type);

/* Whether the record's owner is `name`. */
bool dns_alias_owns(struct span answer, const struct dns_record *record, const char *name);

#endif
