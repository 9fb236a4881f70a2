/*
 * The socket of syslogd, as syslog(3) uses it in glibc: datagrams, or a stream where syslogd listens for a stream.
 * Nothing here waits: a line that cannot go at once is lost.
 */
#ifndef BASE_DEVLOG_H
#define BASE_DEVLOG_H

#include "base/octets.h"

#define DEVLOG_PATH "/dev/log"

/*
 * Connects to `path`, which is kept, with a socket of this process's own.  Where nobody listens, each
 * devlog_send() tries again.
 */
void devlog_open(const char *path);

/*
 * Sends one line, at most half a socket buffer long, that ends in a NUL: a stream gets that as well, as the line's
 * end.  False when the line is lost.
 */
bool devlog_send(struct span line);

#endif
