/*
 * Questions to the name servers of resolv.conf(5): over UDP from a port of their own, over TCP when the
 * answer did not fit, each server in turn and twice, never beyond a deadline.
 */
#ifndef SYS_NAMESERVER_H
#define SYS_NAMESERVER_H

#include "sys/dns.h"
#include "sys/address.h"

#define NAMESERVER_MAX 3		/* as in resolv.conf(5) */
#define NAMESERVER_SEARCH_MAX 1024

struct nameservers {
	size_t count;
	struct address at[NAMESERVER_MAX];
	char search[NAMESERVER_SEARCH_MAX];	/* domains to try behind a name without a dot, a blank
						   between; "" for none */
};

/*
 * Reads the servers from a file such as /etc/resolv.conf, with the names of the last `search` or
 * `domain`; without, it is this host's domain.  Without a server in it, or a file, 127.0.0.1 is asked.
 */
void nameservers_read(struct nameservers *n, const char *file, uint16_t port);

/*
 * Asks until a server says NOERROR or NXDOMAIN, and puts that answer into `answer`.  The one that did is
 * asked first the next time.  0, or -1 when nobody knew, or when it is `deadline_ms` (base/clock.h).
 */
int nameservers_ask(struct nameservers *n, const char *name, enum dns_type type, int64_t deadline_ms,
    uint8_t answer[DNS_MESSAGE_MAX], size_t *len);

#endif
