/*
 * mx_lookup(): determines the targets from a resolver's answers.
 */
#include "sys/host.h"

#include "base/clock.h"
#include "sys/resolver.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct look {
	const struct resolver *resolver;
	struct targets *targets;
	int64_t deadline_ms;
	bool later;				/* an element has to be tried later */
	struct resolver_host hosts[RESOLVER_HOSTS_MAX];	/* looked up last */
};

/*
 * Records why an element has no target.  The last reason is kept, except that LOOKUP_LATER is not
 * overwritten by another.
 */
static enum lookup __attribute__((format(printf, 3, 4)))
because(struct look *look, enum lookup result, const char *format, ...)
{
	va_list args;

	if (look->later && result != LOOKUP_LATER)
		return result;
	look->later = result == LOOKUP_LATER;
	va_start(args, format);
	vsnprintf(look->targets->why, sizeof(look->targets->why), format, args);
	va_end(args);
	return result;
}

static void
add_target(struct targets *targets, const char *name, const struct address *address,
    const struct host_origin *origin, bool mx_secure)
{
	if (targets->count == HOST_TARGETS_MAX) {
		targets->some_missing = true;
		return;
	}
	struct target *target = &targets->at[targets->count++];
	snprintf(target->name, sizeof(target->name), "%s", name);
	target->address = *address;
	target->origin = *origin;
	target->mx_secure = mx_secure;
}

static void
add_found(struct look *look, const struct resolver_host *found, bool mx_secure)
{
	for (size_t i = 0; i < found->count; i++)
		add_target(look->targets, found->name, &found->at[i], &found->origin, mx_secure);
}

/* Looks up the first `count` of look->hosts.  Starts no look-up after the deadline. */
static void
find_addresses(struct look *look, size_t count, uint16_t port)
{
	if (clock_ms() < look->deadline_ms) {
		look->resolver->addresses(look->hosts, count, port, look->deadline_ms);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		look->hosts[i].count = 0;
		look->hosts[i].known = RESOLVED_LATER;
	}
}

/* The same for one host, which becomes the first of look->hosts. */
static enum resolved
find_addresses_of(struct look *look, const char *name, uint16_t port)
{
	look->hosts[0].name = name;
	find_addresses(look, 1, port);
	return look->hosts[0].known;
}

static enum resolved
find_exchangers(struct look *look, const char *domain, struct dns_mx_list *list)
{
	list->count = 0;
	list->secure = false;
	if (clock_ms() >= look->deadline_ms)
		return RESOLVED_LATER;
	return look->resolver->exchangers(domain, look->deadline_ms, list);
}

/*
 * Whether an address found is our own.  All of 127/8 is, and so is 0.0.0.0, which the kernel
 * connects to this host: the MTA here might trust us as a local client.
 */
static bool
found_ourselves(const struct look *look, const struct resolver_host *found, uint16_t port)
{
	for (size_t i = 0; i < found->count && port == 25; i++) {
		const struct address *a = &found->at[i];

		if (address_is_loopback(a) || address_is_unspecified(a) ||
		    look->resolver->is_own(a))
			return true;
	}
	return false;
}

/* Looks up a name without MX: in brackets, or without a dot. */
static enum lookup
look_up_name(struct look *look, const struct host *host)
{
	struct dns_mx_list list;

	switch (find_addresses_of(look, host->name, host->port)) {
	case RESOLVED:
		add_found(look, &look->hosts[0], true);
		return LOOKUP_FOUND;
	case RESOLVED_LATER:
		return because(look, LOOKUP_LATER, "%s: address look-up failed", host->name);
	default:
		break;
	}
	/* getaddrinfo() does not tell whether the name exists */
	if (find_exchangers(look, host->name, &list) == RESOLVED_NO_NAME)
		return because(look, LOOKUP_NO_DOMAIN, "%s: no such host", host->name);
	return because(look, LOOKUP_LATER, "%s: has no address", host->name);
}

/* Looks up the addresses of a list's hosts from `from` on, as many as can be together. */
static void
find_next(struct look *look, const struct dns_mx_list *list, size_t from, uint16_t port)
{
	size_t count = list->count - from;

	if (count > RESOLVER_HOSTS_MAX)
		count = RESOLVER_HOSTS_MAX;
	for (size_t i = 0; i < count; i++)
		look->hosts[i].name = list->at[from + i].name;
	find_addresses(look, count, port);
}

/* Looks up the hosts of a sorted list, and takes those before the first that is this host. */
static enum lookup
look_up_exchangers(struct look *look, const struct host *host, const struct dns_mx_list *list)
{
	size_t before = look->targets->count, first[DNS_MX_MAX];

	for (size_t i = 0; i < list->count; i++) {
		const struct resolver_host *found = &look->hosts[i % RESOLVER_HOSTS_MAX];

		first[i] = look->targets->count;
		if (i % RESOLVER_HOSTS_MAX == 0)
			find_next(look, list, i, host->port);
		if (found->known != RESOLVED) {
			look->targets->some_missing |= found->known == RESOLVED_LATER;
			because(look, LOOKUP_LATER, "%s: MX host %s has no address, or its"
			    " look-up failed", host->name, found->name);
			continue;
		}
		if (found_ourselves(look, found, host->port)) {
			look->targets->count = first[dns_mx_better(list, i)];
			because(look, LOOKUP_LATER, "%s: MX host %s is this host",
			    host->name, found->name);
			break;
		}
		add_found(look, found, list->secure);
	}
	return look->targets->count > before ? LOOKUP_FOUND : LOOKUP_LATER;
}

/* The implicit MX: the domain itself (RFC 5321 section 5.1). */
static void
set_implicit(struct dns_mx_list *list, const char *domain)
{
	list->count = 1;
	list->at[0].preference = 0;
	snprintf(list->at[0].name, sizeof(list->at[0].name), "%s", domain);
}

static enum lookup
look_up_domain(struct look *look, const struct host *host)
{
	struct dns_mx_list list;
	enum resolved known;

	switch (find_exchangers(look, host->name, &list)) {
	case RESOLVED_NO_NAME:
		/* it may be in /etc/hosts; that avoids refusing the message */
		known = find_addresses_of(look, host->name, host->port);
		if (known == RESOLVED_LATER)
			return because(look, LOOKUP_LATER, "%s: address look-up failed",
			    host->name);
		if (known != RESOLVED)
			return because(look, LOOKUP_NO_DOMAIN, "%s: no such domain", host->name);
		set_implicit(&list, host->name);
		break;
	case RESOLVED_NULL:
		return because(look, LOOKUP_NULL_MX, "%s: accepts no mail (null MX)", host->name);
	case RESOLVED_LATER:
		return because(look, LOOKUP_LATER, "%s: MX look-up failed", host->name);
	case RESOLVED_NOTHING:
		set_implicit(&list, host->name);
		break;
	case RESOLVED:
		break;
	}
	return look_up_exchangers(look, host, &list);
}

static enum lookup
look_up(struct look *look, const struct host *host)
{
	struct address address;

	if (host->literal) {
		if (address_read(&address, span_of(host->name), host->port) < 0)
			return because(look, LOOKUP_LATER, "%s: not an address", host->name);
		add_target(look->targets, host->name, &address, &(struct host_origin){ 0 }, true);
		return LOOKUP_FOUND;
	}
	if (host->bracketed || strchr(host->name, '.') == NULL)
		return look_up_name(look, host);
	return look_up_domain(look, host);
}

enum lookup
mx_lookup_with(const struct resolver *resolver, struct targets *targets,
    const struct host_list *list, int64_t deadline_ms)
{
	struct look look;
	size_t no_domain = 0, null_mx = 0;

	memset(&look, 0, offsetof(struct look, hosts));
	look.resolver = resolver;
	look.targets = targets;
	look.deadline_ms = deadline_ms;
	targets->count = 0;
	targets->some_missing = false;
	targets->why[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		size_t before = targets->count;
		enum lookup result = look_up(&look, &list->at[i]);

		for (size_t j = before; j < targets->count; j++)
			targets->at[j].element = i;
		targets->some_missing |= result == LOOKUP_LATER;
		no_domain += result == LOOKUP_NO_DOMAIN;
		null_mx += result == LOOKUP_NULL_MX;
	}
	if (targets->count > 0)
		return LOOKUP_FOUND;
	if (no_domain + null_mx < list->count || list->count == 0)
		return LOOKUP_LATER;
	return null_mx > 0 ? LOOKUP_NULL_MX : LOOKUP_NO_DOMAIN;
}

enum lookup
mx_lookup(struct targets *targets, const struct host_list *list, int64_t deadline_ms)
{
	return mx_lookup_with(RESOLVER_DEFAULT, targets, list, deadline_ms);
}
