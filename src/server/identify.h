/*
 * Who is calling blackponyd: the peer of descriptor 0, or the client that a PROXY header names.
 */
#ifndef SERVER_IDENTIFY_H
#define SERVER_IDENTIFY_H

#include "sys/child.h"
#include "sys/settings.h"

/*
 * Fills in the addresses of `client`; in a session by hand it leaves them empty.  A connection
 * from proxy-from must begin with a PROXY header.  As root, we fork to read that header: the
 * child takes the settings' user for good, enters the session's jail, and returns two addresses
 * and no more.
 *
 * 0, or -1 if the connection has to be closed without a reply; that is logged.
 */
int identify(struct client_info *client, const struct settings *settings);

#endif
