/*
 * A DNS query in flight: one query, one server, one socket.  Over UDP first, from a port of its
 * own; over TCP if the answer was truncated or does not repeat the letters of the question.
 * Several can be in flight at the same time: no function here waits.
 */
#ifndef SYS_DNS_FLIGHT_H
#define SYS_DNS_FLIGHT_H

#include "sys/dns.h"
#include "sys/address.h"

enum flight {
	FLIGHT_WAITS,			/* for events on its socket */
	FLIGHT_ANSWERED,		/* an answer to the query has come, with any RCODE */
	FLIGHT_FAILED			/* the server is unreachable, or its answer is malformed */
};

struct dns_flight {
	int fd;				/* -1: none */
	bool stream;			/* over TCP */
	struct address server;
	uint8_t mem[2 + DNS_QUERY_MAX];	/* begins with the length, for TCP */
	size_t question_len, query_len;	/* octets after that, without and with the OPT record */
	uint8_t prefix[2];		/* the length that precedes an answer over TCP */
	size_t sent, received;		/* octets over TCP, lengths included */
	uint8_t *answer;
	size_t answer_len;
};

/*
 * Sends a query with a new random ID and random letter case.  `answer` is the caller's, of
 * DNS_MESSAGE_MAX octets.  `dnssec`: as dns_want_dnssec(); `edns` counts only then.  FLIGHT_WAITS
 * or FLIGHT_FAILED, then without a socket.
 */
struct dns_flight_query {
	const char *name;
	enum dns_type type;
	bool dnssec, edns;
};
enum flight dns_flight_start(struct dns_flight *f, const struct address *server,
    const struct dns_flight_query *query, uint8_t answer[DNS_MESSAGE_MAX]);

/* The events of poll(2) that it waits for. */
short dns_flight_events(const struct dns_flight *f);

/*
 * Continues after such an event.  After FLIGHT_ANSWERED, `answer_len` is set, and the question in
 * the answer has its letters as in `name` again.  The socket is closed unless FLIGHT_WAITS.
 */
enum flight dns_flight_step(struct dns_flight *f, const char *name);

/* Closes the socket, if there is one. */
void dns_flight_end(struct dns_flight *f);

#endif
