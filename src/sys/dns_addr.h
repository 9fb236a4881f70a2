/*
 * Address records: from an answer of the DNS to addresses to be called.  No look-ups here.
 */
#ifndef SYS_DNS_ADDR_H
#define SYS_DNS_ADDR_H

#include "sys/dns.h"
#include "sys/address.h"

struct dns_addr_list {
	struct address *at;		/* the caller's */
	size_t max, count;
	uint16_t port;			/* that each of them has */
};

/* One more; those beyond `max` are ignored. */
void dns_addr_add(struct dns_addr_list *list, const struct address *address);

/*
 * Adds the records of `type`, DNS_A or DNS_AAAA, of the answer section of a DNS message, which may be
 * hostile; of a name that does not exist, none.  Records of another length are ignored.  False, and
 * nothing is added, when the message is no answer, or malformed.
 */
bool dns_addr_read_answer(struct dns_addr_list *list, enum dns_type type, const uint8_t *message,
    size_t len);

#endif
