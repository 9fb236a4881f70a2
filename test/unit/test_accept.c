#include "unit.h"

#include "accept.h"
#include "base/clock.h"
#include "children.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define LONG_MS 60000		/* idle: longer than any test */
#define PATIENCE_MS 10000
#define SERVED "220 good 3\r\n"
#define TURNED_AWAY "421 4.3.2 Too many connections, try again later\r\n"

/* A process in accept_loop(), and what the tests call it by. */
static struct server {
	pid_t pid;
	int listen_fd;
	struct sockaddr_storage at;
	socklen_t len;
	struct settings settings;
} server;

static void
listen_on(const char *text)
{
	struct address a;

	assert_int_equal(address_read(&a, span_of(text), 0), 0);
	server.listen_fd = socket(a.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.listen_fd, (struct sockaddr *)&a.at, a.len), 0);
	assert_int_equal(listen(server.listen_fd, 16), 0);
	server.len = sizeof(server.at);
	assert_int_equal(getsockname(server.listen_fd, (struct sockaddr *)&server.at, &server.len), 0);
	settings_defaults(&server.settings);
}

static size_t
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		closedir(dir);
	return count - 3;	/* ".", ".." and its own */
}

/* The session: a line of who and where it is, and then until the client has hung up. */
static _Noreturn void
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

/* Exits with what accept_loop() says, and with 100 where it left a process unreaped. */
static _Noreturn void
serve(int64_t idle_ms)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(server.listen_fd, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	closefrom(STDERR_FILENO + 1);
	enum accepted result = accept_loop(STDIN_FILENO, &server.settings, idle_ms);
	if (result == ACCEPT_CLIENT)
		session();
	_exit(result != ACCEPT_BROKEN && waitpid(-1, NULL, WNOHANG) != -1 ? 100 : (int)result);
}

static void
start(int64_t idle_ms)
{
	server.pid = fork();
	assert_int_not_equal(server.pid, -1);
	if (server.pid == 0)
		serve(idle_ms);
	close(server.listen_fd);
	server.listen_fd = -1;
}

static void
ends_with(enum accepted result)
{
	int status = -1;

	assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
	server.pid = 0;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), result);
}

static int
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

/* A connection from `from`; -1 when nobody takes it. */
static int
call(const char *from)
{
	struct address a;
	int fd = socket(server.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(address_read(&a, span_of(from), 0), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a.at, a.len), 0);
	if (connect(fd, (struct sockaddr *)&server.at, server.len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The first line of what is said on a connection. */
static const char *
hear(int fd)
{
	static char text[256];
	size_t len = 0;

	memset(text, 0, sizeof(text));
	while (len < sizeof(text) - 1 && strchr(text, '\n') == NULL) {
		if (fd_wait(fd, POLLIN, clock_ms() + PATIENCE_MS) == -1)
			return "(nothing)";
		ssize_t more = read(fd, text + len, sizeof(text) - 1 - len);
		if (more <= 0)
			break;
		len += (size_t)more;
	}
	return text;
}

static int
served(const char *from)
{
	int fd = call(from);

	assert_string_equal(hear(fd), SERVED);
	return fd;
}

static void
turned_away(const char *from)
{
	char octet;
	int fd = call(from);

	assert_string_equal(hear(fd), TURNED_AWAY);
	assert_int_equal(read(fd, &octet, 1), 0);
	close(fd);
}

/* Until a place is free again, which nobody tells us. */
static int
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

static void
a_process_for_each(void **state)
{
	(void)state;
	listen_on("127.0.0.1");
	start(LONG_MS);
	int first = served("127.0.0.1"), second = served("127.0.0.1");
	close(first);
	close(second);
}

static void
no_more_than_sessions(void **state)
{
	int fds[3];

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions = 3;
	start(LONG_MS);
	fds[0] = served("127.0.0.1");
	fds[1] = served("127.0.0.2");
	fds[2] = served("127.0.0.3");
	turned_away("127.0.0.4");
	turned_away("127.0.0.4");
	close(fds[1]);
	fds[1] = served_in_the_end("127.0.0.4");
	turned_away("127.0.0.5");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void
no_more_than_sessions_of_a_client(void **state)
{
	int fds[3];

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions_per_client = 2;
	start(LONG_MS);
	fds[0] = served("127.0.0.1");
	fds[1] = served("127.0.0.1");
	turned_away("127.0.0.1");
	fds[2] = served("127.0.0.2");	/* the next address is somebody else */
	close(fds[0]);
	fds[0] = served_in_the_end("127.0.0.1");
	turned_away("127.0.0.1");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* A proxy calls for everybody. */
static void
a_proxy_is_no_client(void **state)
{
	int fds[3];

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions = 3;
	server.settings.sessions_per_client = 1;
	assert_int_equal(settings_option(&server.settings, "proxy-from=127.0.0.8/30"), 0);
	start(LONG_MS);
	for (int i = 0; i < 3; i++)
		fds[i] = served("127.0.0.9");
	turned_away("127.0.0.9");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* For those in a child; the connection stays. */
static bool
hears(const char *from, const char *line)
{
	return strcmp(hear(call(from)), line) == 0;
}

/* In a network of our own: the loopback device with these addresses. */
static void
add_address(const char *text)
{
	struct in6_ifreq request = { .ifr6_prefixlen = 128, .ifr6_ifindex = 1 };
	struct ifreq up;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	struct address a;
	int64_t deadline_ms = clock_ms() + PATIENCE_MS;

	memset(&up, 0, sizeof(up));
	strcpy(up.ifr_name, "lo");
	up.ifr_flags = IFF_UP | IFF_RUNNING;
	need_or_skip(fd != -1 && inet_pton(AF_INET6, text, &request.ifr6_addr) == 1 &&
	    ioctl(fd, SIOCSIFFLAGS, &up) == 0 && ioctl(fd, SIOCSIFADDR, &request) == 0);
	/* the kernel takes its time */
	address_read(&a, span_of(text), 0);
	while (bind(fd, (struct sockaddr *)&a.at, a.len) == -1)
		need(clock_ms() < deadline_ms);
	close(fd);
}

static void
in_a_network(void)
{
	need_or_skip(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	add_address("2001:db8:1:1::1");
	add_address("2001:db8:1:1:ffff:ffff:ffff:ffff");
	add_address("2001:db8:1:2::1");
	listen_on("2001:db8:1:2::1");
	server.settings.sessions_per_client = 2;
	start(LONG_MS);
	need(hears("2001:db8:1:1::1", SERVED));
	need(hears("2001:db8:1:1:ffff:ffff:ffff:ffff", SERVED));
	need(hears("2001:db8:1:1::1", TURNED_AWAY));
	need(hears("2001:db8:1:2::1", SERVED));	/* the next one */
}

static void
an_ipv6_client_is_a_64(void **state)
{
	(void)state;
	in_child(in_a_network);
}

/* A listener for both families: whoever calls by IPv4 is not in one /64 with all the others. */
static void
ipv4_by_an_ipv6_listener(void **state)
{
	struct sockaddr_in6 *at = (struct sockaddr_in6 *)&server.at;

	(void)state;
	listen_on("::");
	uint16_t port = at->sin6_port;
	server.settings.sessions_per_client = 1;
	start(LONG_MS);
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_port = port,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	memcpy(&server.at, &loopback, sizeof(loopback));
	server.len = sizeof(loopback);
	int first = served("127.0.0.1"), second = served("127.0.0.2");
	turned_away("127.0.0.1");
	close(first);
	close(second);
}

static void
it_leaves_when_idle(void **state)
{
	(void)state;
	listen_on("127.0.0.1");
	start(1);
	ends_with(ACCEPT_DONE);
	assert_int_equal(call("127.0.0.1"), -1);
}

/* Idle is without a session, and counts from the end of the last one. */
static void
a_session_is_not_idle(void **state)
{
	const int64_t idle_ms = 300;
	char octet;

	(void)state;
	listen_on("127.0.0.1");
	start(idle_ms);
	int fd = served("127.0.0.1");
	poll(NULL, 0, (int)idle_ms + 100);
	assert_int_equal(waitpid(server.pid, NULL, WNOHANG), 0);
	int64_t ended_ms = clock_ms();
	shutdown(fd, SHUT_WR);
	assert_int_equal(read(fd, &octet, 1), 0);
	ends_with(ACCEPT_DONE);
	assert_true(clock_ms() - ended_ms >= idle_ms);
	close(fd);
}

static void
sigterm_lets_sessions_finish(void **state)
{
	struct pollfd hung_up = { .events = POLLIN };
	int64_t deadline_ms = clock_ms() + PATIENCE_MS;
	char octet;
	int late;

	(void)state;
	listen_on("127.0.0.1");
	start(1);
	int fd = served("127.0.0.1");
	kill(server.pid, SIGTERM);
	/* somebody else can have the address at once */
	while ((late = call("127.0.0.1")) != -1) {
		close(late);
		assert_true(clock_ms() < deadline_ms);
		poll(NULL, 0, 2);
	}
	assert_int_equal(waitpid(server.pid, NULL, WNOHANG), 0);
	hung_up.fd = fd;
	assert_int_equal(poll(&hung_up, 1, 0), 0);
	shutdown(fd, SHUT_WR);
	assert_int_equal(read(fd, &octet, 1), 0);
	close(fd);
	ends_with(ACCEPT_DONE);
}

static void
sigterm_without_a_session(void **state)
{
	(void)state;
	listen_on("127.0.0.1");
	start(LONG_MS);
	close(served("127.0.0.1"));	/* so that it is there */
	kill(server.pid, SIGTERM);
	ends_with(ACCEPT_DONE);
}

/* Whoever started us may have blocked signals. */
static void
blocked_signals(void **state)
{
	sigset_t both, before;

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions = 1;
	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigprocmask(SIG_BLOCK, &both, &before);
	start(LONG_MS);
	sigprocmask(SIG_SETMASK, &before, NULL);
	for (int i = 0; i < 3; i++)
		close(served_in_the_end("127.0.0.1"));
	kill(server.pid, SIGTERM);
	ends_with(ACCEPT_DONE);
}

/* Reset before it was accepted: it counts as that client's, and the next one is served. */
static void
clients_that_are_gone(void **state)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)state;
	listen_on("127.0.0.1");
	for (int i = 0; i < 5; i++) {
		int fd = call("127.0.0.1");

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	server.settings.sessions = 8;
	start(LONG_MS);
	close(served_in_the_end("127.0.0.1"));
	kill(server.pid, SIGTERM);
	ends_with(ACCEPT_DONE);
}

static int64_t
children_ran_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return 1000 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* statement 27: it waits until there are some, and does not spin. */
static void
threat_27_out_of_descriptors(void **state)
{
	struct rlimit before, none = { 3, 3 };

	(void)state;
	int64_t ran_ms = children_ran_ms();
	listen_on("127.0.0.1");
	start(LONG_MS);
	close(served("127.0.0.1"));
	assert_int_equal(prlimit(server.pid, RLIMIT_NOFILE, NULL, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(prlimit(server.pid, RLIMIT_NOFILE, &none, NULL), 0);
	int fd = call("127.0.0.1");
	assert_int_equal(fd_wait(fd, POLLIN, clock_ms() + 250), -1);
	assert_int_equal(prlimit(server.pid, RLIMIT_NOFILE, &before, NULL), 0);
	assert_string_equal(hear(fd), SERVED);
	close(fd);
	kill(server.pid, SIGTERM);
	ends_with(ACCEPT_DONE);
	assert_true(children_ran_ms() - ran_ms < 100);
}

static void
out_of_processes(void)
{
	const struct rlimit none = { 0, 0 };

	need_or_skip(geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0));
	listen_on("127.0.0.1");
	/* the server's own fork is before the limit */
	server.pid = fork();
	need(server.pid != -1);
	if (server.pid == 0) {
		setrlimit(RLIMIT_NPROC, &none);
		serve(LONG_MS);
	}
	need(hears("127.0.0.1", TURNED_AWAY));
	need(hears("127.0.0.1", TURNED_AWAY));
	kill(server.pid, SIGKILL);
}

/* statement 27 */
static void
threat_27_out_of_processes(void **state)
{
	(void)state;
	in_child(out_of_processes);
}

/* A client, or the proxy in front of it, that has said something already hears why, and no reset. */
static void
turned_away_in_the_middle_of_a_word(void **state)
{
	int error = -1;
	socklen_t len = sizeof(error);

	(void)state;
	listen_on("127.0.0.1");
	server.settings.sessions = 1;
	start(LONG_MS);
	int first = served("127.0.0.1");
	kill(server.pid, SIGSTOP);
	int fd = call("127.0.0.1");
	assert_int_equal(write(fd, "EHLO x\r\n", 8), 8);
	kill(server.pid, SIGCONT);
	turned_away("127.0.0.1");	/* so that it is done with the other */
	assert_string_equal(hear(fd), TURNED_AWAY);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, 0);
	close(fd);
	close(first);
}

static void
not_a_listener(void **state)
{
	struct settings settings;
	int ends[2];

	(void)state;
	settings_defaults(&settings);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(accept_loop(ends[0], &settings, LONG_MS), ACCEPT_BROKEN);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(accept_loop(1000, &settings, LONG_MS), ACCEPT_BROKEN);
	assert_int_equal(errno, EBADF);
	close(ends[0]);
	close(ends[1]);
}

#define WITH_SERVER(f) cmocka_unit_test_teardown(f, end_server)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(a_process_for_each),
		WITH_SERVER(no_more_than_sessions),
		WITH_SERVER(no_more_than_sessions_of_a_client),
		WITH_SERVER(a_proxy_is_no_client),
		WITH_SERVER(an_ipv6_client_is_a_64),
		WITH_SERVER(ipv4_by_an_ipv6_listener),
		WITH_SERVER(it_leaves_when_idle),
		WITH_SERVER(a_session_is_not_idle),
		WITH_SERVER(sigterm_lets_sessions_finish),
		WITH_SERVER(sigterm_without_a_session),
		WITH_SERVER(blocked_signals),
		WITH_SERVER(clients_that_are_gone),
		WITH_SERVER(threat_27_out_of_descriptors),
		WITH_SERVER(threat_27_out_of_processes),
		WITH_SERVER(turned_away_in_the_middle_of_a_word),
		cmocka_unit_test(not_a_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
