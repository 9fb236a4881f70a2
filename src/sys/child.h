/*
 * The program that blackponyd starts as the backend of a session.
 */
#ifndef SYS_CHILD_H
#define SYS_CHILD_H

#include "sys/address.h"

#include <sys/types.h>

struct client_info {			/* the client, as told to the backend */
	struct address remote, local;	/* of its connection; len 0: unknown */
	bool by_hand;			/* there is no client, but a person at a terminal */
};

#define CHILD_ARGUMENTS_MAX 64		/* arguments, including the program's name */
#define CHILD_TEXT_MAX 4096		/* octets of arguments in which something is replaced */

/*
 * Starts argv[0] (searched in PATH if it has no slash) with `fd`, a socket, as descriptors 0 and
 * 1.  Descriptor 2 is inherited, but becomes /dev/null if it is closed or the same file as 0 or
 * 1, as under inetd.  All other descriptors are closed.  Signals have their defaults, none is
 * blocked.
 *
 * Replaces %{client-address} and %{client-port} anywhere in the arguments; unknown values become
 * "unknown" and "0".  Sets TCPREMOTEIP, TCPREMOTEPORT, TCPLOCALIP, TCPLOCALPORT and PROTO (TCP, or
 * TCP6 for an IPv6 client) in the environment, which changes ours too, and removes the variables
 * whose values are unknown.  TCPREMOTEHOST, TCPREMOTEINFO and REMOTE_HOST stay only if TCPREMOTEIP
 * was the client's address before.
 *
 * Returns 0 and the child's process ID in `*pid`, or -1 with errno: that of a failed execve(2), or
 * E2BIG for too many or too long arguments.  The caller closes `fd` in both cases.
 */
int child_start(char *const argv[], const struct client_info *client, int fd, pid_t *pid);

#endif
