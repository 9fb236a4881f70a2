/* The process outside: requests, passing descriptors, and its end. */
#include "sys/outside.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ADD = 1, OPEN, DESCRIPTORS, OCTETS, DIE };

#define OCTETS_MAX 66000

static struct outside o = { .fd = -1 };
static uint8_t octets[OCTETS_MAX];
static uint32_t sum;		/* the other process's; here it stays 0 */

static int
count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static int
serve(void *context, const struct outside_request *request, struct outside_answer *answer)
{
	uint32_t *total = context;

	switch (request->what) {
	case ADD:
		*total += request->number + request->octets[OUTSIDE_OCTETS - 1];
		errno = (int)*total;
		return -1;
	case OPEN:
		answer->fd = open("/dev/null", O_RDONLY);
		return 0;
	case DESCRIPTORS:
		errno = count_descriptors();
		return -1;
	case OCTETS:
		answer->octets = span(octets, request->number);
		return 0;
	case DIE:
		_exit(1);
	default:
		errno = 0;
		return -1;
	}
}

static int
ask(uint16_t what, uint32_t number, int *fd)
{
	struct outside_request request = { .what = what, .number = number };

	request.octets[OUTSIDE_OCTETS - 1] = 1;
	errno = 0;
	return outside_ask(&o, &request, fd);
}

static void
answers_with_its_own_state(void **state)
{
	(void)state;
	assert_int_equal(outside_start(&o, serve, &sum), 0);
	assert_int_equal(ask(ADD, 2, NULL), -1);
	assert_int_equal(errno, 3);
	assert_int_equal(ask(ADD, 4, NULL), -1);
	assert_int_equal(errno, 8);
	assert_int_equal(sum, 0);
	/* a failure without errno is a failure, too */
	assert_int_equal(ask(77, 0, NULL), -1);
	assert_int_equal(errno, EIO);
	outside_end(&o);
	assert_int_equal(o.fd, -1);
	outside_end(&o);
	assert_int_equal(ask(ADD, 1, NULL), -1);
	assert_int_equal(errno, ENOTCONN);
}

static void
hands_over_descriptors(void **state)
{
	struct stat null, got;
	int fd = 99, before = count_descriptors();

	(void)state;
	assert_int_equal(outside_start(&o, serve, &sum), 0);
	assert_int_equal(ask(ADD, 1, &fd), -1);
	assert_int_equal(fd, -1);
	assert_int_equal(ask(DESCRIPTORS, 0, NULL), -1);
	int there = errno;
	assert_int_equal(ask(OPEN, 0, &fd), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(fd, &got), 0);
	assert_int_equal(stat("/dev/null", &null), 0);
	assert_int_equal(got.st_rdev, null.st_rdev);
	close(fd);
	/* it keeps none open, and an unrequested one is closed here */
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(OPEN, 0, NULL), 0);
	assert_int_equal(ask(DESCRIPTORS, 0, NULL), -1);
	assert_int_equal(errno, there);
	outside_end(&o);
	assert_int_equal(count_descriptors(), before);
}

static void
hands_over_octets(void **state)
{
	static uint8_t got[OCTETS_MAX];
	static const uint32_t lengths[] = { 0, 1, OCTETS_MAX };
	struct outside_request request = { .what = OCTETS };

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(outside_start(&o, serve, &sum), 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		request.number = lengths[i];
		memset(got, 0, sizeof(got));
		assert_int_equal(outside_ask_for(&o, &request, got, sizeof(got)), lengths[i]);
		assert_memory_equal(got, octets, lengths[i]);
	}
	/* one octet too many, and a failure */
	assert_true(outside_ask_for(&o, &request, got, sizeof(got) - 1) < 0);
	assert_int_equal(errno, ECONNRESET);
	request.what = ADD;
	assert_true(outside_ask_for(&o, &request, got, sizeof(got)) < 0);
	assert_int_equal(errno, OCTETS_MAX);
	/* a descriptor that was not asked for is closed */
	int before = count_descriptors();
	request.what = OPEN;
	assert_int_equal(outside_ask_for(&o, &request, got, sizeof(got)), 0);
	assert_int_equal(count_descriptors(), before);
	outside_end(&o);
}

static void
a_request_of_another_form_ends_it(void **state)
{
	(void)state;
	assert_int_equal(outside_start(&o, serve, &sum), 0);
	assert_int_equal(write(o.fd, "x", 1), 1);
	assert_int_equal(ask(ADD, 1, NULL), -1);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	outside_end(&o);
	assert_int_equal(outside_start(&o, serve, &sum), 0);
	assert_int_equal(ask(DIE, 0, NULL), -1);
	assert_int_equal(errno, ECONNRESET);
	outside_end(&o);
}

/* Readers of our output do not have to wait for this process. */
static void
it_has_neither_input_nor_output_and_no_life_of_its_own(void **state)
{
	struct pollfd end;
	int ends[2], status;
	char octet;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[1]);
		if (outside_start(&o, serve, &sum) < 0)
			_exit(1);
		close(STDOUT_FILENO);
		pause();
	}
	close(ends[1]);
	end = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	/* the end of file arrives while both processes run */
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(ends[0], &octet, 1), 0);
	close(ends[0]);
	kill(pid, SIGKILL);
	signal(SIGCHLD, SIG_DFL);
	waitpid(pid, &status, 0);
}

/* If the session is killed, the process ends too. */
static void
it_ends_with_the_session(void **state)
{
	int ends[2];
	struct pollfd end;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], 100);		/* inherited by the process outside */
		close(ends[1]);
		if (outside_start(&o, serve, &sum) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	close(ends[1]);
	end = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_true(end.revents & POLLHUP);
	close(ends[0]);
	waitpid(pid, NULL, 0);
}

static void
without_a_process_there_is_none(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		for (int fd = 3; dup(0) >= 0; fd++)
			;
		_exit(outside_start(&o, serve, &sum) < 0 && o.fd < 0 ? 0 : 1);
	}
	int status = -1;
	signal(SIGCHLD, SIG_DFL);
	if (waitpid(pid, &status, 0) == pid)
		assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_process_there_is_none),
		cmocka_unit_test(answers_with_its_own_state),
		cmocka_unit_test(hands_over_descriptors),
		cmocka_unit_test(hands_over_octets),
		cmocka_unit_test(a_request_of_another_form_ends_it),
		cmocka_unit_test(it_has_neither_input_nor_output_and_no_life_of_its_own),
		cmocka_unit_test(it_ends_with_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
