#include "sys/dns_flight.h"

#include "base/octets.h"

#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

void
dns_flight_end(struct dns_flight *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static enum flight
flight_over(struct dns_flight *f, enum flight how)
{
	dns_flight_end(f);
	return how;
}

static struct span
question_of(const struct dns_flight *f)
{
	return span(f->mem + 2, f->question_len);
}

/* A connected socket accepts only this server's datagrams, and reports a closed port. */
static bool
open_socket(struct dns_flight *f, int type)
{
	const struct sockaddr *to = (const struct sockaddr *)&f->server.at;

	dns_flight_end(f);
	f->fd = socket(to->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return f->fd >= 0 && (connect(f->fd, to, f->server.len) == 0 || errno == EINPROGRESS);
}

/* False if no query can be made for this name. */
static bool
make_query(struct dns_flight *f, const struct dns_flight_query *query)
{
	struct {
		uint16_t id;
		uint8_t letters[DNS_CASE_LEN];
	} random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	f->question_len = dns_question(f->mem + 2, random.id, query->name, query->type);
	if (f->question_len == 0)
		return false;
	dns_mix_case(f->mem + 2, f->question_len, random.letters);
	f->query_len = f->question_len;
	if (query->dnssec)
		f->query_len = dns_want_dnssec(f->mem + 2, f->question_len, query->edns);
	octets_put16(f->mem, (uint16_t)f->query_len);
	return true;
}

enum flight
dns_flight_start(struct dns_flight *f, const struct address *server,
    const struct dns_flight_query *query, uint8_t answer[DNS_MESSAGE_MAX])
{
	f->fd = -1;
	f->stream = false;
	f->server = *server;
	f->answer = answer;
	f->answer_len = f->sent = f->received = 0;
	if (!make_query(f, query) || !open_socket(f, SOCK_DGRAM) ||
	    send(f->fd, f->mem + 2, f->query_len, 0) < 0)
		return flight_over(f, FLIGHT_FAILED);
	return FLIGHT_WAITS;
}

short
dns_flight_events(const struct dns_flight *f)
{
	return f->stream && f->sent < 2 + f->query_len ? POLLOUT : POLLIN;
}

static enum flight
flight_answered(struct dns_flight *f, size_t len, const char *name)
{
	dns_restore_case(f->answer, name);
	f->answer_len = len;
	return flight_over(f, FLIGHT_ANSWERED);
}

/*
 * An answer with other letters may come from a server that folds them, or may be forged.  TCP
 * tells: it takes more than a guess to forge an answer there.
 */
static enum flight
receive_datagram(struct dns_flight *f, const char *name)
{
	ssize_t len = recv(f->fd, f->answer, DNS_MESSAGE_MAX, 0);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? FLIGHT_WAITS :
		    flight_over(f, FLIGHT_FAILED);

	struct span message = span(f->answer, (size_t)len);
	if (!dns_is_answer(message, question_of(f)))
		return FLIGHT_WAITS;
	if (!dns_is_cut(message) && dns_is_answer_exactly(message, question_of(f)))
		return flight_answered(f, message.len, name);
	f->stream = true;
	return open_socket(f, SOCK_STREAM) ? FLIGHT_WAITS : flight_over(f, FLIGHT_FAILED);
}

/* Moves octets over TCP.  False at its end, or when it is broken. */
static bool
moved(ssize_t len, size_t *count)
{
	if (len > 0)
		*count += (size_t)len;
	return len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

/* A length precedes each message (RFC 1035 section 4.2.2). */
static enum flight
step_stream(struct dns_flight *f, const char *name)
{
	size_t len;

	if (f->sent < 2 + f->query_len)
		return moved(send(f->fd, f->mem + f->sent, 2 + f->query_len - f->sent,
			   MSG_NOSIGNAL), &f->sent) ? FLIGHT_WAITS :
		    flight_over(f, FLIGHT_FAILED);
	if (f->received < 2)
		return moved(recv(f->fd, f->prefix + f->received, 2 - f->received, 0),
			   &f->received) ? FLIGHT_WAITS : flight_over(f, FLIGHT_FAILED);
	len = octets_get16(f->prefix);
	if (f->received < 2 + len) {
		if (!moved(recv(f->fd, f->answer + f->received - 2, 2 + len - f->received, 0),
			&f->received))
			return flight_over(f, FLIGHT_FAILED);
		if (f->received < 2 + len)
			return FLIGHT_WAITS;
	}
	if (!dns_is_answer(span(f->answer, len), question_of(f)))
		return flight_over(f, FLIGHT_FAILED);
	return flight_answered(f, len, name);
}

enum flight
dns_flight_step(struct dns_flight *f, const char *name)
{
	return f->stream ? step_stream(f, name) : receive_datagram(f, name);
}
