#include "sys/nameserver.h"

#include "base/clock.h"
#include "sys/dns_flight.h"

#include <assert.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIES 2
#define PATIENCE_MS 5000		/* to wait for a server's answer */
#define BLANKS " \t\r\n"

/* Adds an address as resolv.conf(5) permits it, such as "fe80::1%eth0". */
static void
nameserver_add(struct nameservers *n, const char *text, const char *port)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM };
	struct addrinfo *found;

	if (text == NULL || n->count == NAMESERVER_MAX ||
	    getaddrinfo(text, port, &hints, &found) != 0)
		return;
	address_from(&n->at[n->count++], found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
}

/* Removes a final dot; a name may be only that, since systemd-resolved writes "search .". */
static void
set_search(struct nameservers *n, char *words)
{
	/* musl has no rest after the last word of a line that lacks its newline */
	char *rest = NULL;
	size_t used = 0;

	n->search[0] = '\0';
	for (char *word = strtok_r(words, BLANKS, &rest); word != NULL;
	    word = strtok_r(NULL, BLANKS, &rest)) {
		size_t len = strlen(word);

		len -= word[len - 1] == '.';
		if (len == 0 || len + 2 > sizeof(n->search) - used)
			continue;
		used += (size_t)snprintf(n->search + used, sizeof(n->search) - used, "%s%.*s",
		    used > 0 ? " " : "", (int)len, word);
	}
}

static void
nameserver_read_options(struct nameservers *n, char *words)
{
	char *rest = NULL;		/* as above */

	for (const char *word = strtok_r(words, BLANKS, &rest); word != NULL;
	    word = strtok_r(NULL, BLANKS, &rest))
		n->trust_ad |= strcmp(word, "trust-ad") == 0;
}

static void
nameserver_read_lines(struct nameservers *n, FILE *file, const char *port)
{
	char *line = NULL, *rest;
	size_t size = 0;

	while (getline(&line, &size, file) >= 0) {
		const char *word = strtok_r(line, BLANKS, &rest);

		if (word == NULL)
			continue;
		if (strcmp(word, "nameserver") == 0)
			nameserver_add(n, strtok_r(NULL, BLANKS, &rest), port);
		else if (strcmp(word, "search") == 0 || strcmp(word, "domain") == 0)
			set_search(n, rest);
		else if (strcmp(word, "options") == 0)
			nameserver_read_options(n, rest);
	}
	/* half of the file could be without what makes DNSSEC count */
	if (!feof(file))
		n->count = 0;
	free(line);
}

void
nameservers_read(struct nameservers *n, const char *path, uint16_t port)
{
	char hostname[DNS_NAME_MAX] = "", text[8];
	FILE *file = fopen(path, "re");

	*n = (struct nameservers){ .count = 0 };
	gethostname(hostname, sizeof(hostname) - 1);
	char *dot = strchr(hostname, '.');
	if (dot != NULL)
		set_search(n, dot + 1);
	snprintf(text, sizeof(text), "%u", (unsigned int)port);
	if (file != NULL) {
		nameserver_read_lines(n, file, text);
		fclose(file);
	}
	if (n->count == 0)
		nameserver_add(n, "127.0.0.1", text);
}

bool
nameservers_are_trusted(const struct nameservers *n)
{
	size_t here = 0;

	for (size_t i = 0; i < n->count; i++)
		here += address_is_loopback(&n->at[i]);
	return n->trust_ad || here == n->count;
}

/* A lookup on its way through the servers. */
struct pending {
	struct nameserver_lookup *lookup;
	struct dns_flight flight;
	size_t tries;			/* queries made so far, or about to be made */
	int64_t deadline_ms;		/* of this try */
	unsigned failed;		/* bits of the servers that said SERVFAIL */
	bool done;
};

/*
 * Begins the next try that can be begun: the servers in turn, and each again.  The second time it
 * is asked without EDNS: some servers do not know it, and some networks drop its long answers.
 */
static void
try_next(struct nameservers *n, struct pending *p, int64_t deadline_ms)
{
	size_t tries = TRIES * n->count;

	while (p->tries < tries) {
		const struct dns_flight_query query = { p->lookup->name, p->lookup->type,
			n->dnssec, p->tries < n->count };
		int64_t now = clock_ms();
		int64_t share = (deadline_ms - now) / (int64_t)(tries - p->tries);

		if (share <= 0)
			break;
		p->deadline_ms = now + (share < PATIENCE_MS ? share : PATIENCE_MS);
		if (dns_flight_start(&p->flight, &n->at[p->tries++ % n->count], &query,
			p->lookup->answer) == FLIGHT_WAITS)
			return;
	}
	p->lookup->result = p->failed != 0 ? NAMESERVER_FAILED : NAMESERVER_SILENT;
	p->done = true;
}

/*
 * A server that validates says SERVFAIL to what does not verify.  If another one that does not
 * validate knew the same, its answer may be the forged one.
 */
static enum nameserver_result
result_of(struct nameservers *n, const struct pending *p, unsigned server)
{
	if (!n->dnssec)
		return NAMESERVER_INSECURE;
	if (dns_is_secure(span(p->flight.answer, p->flight.answer_len))) {
		n->validates = true;
		return NAMESERVER_SECURE;
	}
	return (p->failed & ~(1u << server)) != 0 ? NAMESERVER_DOUBTFUL : NAMESERVER_INSECURE;
}

/* Whether the answer is conclusive.  If not, the next server is asked. */
static bool
conclude(struct nameservers *n, struct pending *p)
{
	struct span said = span(p->flight.answer, p->flight.answer_len);
	unsigned code = dns_code(said), server = (unsigned)((p->tries - 1) % n->count);

	if (code == DNS_SERVFAIL)
		p->failed |= 1u << server;
	if ((code != DNS_NXDOMAIN && (code != DNS_NOERROR || dns_is_cut(said))) ||
	    dns_is_lame(said))
		return false;
	p->lookup->len = said.len;
	p->lookup->result = result_of(n, p, server);
	p->done = true;
	return true;
}

static void
go_on(struct nameservers *n, struct pending *p, bool ready, int64_t deadline_ms)
{
	enum flight flight = FLIGHT_WAITS;

	if (p->done)
		return;
	if (ready)
		flight = dns_flight_step(&p->flight, p->lookup->name);
	if (flight == FLIGHT_WAITS && clock_ms() < p->deadline_ms)
		return;
	dns_flight_end(&p->flight);
	if (flight != FLIGHT_ANSWERED || !conclude(n, p))
		try_next(n, p, deadline_ms);
}

/* Waits until something can be done for one of them.  False when all are done. */
static bool
wait_for_any(const struct pending *at, size_t count, struct pollfd *poll_at)
{
	int64_t until_ms = INT64_MAX, now = clock_ms();

	for (size_t i = 0; i < count; i++) {
		poll_at[i] = (struct pollfd){ .fd = -1 };
		if (at[i].done)
			continue;
		poll_at[i].fd = at[i].flight.fd;
		poll_at[i].events = dns_flight_events(&at[i].flight);
		if (at[i].deadline_ms < until_ms)
			until_ms = at[i].deadline_ms;
	}
	if (until_ms == INT64_MAX)
		return false;
	if (poll(poll_at, (nfds_t)count, until_ms <= now ? 0 : (int)(until_ms - now)) < 0)
		for (size_t i = 0; i < count; i++)
			poll_at[i].revents = 0;
	return true;
}

/* The server that has answered last comes first, unless it is there already. */
static void
promote(struct nameservers *n, const struct pending *at, size_t count)
{
	for (size_t i = count; i-- > 0;) {
		if (at[i].lookup->result < NAMESERVER_DOUBTFUL)
			continue;
		size_t which = (at[i].tries - 1) % n->count;
		struct address knows = n->at[which];

		n->at[which] = n->at[0];
		n->at[0] = knows;
		return;
	}
}

void
nameservers_ask(struct nameservers *n, struct nameserver_lookup *lookups, size_t count,
    int64_t deadline_ms)
{
	struct pending at[NAMESERVER_LOOKUPS_MAX];
	struct pollfd poll_at[NAMESERVER_LOOKUPS_MAX];

	assert(count <= NAMESERVER_LOOKUPS_MAX);
	for (size_t i = 0; i < count; i++) {
		at[i] = (struct pending){ .lookup = &lookups[i], .flight.fd = -1 };
		lookups[i].len = 0;
		try_next(n, &at[i], deadline_ms);
	}
	while (wait_for_any(at, count, poll_at))
		for (size_t i = 0; i < count; i++)
			go_on(n, &at[i], poll_at[i].revents != 0, deadline_ms);
	promote(n, at, count);
}
