/*
 * Look-ups of mail exchangers and addresses.  What mx_lookup() makes of the answers is apart from how
 * they are had, so that it can be tested without a network.
 */
#ifndef SYS_RESOLVER_H
#define SYS_RESOLVER_H

#include "sys/dns_mx.h"

enum resolved {
	RESOLVED,
	RESOLVED_NOTHING,		/* no such records; perhaps no such name either */
	RESOLVED_NO_NAME,		/* the name does not exist (NXDOMAIN) */
	RESOLVED_NULL,			/* a null MX */
	RESOLVED_LATER			/* time-outs, failures of servers, nonsense */
};

struct resolver {
	/* The mail exchangers of a domain, in the order to be called. */
	enum resolved (*exchangers)(const char *domain, int64_t deadline_ms, struct dns_mx_list *list);

	/* The addresses of a host, at most `max`, with `port` put in.  Never RESOLVED_NO_NAME. */
	enum resolved (*addresses)(const char *name, uint16_t port, int64_t deadline_ms,
	    struct address *at, size_t max, size_t *count);

	/* Is it an address of one of our interfaces? */
	bool (*is_own)(const struct address *address);
};

/*
 * The real ones: by glibc, which knows all of nsswitch.conf(5), but has only seconds for `deadline_ms`
 * (base/clock.h) and may overrun it by some; and by ourselves, which is the hosts file and the DNS, for a
 * libc that cannot be told when to be back.
 */
#ifdef __GLIBC__
extern const struct resolver resolver_libc;
#endif
extern const struct resolver resolver_dns;

/* That of the libc we are built with. */
#ifdef __GLIBC__
#define RESOLVER_DEFAULT (&resolver_libc)
#else
#define RESOLVER_DEFAULT (&resolver_dns)
#endif

/* What they share: an answer to a question for MX, ordered; a port put into an address; is_own. */
enum resolved resolver_exchangers(struct dns_mx_list *list, const uint8_t *answer, size_t len);
void resolver_set_port(struct address *address, uint16_t port);
bool resolver_is_own(const struct address *address);

#endif
