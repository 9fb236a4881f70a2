/*
 * Look-ups by libc's resolver.  What host_lookup() makes of the answers is apart from how they are
 * had, so that it can be tested without a network.
 */
#ifndef SYS_RESOLVE_H
#define SYS_RESOLVE_H

#include "sys/mx.h"

enum resolved {
	RESOLVED,
	RESOLVED_NOTHING,		/* no such records; perhaps no such name either */
	RESOLVED_NO_NAME,		/* the name does not exist (NXDOMAIN) */
	RESOLVED_NULL,			/* a null MX */
	RESOLVED_LATER			/* time-outs, failures of servers, nonsense */
};

struct resolver {
	/* The mail exchangers of a domain, in the order to be called. */
	enum resolved (*exchangers)(const char *domain, int64_t deadline_ms, struct mx_list *list);

	/* The addresses of a host, at most `max`, with `port` put in.  Never RESOLVED_NO_NAME. */
	enum resolved (*addresses)(const char *name, uint16_t port, int64_t deadline_ms,
	    struct address *at, size_t max, size_t *count);

	/* Is it an address of one of our interfaces? */
	bool (*is_own)(const struct address *address);
};

/* The real one.  `deadline_ms` (base/clock.h) shortens its patience; seconds may be overrun. */
extern const struct resolver resolve_libc;

#endif
