/*
 * MX records: from an answer of the DNS to hosts in the order to be called.  No look-ups here.
 */
#ifndef SYS_DNS_MX_H
#define SYS_DNS_MX_H

#include "sys/host.h"

#define DNS_MX_MAX 64			/* records of one domain; of more, the best */

struct dns_mx {
	uint16_t preference;		/* lower is first */
	char name[HOST_NAME_MAX + 1];
};

struct dns_mx_list {
	size_t count;
	uint32_t dropped;		/* the lowest preference that was left out; MX_NONE_DROPPED: none was */
	struct dns_mx at[DNS_MX_MAX];
};

#define MX_NONE_DROPPED UINT32_MAX

enum mx_answer {
	DNS_MX_FOUND,			/* at least one */
	DNS_MX_NONE,			/* the answer has no MX record */
	DNS_MX_NULL,			/* the null MX of RFC 7505, and no other */
	DNS_MX_USELESS			/* not an answer, or none of its MX records can be used */
};

/*
 * Reads the MX records of the answer section of a DNS message, which may be hostile.  Records that
 * cannot be parsed or name what is no host are ignored.  Of hosts with the same preference all are in the list or
 * none, as far as there is a better one: one of those left out may be ourselves.
 */
enum mx_answer dns_mx_read_answer(struct dns_mx_list *list, const uint8_t *message, size_t len);

/* Sorts by preference; equal ones are shuffled with what `random` holds. */
void dns_mx_order(struct dns_mx_list *list, const uint32_t random[DNS_MX_MAX]);

/* How many entries of a sorted list have a lower preference than that at `index`. */
size_t dns_mx_better(const struct dns_mx_list *list, size_t index);

#endif
