#include "accept.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define IDLE_MS 60000
#define REST_MS 100		/* when there are no descriptors, processes or memory */
#define IPV6_CLIENT_BITS 64	/* what one customer has */

struct running {
	pid_t pid;		/* 0: a free place */
	struct address client;
};

struct acceptor {
	int listen_fd;
	const struct settings *settings;
	struct running *running;	/* settings->sessions of them */
	uint64_t count;
};

static volatile sig_atomic_t terminated, child_ended;

static void
on_signal(int number)
{
	if (number == SIGTERM)
		terminated = 1;
	else
		child_ended = 1;
}

/* Both are blocked but while we wait, so that none is missed. */
static int
catch_signals(sigset_t *before)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &both, before) == -1)
		return -1;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGTERM, &action, NULL) == -1 || sigaction(SIGCHLD, &action, NULL) == -1
	    ? -1 : 0;
}

static void
reap(struct acceptor *a)
{
	pid_t pid;

	child_ended = 0;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (uint64_t i = 0; i < a->settings->sessions; i++)
			if (a->running[i].pid == pid) {
				a->running[i].pid = 0;
				a->count--;
			}
}

static unsigned
client_bits(const struct address *client)
{
	return address_family(client) == AF_INET6 ? IPV6_CLIENT_BITS : 32;
}

static uint64_t
sessions_of(const struct acceptor *a, const struct address *client)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < a->settings->sessions; i++)
		count += a->running[i].pid != 0 &&
		    address_same_network(&a->running[i].client, client, client_bits(client));
	return count;
}

static void
turn_away(int fd, const struct address *client, const char *why)
{
	char text[FD_ADDRESS_MAX];

	address_text(client, text);
	log_line(LOG_NOTICE, "turned away client=[%s]:%u why=%s", text, address_port(client), why);
	/* one attempt: nobody waits for somebody who does not read */
	if (send(fd, "421 4.3.2 Too many connections, try again later\r\n", 49,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug("he did not hear it");
}

static int
become_session(int fd, const sigset_t *mask, int (*serve)(void *), void *context)
{
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1)
		return 1;
	if (fd > STDERR_FILENO)
		close(fd);
	return serve(context);
}

static void
remember(struct acceptor *a, pid_t pid, const struct address *client)
{
	for (uint64_t i = 0; i < a->settings->sessions; i++)
		if (a->running[i].pid == 0) {
			a->running[i] = (struct running){ pid, *client };
			a->count++;
			return;
		}
}

/* One connection: a process of its own, or turned away. */
static void
take_in(struct acceptor *a, int fd, const sigset_t *mask, int (*serve)(void *), void *context)
{
	struct address client;
	pid_t pid;

	fd_peer(fd, &client);
	if (a->count >= a->settings->sessions) {
		turn_away(fd, &client, "sessions");
	} else if (sessions_of(a, &client) >= a->settings->sessions_per_client) {
		turn_away(fd, &client, "sessions-per-client");
	} else if ((pid = fork()) == 0) {
		exit(become_session(fd, mask, serve, context));
	} else if (pid == -1) {
		turn_away(fd, &client, "no-process");
	} else {
		remember(a, pid, &client);
	}
	close(fd);
}

/* Waits for a connection, the end of a child, a signal, or for so long. */
static int
wait_for_work(const struct acceptor *a, int64_t timeout_ms, const sigset_t *mask)
{
	struct pollfd fd = { .fd = terminated ? -1 : a->listen_fd, .events = POLLIN };
	struct timespec patience = {
		.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000 };

	return ppoll(&fd, 1, timeout_ms < 0 ? NULL : &patience, mask);
}

/* 0, or -1 when the listening socket itself is no good. */
static int
accept_one(struct acceptor *a, const sigset_t *mask, int (*serve)(void *), void *context)
{
	int fd = accept4(a->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd != -1) {
		take_in(a, fd, mask, serve, context);
		return 0;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		/* it is still there, and poll would say so at once */
		log_line(LOG_WARNING, "no descriptor or memory for a connection; waiting");
		poll(NULL, 0, REST_MS);
		return 0;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
	case EOPNOTSUPP:
		return -1;
	default:
		return 0;	/* the connection was gone again */
	}
}

int
accept_loop(int listen_fd, const struct settings *settings, int (*serve)(void *context),
    void *context)
{
	struct acceptor a = { .listen_fd = listen_fd, .settings = settings };
	int64_t idle_since = clock_ms();
	sigset_t mask;
	int result = 0;

	a.running = calloc(settings->sessions, sizeof(a.running[0]));
	if (a.running == NULL || catch_signals(&mask) == -1 ||
	    fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK) == -1) {
		free(a.running);
		return -1;
	}
	for (;;) {
		int64_t left = idle_since + IDLE_MS - clock_ms();

		if (a.count == 0 && (terminated || left <= 0))
			break;
		int ready = wait_for_work(&a, a.count > 0 ? -1 : left, &mask);
		if (child_ended)
			reap(&a);
		if (ready > 0 && (result = accept_one(&a, &mask, serve, context)) == -1)
			break;
		if (ready > 0 || a.count > 0)
			idle_since = clock_ms();
	}
	free(a.running);
	return result;
}
