/*
 * Sessions over socket pairs, each in a thread of its own; the test has the other ends.  Waiting
 * for something fails after ten seconds.
 */
#ifndef TEST_SESSIONS_H
#define TEST_SESSIONS_H

#include "unit.h"

#include "crypt/sodium.h"
#include "session/session.h"
#include "sys/fd.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define LONG_MS 60000	/* enough for a megabyte under valgrind on a busy machine */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct running {
	struct session session;
	pthread_t thread;
	int wire, local;	/* the test's ends */
	int ours[2];		/* the session's ends */
	bool joined;
};

static inline struct session_limits
long_limits(void)
{
	return (struct session_limits){ LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS, LONG_MS,
		LONG_MS };
}

/* A socket pair: the first end for a session, the second for the test. */
static inline void
socket_pair(int *session_end, int *test_end)
{
	int ends[2];
	struct timeval patience = { .tv_sec = LONG_MS / 1000 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(fd_prepare(ends[0]), 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
	    0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)),
	    0);
	*session_end = ends[0];
	*test_end = ends[1];
}

/* Sets up a session with both sides; the test may change it before starting it. */
static inline void
session_up(struct running *r, struct machine machine, const struct session_limits *limits)
{
	session_start(&r->session, machine, limits);
	socket_pair(&r->ours[0], &r->wire);
	socket_pair(&r->ours[1], &r->local);
	session_wire(&r->session, r->ours[0], r->ours[0]);
	session_local(&r->session, r->ours[1], r->ours[1]);
	r->joined = true;
}

static inline void *
session_thread(void *arg)
{
	struct running *r = arg;

	session_run(&r->session);
	return NULL;
}

static inline void
session_off(struct running *r)
{
	/* the ciphers change here, and not while another thread is at a record (crypt/sodium.h) */
	sodium_expect(1 << 20);
	r->joined = false;
	assert_int_equal(pthread_create(&r->thread, NULL, session_thread, r), 0);
}

/* Waits for the session to end. */
static inline enum outcome
session_ends(struct running *r)
{
	if (!r->joined)
		pthread_join(r->thread, NULL);
	r->joined = true;
	return r->session.ended;
}

/* Shuts the test's ends, waits for the session and closes everything. */
static inline void
session_close(struct running *r)
{
	shutdown(r->wire, SHUT_RDWR);
	shutdown(r->local, SHUT_RDWR);
	session_ends(r);
	session_wipe(&r->session);
	close(r->ours[0]);
	close(r->ours[1]);
	close(r->wire);
	close(r->local);
}

static inline void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Asserts that these octets come next. */
static inline void
hear_at(int fd, const char *text, const char *file, int line)
{
	char got[4096];
	size_t len = 0, want = strlen(text);

	while (len < want) {
		ssize_t n = read(fd, got + len, want - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (len != want || memcmp(got, text, want) != 0)
		print_error("%s:%d: heard\n%.*s\ninstead of\n%s\n", file, line, (int)len, got,
		    text);
	assert_int_equal(len, want);
	assert_memory_equal(got, text, want);
}

#define hear(fd, text) hear_at(fd, text, __FILE__, __LINE__)

/* Asserts that the end of file comes next. */
static inline void
hear_eof(int fd)
{
	char octet;

	assert_int_equal(read(fd, &octet, 1), 0);
}

/* The octet at that position of what flows in one direction (0) or the other (1). */
static inline uint8_t
pattern(size_t at, int way)
{
	return (uint8_t)(at * 31 + at / 251 + (size_t)way * 7);
}

struct flow {
	int fd, way;
	size_t sent, received;
};

static inline void
flow_send(struct flow *f, size_t total)
{
	uint8_t octets[8192];
	size_t len = total - f->sent < sizeof(octets) ? total - f->sent : sizeof(octets);

	for (size_t i = 0; i < len; i++)
		octets[i] = pattern(f->sent + i, f->way);
	ssize_t n = send(f->fd, octets, len, MSG_DONTWAIT);
	assert_true(n > 0 || errno == EAGAIN);
	f->sent += n > 0 ? (size_t)n : 0;
}

static inline void
flow_receive(struct flow *f, int way)
{
	uint8_t octets[8192];
	ssize_t n = recv(f->fd, octets, sizeof(octets), MSG_DONTWAIT);

	assert_true(n > 0 || (n < 0 && errno == EAGAIN));
	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(octets[i], pattern(f->received + (size_t)i, way));
	f->received += n > 0 ? (size_t)n : 0;
}

/* Sends `total` octets in both directions at once between two of the test's ends. */
static inline void
flow_both_ways(int a, int b, size_t total)
{
	struct flow flows[2] = { { .fd = a, .way = 0 }, { .fd = b, .way = 1 } };
	bool done = false;

	while (!done) {
		struct pollfd fds[2];

		for (int i = 0; i < 2; i++)
			fds[i] = (struct pollfd){ .fd = flows[i].fd, .events =
			    (short)(POLLIN | (flows[i].sent < total ? POLLOUT : 0)) };
		assert_true(poll(fds, 2, LONG_MS) > 0);
		for (int i = 0; i < 2; i++) {
			if (fds[i].revents & POLLOUT)
				flow_send(&flows[i], total);
			if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
				flow_receive(&flows[i], 1 - i);
		}
		done = flows[0].received == total && flows[1].received == total;
	}
}

#endif
