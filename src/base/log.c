#include "base/log.h"

#include "base/clock.h"
#include "base/devlog.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	bool open, to_stderr;
	const char *ident;
	int facility;
	unsigned lost;			/* lines that could not be delivered to syslogd */
} logs;

int
log_facility(struct span name)
{
	static const struct {
		const char *name;
		int facility;
	} table[] = {
		{ "mail", LOG_MAIL }, { "daemon", LOG_DAEMON }, { "user", LOG_USER },
		{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV }, { "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (span_equal_nocase(name, span_of(table[i].name)))
			return table[i].facility;
	return -1;
}

void
log_open(const char *ident, int facility, bool to_stderr)
{
	tzset();
	devlog_open(DEVLOG_PATH);
	logs.open = true;
	logs.lost = 0;			/* a parent reports its own losses */
	logs.ident = ident;
	logs.facility = facility;
	logs.to_stderr = to_stderr;
}

/*
 * Writes a line as glibc's syslog(3) does.  musl's syslog(3) cuts lines as long as ours and
 * stamps them in UTC.
 */
static bool
send_line(int priority, const char *line)
{
	char out[LOG_LINE_MAX + 128], stamp[CLOCK_DATE_MAX];

	if ((setlogmask(0) & LOG_MASK(priority)) == 0)
		return true;
	clock_stamp(stamp, clock_wall_s());
	int len = snprintf(out, sizeof(out), "<%d>%s %s[%ld]: %s", logs.facility | priority, stamp,
	    logs.ident, (long)getpid(), line);
	return len > 0 && devlog_send(span(out, (size_t)len + 1));
}

/* Lost lines are reported before the first line that can be delivered again. */
static void
to_syslog(int priority, const char *line)
{
	char text[64];

	if (logs.lost > 0) {
		snprintf(text, sizeof(text), "log lost=%u why=syslogd-did-not-take-it", logs.lost);
		if (send_line(LOG_WARNING, text))
			logs.lost = 0;
	}
	if (logs.lost > 0 || !send_line(priority, line))
		logs.lost++;
}

bool
log_verbose(void)
{
	return logs.to_stderr;
}

/*
 * Writes the line with a single write(2), so that lines of several processes do not mix.  Skips
 * it when standard error cannot take it: a pipe that polls writable takes PIPE_BUF octets at once,
 * which is more than a line.
 */
static void
to_stderr(const char *line)
{
	struct pollfd standard_error = { .fd = STDERR_FILENO, .events = POLLOUT };
	char out[LOG_LINE_MAX + 64];
	int len = snprintf(out, sizeof(out), "%s[%ld]: %s\n", logs.ident, (long)getpid(), line);

	_Static_assert(sizeof(out) <= PIPE_BUF, "a line is one write to a pipe");
	if (poll(&standard_error, 1, 0) <= 0 || (standard_error.revents & POLLOUT) == 0)
		return;
	if (len > 0 && write(STDERR_FILENO, out, (size_t)len) < 0)
		return;		/* a failure cannot be reported anywhere */
}

/* Replaces control characters that were not escaped: a line feed would end the line early. */
static void
format_line(char line[LOG_LINE_MAX], const char *format, va_list args)
{
	vsnprintf(line, LOG_LINE_MAX, format, args);
	for (char *c = line; *c != '\0'; c++)
		if ((*c > 0 && *c < ' ') || *c == 0x7f)
			*c = '?';
}

void
log_line(int priority, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	if (!logs.open)
		return;
	va_start(args, format);
	format_line(line, format, args);
	va_end(args);
	to_syslog(priority, line);
	if (logs.to_stderr)
		to_stderr(line);
}

void
log_debug(const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	if (!logs.to_stderr)
		return;
	va_start(args, format);
	format_line(line, format, args);
	va_end(args);
	to_stderr(line);
}

void
log_escape(struct buf *out, struct span s)
{
	size_t used = 0;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t octet = s.at[i];
		bool plain = octet > ' ' && octet < 0x7f && octet != '\\' &&
		    octet != '"' && octet != '=';
		size_t len = plain ? 1 : 4;

		if (used + len > LOG_VALUE_MAX) {
			buf_put(out, SPAN("..."));
			return;
		}
		if (plain)
			buf_put(out, span(&octet, 1));
		else
			buf_printf(out, "\\x%02x", octet);
		used += len;
	}
}

void
log_pair(struct buf *out, const char *name, struct span value)
{
	buf_printf(out, " %s=", name);
	if (value.len == 0)
		buf_put(out, SPAN("-"));
	log_escape(out, value);
}
