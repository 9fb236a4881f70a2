/*
 * The client of a socketmap daemon, with a daemon of the test's own.
 */
#include "unit.h"

#include "addresses.h"
#include "base/clock.h"
#include "descriptors.h"
#include "scratch.h"
#include "sys/fd.h"
#include "sys/socketmap.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>

#define PATIENCE_MS 60000
#define MAP "postfix"
#define KEY "b.example"
#define QUESTION "17:postfix b.example,"

static struct socketmap_answer answer;
static struct address place;
static pid_t daemon_pid;

static int
end_daemon(void **state)
{
	(void)state;
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
	daemon_pid = 0;
	return 0;
}

#define WITH_DAEMON(test) cmocka_unit_test_teardown(test, end_daemon)

/* Reads the question, and exits with 1 if it is another one. */
static void
hear_question(int fd)
{
	char got[sizeof(QUESTION)] = "";
	size_t len = 0;

	while (len < strlen(QUESTION)) {
		ssize_t more = read(fd, got + len, strlen(QUESTION) - len);

		if (more <= 0)
			_exit(1);
		len += (size_t)more;
	}
	if (strcmp(got, QUESTION) != 0)
		_exit(1);
}

/* Serves one client on a listening socket: answers in pieces of `step` octets, or hangs. */
static void
serve_on(int listen_fd, struct span says, size_t step, bool hangs)
{
	daemon_pid = fork();
	assert_int_not_equal(daemon_pid, -1);
	if (daemon_pid > 0) {
		close(listen_fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = accept(listen_fd, NULL, NULL);
	hear_question(fd);
	while (says.len > 0) {
		size_t len = says.len < step ? says.len : step;

		if (send(fd, says.at, len, MSG_NOSIGNAL) != (ssize_t)len)
			break;
		says = span_from(says, len);
		if (step < 100)
			poll(NULL, 0, 1);	/* so that it is read in pieces */
	}
	if (hangs)
		pause();
	_exit(0);
}

static void
serve(struct span says, size_t step, bool hangs)
{
	int listen_fd = bound_to("127.0.0.1");

	assert_int_equal(listen(listen_fd, 1), 0);
	fd_own(listen_fd, &place);
	serve_on(listen_fd, says, step, hangs);
}

static enum socketmap_said
ask_until(int64_t deadline_ms)
{
	size_t before = open_descriptors();

	socketmap_ask(&answer, &place, MAP, KEY, deadline_ms);
	assert_int_equal(open_descriptors(), before);
	return answer.said;
}

static enum socketmap_said
ask(void)
{
	return ask_until(clock_ms() + PATIENCE_MS);
}

static void
an_entry_is_found(void **state)
{
	(void)state;
	serve(SPAN("27:OK secure match=mx.b.example,"), 1000, true);
	/* the length is one too small */
	assert_int_equal(ask(), SOCKETMAP_UNKNOWN);
	end_daemon(NULL);
	serve(SPAN("28:OK secure match=mx.b.example,"), 1000, true);
	assert_int_equal(ask(), SOCKETMAP_OK);
	assert_span(answer.text, "secure match=mx.b.example");
}

static void
the_answer_may_come_in_pieces(void **state)
{
	(void)state;
	serve(SPAN("9:NOTFOUND ,"), 1, true);
	assert_int_equal(ask(), SOCKETMAP_NOT_FOUND);
	assert_int_equal(answer.text.len, 0);
}

static void
a_local_socket_serves_too(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char text[128];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", scratch_path("map"));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	snprintf(text, sizeof(text), "unix:%s", scratch_path("map"));
	assert_int_equal(socketmap_read_place(&place, span_of(text)), 0);
	serve_on(fd, SPAN("12:TEMP no idea,"), 1000, true);
	assert_int_equal(ask(), SOCKETMAP_TEMP);
	assert_span(answer.text, "no idea");
}

static void
who_hangs_up_has_not_answered(void **state)
{
	(void)state;
	serve(SPAN("12:TEMP no id"), 1000, false);
	assert_int_equal(ask(), SOCKETMAP_SILENT);
	assert_int_not_equal(answer.error, 0);
	assert_int_equal(answer.text.len, 0);
}

static void
nobody_there_is_no_answer(void **state)
{
	int fd = bound_to("127.0.0.1");

	(void)state;
	fd_own(fd, &place);
	assert_int_equal(ask(), SOCKETMAP_SILENT);
	assert_int_equal(answer.error, ECONNREFUSED);
	close(fd);
}

static void
one_deadline_is_for_all(void **state)
{
	(void)state;
	serve(SPAN("12:TEMP"), 1000, true);
	assert_int_equal(ask_until(clock_ms() + 50), SOCKETMAP_SILENT);
	assert_int_equal(answer.error, ETIMEDOUT);
	end_daemon(NULL);
	/* a daemon that never stops sending does not extend it */
	serve(SPAN("16000:"), 1, true);
	assert_int_equal(ask_until(clock_ms() - 1), SOCKETMAP_SILENT);
	assert_int_equal(answer.error, ETIMEDOUT);
}

/* An answer of `len` octets. */
static enum socketmap_said
ask_for_long(size_t len)
{
	static char says[SOCKETMAP_ANSWER_MAX + 64];
	size_t head = (size_t)snprintf(says, sizeof(says), "%zu:OK ", len);

	memset(says + head, 'a', len - 3);
	says[head + len - 3] = ',';
	serve(span(says, head + len - 2), sizeof(says), true);
	return ask();
}

static void
an_answer_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(ask_for_long(SOCKETMAP_ANSWER_MAX), SOCKETMAP_OK);
	assert_int_equal(answer.text.len, SOCKETMAP_ANSWER_MAX - 3);
	end_daemon(NULL);
	assert_int_equal(ask_for_long(SOCKETMAP_ANSWER_MAX + 1), SOCKETMAP_UNKNOWN);
	assert_int_equal(answer.text.len, 0);
}

static void
a_question_has_a_limit(void **state)
{
	static char key[600];
	int fd = bound_to("127.0.0.1");

	(void)state;
	memset(key, 'a', sizeof(key) - 1);
	assert_int_equal(listen(fd, 1), 0);
	fd_own(fd, &place);
	socketmap_ask(&answer, &place, MAP, key, clock_ms() + PATIENCE_MS);
	assert_int_equal(answer.said, SOCKETMAP_SILENT);
	assert_int_equal(answer.error, EMSGSIZE);
	close(fd);
}

static enum netstring
netstring(const char *text)
{
	struct span content = span(NULL, 0);
	enum netstring found = socketmap_netstring(span_of(text), 100, &content);

	assert_int_equal(content.at != NULL, found == NETSTRING_WHOLE);
	return found;
}

static void
netstrings_are_strict(void **state)
{
	static const char *const whole[] = { "0:,", "1:a,", "1:,,", "3:a:b,", "1:a,rest",
		"2:\n\r," };
	static const char *const more[] = { "", "1", "1:", "1:a", "100", "100:" };
	static const char *const broken[] = { ":", ":,", "a", "-1:", "+1:a,", " 1:a,", "1 :a,",
		"01:a,", "00:,", "1:ab", "0:a", "101", "101:", "999999", "1x:a,", "000001:a," };

	(void)state;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		assert_int_equal(netstring(whole[i]), NETSTRING_WHOLE);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		assert_int_equal(netstring(more[i]), NETSTRING_MORE);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(netstring(broken[i]), NETSTRING_BROKEN);
}

static void
words_are_those_of_the_protocol(void **state)
{
	static const struct {
		const char *content;
		enum socketmap_said said;
		const char *text;
	} rows[] = {
		{ "OK secure", SOCKETMAP_OK, "secure" },
		{ "OK", SOCKETMAP_OK, "" },
		{ "OK  a b", SOCKETMAP_OK, " a b" },
		{ "NOTFOUND ", SOCKETMAP_NOT_FOUND, "" },
		{ "NOTFOUND", SOCKETMAP_NOT_FOUND, "" },
		{ "TEMP why", SOCKETMAP_TEMP, "why" },
		{ "TIMEOUT why not", SOCKETMAP_TIMEOUT, "why not" },
		{ "PERM why", SOCKETMAP_PERM, "why" },
		{ "", SOCKETMAP_UNKNOWN, "" },
		{ " OK a", SOCKETMAP_UNKNOWN, "" },
		{ "ok a", SOCKETMAP_UNKNOWN, "" },
		{ "OKAY a", SOCKETMAP_UNKNOWN, "" },
		{ "220 mx.b.example ESMTP", SOCKETMAP_UNKNOWN, "" },
	};
	struct span text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(socketmap_read(span_of(rows[i].content), &text), rows[i].said);
		assert_span(text, rows[i].text);
	}
}

static void
assert_place(const char *text, const char *expected, uint16_t port)
{
	char found[ADDRESS_TEXT_MAX];

	assert_int_equal(socketmap_read_place(&place, span_of(text)), 0);
	address_text(&place, found);
	assert_string_equal(found, expected);
	assert_int_equal(address_port(&place), port);
}

static void
places_are_literals(void **state)
{
	static const char *const wrong[] = { "", "inet:", "unix:", "unix:map", "127.0.0.1:8461",
		"/map", "inet:/map", "inet:127.0.0.1", "inet:127.0.0.1:", "inet:127.0.0.1:0",
		"inet:127.0.0.1:65536", "inet:::1:8461", "inet:map.example:8461", "inet:localhost",
		"inet:localhost:x", "inet:8461@127.0.0.1",
		"socketmap:inet:127.0.0.1:8461:postfix" };
	static char long_path[200], long_host[400];

	(void)state;
	assert_place("inet:127.0.0.1:8461", "127.0.0.1", 8461);
	assert_place("inet:localhost:8461", "127.0.0.1", 8461);
	assert_place("inet:[::1]:8461", "::1", 8461);
	assert_int_equal(socketmap_read_place(&place, SPAN("unix:/run/map")), 0);
	assert_int_equal(place.at.ss_family, AF_UNIX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(socketmap_read_place(&place, span_of(wrong[i])), -1);
	memset(long_path, 'a', sizeof(long_path) - 1);
	memcpy(long_path, "unix:/", 6);
	assert_int_equal(socketmap_read_place(&place, span_of(long_path)), -1);
	memset(long_host, '1', sizeof(long_host) - 1);
	memcpy(long_host, "inet:localhost:", 15);
	assert_int_equal(socketmap_read_place(&place, span_of(long_host)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DAEMON(an_entry_is_found),
		WITH_DAEMON(the_answer_may_come_in_pieces),
		WITH_DAEMON(a_local_socket_serves_too),
		WITH_DAEMON(who_hangs_up_has_not_answered),
		cmocka_unit_test(nobody_there_is_no_answer),
		WITH_DAEMON(one_deadline_is_for_all),
		WITH_DAEMON(an_answer_has_a_limit),
		cmocka_unit_test(a_question_has_a_limit),
		cmocka_unit_test(netstrings_are_strict),
		cmocka_unit_test(words_are_those_of_the_protocol),
		cmocka_unit_test(places_are_literals),
	};

	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
