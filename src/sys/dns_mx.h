/*
 * Reads MX records from a DNS answer and puts them into the order to be tried.  No look-ups here.
 */
#ifndef SYS_DNS_MX_H
#define SYS_DNS_MX_H

#include "sys/host.h"

#define DNS_MX_MAX 64			/* records of a domain that are kept: the best ones */

struct dns_mx {
	uint16_t preference;		/* lower is tried first */
	char name[HOST_NAME_MAX + 1];
};

struct dns_mx_list {
	bool secure;			/* set by a resolver: the answer had the AD bit, also one
					   without records */
	size_t count;
	uint32_t dropped;		/* lowest preference left out, or MX_NONE_DROPPED */
	struct dns_mx at[DNS_MX_MAX];
};

#define MX_NONE_DROPPED UINT32_MAX

enum mx_answer {
	DNS_MX_FOUND,			/* at least one usable record */
	DNS_MX_NONE,			/* the answer has no MX record */
	DNS_MX_NULL,			/* only the null MX of RFC 7505 */
	DNS_MX_USELESS			/* not an answer, or no MX record in it is usable */
};

/*
 * Reads the MX records of the answer section of a DNS message, which may be hostile.  Ignores
 * records that are malformed or do not contain a host name.  If only some hosts of a preference
 * fit, all of them are left out (unless there is no better one), since one of those that did not
 * fit may be this host.
 */
enum mx_answer dns_mx_read_answer(struct dns_mx_list *list, const uint8_t *message, size_t len);

/* Sorts by preference; equal ones are shuffled by the numbers in `random`. */
void dns_mx_order(struct dns_mx_list *list, const uint32_t random[DNS_MX_MAX]);

/* The number of entries in a sorted list with a lower preference than the one at `index`. */
size_t dns_mx_better(const struct dns_mx_list *list, size_t index);

#endif
