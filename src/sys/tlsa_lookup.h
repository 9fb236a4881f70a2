/*
 * Finds the TLSA records of a host (RFC 7672 section 2.2), after its addresses were looked up.
 */
#ifndef SYS_TLSA_LOOKUP_H
#define SYS_TLSA_LOOKUP_H

#include "sys/dns_tlsa.h"
#include "sys/host.h"
#include "sys/nameserver.h"

enum tlsa_found {
	TLSA_NONE,			/* no DANE for this host: nothing there, or not secure */
	TLSA_LATER,			/* a look-up failed: this host cannot be called now */
	TLSA_FOUND			/* records, usable or not (crypt/dane.h) */
};

struct tlsa {
	char base[DNS_NAME_MAX];	/* the TLSA base name: also SNI, and a name to expect in a
					   certificate; set unless TLSA_NONE */
	bool failed;			/* TLSA_LATER by SERVFAIL: perhaps a bad signature */
	struct dns_tlsa_list list;	/* empty unless TLSA_FOUND; last, for tlsa_octets() */
};

/* The octets of `tlsa` that are in use, to copy it.  The rest is room for more records. */
static inline size_t
tlsa_octets(const struct tlsa *tlsa)
{
	return offsetof(struct tlsa, list) + offsetof(struct dns_tlsa_list, mem) + tlsa->list.len;
}

/*
 * Asks for the TLSA records of host `name` at `port`.  `origin` is from the look-up of its
 * addresses; `n->dnssec` must be set for any to be found.  No query is made where the addresses
 * are not secure, since name servers of zones without DNSSEC may fail to answer it; except that
 * for a name with a CNAME record, that record may still be secure.
 */
enum tlsa_found tlsa_look_up(struct nameservers *n, const char *name,
    const struct host_origin *origin, uint16_t port, int64_t deadline_ms, struct tlsa *out);

#endif
