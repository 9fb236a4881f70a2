/*
 * Who is calling blackponyd: the peer of descriptor 0, or whom a proxy in front of it names.
 */
#ifndef SERVER_IDENTIFY_H
#define SERVER_IDENTIFY_H

#include "sys/child.h"
#include "sys/settings.h"

/*
 * Fills in the addresses of `caller`, but for a session by hand.  A connection from proxy-from has to begin with a
 * PROXY header.  As root, a process of its own reads that header, which has become the settings' user for good and
 * is in the session's jail; it says no more than two addresses.
 * 0, or -1: a connection to be closed without a word, and the log says why.
 */
int identify(struct client_info *client, const struct settings *settings);

#endif
