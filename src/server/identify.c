#include "server/identify.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/octets.h"
#include "sys/fd.h"
#include "sys/ids.h"
#include "sys/jail.h"
#include "sys/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROXY_TIMEOUT_MS 5000
#define READER_TIMEOUT_MS (PROXY_TIMEOUT_MS + 5000)	/* and time to start */

/* From the reader to us: a result, and two addresses if that is PROXY_GOOD. */
struct said {
	uint8_t result;
	struct said_address {
		uint8_t len, octets[16], port[2];
	} remote, local;
};

static void
put_address(struct said_address *out, const struct address *a)
{
	struct span octets = address_octets(a);

	out->len = (uint8_t)octets.len;
	memcpy(out->octets, octets.at, octets.len);
	octets_put16(out->port, address_port(a));
}

/* The reader may be compromised: whatever it wrote becomes an address, or none. */
static void
get_address(struct address *out, const struct said_address *said)
{
	bool sane = said->len <= sizeof(said->octets);

	address_make(out, span(said->octets, sane ? said->len : 0), octets_get16(said->port));
}

/* The child. */
static void __attribute__((noreturn))
read_header(int fd, const struct settings *settings)
{
	struct said said = { .result = PROXY_BAD };
	struct address remote, local;
	const char *why;

	enum jail_need need = settings->jail_required ? JAIL_WHOLE : JAIL_AVAILABLE;

	if (ids_become(settings->user, &why) < 0 || jail_enter(JAIL_SESSION, 0, need, &why) < 0) {
		log_line(LOG_ERR, "PROXY header not read: the reader cannot give up root: %s",
		    why);
		_exit(1);
	}
	said.result = (uint8_t)proxy_receive(STDIN_FILENO, &remote, &local, PROXY_TIMEOUT_MS);
	if (said.result == PROXY_GOOD) {
		put_address(&said.remote, &remote);
		put_address(&said.local, &local);
	}
	_exit(write(fd, &said, sizeof(said)) == (ssize_t)sizeof(said) ? 0 : 1);
}

/*
 * What the reader writes before the deadline, or PROXY_MORE.  The pipe holds all of it, so one
 * read is enough.
 */
static enum proxy
hear(int fd, struct address *remote, struct address *local)
{
	struct said said;

	if (fd_wait(fd, POLLIN, clock_ms() + READER_TIMEOUT_MS) < 0 ||
	    read(fd, &said, sizeof(said)) != (ssize_t)sizeof(said))
		return PROXY_MORE;
	if (said.result != PROXY_GOOD)
		return said.result == PROXY_LOCAL ? PROXY_LOCAL : PROXY_BAD;
	get_address(remote, &said.remote);
	get_address(local, &said.local);
	bool same = address_family(remote) != AF_UNSPEC &&
	    address_family(remote) == address_family(local);
	return same ? PROXY_GOOD : PROXY_BAD;
}

static enum proxy
receive(const struct settings *settings, struct address *remote, struct address *local)
{
	int ends[2];

	if (geteuid() != 0)
		return proxy_receive(STDIN_FILENO, remote, local, PROXY_TIMEOUT_MS);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return PROXY_MORE;
	pid_t pid = fork();
	if (pid == 0)
		read_header(ends[1], settings);
	close(ends[1]);
	enum proxy result = pid < 0 ? PROXY_MORE : hear(ends[0], remote, local);
	close(ends[0]);
	if (pid >= 0) {
		kill(pid, SIGKILL);	/* it is done, or late */
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return result;
}

int
identify(struct client_info *client, const struct settings *settings)
{
	struct address peer;
	char text[ADDRESS_TEXT_MAX];

	if (client->by_hand)
		return 0;
	fd_peer(STDIN_FILENO, &client->remote);
	fd_own(STDIN_FILENO, &client->local);
	peer = client->remote;
	if (!settings_network_has(&settings->proxy_from, &peer))
		return 0;
	switch (receive(settings, &client->remote, &client->local)) {
	case PROXY_GOOD:
		return 0;
	case PROXY_LOCAL:
		client->remote = peer;
		fd_own(STDIN_FILENO, &client->local);
		return 0;
	default:
		address_text(&peer, text);
		log_line(LOG_WARNING, "no valid PROXY header from=[%s]:%u in proxy-from; closed",
		    text, address_port(&peer));
		return -1;
	}
}
