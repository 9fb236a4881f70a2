#include "server/backend.h"

#include "smtp/dialog.h"
#include "smtp/xclient.h"
#include "sys/dial.h"
#include "sys/fd.h"
#include "sys/netns.h"
#include "sys/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Why this client-address does not work with a program, or with a server; NULL: it does. */
static const char *
wrong_for_program(enum client_address how)
{
	switch (how) {
	case CLIENT_ADDRESS_AUTO:
	case CLIENT_ADDRESS_NONE:
	case CLIENT_ADDRESS_NETNS:
		return NULL;
	default:
		return "this client-address is for a server, at the address in the setting backend; "
		       "a program takes netns (or none)";
	}
}

static const char *
wrong_for_backend(enum client_address how, const struct address *to)
{
	switch (how) {
	case CLIENT_ADDRESS_AUTO:
		return "client-address = auto is for programs; for a server, use proxy-v1 or proxy-v2 "
		       "(Postfix, Exim, OpenSMTPD), xclient (Postfix), transparent (any, on this "
		       "host), or none, and check with -t that it does not relay";
	case CLIENT_ADDRESS_NETNS:
		return "client-address = netns is for programs; a server takes proxy-v1, proxy-v2, "
		       "xclient or transparent (or none)";
	case CLIENT_ADDRESS_TRANSPARENT:
		if (address_family(to) == AF_UNSPEC)
			return "client-address = transparent needs a TCP backend; a local socket takes "
			       "proxy-v1, proxy-v2 or xclient (or none)";
		return NULL;
	case CLIENT_ADDRESS_NONE:
		if (address_family(to) == AF_INET6 && dial_is_own(to))
			return "client-address = none with an IPv6 address of this host: to the mailer, "
			       "every client would look like this host, for which it may relay; use "
			       "127.0.0.1, which gets connections from 127.0.0.25, or proxy-v1, "
			       "proxy-v2, xclient or transparent";
		return NULL;
	default:
		return NULL;
	}
}

/* Fails with a text for the administrator ... */
static int
fail(struct backend *b, const char *error)
{
	b->error = error;
	b->error_number = 0;
	return -1;
}

/* ... and with errno. */
static int
fail_errno(struct backend *b, const char *error)
{
	b->error = error;
	b->error_number = errno;
	return -1;
}

int
backend_check(struct backend *b, char *const argv[], const struct settings *settings)
{
	const char *wrong;
	struct address to;

	b->fd = -1;
	b->pid = 0;
	b->greeted = false;
	b->error = NULL;
	snprintf(b->text, sizeof(b->text), "%s", argv[0] != NULL ? argv[0] : settings->backend);
	if (argv[0] != NULL && settings->backend[0] != '\0')
		wrong = "a program and the setting backend are given; only one can be the mailer";
	else if (argv[0] != NULL)
		wrong = wrong_for_program(settings->client_address);
	else if (dial_read_backend(&to, span_of(settings->backend)) < 0)
		wrong = "none given: name a program, or an address in the setting backend";
	else
		wrong = wrong_for_backend(settings->client_address, &to);
	return wrong == NULL ? 0 : fail(b, wrong);
}

/* What to change where no namespace can be made for the client's address. */
static const char *
why_no_namespace(enum netns_forbidden by)
{
#define WHY(what) "no network namespace for the client's address: " what ", or start blackponyd " \
	"as root, or set client-address = none and see with -t if it relays"
	switch (by) {
	case NETNS_USER_LIMIT:
		return WHY("raise the sysctl user.max_user_namespaces, which is 0");
	case NETNS_NET_LIMIT:
		return WHY("raise the sysctl user.max_net_namespaces, which is 0");
	case NETNS_NO_CLONE:
		return WHY("set the sysctl kernel.unprivileged_userns_clone, which is 0, to 1");
	case NETNS_APPARMOR:
		return WHY("load an AppArmor profile for blackponyd with the rule userns "
			   "(sysctl kernel.apparmor_restrict_unprivileged_userns is 1)");
	default:
		return WHY("allow user namespaces (sysctl user.max_user_namespaces, "
			   "kernel.unprivileged_userns_clone)");
	}
#undef WHY
}

/*
 * Makes the socket that the program gets as descriptors 0 and 1: a connection from the client's
 * address if possible.  Never pipes: sendmail and Exim trust the user at the other end of a pipe.
 */
static int
make_ends(struct backend *b, const struct settings *settings, const struct client_info *client,
    int ends[2])
{
	bool true_address = settings->client_address == CLIENT_ADDRESS_NETNS ||
	    (settings->client_address == CLIENT_ADDRESS_AUTO && !client->by_hand);
	const char *step;

	if (!true_address)
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? 0 :
		    fail_errno(b, "no socket pair");
	if (address_family(&client->remote) == AF_UNSPEC)
		return fail(b,
		    "the client has no TCP address to pass on; client-address = none needs none");
	if (netns_connect(&client->remote, &client->local, ends, &step) == 0)
		return 0;
	return fail_errno(b, why_no_namespace(netns_forbidden()));
}

static int
start_program(struct backend *b, char *const argv[], const struct settings *settings,
    const struct client_info *client)
{
	int ends[2];

	if (make_ends(b, settings, client, ends) < 0)
		return -1;
	if (fd_prepare(ends[0]) < 0 || child_start(argv, client, ends[1], &b->pid) < 0) {
		fail_errno(b, "the program cannot be started");
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	close(ends[1]);
	b->fd = ends[0];
	return 0;
}

/*
 * The source address for a backend on this host.  It may relay for 127.0.0.1 and for the
 * addresses of this host's interfaces, but hardly for 127.0.0.25.  IPv6 has no such address.
 */
static const struct address *
stranger_on_this_host(const struct address *to, struct address *from)
{
	if (address_family(to) != AF_INET || !dial_is_own(to))
		return NULL;
	address_read(from, SPAN("127.0.0.25"), 0);
	return from;
}

static int
dial_as_client(struct backend *b, const struct address *to, const struct client_info *client,
    int64_t timeout_ms)
{
	struct address from = client->remote;
	char text[ADDRESS_TEXT_MAX];

	if (address_family(&from) != address_family(to))
		return fail(b,
		    "client-address = transparent: client and backend are not of the same "
		    "address family (IPv4, IPv6); run a blackponyd for each family");
	b->fd = dial_transparent(to, &from, timeout_ms);
	if (b->fd < 0 && (errno == EADDRINUSE || errno == EADDRNOTAVAIL)) {
		/* the port is in use, by the client itself if it is on this host: take another */
		address_text(&from, text);
		address_read(&from, span_of(text), 0);
		b->fd = dial_transparent(to, &from, timeout_ms);
	}
	if (b->fd >= 0)
		return 0;
	return fail_errno(b,
	    errno == EPERM ?
		"client-address = transparent needs CAP_NET_ADMIN: start blackponyd as root" :
		"it cannot be reached from the client's address: transparent needs rules that "
		"bring its replies back, see blackpony.conf(5)");
}

static int
dial_backend(struct backend *b, const struct settings *settings, const struct client_info *client)
{
	struct address to, from;

	dial_read_backend(&to, span_of(settings->backend));
	if (settings->client_address == CLIENT_ADDRESS_TRANSPARENT)
		return dial_as_client(b, &to, client, settings->connect_timeout_ms);
	/* for the other ways too: a backend that ignores them sees this address */
	b->fd = dial(&to, stranger_on_this_host(&to, &from), settings->connect_timeout_ms);
	return b->fd >= 0 ? 0 : fail_errno(b, "it cannot be reached");
}

/*
 * Sends the PROXY header, in one write.  A header without addresses would make the backend use
 * ours, so that fails; a client that resets its connection at once has no address.
 */
static int
send_proxy_header(struct backend *b, const struct settings *settings,
    const struct client_info *client)
{
	uint8_t mem[PROXY_V1_MAX + PROXY_V2_HEAD];
	struct buf header;

	if (address_family(&client->remote) == AF_UNSPEC ||
	    address_family(&client->remote) != address_family(&client->local))
		return fail(b,
		    "the client has no TCP address for a PROXY header; client-address = none "
		    "needs none");
	buf_init(&header, mem, sizeof(mem));
	if (settings->client_address == CLIENT_ADDRESS_PROXY_V1)
		proxy_put_v1(&header, &client->remote, &client->local);
	else
		proxy_put_v2(&header, &client->remote, &client->local);
	if (fd_write_all(b->fd, buf_peek(&header), settings->connect_timeout_ms) == 0)
		return 0;
	return fail_errno(b, "it does not take the PROXY header");
}

/* Fails if the backend refuses XCLIENT: it would take the client for this host. */
int
backend_introduce(struct backend *b, const struct settings *settings,
    const struct client_info *client, struct session *session)
{
	const struct session_limits limits = {
		.command_ms = settings->command_timeout_ms, .linger_ms = 1000 };
	char text[ADDRESS_TEXT_MAX], address[ADDRESS_TEXT_MAX + 8] = "[UNAVAILABLE]";
	static struct xclient xclient;
	struct machine machine = { &xclient, xclient_step, dialog_fault };

	if (b->pid != 0 || settings->client_address != CLIENT_ADDRESS_XCLIENT)
		return 0;
	address_text(&client->remote, text);
	if (text[0] != '\0')
		snprintf(address, sizeof(address), "%s%s",
		    address_family(&client->remote) == AF_INET6 ? "IPV6:" : "", text);
	xclient_start(&xclient, settings->hostname, address, address_port(&client->remote));
	session_start(session, machine, &limits);
	session_wire(session, b->fd, b->fd);
	session_local(session, -1, -1);
	session->stays_open = true;
	if (session_run(session) != OUTCOME_DONE)
		return fail(b,
		    xclient.step == XCLIENT_GREETING ?
			"its greeting is not 220" :
			"it refuses XCLIENT: list our address (127.0.0.25 on loopback) in its "
			"smtpd_authorized_xclient_hosts, or use another client-address");
	reply_copy(&b->greeting, &xclient.reply);
	b->greeted = true;
	return 0;
}

int
backend_open(struct backend *b, char *const argv[], const struct settings *settings,
    const struct client_info *client)
{
	if (backend_check(b, argv, settings) < 0)
		return -1;
	if (argv[0] != NULL)
		return start_program(b, argv, settings, client);
	if (dial_backend(b, settings, client) < 0)
		return -1;
	if (settings->client_address != CLIENT_ADDRESS_PROXY_V1 &&
	    settings->client_address != CLIENT_ADDRESS_PROXY_V2)
		return 0;
	if (send_proxy_header(b, settings, client) == 0)
		return 0;
	close(b->fd);
	return -1;
}
