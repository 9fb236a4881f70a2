/*
 * The resolver for musl, and for DNSSEC: the hosts file, then DNS.
 */
#include "sys/resolver.h"

#include "base/clock.h"
#include "sys/dns_addr.h"
#include "sys/dns_ask.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLANKS " \t\r\n"
#define DNS_PORT 53

static enum dane resolver_dns_use;

void
resolver_use_dnssec(enum dane use)
{
	resolver_dns_use = use;
}

struct nameservers *
resolver_servers(void)
{
	static struct nameservers those;

	if (those.count == 0)
		nameservers_read(&those, "/etc/resolv.conf", DNS_PORT);
	those.dnssec = resolver_dns_use == DANE_YES ||
	    (resolver_dns_use == DANE_AUTO && nameservers_are_trusted(&those));
	return &those;
}

static enum resolved
resolver_dns_exchangers(const char *domain, int64_t deadline_ms, struct dns_mx_list *list)
{
	uint8_t answer[DNS_MESSAGE_MAX];
	struct dns_asked asked;

	dns_asked_set(&asked, domain, DNS_MX, answer);
	dns_ask(resolver_servers(), &asked, 1, deadline_ms);
	list->secure = asked.secure;
	if (asked.said == DNS_SAID_LATER)
		return RESOLVED_LATER;
	enum resolved known = resolver_exchangers(list, answer, asked.len);
	if (asked.said == DNS_SAID_NOERROR)
		return known;
	/*
	 * an NXDOMAIN that is malformed or has MX records is contradictory: retry instead of
	 * bouncing
	 */
	return known == RESOLVED_NOTHING ? RESOLVED_NO_NAME : RESOLVED_LATER;
}

/* Parses an address as hosts(5) permits it, such as "fe80::1%eth0". */
static bool
read_address(struct address *out, const char *text, uint16_t port)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *info;

	if (getaddrinfo(text, NULL, &hints, &info) != 0)
		return false;
	address_from(out, info->ai_addr, info->ai_addrlen);
	freeaddrinfo(info);
	resolver_set_port(out, port);
	return true;
}

/* Parses one line of the hosts file: an address and its names. */
static void
resolver_dns_read_line(struct dns_addr_list *found, char *line, const char *name)
{
	struct address address;
	char *rest;

	line[strcspn(line, "#")] = '\0';
	const char *word = strtok_r(line, BLANKS, &rest);
	if (word == NULL || !read_address(&address, word, found->port))
		return;
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL)
		if (span_equal_nocase(span_of(word), span_of(name))) {
			dns_addr_add(found, &address);
			return;
		}
}

static void
look_into_hosts(struct dns_addr_list *found, const char *name)
{
	FILE *file = fopen("/etc/hosts", "re");
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return;
	while (getline(&line, &size, file) >= 0)
		resolver_dns_read_line(found, line, name);
	free(line);
	fclose(file);
}

/* Adds the addresses of one family.  RESOLVED, RESOLVED_NOTHING or RESOLVED_LATER. */
static enum resolved
read_family(struct dns_addr_list *found, const struct dns_asked *asked)
{
	size_t before = found->count;

	if (asked->said == DNS_SAID_LATER ||
	    !dns_addr_read_answer(found, asked->type, asked->answer, asked->len))
		return RESOLVED_LATER;
	return found->count > before ? RESOLVED : RESOLVED_NOTHING;
}

/* If only one family is secure, its chain of CNAME records counts. */
static void
set_origin(struct host_origin *origin, const struct dns_asked *six, const struct dns_asked *four)
{
	const struct dns_asked *asked = six->secure || (!four->secure && six->links > 0) ? six : four;

	origin->secure = asked->secure;
	origin->alias = asked->links > 0;
	snprintf(origin->end, sizeof(origin->end), "%s", asked->name);
}

/* Whether there is a route to the address.  Sends nothing. */
static bool
has_route(const struct address *address)
{
	int fd = socket(address->at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	bool routed = connect(fd, (const struct sockaddr *)&address->at, address->len) == 0;
	close(fd);
	return routed;
}

static void
resolver_dns_append(struct dns_addr_list *found, const struct dns_addr_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		dns_addr_add(found, &more->at[i]);
}

/*
 * IPv6 comes first (RFC 6724) if this host has a route for it.  A failure of one family does not
 * matter if the other has an address; if neither has one, the message must wait.
 */
static enum resolved
ask_for_both(struct dns_addr_list *found, const char *name, int64_t deadline_ms,
    struct host_origin *origin)
{
	uint8_t answers[2][DNS_MESSAGE_MAX];
	struct dns_asked asked[2];
	struct address six_at[HOST_TARGETS_MAX], four_at[HOST_TARGETS_MAX];
	struct dns_addr_list six = { six_at, HOST_TARGETS_MAX, 0, found->port };
	struct dns_addr_list four = { four_at, HOST_TARGETS_MAX, 0, found->port };

	dns_asked_set(&asked[0], name, DNS_AAAA, answers[0]);
	dns_asked_set(&asked[1], name, DNS_A, answers[1]);
	dns_ask(resolver_servers(), asked, 2, deadline_ms);
	enum resolved six_known = read_family(&six, &asked[0]);
	enum resolved four_known = read_family(&four, &asked[1]);
	set_origin(origin, &asked[0], &asked[1]);
	bool six_first = six.count > 0 && has_route(&six.at[0]);

	resolver_dns_append(found, six_first ? &six : &four);
	resolver_dns_append(found, six_first ? &four : &six);
	if (found->count > 0)
		return RESOLVED;
	return six_known == RESOLVED_LATER || four_known == RESOLVED_LATER ? RESOLVED_LATER :
	    RESOLVED_NOTHING;
}

/*
 * A name without a dot is first looked up in the search domains.  What is found there is not
 * secure: a server that is asked for another name has no say in which one that is.
 */
static enum resolved
ask_for_addresses(struct dns_addr_list *found, const char *name, int64_t deadline_ms,
    struct host_origin *origin)
{
	struct span rest = span_of(resolver_servers()->search), domain;
	char whole[DNS_NAME_MAX + NAMESERVER_SEARCH_MAX];

	while (strchr(name, '.') == NULL && span_word(&rest, ' ', &domain) && domain.len > 0) {
		snprintf(whole, sizeof(whole), "%s.%.*s", name, (int)domain.len,
		    (const char *)domain.at);
		enum resolved known = ask_for_both(found, whole, deadline_ms, origin);
		origin->secure = false;
		if (known != RESOLVED_NOTHING)
			return known;
	}
	return ask_for_both(found, name, deadline_ms, origin);
}

static enum resolved
resolver_dns_addresses(const char *name, uint16_t port, int64_t deadline_ms,
    struct address *at, size_t max, size_t *count, struct host_origin *origin)
{
	struct dns_addr_list found = { at, max, 0, port };
	enum resolved known = RESOLVED_LATER;

	*origin = (struct host_origin){ .secure = false };
	snprintf(origin->end, sizeof(origin->end), "%s", name);
	if (clock_ms() < deadline_ms) {
		look_into_hosts(&found, name);
		known = found.count > 0 ? RESOLVED :
		    ask_for_addresses(&found, name, deadline_ms, origin);
	}
	*count = found.count;
	return known;
}

const struct resolver resolver_dns = { resolver_dns_exchangers, resolver_dns_addresses,
    resolver_is_own };
