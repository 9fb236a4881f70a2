/*
 * The socket of syslogd, used as glibc's syslog(3) does: datagrams, or a stream if syslogd listens
 * on a stream socket.  Nothing here waits: a line that cannot be sent at once is lost.
 */
#ifndef BASE_DEVLOG_H
#define BASE_DEVLOG_H

#include "base/span.h"

#define DEVLOG_PATH "/dev/log"

/*
 * Connects a new socket, not shared with any other process, to `path` (the pointer is kept).  If
 * nobody listens there, each devlog_send() tries again.
 */
void devlog_open(const char *path);

/*
 * Sends one line that ends in a NUL and is at most half a socket buffer long.  On a stream the NUL
 * is sent too and ends the line.  False if the line was lost.
 */
bool devlog_send(struct span line);

#endif
