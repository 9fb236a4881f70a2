#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	bool open, to_stderr;
	const char *ident;
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
	openlog(ident, LOG_PID | LOG_NDELAY, facility);
	logs.open = true;
	logs.ident = ident;
	logs.to_stderr = to_stderr;
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
	syslog(priority, "%s", line);
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
