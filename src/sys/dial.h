/*
 * Connecting to one address.
 */
#ifndef SYS_DIAL_H
#define SYS_DIAL_H

#include "sys/address.h"

/*
 * Connects a TCP socket (a local stream socket for AF_UNIX) to `to` within `timeout_ms`.  If
 * `from` is not NULL, the socket is bound to it; port 0 there means any.  Returns a descriptor
 * that is close-on-exec, non-blocking and has TCP_NODELAY, or -1 with errno: ETIMEDOUT after
 * `timeout_ms`.
 */
int dial(const struct address *to, const struct address *from, int64_t timeout_ms);

/*
 * The same, with an address of another host as `from` (IP_TRANSPARENT, ip(7)).  Needs
 * CAP_NET_ADMIN, and routes that bring the replies back.
 */
int dial_transparent(const struct address *to, const struct address *from, int64_t timeout_ms);

/*
 * Whether a connection to `to` stays on this host: `to` is an interface's address, or the kernel
 * would connect from loopback or from the same address.  Also true when the kernel cannot be
 * asked.
 */
bool dial_is_own(const struct address *to);

/*
 * Parses a backend: `address:port`, `[v6]:port`, or the absolute path of a local socket.  0, or -1
 * for anything else.
 */
int dial_read_backend(struct address *out, struct span text);

#endif
