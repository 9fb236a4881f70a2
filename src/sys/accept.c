#include "sys/accept.h"

#include "base/clock.h"
#include "base/log.h"
#include "sys/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REST_MS 100		/* pause when descriptors or memory have run out */
#define IPV4_CLIENT_BITS 32
#define IPV6_CLIENT_BITS 64	/* the network of one customer */

struct running {
	pid_t pid;		/* 0: unused */
	struct address client;
};

struct acceptor {
	int listen_fd;		/* -1 after SIGTERM */
	const struct settings *settings;
	struct running *running;	/* settings->sessions elements */
	uint64_t count;
	int64_t busy_ms;	/* when a connection last arrived or a session ended */
	sigset_t before, waiting;	/* signal masks: original, and while waiting */
};

static volatile sig_atomic_t terminated;

static void
on_signal(int number)
{
	if (number == SIGTERM)
		terminated = 1;
}

/* Both signals are blocked except while waiting, so that none arrives between test and wait. */
static int
catch_signals(struct acceptor *a)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t both;

	terminated = 0;
	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGCHLD);
	sigemptyset(&action.sa_mask);
	if (sigprocmask(SIG_BLOCK, &both, &a->before) < 0 ||
	    sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGCHLD, &action, NULL) < 0)
		return -1;
	/* the process that started us may have had them blocked */
	a->waiting = a->before;
	sigdelset(&a->waiting, SIGTERM);
	sigdelset(&a->waiting, SIGCHLD);
	return 0;
}

static void
reap(struct acceptor *a)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (uint64_t i = 0; i < a->settings->sessions; i++)
			if (a->running[i].pid == pid) {
				a->running[i].pid = 0;
				a->count--;
				a->busy_ms = clock_ms();
			}
}

static void
accept_remember(struct acceptor *a, pid_t pid, const struct address *client)
{
	uint64_t i = 0;

	while (a->running[i].pid != 0)
		i++;
	assert(i < a->settings->sessions);
	a->running[i] = (struct running){ pid, *client };
	a->count++;
}

static uint64_t
sessions_of(const struct acceptor *a, const struct address *client)
{
	unsigned bits = address_family(client) == AF_INET6 ? IPV6_CLIENT_BITS : IPV4_CLIENT_BITS;
	uint64_t count = 0;

	for (uint64_t i = 0; i < a->settings->sessions; i++)
		count += a->running[i].pid != 0 &&
		    address_same_network(&a->running[i].client, client, bits);
	return count;
}

/* The setting that forbids one more session for this client, or NULL. */
static const char *
accept_limit(const struct acceptor *a, const struct address *client)
{
	if (a->count >= a->settings->sessions)
		return "sessions";
	if (!settings_network_has(&a->settings->proxy_from, client) &&
	    sessions_of(a, client) >= a->settings->sessions_per_client)
		return "sessions-per-client";
	return NULL;
}

/* Each step is attempted once, so that a client that does not read delays nothing. */
static void
accept_say(int fd, struct span reply)
{
	char octets[4096];

	if (send(fd, reply.at, reply.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
	/* unread octets would turn the close into a reset, which may destroy the reply */
	shutdown(fd, SHUT_WR);
	if (recv(fd, octets, sizeof(octets), MSG_DONTWAIT) < 0 && errno != EAGAIN)
		log_debug("a client has disconnected already");
}

static void
turn_away(int fd, const struct address *client, const char *why)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(client, text);
	log_line(LOG_NOTICE, "turned away client=[%s]:%u why=%s", text, address_port(client), why);
	accept_say(fd, SPAN("421 4.3.2 Too many connections, try again later\r\n"));
}

/* In the forked process: the connection becomes descriptors 0 and 1. */
static void
become_session(const struct acceptor *a, int fd)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &a->before, NULL);
	assert(fd > STDERR_FILENO);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	if (a->listen_fd > STDERR_FILENO)
		close(a->listen_fd);
}

/* Forks a process for the connection, where true is returned, or turns the client away. */
static bool
take_in(struct acceptor *a, int fd, const struct address *client)
{
	const char *why = accept_limit(a, client);
	pid_t pid = why == NULL ? fork() : -1;

	if (pid == 0) {
		become_session(a, fd);
		return true;
	}
	if (pid < 0)
		turn_away(fd, client, why != NULL ? why : "no-process");
	else
		accept_remember(a, pid, client);
	close(fd);
	return false;
}

/*
 * Accepts one connection, if there is one.  ACCEPT_DONE: continue; ACCEPT_CLIENT: in the forked
 * process; ACCEPT_BROKEN: the listening socket cannot be used.
 */
static enum accepted
accept_one(struct acceptor *a)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	struct address client;
	/* getpeername() would fail for a client that has already disconnected */
	int fd = accept4(a->listen_fd, (struct sockaddr *)&name, &len, SOCK_CLOEXEC);

	if (fd >= 0) {
		address_from(&client, &name, len);
		a->busy_ms = clock_ms();
		return take_in(a, fd, &client) ? ACCEPT_CLIENT : ACCEPT_DONE;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/* the connection stays in the backlog, and poll() would report it at once */
		log_line(LOG_WARNING, "out of descriptors or memory for a connection; waiting");
		poll(NULL, 0, REST_MS);
		return ACCEPT_DONE;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return ACCEPT_BROKEN;
	default:
		return ACCEPT_DONE;	/* the client has disconnected */
	}
}

/* Accepts no more connections; a new process can listen on the address from now on. */
static void
stop_listening(struct acceptor *a)
{
	close(a->listen_fd);
	a->listen_fd = -1;
	fd_fill_standard();
}

/*
 * Waits for a connection, a child's exit or SIGTERM, or, while there are no sessions, until
 * nothing has happened for `idle_ms`.  True: there is a connection.
 */
static bool
wait_for_work(const struct acceptor *a, int64_t idle_ms)
{
	struct pollfd fd = { .fd = a->listen_fd, .events = POLLIN };
	int64_t left_ms = a->busy_ms + idle_ms - clock_ms();
	struct timespec patience = { 0 };

	if (left_ms > 0)
		patience = (struct timespec){ left_ms / 1000, left_ms % 1000 * 1000000 };
	return ppoll(&fd, 1, a->count > 0 ? NULL : &patience, &a->waiting) > 0;
}

static int
accept_prepare(int listen_fd)
{
	/*
	 * non-blocking: the client may be gone before we accept, or another process may accept it
	 */
	return fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK);
}

enum accepted
accept_loop(int listen_fd, const struct settings *settings, int64_t idle_ms)
{
	struct acceptor a = { .listen_fd = listen_fd, .settings = settings, .busy_ms = clock_ms() };
	enum accepted result = ACCEPT_DONE;

	a.running = calloc(settings->sessions, sizeof(a.running[0]));
	if (a.running == NULL || accept_prepare(listen_fd) < 0 || catch_signals(&a) < 0)
		result = ACCEPT_BROKEN;
	while (result == ACCEPT_DONE) {
		bool called = wait_for_work(&a, idle_ms);

		reap(&a);
		if (terminated && a.listen_fd >= 0)
			stop_listening(&a);
		if (called && a.listen_fd >= 0)
			result = accept_one(&a);
		if (a.count == 0 && (terminated || clock_ms() >= a.busy_ms + idle_ms))
			break;
	}
	int why = errno;
	free(a.running);
	errno = why;
	return result;
}

void
accept_refuse(int listen_fd, struct span reply)
{
	int fd;

	if (accept_prepare(listen_fd) < 0)
		return;
	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		accept_say(fd, reply);
		close(fd);
	}
}
