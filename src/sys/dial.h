/*
 * Calling one address.
 */
#ifndef SYS_DIAL_H
#define SYS_DIAL_H

#include "sys/address.h"

/*
 * Connects a TCP (or, for AF_UNIX, local stream) socket to `to`, from `from` when that is not NULL
 * (its port too, 0 for any), within `timeout_ms`.  The descriptor is close-on-exec, non-blocking,
 * TCP_NODELAY.  Returns it, or -1 with errno (ETIMEDOUT after timeout_ms).
 */
int dial(const struct address *to, const struct address *from, int64_t timeout_ms);

/*
 * The same as if we were `from`, an address that is not ours (IP_TRANSPARENT, ip(7)).  Needs
 * CAP_NET_ADMIN, and routes that bring the replies back.
 */
int dial_transparent(const struct address *to, const struct address *from, int64_t timeout_ms);

/*
 * Does a connection to `to` stay on this host?  That is so for an interface's address, and for
 * one that the kernel would call from loopback or from the address itself.  True as well where
 * the kernel cannot be asked.
 */
bool dial_is_own(const struct address *to);

/*
 * Reads a backend: `address:port`, `[v6]:port`, or an absolute path of a local socket.
 * 0, or -1 when it is none of these.
 */
int dial_read_backend(struct address *out, struct span text);

#endif
