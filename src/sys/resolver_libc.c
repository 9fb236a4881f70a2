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

/* Asks getaddrinfo() about one host. */
static enum resolved
look_up_by_libc(struct resolver_host *host, uint16_t port, int64_t deadline_ms)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	if (resolver_libc_prepare(deadline_ms) < 0)
		return RESOLVED_LATER;
	int why = getaddrinfo(host->name, NULL, &hints, &found);
	if (why == EAI_NONAME || why == EAI_NODATA)
		return RESOLVED_NOTHING;
	if (why != 0)
		return RESOLVED_LATER;
	for (const struct addrinfo *a = found; a != NULL && host->count < HOST_TARGETS_MAX;
	    a = a->ai_next) {
		if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
			continue;
		struct address *address = &host->at[host->count++];
		address_from(address, a->ai_addr, a->ai_addrlen);
		resolver_set_port(address, port);
	}
	freeaddrinfo(found);
	return host->count > 0 ? RESOLVED : RESOLVED_NOTHING;
}

static void
resolver_libc_addresses(struct resolver_host *hosts, size_t count, uint16_t port,
    int64_t deadline_ms)
{
	bool dnssec = resolver_servers()->dnssec;

	if (dnssec)
		resolver_dns.addresses(hosts, count, port, deadline_ms);
	for (size_t i = 0; i < count; i++) {
		if (dnssec && hosts[i].known != RESOLVED_NOTHING)
			continue;
		resolver_start_hosts(&hosts[i], 1);
		/* the look-ups before this one may have taken all the time */
		if (clock_ms() < deadline_ms)
			hosts[i].known = look_up_by_libc(&hosts[i], port, deadline_ms);
	}
}

const struct resolver resolver_libc = { resolver_libc_exchangers, resolver_libc_addresses,
    resolver_is_own };
#endif
