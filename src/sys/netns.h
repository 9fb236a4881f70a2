/*
 * Makes a TCP connection with an arbitrary peer address, in a network namespace of its own where
 * every address is local (network_namespaces(7)); it is then used outside of the namespace.  A
 * program that gets one end as descriptors 0 and 1 sees the client's address with getpeername(2),
 * as if the client had connected to it.
 */
#ifndef SYS_NETNS_H
#define SYS_NETNS_H

#include "sys/address.h"

/*
 * Makes a connection from `remote` to `local`.  ends[0] is the client's end, ends[1] the
 * server's; both are close-on-exec.  Needs CAP_SYS_ADMIN, CAP_NET_ADMIN and, for port 25,
 * CAP_NET_BIND_SERVICE; or a kernel that permits user namespaces to all users.  0, or -1 with
 * errno and in `*step` a literal that says what failed.
 */
int netns_connect(const struct address *remote, const struct address *local, int ends[2],
    const char **step);

/* What forbids user namespaces here; for the words after netns_connect() has failed. */
enum netns_forbidden {
	NETNS_UNKNOWN,
	NETNS_USER_LIMIT,	/* sysctl user.max_user_namespaces = 0 */
	NETNS_NET_LIMIT,	/* sysctl user.max_net_namespaces = 0 */
	NETNS_NO_CLONE,		/* sysctl kernel.unprivileged_userns_clone = 0 (Debian) */
	NETNS_APPARMOR		/* sysctl kernel.apparmor_restrict_unprivileged_userns = 1 (Ubuntu) */
};

/* Reads these sysctls.  Keeps errno. */
enum netns_forbidden netns_forbidden(void);

#endif
