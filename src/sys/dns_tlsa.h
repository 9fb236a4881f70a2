/*
 * TLSA records (RFC 6698 section 2) of a DNS answer.  No look-ups here; which records are usable
 * and what they match is in crypt/dane.h.
 */
#ifndef SYS_DNS_TLSA_H
#define SYS_DNS_TLSA_H

#include "sys/dns.h"

struct dns_tlsa {
	uint8_t usage, selector, matching;
	struct span data;		/* in the list that it was read from */
};

/* Every record of an answer has room: what is kept of one is shorter than the record. */
struct dns_tlsa_list {
	size_t count;
	size_t len;			/* octets of `mem` in use */
	uint8_t mem[DNS_MESSAGE_MAX];	/* for each record its length in 2 octets, and its data */
};

/*
 * Reads the TLSA records of `name` from the answer section of a DNS message, which may be hostile.
 * A record of less than 3 octets is kept too: it is a record, though not a usable one.  False,
 * with an empty list, if the message is no answer or malformed.
 */
bool dns_tlsa_read_answer(struct dns_tlsa_list *list, const char *name, struct span message);

/*
 * Reads the next record.  `*at` is an offset in the list, 0 for the first one.  False after the
 * last.  A record of less than 3 octets has usage 255, which is for private use.
 */
bool dns_tlsa_next(const struct dns_tlsa_list *list, size_t *at, struct dns_tlsa *record);

#endif
