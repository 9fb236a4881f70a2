#include "sys/child.h"

#include "sys/fd.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORT_TEXT_MAX 8

struct arguments {
	char *at[CHILD_ARGUMENTS_MAX + 1];	/* ends with NULL */
	char text[CHILD_TEXT_MAX];		/* the arguments that had something replaced */
	size_t used;
};

/* Appends to the argument being built.  -1 when there is no room. */
static int
child_append(struct arguments *arguments, const char *text, size_t len)
{
	if (len > sizeof(arguments->text) - arguments->used) {
		errno = E2BIG;
		return -1;
	}
	memcpy(arguments->text + arguments->used, text, len);
	arguments->used += len;
	return 0;
}

/* Builds one argument from `from` with everything replaced. */
static int
replace(struct arguments *arguments, const char *from, const char *address, const char *port)
{
	static const struct { const char *name; size_t len; bool port; } names[] = {
		{ "%{client-address}", sizeof("%{client-address}") - 1, false },
		{ "%{client-port}", sizeof("%{client-port}") - 1, true },
	};

	while (*from != '\0') {
		const char *piece = from;
		size_t len = 1, taken = 1;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (strncmp(from, names[i].name, names[i].len) != 0)
				continue;
			piece = names[i].port ? port : address;
			len = strlen(piece);
			taken = names[i].len;
		}
		if (child_append(arguments, piece, len) < 0)
			return -1;
		from += taken;
	}
	return child_append(arguments, "", 1);
}

static int
make_arguments(struct arguments *arguments, char *const argv[], const char *address,
    const char *port)
{
	size_t count = 0;

	arguments->used = 0;
	for (; argv[count] != NULL; count++) {
		if (count == CHILD_ARGUMENTS_MAX) {
			errno = E2BIG;
			return -1;
		}
		arguments->at[count] = argv[count];
		if (strstr(argv[count], "%{") == NULL)
			continue;
		arguments->at[count] = arguments->text + arguments->used;
		if (replace(arguments, argv[count], address, port) < 0)
			return -1;
	}
	arguments->at[count] = NULL;
	return 0;
}

static int
set_or_unset(const char *name, const char *value)
{
	return value[0] != '\0' ? setenv(name, value, 1) : unsetenv(name);
}

static void
texts(const struct address *a, char address[ADDRESS_TEXT_MAX], char port[PORT_TEXT_MAX])
{
	address_text(a, address);
	port[0] = '\0';
	if (a->len > 0)
		snprintf(port, PORT_TEXT_MAX, "%u", (unsigned int)address_port(a));
}

/*
 * Names found by a super-server (by DNS or IDENT) are about the host that connected to it.  If
 * that was a proxy, they are not about the client, and are removed.
 */
static int
forget_others(const struct address *remote)
{
	const char *known = getenv("TCPREMOTEIP");
	struct address named;

	if (known != NULL && address_read(&named, span_of(known), 0) == 0 &&
	    address_same_host(&named, remote))
		return 0;
	return unsetenv("TCPREMOTEHOST") < 0 || unsetenv("TCPREMOTEINFO") < 0 ||
	    unsetenv("REMOTE_HOST") < 0 ? -1 : 0;
}

/* Changes our own environment, since nothing in this program reads these variables. */
static int
set_environment(const struct client_info *client)
{
	char address[ADDRESS_TEXT_MAX], port[PORT_TEXT_MAX];
	const char *protocol = client->remote.len == 0 ? "" :
	    address_family(&client->remote) == AF_INET6 ? "TCP6" : "TCP";

	texts(&client->remote, address, port);
	if (forget_others(&client->remote) < 0 || set_or_unset("PROTO", protocol) < 0 ||
	    set_or_unset("TCPREMOTEIP", address) < 0 ||
	    set_or_unset("TCPREMOTEPORT", port) < 0)
		return -1;
	texts(&client->local, address, port);
	if (set_or_unset("TCPLOCALIP", address) < 0 || set_or_unset("TCPLOCALPORT", port) < 0)
		return -1;
	return 0;
}

/*
 * Under inetd descriptor 2 is the client's socket: the backend's error messages would reach the
 * client in the middle of the SMTP dialogue.
 */
static bool
stderr_is_a_peer(void)
{
	return fcntl(STDERR_FILENO, F_GETFD) < 0 ||
	    fd_same(STDERR_FILENO, STDIN_FILENO) || fd_same(STDERR_FILENO, STDOUT_FILENO);
}

/*
 * Marks all other descriptors close-on-exec, including inherited ones.  close_range(2) needs Linux
 * 5.11, and some containers forbid it.  /proc/self/fd comes next, since the limit of descriptors
 * may be a billion, or lower than an open descriptor.
 */
static void
keep_the_rest(void)
{
	const struct dirent *entry;

	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	DIR *descriptors = opendir("/proc/self/fd");
	if (descriptors == NULL) {
		for (int fd = STDERR_FILENO + 1; fd < getdtablesize(); fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
		return;
	}
	while ((entry = readdir(descriptors)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd > STDERR_FILENO)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	closedir(descriptors);
}

/* Starts the program with `fd` as 0 and 1.  Returns 0 or an errno, also that of execve(2). */
static int
spawn(char *const argv[], int fd, bool quiet, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	const short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t every, none;
	int why;

	sigfillset(&every);
	sigemptyset(&none);
	if ((why = posix_spawn_file_actions_init(&actions)) != 0)
		return why;
	if ((why = posix_spawnattr_init(&attributes)) != 0)
		goto no_attributes;
	if ((why = posix_spawnattr_setsigdefault(&attributes, &every)) != 0 ||
	    (why = posix_spawnattr_setsigmask(&attributes, &none)) != 0 ||
	    (why = posix_spawnattr_setflags(&attributes, flags)) != 0 ||
	    (why = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO)) != 0 ||
	    (why = posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)) != 0)
		goto done;
	if (quiet && (why = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
	    O_RDWR, 0)) != 0)
		goto done;
	why = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
done:
	posix_spawnattr_destroy(&attributes);
no_attributes:
	posix_spawn_file_actions_destroy(&actions);
	return why;
}

int
child_start(char *const argv[], const struct client_info *client, int fd, pid_t *pid)
{
	char address[ADDRESS_TEXT_MAX], port[PORT_TEXT_MAX];
	struct arguments arguments;

	assert(argv[0] != NULL);
	texts(&client->remote, address, port);
	if (make_arguments(&arguments, argv, address[0] != '\0' ? address : "unknown",
	    port[0] != '\0' ? port : "0") < 0 || set_environment(client) < 0)
		return -1;
	keep_the_rest();
	int why = spawn(arguments.at, fd, stderr_is_a_peer(), pid);
	if (why == 0)
		return 0;
	errno = why;
	return -1;
}
