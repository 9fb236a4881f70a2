/*
 * Queries to the name servers of resolv.conf(5): over UDP, each from a new port, and over TCP if
 * the answer was truncated.  Each server is tried twice, in turn, until a deadline.
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
	char search[NAMESERVER_SEARCH_MAX];	/* domains to append to a name without a dot,
						   separated by blanks; "": none */
};

/*
 * Reads a file such as /etc/resolv.conf.  The last `search` or `domain` in it counts; the default
 * is this host's own domain.  If the file is missing or names no server, 127.0.0.1 is used.
 */
void nameservers_read(struct nameservers *n, const char *file, uint16_t port);

/*
 * Queries the servers until one answers NOERROR or NXDOMAIN, and stores that answer and its
 * length.  That server is asked first the next time.  0, or -1 when no server knew before
 * `deadline_ms` (base/clock.h).
 */
int nameservers_ask(struct nameservers *n, const char *name, enum dns_type type,
    int64_t deadline_ms, uint8_t answer[DNS_MESSAGE_MAX], size_t *len);

#endif
