/*
 * The mailer that blackponyd starts for a session.
 */
#ifndef SYS_CHILD_H
#define SYS_CHILD_H

#include "sys/address.h"

#include <sys/types.h>

struct client_info {			/* what the program may know of the caller */
	struct address remote, local;	/* len 0: not known */
	bool by_hand;			/* there is none: a person at a terminal */
};

#define CHILD_ARGUMENTS_MAX 64		/* of the program, its name included */
#define CHILD_TEXT_MAX 4096		/* octets of those in which something is replaced */

/*
 * Starts argv[0] (looked up in PATH like a shell's when it has no slash) with `fd`, a socket, as descriptors
 * 0 and 1, every other descriptor but 2 closed.  2 is inherited, unless it is closed or the
 * same file as 0 or 1, as it is under inetd: then it is /dev/null.  Replaces %{client-address} and
 * %{client-port} anywhere in the arguments, and sets TCPREMOTEIP, TCPREMOTEPORT, TCPLOCALIP,
 * TCPLOCALPORT and PROTO=TCP in its environment (PROTO=TCP6 for an IPv6 caller); what is not known is
 * taken out of the environment (ours, too, is changed so), and an argument becomes "unknown" and "0".
 * TCPREMOTEHOST, TCPREMOTEINFO and REMOTE_HOST stay where TCPREMOTEIP says that they are about him.
 * Signals are at their defaults and none is blocked.
 *
 * 0, and the child's id in `*pid`; or -1 with errno.  `fd` is the caller's to close either way.  A
 * program that cannot be executed is an error here, not a dead child: the errno of its execve() comes
 * back.  Arguments too many or too long: E2BIG.
 */
int child_start(char *const argv[], const struct client_info *client, int fd, pid_t *pid);

#endif
