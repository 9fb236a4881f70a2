/*
 * The mail log: one line for each thing worth a line.  Goes to syslog and, when asked, to
 * standard error as well.  What came off a wire is escaped and cut before it gets here.
 * A line never waits: one that cannot go at once is lost, and `log lost=N` says so when lines go again.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

#include <syslog.h>

#define LOG_VALUE_MAX 200	/* octets of one escaped value */
#define LOG_LINE_MAX 2048	/* octets of a whole line */

/* The syslog facility named, such as "mail" or "local3"; -1 when there is none of that name. */
int log_facility(struct span name);

/*
 * Opens the log under `ident` (a literal: it is kept) for `facility`.  `to_stderr` writes every
 * line to descriptor 2 as well: only for callers who know that descriptor 2 is not a peer's socket.
 * The connection to syslog is made at once, so that a jail can follow.  Reads the time zone.
 */
void log_open(const char *ident, int facility, bool to_stderr);

/* Is `-v` in force, that is, would log_debug() be seen by anybody? */
bool log_verbose(void);

/* One line. `priority` is LOG_ERR, LOG_WARNING, LOG_NOTICE or LOG_INFO. */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One line to standard error only, and only under `-v`. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Appends `s` to `out` with everything but printable ASCII as \xNN (and `\`, `"`, `=` and blanks too,
 * so that a value ends where it seems to), cut to LOG_VALUE_MAX with `...` behind it.
 */
void log_escape(struct buf *out, struct span s);

/* Appends ` name=value` to `out`, the value escaped; `-` stands for an empty one. */
void log_pair(struct buf *out, const char *name, struct span value);

#endif
