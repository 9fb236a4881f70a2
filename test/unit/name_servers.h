/*
 * Name servers of the test's own, over UDP and TCP: each answers from a table, and notes what it
 * was asked.
 */
#ifndef TEST_NAME_SERVERS_H
#define TEST_NAME_SERVERS_H

#include "unit.h"

#include "base/octets.h"
#include "sys/host.h"
#include "sys/nameserver.h"
/* after sys/host.h: libc has another HOST_NAME_MAX */
#include "dns_answers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The flags of an answer. */
enum {
	SAYS = 0x8180,
	SAYS_AD = 0x81a0,
	SAYS_SERVFAIL = 0x8182,
	SAYS_NXDOMAIN = 0x8183,
	SAYS_NXDOMAIN_AD = 0x81a3,
	SAYS_CUT = 0x8380,		/* over UDP; and over TCP the answer with AD */
	SAYS_NOTHING = 0
};

/* One row of a server's table; a name or type that is not in it does not exist, without AD. */
struct row {
	const char *name;
	enum dns_type type;
	unsigned flags;
	void (*records)(void);		/* puts them; NULL: none */
	unsigned but;			/* bits, below */
};

/*
 * Says nothing to a query with EDNS; answers in lower case; answers the first query together with
 * the second one; FORMERR to a query with EDNS; answers when `servers_gather` queries have come.
 */
enum { LOSES_EDNS = 1, FOLDS = 2, WITH_NEXT = 4, NO_EDNS = 8, WITH_ALL = 16 };

#define SEEN_MAX 64

static struct seen {
	unsigned count;
	struct {
		char name[DNS_NAME_MAX];	/* with the letters that came */
		uint16_t type, id, port;
		bool stream, edns, ad;
		char server;			/* the last digit of its address */
	} at[SEEN_MAX];
} *seen;

#define GATHER_MAX 16

static unsigned servers_gather;		/* at most GATHER_MAX; to be set before servers_start() */
static unsigned answers_put;		/* records in the answer section so far */
static bool in_authority;

static void
put_wire_name(const char *name)
{
	struct span rest = span_of(name), label;

	while (span_word(&rest, '.', &label)) {
		uint8_t len = (uint8_t)label.len;

		put(span(&len, 1));
		put(label);
	}
	put(SPAN("\0"));
}

static inline void
put_record(const char *owner, enum dns_type type, struct span data)
{
	put_wire_name(owner);
	put16(type);
	put16(ns_c_in);
	put16(0);
	put16(300);
	put16((unsigned)data.len);
	put(data);
	answers_put += !in_authority;
}

static inline void
put_alias(const char *owner, const char *target)
{
	uint8_t data[DNS_NAME_MAX];
	size_t before, len;

	/* its length is known afterwards */
	put_record(owner, DNS_CNAME, span(data, 0));
	before = message_len;
	put_wire_name(target);
	len = message_len - before;
	octets_put16(message + before - 2, (uint16_t)len);
}

static inline void
put_soa(void)
{
	in_authority = true;
	put_record("example", DNS_SOA, SPAN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
}

/* Binds to 127.0.0.`server`, at any port or at that of another socket. */
static inline int
server_bound(int type, char server, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)(server - '0')) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&at, len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 8) < 0)) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* Notes a query.  Its name as text, or NULL if it is malformed. */
static const char *
note(const uint8_t *query, size_t len, bool stream, char server, uint16_t from)
{
	unsigned i = seen->count++;
	size_t at = 12;

	if (i >= SEEN_MAX || len < 17)
		return NULL;
	while (at < len && query[at] != 0)
		at += 1u + query[at];
	if (at + 5 > len || !dns_name(span(query, len), 12, at + 1, seen->at[i].name))
		return NULL;
	seen->at[i].type = octets_get16(query + at + 1);
	seen->at[i].id = octets_get16(query);
	seen->at[i].port = from;
	seen->at[i].stream = stream;
	seen->at[i].edns = octets_get16(query + 10) == 1;
	seen->at[i].ad = (query[3] & 0x20) != 0;
	seen->at[i].server = server;
	return seen->at[i].name;
}

static const struct row *
row_for(const struct row *rows, const char *name, unsigned type)
{
	static const struct row nothing = { .flags = SAYS_NXDOMAIN };

	for (; rows->name != NULL; rows++)
		if (rows->type == type && span_equal_nocase(span_of(rows->name), span_of(name)))
			return rows;
	return &nothing;
}

/* Makes the answer in `message`.  False: there is none. */
static bool
make_answer(const struct row *row, const uint8_t *query, size_t len, bool stream)
{
	bool edns = octets_get16(query + 10) == 1;
	unsigned flags = row->flags;

	if (flags == SAYS_NOTHING || (edns && (row->but & LOSES_EDNS)))
		return false;
	if (edns && (row->but & NO_EDNS))
		flags = 0x8181;
	if (flags == SAYS_CUT && stream)
		flags = SAYS_AD;
	message_len = answers_put = 0;
	in_authority = false;
	put(span(query, len - (edns ? DNS_EDNS_LEN : 0)));
	if (row->but & FOLDS)
		for (size_t i = 12; i < message_len - 4; i++)
			if (message[i] >= 'A' && message[i] <= 'Z')
				message[i] += 'a' - 'A';
	octets_put16(message + 2, (uint16_t)flags);
	if (row->records != NULL && flags != 0x8181 && flags != SAYS_CUT)
		row->records();
	octets_put16(message + 6, (uint16_t)answers_put);
	octets_put16(message + 8, in_authority);
	octets_put16(message + 10, 0);
	return true;
}

/* The number of queries that are answered together. */
static size_t
together(const struct row *row)
{
	return row->but & WITH_ALL ? servers_gather : row->but & WITH_NEXT ? 2 : 1;
}

static void
serve_datagram(int fd, const struct row *rows, char server)
{
	static struct held {
		uint8_t query[512];
		size_t len;
		struct sockaddr_in from;
		const struct row *row;
	} held[GATHER_MAX];
	static size_t held_count;
	struct held *h = &held[held_count];
	socklen_t from_len = sizeof(h->from);
	ssize_t len = recvfrom(fd, h->query, sizeof(h->query), 0, (struct sockaddr *)&h->from,
	    &from_len);

	if (len < 17)
		return;
	h->len = (size_t)len;
	const char *name = note(h->query, h->len, false, server, ntohs(h->from.sin_port));
	if (name == NULL)
		return;
	h->row = row_for(rows, name, seen->at[seen->count - 1].type);
	if (++held_count < together(h->row))
		return;
	while (held_count-- > 0) {
		h = &held[held_count];
		if (make_answer(h->row, h->query, h->len, false))
			sendto(fd, message, message_len, 0, (struct sockaddr *)&h->from, from_len);
	}
	held_count = 0;
}

static void
serve_stream(int listener, const struct row *rows, char server)
{
	uint8_t query[512], prefix[2];
	int fd = accept(listener, NULL, NULL);
	ssize_t len = fd < 0 ? -1 : recv(fd, prefix, 2, MSG_WAITALL);

	if (len == 2 && octets_get16(prefix) <= sizeof(query)) {
		len = recv(fd, query, octets_get16(prefix), MSG_WAITALL);
		const char *name = len < 17 ? NULL : note(query, (size_t)len, true, server, 0);

		if (name != NULL && make_answer(row_for(rows, name,
			seen->at[seen->count - 1].type), query, (size_t)len, true)) {
			octets_put16(prefix, (uint16_t)message_len);
			send(fd, prefix, 2, MSG_NOSIGNAL | MSG_MORE);
			send(fd, message, message_len, MSG_NOSIGNAL);
		}
	}
	if (fd >= 0)
		close(fd);
}

#define SERVERS_MAX 3

static pid_t server_pids[SERVERS_MAX];
static uint16_t server_port;

/* Starts 127.0.0.1, 127.0.0.2, ... at one port, and makes `n` of them.  Forgets what was seen. */
static inline void
servers_start(struct nameservers *n, const struct row *const *tables, size_t count)
{
	int fds[SERVERS_MAX][2];

	if (seen == NULL)
		seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(seen, 0, sizeof(*seen));
	*n = (struct nameservers){ .count = count, .dnssec = true };
	server_port = 0;
	for (size_t i = 0; i < 2 * count; i++) {
		char server = (char)('1' + i / 2);
		int type = i % 2 ? SOCK_STREAM : SOCK_DGRAM;

		fds[i / 2][i % 2] = server_bound(type, server, &server_port);
		if (fds[i / 2][i % 2] >= 0)
			continue;
		/* another program has that port: begin again */
		for (size_t j = 0; j < i; j++)
			close(fds[j / 2][j % 2]);
		server_port = 0;
		i = (size_t)-1;
	}
	for (size_t i = 0; i < count; i++) {
		char text[] = "127.0.0.1";
		struct pollfd at[2] = { { fds[i][0], POLLIN, 0 }, { fds[i][1], POLLIN, 0 } };

		text[8] = (char)('1' + i);
		assert_int_equal(address_read(&n->at[i], span_of(text), server_port), 0);
		server_pids[i] = fork();
		if (server_pids[i] != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			poll(at, 2, -1);
			if (at[0].revents)
				serve_datagram(at[0].fd, tables[i], text[8]);
			if (at[1].revents)
				serve_stream(at[1].fd, tables[i], text[8]);
		}
	}
	for (size_t i = 0; i < 2 * count; i++)
		close(fds[i / 2][i % 2]);
}

static inline void
servers_stop(void)
{
	for (size_t i = 0; i < SERVERS_MAX; i++)
		if (server_pids[i] > 0) {
			kill(server_pids[i], SIGKILL);
			waitpid(server_pids[i], NULL, 0);
			server_pids[i] = 0;
		}
}

#endif
