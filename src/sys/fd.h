/*
 * File descriptors: setting them up, telling what they are, reading, writing and waiting.
 */
#ifndef SYS_FD_H
#define SYS_FD_H

#include "base/buf.h"
#include "sys/address.h"

/*
 * Sets O_NONBLOCK, except on a terminal: other processes share its flags, and poll(2) is enough
 * there.  Sets TCP_NODELAY on a TCP socket.  0, or -1 with errno.
 */
int fd_prepare(int fd);

/*
 * Tells stream sockets, listening or connected, from everything else.  A socket that its peer has
 * reset counts as connected: otherwise a client that resets at once would be taken for a terminal.
 */
enum fd_kind { FD_OTHER, FD_CONNECTED, FD_LISTENING };
enum fd_kind fd_kind(int fd);

/* True if `fd` is open. */
bool fd_is_open(int fd);

/*
 * Opens /dev/null for each of 0, 1 and 2 that is closed, so that no socket of ours gets one of
 * these numbers.
 */
void fd_fill_standard(void);

/* Closes all descriptors but 0, 1 and 2: no session inherits what our parent had open. */
void fd_close_rest(void);

/* True if both are the same file (device and inode). */
bool fd_same(int a, int b);

/*
 * The address of the peer, and our own; len 0 if there is none (not a TCP socket; reset by its
 * peer).
 */
void fd_peer(int fd, struct address *out);
void fd_own(int fd, struct address *out);

/*
 * Reads once into the free room of `b`, without waiting (`fd` is non-blocking).
 * FD_DONE: at least one octet was read.  FD_WAIT: nothing to read yet, or no room.
 */
enum fd_result { FD_DONE, FD_WAIT, FD_EOF, FD_BROKEN };
enum fd_result fd_read(int fd, struct buf *b);

/*
 * Writes the contents of `b` and takes them from it, without waiting (`fd` is non-blocking).
 * FD_DONE: all of it.  FD_WAIT: some of it is left.  Both programs ignore SIGPIPE.
 */
enum fd_result fd_write(int fd, struct buf *b);

/* True if at least one octet can be read now.  For sockets and pipes; consumes nothing. */
bool fd_has_octets(int fd);

/*
 * Waits until poll(2) reports any of `events` (or an error), at most until `deadline_ms`
 * (base/clock.h).  0, or -1 with errno; ETIMEDOUT at the deadline.
 */
int fd_wait(int fd, short events, int64_t deadline_ms);

/*
 * Writes all of `s`, waiting at most `timeout_ms`, also if `fd` is blocking: for a last reply
 * before exit.  0, or -1 with errno.
 */
int fd_write_all(int fd, struct span s, int64_t timeout_ms);

#endif
