#include "base/log.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct {
	bool open, to_stderr;
	const char *ident;
	int facility;
	int fd;				/* of /dev/log; -1 for none */
} logs = { .fd = -1 };

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

static int
reach_syslog(void)
{
	static const struct sockaddr_un there = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };

	return connect(logs.fd, (const struct sockaddr *)&there, sizeof(there));
}

void
log_open(const char *ident, int facility, bool to_stderr)
{
	tzset();
	if (logs.fd < 0)
		logs.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (logs.fd >= 0)
		reach_syslog();		/* or later, where there is none yet */
	logs.open = true;
	logs.ident = ident;
	logs.facility = facility;
	logs.to_stderr = to_stderr;
}

/*
 * As syslog(3) does it in glibc; musl's has no room for our lines, and the time of another zone.  When syslogd
 * was started anew it is called again, which a jail may forbid.
 */
static void
to_syslog(int priority, const char *line)
{
	char out[LOG_LINE_MAX + 128], stamp[CLOCK_DATE_MAX];

	if (logs.fd < 0 || (setlogmask(0) & LOG_MASK(priority)) == 0)
		return;
	clock_stamp(stamp, clock_wall_s());
	int len = snprintf(out, sizeof(out), "<%d>%s %s[%ld]: %s", logs.facility | priority, stamp,
	    logs.ident, (long)getpid(), line);
	if (len <= 0 || send(logs.fd, out, (size_t)len, MSG_NOSIGNAL) >= 0)
		return;
	if (reach_syslog() == 0 && send(logs.fd, out, (size_t)len, MSG_NOSIGNAL) >= 0)
		return;		/* nowhere is left to say so */
}

bool
log_verbose(void)
{
	return logs.to_stderr;
}

/* One write a line, so that lines of several processes do not mix. */
static void
to_stderr(const char *line)
{
	char out[LOG_LINE_MAX + 64];
	int len = snprintf(out, sizeof(out), "%s[%ld]: %s\n", logs.ident, (long)getpid(), line);

	if (len > 0 && write(STDERR_FILENO, out, (size_t)len) < 0)
		return;		/* nowhere is left to say so */
}

void
log_line(int priority, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	if (!logs.open)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
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
	vsnprintf(line, sizeof(line), format, args);
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
