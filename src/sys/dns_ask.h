/*
 * Questions to the DNS: CNAME records are followed, and the result says what DNSSEC makes of it.
 */
#ifndef SYS_DNS_ASK_H
#define SYS_DNS_ASK_H

#include "sys/nameserver.h"

enum dns_said {
	DNS_SAID_LATER,			/* timeout, server failure, doubt, or a malformed answer */
	DNS_SAID_NO_NAME,		/* NXDOMAIN */
	DNS_SAID_NOERROR		/* perhaps without a record of that type */
};

struct dns_asked {
	char name[DNS_NAME_MAX];	/* the caller's question; afterwards the name at the end of
					   its chain of CNAME records */
	enum dns_type type;		/* DNS_CNAME: none are followed */
	uint8_t *answer;		/* the caller's, DNS_MESSAGE_MAX octets */
	size_t len;			/* of the last answer; 0: none */
	unsigned links;			/* CNAME records on the way to `name` */
	enum dns_said said;
	bool secure;			/* each answer had the AD bit, and it is believed */
	bool failed;			/* DNS_SAID_LATER by SERVFAIL: perhaps a bad signature */
};

/*
 * Sets a question; `name` has no final dot.  A name that is too long becomes "", and the result
 * DNS_SAID_LATER.
 */
void dns_asked_set(struct dns_asked *a, const char *name, enum dns_type type,
    uint8_t answer[DNS_MESSAGE_MAX]);

/*
 * Asks all questions together, at most NAMESERVER_LOOKUPS_MAX, until `deadline_ms`
 * (base/clock.h).  A chain whose end is missing in an answer is continued with another query.
 *
 * With `n->dnssec`, an answer without the AD bit does not count after another server's SERVFAIL,
 * unless none of the servers validates.
 */
void dns_ask(struct nameservers *n, struct dns_asked *at, size_t count, int64_t deadline_ms);

/*
 * Whether any of the servers validates: has it ever shown the AD bit, or does it for `. NS`?
 * Costs one look-up per server, at most once.  DNS_VALIDATES_UNKNOWN if a server did not answer.
 */
enum dns_validates { DNS_VALIDATES_UNKNOWN, DNS_VALIDATES_NO, DNS_VALIDATES_YES };
enum dns_validates dns_ask_validates(struct nameservers *n, int64_t deadline_ms);

#endif
