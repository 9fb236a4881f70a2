/*
 * A listening socket on descriptor 0 (inetd's and xinetd's `wait`, systemd's Accept=no): a forked process for
 * each connection, within limits, until nobody has called for a while or SIGTERM says so.
 */
#ifndef SYS_ACCEPT_H
#define SYS_ACCEPT_H

#include "sys/settings.h"

enum accepted {
	ACCEPT_CLIENT,	/* in a forked process, for each connection */
	ACCEPT_DONE,
	ACCEPT_BROKEN	/* with errno */
};

/*
 * Accepts from `listen_fd`.  Descriptors 0, 1 and 2 are open, 2 is not the listening socket.
 *
 * ACCEPT_CLIENT is returned in a forked process: 0 and 1 are the connection there, the listening socket
 * is closed, and signals are at their defaults.  Connections beyond the settings' sessions and
 * sessions-per-client (an IPv4 address, an IPv6 /64) get `421 4.3.2`.  Those in proxy-from call for
 * others, and count as no client.
 *
 * The others are returned in the process that called: ACCEPT_DONE when nobody has called and no session
 * has run for `idle_ms`, or after SIGTERM, which closes the listening socket at once, when the last session
 * has ended; ACCEPT_BROKEN when there is nothing to accept from.
 */
enum accepted accept_loop(int listen_fd, const struct settings *settings, int64_t idle_ms);

/* Says `reply`, which ends in CRLF, to everybody who has called by now, and closes. */
void accept_refuse(int listen_fd, struct span reply);

#endif
