#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
serve(int listen_fd, char *const argv[], int log_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1)
		give_up("accept");
	pid_t pid = fork();
	if (pid == -1)
		give_up("fork");
	if (pid == 0) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		dup2(log_fd, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fd);
}

static void
run(int listen_fd, int stop_fd, char *const argv[], int log_fd, struct cost *cost)
{
	struct pollfd fds[2] = {
		{ .fd = listen_fd, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN }
	};

	while (fds[1].revents == 0) {
		if (poll(fds, 2, -1) == -1)
			give_up("poll");
		if (fds[0].revents != 0)
			serve(listen_fd, argv, log_fd);
		while (cost_wait(cost, -1, WNOHANG))
			continue;
	}
	while (cost_wait(cost, -1, 0))
		continue;
}

void
starter_start(struct starter *s, char *const argv[], int log_fd)
{
	int stop[2], listen_fd = listen_on_loopback(&s->port);

	if (pipe2(stop, O_CLOEXEC) == -1)
		give_up("pipe");
	s->cost = shared_memory(sizeof(*s->cost));
	*s->cost = (struct cost){ 0 };
	s->pid = fork_bound();
	if (s->pid == 0) {
		close(stop[1]);
		run(listen_fd, stop[0], argv, log_fd, s->cost);
		_exit(0);
	}
	close(listen_fd);
	close(stop[0]);
	s->stop_fd = stop[1];
}

void
starter_stop(struct starter *s, struct cost *cost)
{
	close(s->stop_fd);
	waitpid(s->pid, NULL, 0);
	cost_add(cost, s->cost);
	munmap(s->cost, sizeof(*s->cost));
}
