/*
 * Reads address records from a DNS answer.  No look-ups here.
 */
#ifndef SYS_DNS_ADDR_H
#define SYS_DNS_ADDR_H

#include "sys/dns.h"
#include "sys/address.h"

struct dns_addr_list {
	struct address *at;		/* the caller's array */
	size_t max, count;
	uint16_t port;			/* the port that every address gets */
};

/* Adds an address; ignored when there are `max` already. */
void dns_addr_add(struct dns_addr_list *list, const struct address *address);

/*
 * Adds the records of `type`, DNS_A or DNS_AAAA, of the answer section of a DNS message, which
 * may be hostile.  Adds nothing if the name does not exist.  Ignores records of a wrong length.
 * False, and nothing is added, if the message is no answer or malformed.
 */
bool dns_addr_read_answer(struct dns_addr_list *list, enum dns_type type, const uint8_t *message,
    size_t len);

#endif
