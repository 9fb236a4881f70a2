/* Accepting connections: a process for each, when accepting ends, and lack of resources. */
#include "servers.h"

#include "sys/fd.h"

#include "children.h"

#include <errno.h>
#include <sys/resource.h>

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
it_leaves_when_idle(void **state)
{
	(void)state;
	listen_on("127.0.0.1");
	start(1);
	ends_with(ACCEPT_DONE);
	assert_int_equal(call("127.0.0.1"), -1);
}

/* Idle means without a session, and is counted from the end of the last one. */
static void
a_session_is_not_idle(void **state)
{
	const int64_t idle_ms = 300;

	(void)state;
	listen_on("127.0.0.1");
	int fd = call("127.0.0.1");	/* waits there when the server starts */
	start(idle_ms);
	assert_string_equal(hear(fd), SERVED);
	poll(NULL, 0, (int)idle_ms + 100);
	assert_int_equal(waitpid(server.pid, NULL, WNOHANG), 0);
	int64_t ended_ms = clock_ms();
	hang_up(fd);
	ends_with(ACCEPT_DONE);
	assert_true(clock_ms() - ended_ms >= idle_ms);
}

static void
sigterm_lets_sessions_finish(void **state)
{
	struct pollfd hung_up = { .events = POLLIN };
	int64_t deadline_ms = clock_ms() + PATIENCE_MS;
	int late;

	(void)state;
	listen_on("127.0.0.1");
	start(LONG_MS);
	int fd = served("127.0.0.1");
	kill(server.pid, SIGTERM);
	/* the address is free for another process at once */
	while ((late = call("127.0.0.1")) >= 0) {
		close(late);
		assert_true(clock_ms() < deadline_ms);
		poll(NULL, 0, 2);
	}
	assert_int_equal(waitpid(server.pid, NULL, WNOHANG), 0);
	hung_up.fd = fd;
	assert_int_equal(poll(&hung_up, 1, 0), 0);
	hang_up(fd);
	ends_with(ACCEPT_DONE);
}

static void
sigterm_without_a_session(void **state)
{
	(void)state;
	listen_on("127.0.0.1");
	start(LONG_MS);
	close(served("127.0.0.1"));	/* proves that the server has started */
	ends_when_told();
}

/* The process that started the server may have blocked signals. */
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
	ends_when_told();
}

/* Clients that reset before they are accepted: they are accounted for, and the next is served. */
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
	ends_when_told();
}

static int64_t
children_ran_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return 1000 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* statement 27: the server waits until there are descriptors, without spinning */
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
	ends_when_told();
	assert_true(children_ran_ms() - ran_ms < 100);
}

static void
out_of_processes(void)
{
	const struct rlimit none = { 0, 0 };

	need_or_skip(geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0));
	listen_on("127.0.0.1");
	/* the fork of the server itself precedes the limit */
	server.pid = fork();
	need(server.pid >= 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(a_process_for_each),
		WITH_SERVER(it_leaves_when_idle),
		WITH_SERVER(a_session_is_not_idle),
		WITH_SERVER(sigterm_lets_sessions_finish),
		WITH_SERVER(sigterm_without_a_session),
		WITH_SERVER(blocked_signals),
		WITH_SERVER(clients_that_are_gone),
		WITH_SERVER(threat_27_out_of_descriptors),
		WITH_SERVER(threat_27_out_of_processes),
		cmocka_unit_test(not_a_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
