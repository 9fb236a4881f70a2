/*
 * A server, which is a process in accept_loop(), and its clients.  Each session sends a line and
 * waits until its client has hung up.
 */
#ifndef TEST_SERVERS_H
#define TEST_SERVERS_H

#include "unit.h"

#include "addresses.h"
#include "base/clock.h"
#include "descriptors.h"
#include "sys/accept.h"
#include "sys/fd.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define LONG_MS 60000		/* an idle time longer than any test */
#define PATIENCE_MS 10000
#define SERVED "220 good 3\r\n"
#define TURNED_AWAY "421 4.3.2 Too many connections, try again later\r\n"

static struct server {
	pid_t pid;
	int listen_fd;
	struct address at;
	struct settings settings;
} server;

static inline void
listen_on(const char *text)
{
	server.listen_fd = bound_to(text);
	assert_int_equal(listen(server.listen_fd, 16), 0);
	fd_own(server.listen_fd, &server.at);
	settings_defaults(&server.settings);
}

/* A session: sends a line about what it finds, then waits for the client to hang up. */
static inline _Noreturn void
session(void)
{
	struct sigaction term, child;
	sigset_t blocked;
	char octet;

	sigaction(SIGTERM, NULL, &term);
	sigaction(SIGCHLD, NULL, &child);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	bool good = fd_same(STDIN_FILENO, STDOUT_FILENO) && fd_kind(STDIN_FILENO) == FD_CONNECTED &&
	    term.sa_handler == SIG_DFL && child.sa_handler == SIG_DFL &&
	    !sigismember(&blocked, SIGCHLD);
	dprintf(STDOUT_FILENO, "220 %s %zu\r\n", good ? "good" : "bad", open_descriptors());
	while (read(STDIN_FILENO, &octet, 1) > 0)
		continue;
	_exit(0);
}

/* Exits with the result of accept_loop(), or with 100 if it left a process unreaped. */
static inline _Noreturn void
serve(int64_t idle_ms)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(server.listen_fd, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	closefrom(STDERR_FILENO + 1);
	enum accepted result = accept_loop(STDIN_FILENO, &server.settings, idle_ms);
	if (result == ACCEPT_CLIENT)
		session();
	_exit(result != ACCEPT_BROKEN && waitpid(-1, NULL, WNOHANG) >= 0 ? 100 : (int)result);
}

static inline void
start(int64_t idle_ms)
{
	server.pid = fork();
	assert_int_not_equal(server.pid, -1);
	if (server.pid == 0)
		serve(idle_ms);
	close(server.listen_fd);
	server.listen_fd = -1;
}

static inline void
ends_with(enum accepted result)
{
	int status = -1;

	assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
	server.pid = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), result);
}

static inline void
ends_when_told(void)
{
	kill(server.pid, SIGTERM);
	ends_with(ACCEPT_DONE);
}

static inline int
end_server(void **state)
{
	(void)state;
	if (server.pid > 0) {
		kill(server.pid, SIGKILL);
		waitpid(server.pid, NULL, 0);
	}
	server.pid = 0;
	return 0;
}

#define WITH_SERVER(test) cmocka_unit_test_teardown(test, end_server)

/* A connection from `from`; -1 if it is not accepted. */
static inline int
call(const char *from)
{
	int fd = bound_to(from);

	assert_int_not_equal(fd, -1);
	if (connect(fd, (struct sockaddr *)&server.at.at, server.at.len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The first line received on a connection. */
static inline const char *
hear(int fd)
{
	static char text[256];
	size_t len = 0;

	memset(text, 0, sizeof(text));
	while (len < sizeof(text) - 1 && strchr(text, '\n') == NULL) {
		if (fd_wait(fd, POLLIN, clock_ms() + PATIENCE_MS) < 0)
			return "(nothing)";
		ssize_t more = read(fd, text + len, sizeof(text) - 1 - len);
		if (more <= 0)
			break;
		len += (size_t)more;
	}
	return text;
}

static inline int
served(const char *from)
{
	int fd = call(from);

	assert_string_equal(hear(fd), SERVED);
	return fd;
}

static inline void
turned_away(const char *from)
{
	char octet;
	int fd = call(from);

	assert_string_equal(hear(fd), TURNED_AWAY);
	assert_int_equal(read(fd, &octet, 1), 0);
	close(fd);
}

/* Waits until a session has ended and its place is free, which is not signalled. */
static inline int
served_in_the_end(const char *from)
{
	int64_t deadline_ms = clock_ms() + PATIENCE_MS;

	for (;;) {
		int fd = call(from);

		if (strcmp(hear(fd), SERVED) == 0)
			return fd;
		close(fd);
		assert_true(clock_ms() < deadline_ms);
		poll(NULL, 0, 2);
	}
}

/* The same for use in a child; the connection stays open. */
static inline bool
hears(const char *from, const char *line)
{
	return strcmp(hear(call(from)), line) == 0;
}

/* Closes the connection, which ends the session. */
static inline void
hang_up(int fd)
{
	char octet;

	shutdown(fd, SHUT_WR);
	assert_int_equal(read(fd, &octet, 1), 0);
	close(fd);
}

#endif
