/* Handing work and descriptors to another process of the same user. */
#include "unit.h"

#include "base/clock.h"
#include "sys/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTEN_FD 30

static char folder[32], path[64];

static int
set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/handover.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/socket", folder);
	return handover_listen(path, LISTEN_FD);
}

static int
tear_down(void **state)
{
	(void)state;
	close(LISTEN_FD);
	unlink(path);
	return rmdir(folder);
}

/* Both ends of a connection. */
static void
meet(int *client, int *server)
{
	*client = handover_connect(path, geteuid());
	assert_true(*client >= 0);
	*server = handover_accept(LISTEN_FD, geteuid());
	assert_true(*server >= 0);
}

static void
descriptors_are_passed(void **state)
{
	const struct span parts[] = { SPAN("one"), SPAN("two") };
	int client, server, ends[2], fds[HANDOVER_FDS];
	char text[16];

	(void)state;
	meet(&client, &server);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(handover_send(client, parts, 2, ends), 0);
	assert_int_equal(handover_receive(server, text, sizeof(text), fds, INT64_MAX), 6);
	assert_memory_equal(text, "onetwo", 6);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(ends[0], text, 1), 1);
	close(fds[0]);
	close(fds[1]);
	close(ends[0]);
	close(ends[1]);
	/* the end of the other process */
	close(client);
	assert_int_equal(handover_receive(server, text, sizeof(text), fds, INT64_MAX), 0);
	assert_int_equal(fds[0], -1);
	close(server);
}

static int
open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void
what_is_not_wanted_is_closed(void **state)
{
	struct span part = SPAN("far too long");
	int client, server, ends[2], fds[HANDOVER_FDS];
	char text[4];

	(void)state;
	meet(&client, &server);
	assert_int_equal(pipe(ends), 0);
	int before = open_descriptors();
	assert_int_equal(handover_send(client, &part, 1, ends), 0);
	assert_int_equal(handover_receive(server, text, sizeof(text), fds, INT64_MAX), -1);
	assert_int_equal(errno, EMSGSIZE);
	part.len = 3;
	assert_int_equal(handover_send(client, &part, 1, ends), 0);
	assert_int_equal(handover_receive(server, text, sizeof(text), NULL, INT64_MAX), 3);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(handover_receive(server, text, sizeof(text), NULL, clock_ms()), -1);
	assert_int_equal(errno, ETIMEDOUT);
	close(client);
	close(server);
	close(ends[0]);
	close(ends[1]);
}

/* statement 46 */
static void
only_the_same_user_is_served(void **state)
{
	uid_t other = geteuid() + 1;

	(void)state;
	assert_int_equal(handover_connect(path, other), -1);
	assert_int_equal(errno, EPERM);
	int waits = handover_accept(LISTEN_FD, geteuid());
	assert_true(waits >= 0);	/* which has gone */
	close(waits);
	int client = handover_connect(path, geteuid());
	assert_true(client >= 0);
	assert_int_equal(handover_accept(LISTEN_FD, other), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(handover_accept(LISTEN_FD, other), -1);
	assert_int_equal(errno, EAGAIN);
	close(client);
}

static void
a_name_is_replaced(void **state)
{
	char long_path[200];

	(void)state;
	close(LISTEN_FD);
	assert_int_equal(handover_connect(path, geteuid()), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(handover_listen(path, LISTEN_FD), 0);
	int client = handover_connect(path, geteuid());
	assert_true(client >= 0);
	close(client);
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(handover_listen(long_path, LISTEN_FD), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(handover_connect("/nonexistent/socket", geteuid()), -1);
	assert_int_equal(errno, ENOENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(descriptors_are_passed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_wanted_is_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_same_user_is_served, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_is_replaced, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
