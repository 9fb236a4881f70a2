/*
 * The mail log, on syslog and optionally on standard error as well.  Callers escape and shorten
 * what came from the network (log_escape, log_pair).  Logging never waits: a line that cannot be
 * delivered at once is lost, and `log lost=N` reports it when lines can be delivered again.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

#include <syslog.h>

#define LOG_VALUE_MAX 200	/* octets of an escaped value */
#define LOG_LINE_MAX 2048	/* octets of a line, including the NUL */

/* The number of a syslog facility such as "mail" or "local3"; -1 for an unknown name. */
int log_facility(struct span name);

/*
 * Opens the log under the name `ident` (the pointer is kept) with syslog's `facility`, and reads
 * the time zone.  Connects to syslogd at once, so that a jail can follow.  With `to_stderr`, every
 * line goes to descriptor 2 as well; the caller must know that it is not a peer's socket.
 */
void log_open(const char *ident, int facility, bool to_stderr);

/* Whether lines also go to standard error (`-v`), so that log_debug() has an effect. */
bool log_verbose(void);

/* Logs one line.  `priority` is LOG_ERR, LOG_WARNING, LOG_NOTICE or LOG_INFO. */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes one line to standard error only, and only under `-v`. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Appends `s` to `out`.  Blanks, `\`, `"`, `=` and everything but printable ASCII are written as
 * \xNN, so that a value cannot be mistaken for two pairs.  After LOG_VALUE_MAX octets the rest is
 * replaced by `...`.
 */
void log_escape(struct buf *out, struct span s);

/* Appends ` name=value` to `out` with the value escaped; an empty value is written as `-`. */
void log_pair(struct buf *out, const char *name, struct span value);

#endif
