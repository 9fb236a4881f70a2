/*
 * What both resolvers use.
 */
#include "sys/resolver.h"

#include <assert.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum resolved
resolver_exchangers(struct dns_mx_list *list, const uint8_t *answer, size_t len)
{
	uint32_t random[DNS_MX_MAX];

	switch (dns_mx_read_answer(list, answer, len)) {
	case DNS_MX_NONE:
		return RESOLVED_NOTHING;
	case DNS_MX_NULL:
		return RESOLVED_NULL;
	case DNS_MX_USELESS:
		return RESOLVED_LATER;
	case DNS_MX_FOUND:
		break;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return RESOLVED_LATER;
	dns_mx_order(list, random);
	return RESOLVED;
}

void
resolver_start_hosts(struct resolver_host *hosts, size_t count)
{
	assert(count <= RESOLVER_HOSTS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct resolver_host *host = &hosts[i];

		host->count = 0;
		host->known = RESOLVED_LATER;
		host->origin.secure = host->origin.alias = false;
		snprintf(host->origin.end, sizeof(host->origin.end), "%s", host->name);
	}
}

void
resolver_set_port(struct address *address, uint16_t port)
{
	if (address->at.ss_family == AF_INET)
		((struct sockaddr_in *)(void *)&address->at)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)(void *)&address->at)->sin6_port = htons(port);
}

bool
resolver_is_own(const struct address *address)
{
	struct ifaddrs *interfaces;
	bool own = false;

	if (getifaddrs(&interfaces) < 0)
		return false;
	for (const struct ifaddrs *i = interfaces; i != NULL && !own; i = i->ifa_next) {
		if (i->ifa_addr == NULL)
			continue;
		struct address ours;
		address_from(&ours, i->ifa_addr, i->ifa_addr->sa_family == AF_INET6 ?
		    sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		own = address_same_host(&ours, address);
	}
	freeifaddrs(interfaces);
	return own;
}
