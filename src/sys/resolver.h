/*
 * The interface for look-ups of MX hosts and addresses, so that mx_lookup() (sys/host.h) can be
 * tested without a network.
 */
#ifndef SYS_RESOLVER_H
#define SYS_RESOLVER_H

#include "sys/dns_mx.h"
#include "sys/nameserver.h"
#include "sys/settings.h"

enum resolved {
	RESOLVED,
	RESOLVED_NOTHING,		/* no such records; perhaps the name does not exist */
	RESOLVED_NO_NAME,		/* the name does not exist (NXDOMAIN) */
	RESOLVED_NULL,			/* a null MX */
	RESOLVED_LATER			/* timeout, server failure, or a malformed answer */
};

/* Hosts whose addresses are looked up together: each takes two queries, for AAAA and A. */
#define RESOLVER_HOSTS_MAX (NAMESERVER_LOOKUPS_MAX / 2)

struct resolver_host {
	const char *name;		/* set by the caller */
	struct address at[HOST_TARGETS_MAX];
	size_t count;
	enum resolved known;		/* RESOLVED, RESOLVED_NOTHING or RESOLVED_LATER */
	struct host_origin origin;
};

struct resolver {
	/* Looks up the MX hosts of a domain, in the order to be tried.  Always sets list->secure. */
	enum resolved (*exchangers)(const char *domain, int64_t deadline_ms,
	    struct dns_mx_list *list);

	/*
	 * Looks up the addresses of `count` hosts, at most RESOLVER_HOSTS_MAX, with `port`.  Sets
	 * all but the name of each; a failure for one says nothing of the others.
	 */
	void (*addresses)(struct resolver_host *hosts, size_t count, uint16_t port,
	    int64_t deadline_ms);

	/* Whether it is an address of one of our interfaces. */
	bool (*is_own)(const struct address *address);
};

/*
 * Whether to ask for DNSSEC and believe the AD bit: never, where nameservers_are_trusted(), or
 * always.  Without a call, never.
 */
void resolver_use_dnssec(enum dane use);

/* The servers of /etc/resolv.conf, with `dnssec` set accordingly. */
struct nameservers *resolver_servers(void);

/*
 * resolver_libc uses glibc, which supports all of nsswitch.conf(5), but counts time in seconds
 * and may exceed `deadline_ms` (base/clock.h) by a few.  resolver_dns has its own code for the
 * hosts file and DNS, for a libc whose resolver takes no deadline.  With DNSSEC, resolver_libc
 * asks resolver_dns first, and libc only about names that it does not find.
 *
 * resolver_dns asks for all addresses of all hosts together.  getaddrinfo() takes one host, and
 * asks for both families of it together, so resolver_libc needs a round trip for each host.
 */
#ifdef __GLIBC__
extern const struct resolver resolver_libc;
#endif
extern const struct resolver resolver_dns;

/* The one for the libc that we are built with. */
#ifdef __GLIBC__
#define RESOLVER_DEFAULT (&resolver_libc)
#else
#define RESOLVER_DEFAULT (&resolver_dns)
#endif

/* For both resolvers: reads the MX records of an answer, in the order to be tried. */
enum resolved resolver_exchangers(struct dns_mx_list *list, const uint8_t *answer, size_t len);

/* For both: sets each host to RESOLVED_LATER, without addresses and not secure. */
void resolver_start_hosts(struct resolver_host *hosts, size_t count);

/* For both: sets an address's port. */
void resolver_set_port(struct address *address, uint16_t port);

/* For both: is_own() of struct resolver. */
bool resolver_is_own(const struct address *address);

#endif
