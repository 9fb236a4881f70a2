/* The socket of syslogd: datagrams or a stream, and nothing ever waits. */
#include "scratch.h"
#include "unit.h"

#include "base/devlog.h"
#include "base/log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATH scratch_path("log")
#define LINES 3000			/* more than any socket queue holds */

static int syslogd = -1, stream = -1;	/* its listening socket, and the last connection */

/* Replaces syslogd by another one. */
static void
listen_for(int type)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };

	if (syslogd >= 0)
		close(syslogd);
	if (stream >= 0)
		close(stream);
	stream = -1;
	unlink(PATH);
	snprintf(here.sun_path, sizeof(here.sun_path), "%s", PATH);
	syslogd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(syslogd, (struct sockaddr *)&here, sizeof(here)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(syslogd, 8), 0);
}

static int
begin(void **state)
{
	(void)state;
	log_open("test", LOG_USER, false);
	devlog_open(PATH);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	if (syslogd >= 0)
		close(syslogd);
	if (stream >= 0)
		close(stream);
	syslogd = stream = -1;
	unlink(PATH);
	return 0;
}

/*
 * Receives a datagram, or a stream's octets up to a NUL; returns the length, -1 if there is none.
 */
static ssize_t
next(char line[4096])
{
	int listening = 0;
	socklen_t len = sizeof(listening);
	ssize_t got = 0;

	assert_int_equal(getsockopt(syslogd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len), 0);
	if (!listening) {
		got = recv(syslogd, line, 4095, 0);
		if (got >= 0)
			line[got] = '\0';
		return got;
	}
	if (stream < 0)
		stream = accept4(syslogd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (got < 4095 && recv(stream, line + got, 1, 0) == 1)
		if (line[got++] == '\0')
			return got - 1;
	assert_int_equal(got, 0);	/* no line without its NUL */
	return -1;
}

static void
assert_next(const char *words)
{
	char line[4096], want[256];
	ssize_t len = next(line);

	assert_true(len > 0);
	assert_int_equal(len, strlen(line));
	/* <priority>Mmm dd hh:mm:ss */
	snprintf(want, sizeof(want), " test[%ld]: %s", (long)getpid(), words);
	assert_string_equal(strchr(line, '>') + strlen("Mmm dd hh:mm:ss") + 1, want);
}

static void
datagrams(void **state)
{
	char line[4096];

	(void)state;
	listen_for(SOCK_DGRAM);
	begin(NULL);
	log_line(LOG_INFO, "a=%d", 1);
	log_line(LOG_ERR, "b=%d", 2);
	assert_next("a=1");
	assert_next("b=2");
	assert_int_equal(next(line), -1);
}

static void
a_stream(void **state)
{
	char line[4096];

	(void)state;
	listen_for(SOCK_STREAM);
	begin(NULL);
	log_line(LOG_INFO, "a=%d", 1);
	log_line(LOG_ERR, "b=%d", 2);
	assert_next("a=1");
	assert_next("b=2");
	assert_int_equal(next(line), -1);
}

/* syslogd is replaced several times, also by the other kind; at first there is none. */
static void
another_syslogd(void **state)
{
	static const int types[] = { SOCK_DGRAM, SOCK_DGRAM, SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		listen_for(types[i]);
		log_line(LOG_INFO, "turn=%zu", i);
		char want[32];
		snprintf(want, sizeof(want), "turn=%zu", i);
		assert_next(want);
	}
}

/* A line is lost while syslogd is away, and the next one reports it. */
static void
syslogd_is_away(void **state)
{
	(void)state;
	log_line(LOG_INFO, "a=1");
	log_line(LOG_INFO, "a=2");
	listen_for(SOCK_DGRAM);
	log_line(LOG_INFO, "a=3");
	assert_next("log lost=2 why=syslogd-did-not-take-it");
	assert_next("a=3");
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* syslogd does not read thousands of lines: it gets only whole lines, and the number lost. */
static void
never_waits(int type)
{
	char line[4096], want[32];
	unsigned went = 0, lost = 0;

	listen_for(type);
	begin(NULL);
	double begun = seconds();
	alarm(60);
	for (unsigned i = 0; i < LINES; i++)
		log_line(LOG_INFO, "line=%u", i);
	alarm(0);
	assert_true(seconds() - begun < 30);
	while (next(line) > 0) {
		snprintf(want, sizeof(want), "]: line=%u", went++);
		assert_non_null(strstr(line, want));
	}
	assert_true(went > 0 && went < LINES);
	log_line(LOG_INFO, "there again");
	assert_true(next(line) > 0);
	assert_int_equal(sscanf(strstr(line, "log lost="), "log lost=%u", &lost), 1);
	assert_int_equal(went + lost, LINES);
	assert_next("there again");
}

static void
a_syslogd_that_does_not_read(void **state)
{
	(void)state;
	never_waits(SOCK_DGRAM);
}

static void
a_stream_that_is_not_read(void **state)
{
	(void)state;
	never_waits(SOCK_STREAM);
}

/* connect(2) does not wait either when the backlog is full. */
static void
a_stream_whose_backlog_is_full(void **state)
{
	struct sockaddr_un there = { .sun_family = AF_UNIX };
	int fds[64];

	(void)state;
	listen_for(SOCK_STREAM);
	snprintf(there.sun_path, sizeof(there.sun_path), "%s", PATH);
	for (size_t i = 0; i < 64; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(fds[i], (struct sockaddr *)&there, sizeof(there));
	}
	alarm(60);
	begin(NULL);
	log_line(LOG_INFO, "a=1");
	alarm(0);
	for (size_t i = 0; i < 64; i++)
		close(fds[i]);
}

/* Nor does a blocking pipe as standard error that nobody reads. */
static void
a_standard_error_that_is_not_read(void **state)
{
	static char much[LOG_LINE_MAX];
	int ends[2], saved = dup(STDERR_FILENO);

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	log_open("test", LOG_USER, true);
	devlog_open(PATH);
	alarm(60);
	for (int i = 0; i < 200; i++)
		log_debug("%s", much);
	alarm(0);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

/* On a stream that ends lines at newlines, a line must not contain any. */
static void
a_line_has_no_controls(void **state)
{
	(void)state;
	listen_for(SOCK_STREAM);
	begin(NULL);
	log_line(LOG_INFO, "a=%s", "1\n<22>Jan  1 00:00:00 sshd[1]: b\r\t\x7f\xc3\xa4");
	assert_next("a=1?<22>Jan  1 00:00:00 sshd[1]: b???\xc3\xa4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(datagrams, begin, end),
		cmocka_unit_test_setup_teardown(a_stream, begin, end),
		cmocka_unit_test_setup_teardown(another_syslogd, begin, end),
		cmocka_unit_test_setup_teardown(syslogd_is_away, begin, end),
		cmocka_unit_test_setup_teardown(a_syslogd_that_does_not_read, begin, end),
		cmocka_unit_test_setup_teardown(a_stream_that_is_not_read, begin, end),
		cmocka_unit_test_setup_teardown(a_stream_whose_backlog_is_full, begin, end),
		cmocka_unit_test_setup_teardown(a_standard_error_that_is_not_read, begin, end),
		cmocka_unit_test_setup_teardown(a_line_has_no_controls, begin, end),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
