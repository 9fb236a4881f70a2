/* A worker's sockets, and the programs it starts. */
#include "host.h"

#include "crypt/cipher_blowfish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef BLOWFISH_BUILT_IN
#define HISTORIC "arsyfor_1.0 t32_1.0 blowfish_0.2"
#else
#define HISTORIC "arsyfor_1.0 t32_1.0"
#endif
#define SUITES "suites=chacha20poly1305_2.0 aes256gcm_2.0 " HISTORIC " rotn_0.1"

extern char **environ;

static int
listens(unsigned *port, int flags)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		give_up("a socket to listen on");
	*port = ntohs(a.sin_port);
	return fd;
}

void
host_start(struct host *h)
{
	char path[300];

	h->mail_fd = listens(&h->mail_port, SOCK_NONBLOCK);
	h->wire_fd = listens(&h->wire_port, SOCK_NONBLOCK);
	h->daemon_fd = listens(&h->daemon_port, 0);
	h->message_fd = memfd_create("message", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "%s/log-%u", h->folder, h->number);
	h->log_fd = open(h->verbose ? path : "/dev/null", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC,
	    0600);
	if (h->message_fd < 0 || h->log_fd < 0)
		give_up(path);
}

pid_t
host_spawn(const struct host *h, char *const argv[], int in, int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t signals;
	pid_t pid;

	/* ours is ignored, which is inherited */
	sigemptyset(&signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, h->log_fd, 2);
	if ((errno = posix_spawn(&pid, argv[0], &actions, &attributes, argv, environ)) != 0)
		give_up(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return pid;
}

pid_t
host_blackponyd(const struct host *h, const struct setup *set, int fd)
{
	char path[300], conf[300], cache[300], backend[60];
	char *argv[24];
	int n = 0;

	snprintf(path, sizeof(path), "%s/blackponyd", h->bin);
	snprintf(conf, sizeof(conf), "%s/empty.conf", h->folder);
	snprintf(cache, sizeof(cache), "cache=%s/cache-b", h->folder);
	snprintf(backend, sizeof(backend), "backend=127.0.0.1:%u", h->mail_port);
	argv[n++] = path;
	argv[n++] = "-C";
	argv[n++] = conf;
	if (h->verbose)
		argv[n++] = "-v";
	argv[n++] = "-o";
	argv[n++] = set != NULL && set->no_cache ? "cache=off" : cache;
	argv[n++] = "-o";
	argv[n++] = backend;
	argv[n++] = "-o";
	argv[n++] = SUITES;
	argv[n++] = "-o";
	argv[n++] = "client-address=none";
	argv[n++] = "-o";
	argv[n++] = "hostname=mx.b.example";
	argv[n++] = "-o";
	argv[n++] = set == NULL || set->mark ? "mark=yes" : "mark=no";
	argv[n] = NULL;
	return host_spawn(h, argv, fd, fd);
}

void
host_need_daemon(struct host *h)
{
	/* it ends after an idle minute */
	if (h->daemon != 0 && waitpid(h->daemon, NULL, WNOHANG) == 0)
		return;
	h->daemon = host_blackponyd(h, NULL, h->daemon_fd);
}

pid_t
host_blackpony(const struct host *h, const struct setup *set, unsigned port, int in, int out)
{
	char path[300], conf[300], cache[300], suites[80], policy[40], where[40];
	char *argv[1024];
	int n = 0;

	snprintf(path, sizeof(path), "%s/blackpony", h->bin);
	snprintf(conf, sizeof(conf), "%s/empty.conf", h->folder);
	snprintf(cache, sizeof(cache), "cache=%s/cache-a", h->folder);
	snprintf(suites, sizeof(suites), "suites=%s", set->suite);
	snprintf(policy, sizeof(policy), "policy=%s", set->policy);
	snprintf(where, sizeof(where), "[127.0.0.1]:%u", port);
	argv[n++] = path;
	argv[n++] = "-C";
	argv[n++] = conf;
	if (h->verbose)
		argv[n++] = "-v";
	argv[n++] = "-o";
	argv[n++] = set->no_cache ? "cache=off" : cache;
	argv[n++] = "-o";
	argv[n++] = "known=off";
	/* directly, no connection is kept */
	argv[n++] = "-o";
	argv[n++] = "keep-open=0";
	argv[n++] = "-o";
	argv[n++] = "hostname=host.a.example";
	argv[n++] = "-o";
	argv[n++] = suites;
	argv[n++] = "-o";
	argv[n++] = policy;
	if (set->words != NULL) {
		argv[n++] = set->words[0];
		argv[n++] = set->words[1];
	}
	argv[n++] = "--";
	argv[n++] = where;
	for (int i = 2; set->words != NULL && set->words[i] != NULL; i++)
		argv[n++] = set->words[i];
	argv[n] = NULL;
	return host_spawn(h, argv, in, out);
}

int
host_connect(unsigned port, uint64_t seed, unsigned series)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		give_up("socket");
	end_narrow(fd, seed, series);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		give_up("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		give_up("fcntl");
	return fd;
}

int
host_wait(pid_t pid, int patience_ms)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool late = fd < 0 || poll(&p, 1, patience_ms) != 1;

	if (late)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (fd >= 0)
		close(fd);
	return late ? -1 : status;
}

void
host_renew(struct host *h)
{
	host_stop(h);
	host_start(h);
}

void
host_stop(struct host *h)
{
	if (h->daemon != 0) {
		kill(h->daemon, SIGTERM);
		/* it waits for its sessions */
		host_wait(h->daemon, 2000);
		h->daemon = 0;
	}
	close(h->mail_fd);
	close(h->wire_fd);
	close(h->daemon_fd);
	close(h->message_fd);
	close(h->log_fd);
}
