/*
 * Local sockets over which a process hands work, and the descriptors for it, to another process of
 * the same user.  A message is passed as a whole (SOCK_SEQPACKET).
 */
#ifndef SYS_HANDOVER_H
#define SYS_HANDOVER_H

#include "base/span.h"

#include <stdint.h>
#include <sys/types.h>

#define HANDOVER_PATH_MAX 108	/* octets of a socket's path, with its NUL (unix(7)) */
#define HANDOVER_FDS 2		/* descriptors with a message, at most */

/*
 * Listens on `path`, which is replaced, in a directory that only its owner can use, as descriptor
 * `fd` (close-on-exec).  0, or -1 with errno.
 */
int handover_listen(const char *path, int fd);

/* Connects, without waiting, to a process of user `uid`.  A descriptor, or -1 with errno. */
int handover_connect(const char *path, uid_t uid);

/* Accepts a connection, if there is one, from a process of user `uid`.  A descriptor, or -1. */
int handover_accept(int listen_fd, uid_t uid);

/* Makes a connected pair.  0, or -1 with errno. */
int handover_pair(int ends[2]);

/*
 * Sends a message that consists of `parts` (at most 4), with HANDOVER_FDS descriptors unless
 * `fds` is NULL; in a jail, one part without descriptors.  0, or -1 with errno; never waits.
 */
int handover_send(int fd, const struct span *parts, size_t count, const int *fds);

/*
 * Waits until `deadline_ms` (base/clock.h) for a message of at most `room` octets.  Returns its
 * length; 0 if the other end is closed; -1 with errno.  `fds`, unless NULL, gets its descriptors,
 * close-on-exec, or -1.
 */
ssize_t handover_receive(int fd, void *mem, size_t room, int *fds, int64_t deadline_ms);

#endif
