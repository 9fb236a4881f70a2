#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void
give_up(const char *what)
{
	perror(what);
	exit(1);
}

static double
microseconds(struct timeval t)
{
	return 1e6 * (double)t.tv_sec + (double)t.tv_usec;
}

void
cost_add(struct cost *to, const struct cost *more)
{
	to->processes += more->processes;
	to->failures += more->failures;
	to->cpu_us += more->cpu_us;
}

bool
cost_wait(struct cost *cost, pid_t pid, int options)
{
	struct rusage used;
	int status;
	pid_t done;

	do
		done = wait4(pid, &status, options, &used);
	while (done == -1 && errno == EINTR);
	if (done <= 0)
		return false;
	cost->processes++;
	cost->failures += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	cost->cpu_us += microseconds(used.ru_utime) + microseconds(used.ru_stime);
	return true;
}

void *
shared_memory(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		give_up("mmap");
	return at;
}

pid_t
fork_bound(void)
{
	fflush(NULL);
	pid_t pid = fork();

	if (pid == -1)
		give_up("fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

void
no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

int
listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&at, len) == -1 || listen(fd, 128) == -1 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) == -1)
		give_up("listening on loopback");
	*port = ntohs(at.sin_port);
	return fd;
}

int
call_loopback(uint16_t port)
{
	struct sockaddr_in at = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		give_up("calling on loopback");
	no_delay(fd);
	return fd;
}
