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
#include <sys/mman.h>
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

/* Adds an address; ignored when there are HOST_TARGETS_MAX already. */
static void
add_address(struct resolver_host *host, const struct address *address)
{
	if (host->count < HOST_TARGETS_MAX)
		host->at[host->count++] = *address;
}

/* Parses one line of the hosts file: an address and its names. */
static void
resolver_dns_read_line(struct resolver_host *hosts, size_t count, char *line, uint16_t port)
{
	bool added[RESOLVER_HOSTS_MAX] = { false };
	struct address address;
	char *rest;

	line[strcspn(line, "#")] = '\0';
	const char *word = strtok_r(line, BLANKS, &rest);
	if (word == NULL || !read_address(&address, word, port))
		return;
	while ((word = strtok_r(NULL, BLANKS, &rest)) != NULL)
		for (size_t i = 0; i < count; i++)
			if (!added[i] && span_equal_nocase(span_of(word), span_of(hosts[i].name))) {
				add_address(&hosts[i], &address);
				added[i] = true;
			}
}

static void
look_into_hosts(struct resolver_host *hosts, size_t count, uint16_t port)
{
	FILE *file = fopen("/etc/hosts", "re");
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return;
	while (getline(&line, &size, file) >= 0)
		resolver_dns_read_line(hosts, count, line, port);
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
	bool six_counts = six->secure || (!four->secure && six->links > 0);
	const struct dns_asked *asked = six_counts ? six : four;

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
append(struct resolver_host *host, const struct dns_addr_list *more)
{
	for (size_t i = 0; i < more->count; i++)
		add_address(host, &more->at[i]);
}

/*
 * Evaluates the answers for AAAA and A.  IPv6 comes first (RFC 6724) if this host has a route for
 * it.  A failure of one family does not matter if the other has an address; if neither has one,
 * the message must wait.
 */
static void
take_answers(struct resolver_host *host, const struct dns_asked asked[2], uint16_t port)
{
	struct address six_at[HOST_TARGETS_MAX], four_at[HOST_TARGETS_MAX];
	struct dns_addr_list six = { six_at, HOST_TARGETS_MAX, 0, port };
	struct dns_addr_list four = { four_at, HOST_TARGETS_MAX, 0, port };
	enum resolved six_known = read_family(&six, &asked[0]);
	enum resolved four_known = read_family(&four, &asked[1]);

	set_origin(&host->origin, &asked[0], &asked[1]);
	bool six_first = six.count > 0 && has_route(&six.at[0]);

	append(host, six_first ? &six : &four);
	append(host, six_first ? &four : &six);
	if (host->count > 0)
		host->known = RESOLVED;
	else if (six_known == RESOLVED_LATER || four_known == RESOLVED_LATER)
		host->known = RESOLVED_LATER;
	else
		host->known = RESOLVED_NOTHING;
}

/* Asks for AAAA and A of all hosts together; host `i` is looked up as `names[i]`. */
static void
ask_for_addresses(struct resolver_host *const *hosts, const char *const *names, size_t count,
    uint16_t port, int64_t deadline_ms)
{
	struct dns_asked asked[2 * RESOLVER_HOSTS_MAX];
	size_t size = 2 * count * DNS_MESSAGE_MAX;
	/* most of an answer's room is never touched, and a stack may be too small for it */
	uint8_t *answers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	for (size_t i = 0; i < count; i++)
		hosts[i]->known = RESOLVED_LATER;
	if (answers == MAP_FAILED)
		return;
	for (size_t i = 0; i < 2 * count; i++)
		dns_asked_set(&asked[i], names[i / 2], i % 2 == 0 ? DNS_AAAA : DNS_A,
		    answers + i * DNS_MESSAGE_MAX);
	dns_ask(resolver_servers(), asked, 2 * count, deadline_ms);
	for (size_t i = 0; i < count; i++)
		take_answers(hosts[i], &asked[2 * i], port);
	munmap(answers, size);
}

/*
 * A name without a dot is first looked up in the search domains.  What is found there is not
 * secure: a server that is asked for another name has no say in which one that is.
 */
static void
search(struct resolver_host *host, uint16_t port, int64_t deadline_ms)
{
	struct span rest = span_of(resolver_servers()->search), domain;
	char whole[DNS_NAME_MAX + NAMESERVER_SEARCH_MAX];
	const char *name = whole;

	while (span_word(&rest, ' ', &domain) && domain.len > 0) {
		snprintf(whole, sizeof(whole), "%s.%.*s", host->name, (int)domain.len,
		    (const char *)domain.at);
		ask_for_addresses(&host, &name, 1, port, deadline_ms);
		host->origin.secure = false;
		if (host->known != RESOLVED_NOTHING)
			return;
	}
	ask_for_addresses(&host, &host->name, 1, port, deadline_ms);
}

static void
resolver_dns_addresses(struct resolver_host *hosts, size_t count, uint16_t port,
    int64_t deadline_ms)
{
	struct resolver_host *open[RESOLVER_HOSTS_MAX];
	const char *names[RESOLVER_HOSTS_MAX];
	size_t open_count = 0;

	resolver_start_hosts(hosts, count);
	if (clock_ms() >= deadline_ms)
		return;
	look_into_hosts(hosts, count, port);
	for (size_t i = 0; i < count; i++) {
		if (hosts[i].count > 0) {
			hosts[i].known = RESOLVED;
		} else if (strchr(hosts[i].name, '.') == NULL) {
			search(&hosts[i], port, deadline_ms);
		} else {
			names[open_count] = hosts[i].name;
			open[open_count++] = &hosts[i];
		}
	}
	if (open_count > 0)
		ask_for_addresses(open, names, open_count, port, deadline_ms);
}

const struct resolver resolver_dns = { resolver_dns_exchangers, resolver_dns_addresses,
    resolver_is_own };
