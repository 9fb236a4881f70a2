/*
 * A TCP connection whose peer is who we say: made in a network namespace of our own, where every address is
 * local, and used from outside of it.  A program that gets one end as its descriptors 0 and 1 sees the
 * true client with getpeername(2), as if nothing stood before it (network_namespaces(7)).
 */
#ifndef SYS_NETNS_H
#define SYS_NETNS_H

#include "sys/address.h"

/*
 * Makes a connection from `remote` to `local`.  ends[0] is the client's end, ends[1] the server's; both
 * close-on-exec.  Needs CAP_SYS_ADMIN, CAP_NET_ADMIN and, for port 25, CAP_NET_BIND_SERVICE; or a kernel
 * that allows user namespaces to everybody.
 * 0; or -1 with errno and, in `*step`, a literal that says what failed.
 */
int netns_connect(const struct address *remote, const struct address *local, int ends[2],
    const char **step);

#endif
