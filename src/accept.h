/*
 * A listening socket on descriptor 0 (inetd's and xinetd's `wait`, systemd's Accept=no): a forked process for
 * each connection, within limits, until nobody has called for a minute or SIGTERM says so.
 */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "sys/settings.h"

/*
 * Serves `listen_fd`.  In each forked process, `serve` is called with its connection as descriptors 0 and 1
 * (and what is returned is its exit status); `context` is the caller's.  Connections beyond the settings'
 * sessions and sessions-per-client (an IPv4 address, an IPv6 /64) get `421 4.3.2`.
 * Returns 0 when nobody has called for a minute, or after SIGTERM when the last session has ended;
 * -1 with errno when there is nothing to accept from.
 */
int accept_loop(int listen_fd, const struct settings *settings, int (*serve)(void *context),
    void *context);

#endif
