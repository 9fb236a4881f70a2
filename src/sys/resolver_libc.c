/*
 * The resolver of glibc, which follows nsswitch.conf(5).  It does not report the AD bit.
 */
#include "sys/resolver.h"

#ifdef __GLIBC__
#include "base/clock.h"
#include "sys/dns.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_S 5			/* to wait for a server's answer */
#define TRIES 2

/*
 * Sets libc's global state, so that it also applies to getaddrinfo().  A name with a dot is not
 * combined with the search list: a wildcard there would match every domain that does not exist.
 */
static int
resolver_libc_prepare(int64_t deadline_ms)
{
	int64_t left_s = (deadline_ms - clock_ms()) / 1000;
	int64_t share_s = left_s / (TRIES * MAXNS);

	if (left_s < 0 || ((_res.options & RES_INIT) == 0 && res_init() < 0))
		return -1;
	_res.options &= ~(unsigned long)RES_DNSRCH;
	_res.retrans = share_s < 1 ? 1 : share_s < PATIENCE_S ? (int)share_s : PATIENCE_S;
	_res.retry = TRIES;
	return 0;
}

static enum resolved
resolver_libc_exchangers(const char *domain, int64_t deadline_ms, struct dns_mx_list *list)
{
	uint8_t answer[DNS_MESSAGE_MAX];

	if (resolver_servers()->dnssec)
		return resolver_dns.exchangers(domain, deadline_ms, list);
	list->secure = false;
	if (resolver_libc_prepare(deadline_ms) < 0)
		return RESOLVED_LATER;
	int len = res_nquery(&_res, domain, ns_c_in, ns_t_mx, answer, sizeof(answer));
	if (len < 0 && _res.res_h_errno == HOST_NOT_FOUND)
		return RESOLVED_NO_NAME;
	if (len < 0 && _res.res_h_errno == NO_DATA)
		return RESOLVED_NOTHING;
	if (len < 0 || (size_t)len > sizeof(answer))
		return RESOLVED_LATER;
	return resolver_exchangers(list, answer, (size_t)len);
}

static enum resolved
resolver_libc_addresses(const char *name, uint16_t port, int64_t deadline_ms,
    struct address *at, size_t max, size_t *count, struct host_origin *origin)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	if (resolver_servers()->dnssec) {
		enum resolved known = resolver_dns.addresses(name, port, deadline_ms, at, max,
		    count, origin);
		if (known != RESOLVED_NOTHING)
			return known;
	}
	*count = 0;
	*origin = (struct host_origin){ .secure = false };
	snprintf(origin->end, sizeof(origin->end), "%s", name);
	if (resolver_libc_prepare(deadline_ms) < 0)
		return RESOLVED_LATER;
	int why = getaddrinfo(name, NULL, &hints, &found);
	if (why == EAI_NONAME || why == EAI_NODATA)
		return RESOLVED_NOTHING;
	if (why != 0)
		return RESOLVED_LATER;
	for (const struct addrinfo *a = found; a != NULL && *count < max; a = a->ai_next) {
		if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
			continue;
		struct address *address = &at[(*count)++];
		address_from(address, a->ai_addr, a->ai_addrlen);
		resolver_set_port(address, port);
	}
	freeaddrinfo(found);
	return *count > 0 ? RESOLVED : RESOLVED_NOTHING;
}

const struct resolver resolver_libc = { resolver_libc_exchangers, resolver_libc_addresses,
    resolver_is_own };
#endif
