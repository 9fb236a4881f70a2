/*
 * Where to call: the host operand of blackpony, its syntax, and the addresses behind it.
 *
 *     example.org   example.org.   [mx.example.org]   [192.0.2.5]   [ipv6:2001:db8::5]
 *
 * or a list of them with colons, to be tried in order; an element of digits only is the port of the
 * one before it.  Names may have letters beyond ASCII (sys/idna.h).  A name with a dot and no brackets is
 * looked up as MX (RFC 5321 section 5.1, RFC 7505).
 * Uses libc's resolver.  Knows nothing of SMTP.
 */
#ifndef SYS_HOST_H
#define SYS_HOST_H

#include "sys/address.h"

#define HOST_LIST_MAX 16	/* elements of the operand */
#define HOST_NAME_MAX 255	/* octets, RFC 1035 section 2.3.4 */
#define HOST_TARGETS_MAX 64	/* addresses in all */

struct host {			/* one element of the operand */
	char name[HOST_NAME_MAX + 1];	/* name without brackets or trailing dot, or address text */
	bool bracketed;			/* no MX look-up */
	bool literal;			/* an address */
	uint16_t port;			/* 25 unless said */
};

struct host_list {
	size_t count;
	struct host at[HOST_LIST_MAX];
};

/*
 * Could this be a host's name?  Labels of 1 to 63 letters, digits, `-` and `_` with dots between, 253
 * in all.  Never what getaddrinfo() would take for an address, such as "127.1" or "0x7f000001".
 */
bool host_is_name(struct span name);

/*
 * Reads the operand.  0, or -1 when it is not of the form (empty, a bad port, an unclosed bracket, a name
 * no host can have, one element too many), with `*why` a literal that says so.
 */
int host_list_read(struct host_list *list, struct span operand, const char **why);

struct target {			/* one address to call */
	char name[HOST_NAME_MAX + 1];	/* host it belongs to, for the log */
	size_t element;			/* of the host list: policies go by what was asked for */
	struct address address;
};

enum lookup {
	LOOKUP_FOUND,		/* at least one target */
	LOOKUP_LATER,		/* nothing now: time-outs, server failures, only ourselves left, MX without
				   addresses, no address for an existing name */
	LOOKUP_NO_DOMAIN,	/* every element is a domain that does not exist (NXDOMAIN, authoritatively
				   as far as the resolver says) */
	LOOKUP_NULL_MX		/* every element is either that or says with a null MX that it takes no mail */
};

struct targets {
	size_t count;
	struct target at[HOST_TARGETS_MAX];
	bool some_missing;	/* there may be more: a look-up was not answered, or there was no room */
	char why[256];		/* for LOOKUP_LATER and the two after it: what failed, one line */
};

/*
 * Every address behind the list, in the order to be called: elements in their order; for MX by
 * preference with equal ones shuffled; for one name its addresses in the order getaddrinfo() gives
 * them.  Hosts that are ourselves (an address of one of our interfaces, or loopback, at port 25) and
 * all of the same or lower preference are left out: of MX names only, not of names that are bracketed
 * or have no dot, nor of addresses.
 * `deadline_ms` (base/clock.h): when it is past, no further look-up is begun.
 */
enum lookup mx_lookup(struct targets *targets, const struct host_list *list, int64_t deadline_ms);

/* The same with look-ups other than libc's (sys/resolver.h), for tests. */
struct resolver;
enum lookup mx_lookup_with(const struct resolver *resolver, struct targets *targets,
    const struct host_list *list, int64_t deadline_ms);

#endif
