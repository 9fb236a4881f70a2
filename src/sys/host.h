/*
 * Where to deliver: the host operand of blackpony, its syntax, and its addresses.
 *
 *     example.org   example.org.   [mx.example.org]   [192.0.2.5]   [ipv6:2001:db8::5]
 *
 * or a list of them separated by colons, to be tried in order; an element of only digits is the
 * port of the one before it.  Names may be internationalized (sys/idna.h).  A name with a dot and
 * without brackets is looked up as MX (RFC 5321 section 5.1, RFC 7505).
 */
#ifndef SYS_HOST_H
#define SYS_HOST_H

#include "sys/address.h"

#include <limits.h>

#undef HOST_NAME_MAX		/* glibc's is the limit of the kernel for the name of this host */

#define HOST_LIST_MAX 16	/* elements of the operand */
#define HOST_NAME_MAX 255	/* octets of a name, RFC 1035 section 2.3.4 */
#define HOST_TARGETS_MAX 64	/* addresses of all elements together */

struct host {			/* one element of the operand */
	char name[HOST_NAME_MAX + 1];	/* without brackets or final dot; or an address as text */
	bool bracketed;			/* not looked up as MX */
	bool literal;			/* an address instead of a name */
	uint16_t port;			/* 25 by default */
};

struct host_list {
	size_t count;
	struct host at[HOST_LIST_MAX];
};

/*
 * Whether this can be a host name: labels of 1 to 63 letters, digits, `-` and `_`, separated by
 * dots, at most 253 characters.  False for what getaddrinfo() takes for an address, such as
 * "127.1" or "0x7f000001".
 */
bool host_is_name(struct span name);

/*
 * Parses the operand.  0, or -1 with the reason in `*why` (a literal): the operand is empty, has
 * a bad port, an unclosed bracket, an impossible name or too many elements.
 */
int host_list_read(struct host_list *list, struct span operand, const char **why);

struct host_origin {		/* what DNSSEC says of a host's addresses (RFC 7672) */
	bool secure;			/* a look-up of one family, with all its CNAME records, had
					   the AD bit */
	bool alias;			/* the name has a CNAME record */
	char end[HOST_NAME_MAX + 1];	/* where the CNAME records end; the name itself without
					   one */
};

struct target {			/* one address to connect to */
	char name[HOST_NAME_MAX + 1];	/* host that it belongs to, for the log */
	size_t element;			/* index in the host list; policies go by element */
	struct address address;
	bool mx_secure;			/* the name came by an MX look-up with the AD bit, or from
					   the operand */
	struct host_origin origin;	/* of the address; not secure for an address literal */
};

enum lookup {
	LOOKUP_FOUND,		/* at least one target */
	LOOKUP_LATER,		/* nothing now: timeout, server failure, only this host left, or
				   a host without addresses */
	LOOKUP_NO_DOMAIN,	/* every element is a domain that does not exist (NXDOMAIN) */
	LOOKUP_NULL_MX		/* like LOOKUP_NO_DOMAIN, but at least one has a null MX instead */
};

struct targets {
	size_t count;
	struct target at[HOST_TARGETS_MAX];
	bool some_missing;	/* there may be more: a look-up failed, or there was no room */
	char why[256];		/* unless LOOKUP_FOUND: what failed, one line */
};

/*
 * Looks up all addresses of the list, in the order to be tried: by element; for MX by preference,
 * with equal ones shuffled; and for one name in the resolver's order.  If an MX host is this host
 * (an address of our interfaces or loopback, with port 25), it and all hosts of the same or a
 * higher preference value are left out; names in brackets or without a dot and addresses are not
 * checked.  No look-up is started after `deadline_ms` (base/clock.h).
 */
enum lookup mx_lookup(struct targets *targets, const struct host_list *list, int64_t deadline_ms);

/* The same with a given resolver (sys/resolver.h), for tests. */
struct resolver;
enum lookup mx_lookup_with(const struct resolver *resolver, struct targets *targets,
    const struct host_list *list, int64_t deadline_ms);

#endif
