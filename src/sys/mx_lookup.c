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
	struct address found[HOST_TARGETS_MAX];	/* addresses of the host looked up last */
	size_t found_count;
	struct host_origin origin;
	bool later;				/* an element has to be tried later */
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
add_found(struct look *look, const char *name, bool mx_secure)
{
	for (size_t i = 0; i < look->found_count; i++)
		add_target(look->targets, name, &look->found[i], &look->origin, mx_secure);
}

/* Starts no look-up after the deadline. */
static enum resolved
find_addresses(struct look *look, const char *name, uint16_t port)
{
	look->found_count = 0;
	if (clock_ms() >= look->deadline_ms)
		return RESOLVED_LATER;
	return look->resolver->addresses(name, port, look->deadline_ms, look->found,
	    HOST_TARGETS_MAX, &look->found_count, &look->origin);
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
found_ourselves(const struct look *look, uint16_t port)
{
	for (size_t i = 0; i < look->found_count && port == 25; i++) {
		const struct address *a = &look->found[i];

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

	switch (find_addresses(look, host->name, host->port)) {
	case RESOLVED:
		add_found(look, host->name, true);
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

/* Looks up the hosts of a sorted list, up to the first that is this host. */
static enum lookup
look_up_exchangers(struct look *look, const struct host *host, const struct dns_mx_list *list)
{
	size_t before = look->targets->count, first[DNS_MX_MAX];

	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->at[i].name;

		first[i] = look->targets->count;
		enum resolved known = find_addresses(look, name, host->port);
		if (known != RESOLVED) {
			look->targets->some_missing |= known == RESOLVED_LATER;
			because(look, LOOKUP_LATER, "%s: MX host %s has no address, or its"
			    " look-up failed", host->name, name);
			continue;
		}
		if (found_ourselves(look, host->port)) {
			look->targets->count = first[dns_mx_better(list, i)];
			because(look, LOOKUP_LATER, "%s: MX host %s is this host",
			    host->name, name);
			break;
		}
		add_found(look, name, list->secure);
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
		known = find_addresses(look, host->name, host->port);
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
	struct look look = { .resolver = resolver, .targets = targets, .deadline_ms = deadline_ms };
	size_t no_domain = 0, null_mx = 0;

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
