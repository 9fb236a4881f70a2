/*
 * Queries to the name servers of resolv.conf(5), several at the same time (sys/dns_flight.h).
 * Each server is tried twice, in turn, until a deadline.
 */
#ifndef SYS_NAMESERVER_H
#define SYS_NAMESERVER_H

#include "sys/dns.h"
#include "sys/address.h"

#define NAMESERVER_MAX 3		/* as in resolv.conf(5) */
#define NAMESERVER_SEARCH_MAX 1024
#define NAMESERVER_LOOKUPS_MAX 16	/* in flight at the same time */

struct nameservers {
	size_t count;
	struct address at[NAMESERVER_MAX];
	char search[NAMESERVER_SEARCH_MAX];	/* domains to append to a name without a dot,
						   separated by blanks; "": none */
	bool trust_ad;			/* the file says `options trust-ad` */
	bool dnssec;			/* set by the caller: ask for the AD bit, and believe it */
	bool validates;			/* a server has shown the AD bit */
	bool probed;			/* each was asked for what is signed, and none has */
};

/*
 * Reads a file such as /etc/resolv.conf.  The last `search` or `domain` in it counts; the default
 * is this host's own domain.  If the file is missing or names no server, 127.0.0.1 is used.
 */
void nameservers_read(struct nameservers *n, const char *file, uint16_t port);

/*
 * Whether the path to all of them is safe, so that their AD bit says something: each one is a
 * loopback address, or the file has `options trust-ad`.
 */
bool nameservers_are_trusted(const struct nameservers *n);

/* From the worst to the best.  Only the last three come with an answer: NOERROR or NXDOMAIN. */
enum nameserver_result {
	NAMESERVER_SILENT,		/* timeouts, refusals, malformed answers */
	NAMESERVER_FAILED,		/* at least one SERVFAIL: perhaps the signature is bad */
	NAMESERVER_DOUBTFUL,		/* no AD bit, and another server said SERVFAIL */
	NAMESERVER_INSECURE,		/* no AD bit */
	NAMESERVER_SECURE		/* the AD bit; only if `dnssec` is set */
};

struct nameserver_lookup {
	const char *name;		/* the question, set by the caller */
	enum dns_type type;
	uint8_t *answer;		/* the caller's, DNS_MESSAGE_MAX octets */
	size_t len;			/* of the answer; 0: none */
	enum nameserver_result result;
};

/*
 * Queries the servers for all `count` lookups together, at most NAMESERVER_LOOKUPS_MAX, until each
 * is answered, or no server knew before `deadline_ms` (base/clock.h).  A server that answered is
 * asked first the next time.
 */
void nameservers_ask(struct nameservers *n, struct nameserver_lookup *lookups, size_t count,
    int64_t deadline_ms);

#endif
