#include "sys/nameserver.h"

#include "base/clock.h"
#include "base/octets.h"
#include "sys/dial.h"
#include "sys/fd.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TRIES 2
#define PATIENCE_MS 5000		/* to wait for a server's answer */
#define BLANKS " \t\r\n"

struct question {
	uint8_t mem[2 + DNS_QUESTION_MAX];	/* begins with the length, for TCP */
	struct span octets;
};

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
	char *rest;
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
	}
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

/* Sends one datagram and waits for the first that answers it.  Returns its length, or -1. */
static ssize_t
ask_by_datagram(const struct address *server, struct span question, int64_t deadline_ms,
    uint8_t answer[DNS_MESSAGE_MAX])
{
	int fd = socket(server->at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ssize_t len = -1;

	if (fd < 0)
		return -1;
	/* a connected socket accepts only this server's datagrams, and reports a closed port */
	if (connect(fd, (const struct sockaddr *)&server->at, server->len) < 0 ||
	    send(fd, question.at, question.len, 0) < 0)
		goto done;
	while (fd_wait(fd, POLLIN, deadline_ms) == 0) {
		len = recv(fd, answer, DNS_MESSAGE_MAX, 0);
		if (len < 0 && errno != EAGAIN)
			break;
		if (len >= 0 && dns_is_answer(span(answer, (size_t)len), question))
			break;
		len = -1;
	}
done:
	close(fd);
	return len;
}

static int
read_exactly(int fd, uint8_t *out, size_t len, int64_t deadline_ms)
{
	while (len > 0) {
		if (fd_wait(fd, POLLIN, deadline_ms) < 0)
			return -1;
		ssize_t got = read(fd, out, len);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return -1;
		if (got > 0) {
			out += got;
			len -= (size_t)got;
		}
	}
	return 0;
}

/* The same over TCP, where a length precedes each message (RFC 1035 section 4.2.2). */
static ssize_t
ask_by_stream(const struct address *server, const struct question *question, int64_t deadline_ms,
    uint8_t answer[DNS_MESSAGE_MAX])
{
	int fd = dial(server, NULL, deadline_ms - clock_ms());
	uint8_t prefix[2];
	ssize_t len = -1;

	if (fd < 0)
		return -1;
	if (fd_write_all(fd, span(question->mem, 2 + question->octets.len),
		deadline_ms - clock_ms()) < 0 ||
	    read_exactly(fd, prefix, sizeof(prefix), deadline_ms) < 0 ||
	    read_exactly(fd, answer, octets_get16(prefix), deadline_ms) < 0)
		goto done;
	if (dns_is_answer(span(answer, octets_get16(prefix)), question->octets))
		len = octets_get16(prefix);
done:
	close(fd);
	return len;
}

/* Returns the length of a conclusive answer, or -1. */
static ssize_t
ask_one(const struct address *server, const struct question *question, int64_t deadline_ms,
    uint8_t answer[DNS_MESSAGE_MAX])
{
	ssize_t len = ask_by_datagram(server, question->octets, deadline_ms, answer);

	if (len >= 0 && dns_is_cut(span(answer, (size_t)len)))
		len = ask_by_stream(server, question, deadline_ms, answer);
	if (len < 0)
		return -1;

	struct span said = span(answer, (size_t)len);
	unsigned code = dns_code(said);
	if ((code == DNS_NXDOMAIN || (code == DNS_NOERROR && !dns_is_cut(said))) &&
	    !dns_is_lame(said))
		return len;
	return -1;
}

/* False if no query can be made for this name. */
static bool
make_question(struct question *question, const char *name, enum dns_type type)
{
	uint16_t id;

	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return false;
	size_t len = dns_question(question->mem + 2, id, name, type);
	octets_put16(question->mem, (uint16_t)len);
	question->octets = span(question->mem + 2, len);
	return len > 0;
}

int
nameservers_ask(struct nameservers *n, const char *name, enum dns_type type, int64_t deadline_ms,
    uint8_t answer[DNS_MESSAGE_MAX], size_t *len)
{
	struct question question;
	size_t tries = TRIES * n->count;

	if (!make_question(&question, name, type))
		return -1;
	for (size_t i = 0; i < tries; i++) {
		int64_t now = clock_ms(), share = (deadline_ms - now) / (int64_t)(tries - i);

		if (share <= 0)
			return -1;
		size_t which = i % n->count;
		ssize_t got = ask_one(&n->at[which], &question,
		    now + (share < PATIENCE_MS ? share : PATIENCE_MS), answer);
		if (got < 0)
			continue;
		struct address knows = n->at[which];
		n->at[which] = n->at[0];
		n->at[0] = knows;
		*len = (size_t)got;
		return 0;
	}
	return -1;
}
