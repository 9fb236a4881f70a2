/*
 * Accepts connections on descriptor 0 (`wait` in inetd and xinetd, Accept=no in systemd) and
 * forks a process for each, within limits, until there was no activity for some time or SIGTERM
 * arrives.
 */
#ifndef SYS_ACCEPT_H
#define SYS_ACCEPT_H

#include "sys/settings.h"

enum accepted {
	ACCEPT_CLIENT,	/* in a forked process, once for each connection */
	ACCEPT_DONE,
	ACCEPT_BROKEN	/* with errno */
};

/*
 * Accepts from `listen_fd`.  Descriptors 0, 1 and 2 must be open, and 2 not the listening socket.
 *
 * Returns ACCEPT_CLIENT in each forked process, where descriptors 0 and 1 are the connection, the
 * listening socket is closed, and signals have their defaults.  Connections in excess of the
 * settings sessions and sessions-per-client (a client is an IPv4 address or an IPv6 /64) get `421
 * 4.3.2`.  Proxies (proxy-from) connect for many clients and are exempt from sessions-per-client.
 *
 * Returns the others in the calling process: ACCEPT_DONE when there was no connection and no
 * session for `idle_ms`; or after SIGTERM, which closes the listening socket at once, when the
 * last session has ended.  ACCEPT_BROKEN when `listen_fd` cannot be accepted from.
 */
enum accepted accept_loop(int listen_fd, const struct settings *settings, int64_t idle_ms);

/* Sends `reply`, which ends in CRLF, to every client now in the backlog, and closes. */
void accept_refuse(int listen_fd, struct span reply);

#endif
