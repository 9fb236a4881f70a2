#include "client/tls_report.h"

#include "base/clock.h"
#include "base/log.h"
#include "client/policy_map.h"
#include "sys/dial.h"
#include "sys/resolver.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 5000		/* for all look-ups; mail must not wait for reports */

static void
tls_report_lose(struct tls_report *r, const char *why)
{
	if (!r->lost)
		log_line(LOG_NOTICE, "tlsrpt: %.200s: %s; reports are lost", r->path, why);
	r->lost = true;
}

/* Non-blocking, so that no call waits for the daemon. */
static int
connect_datagrams(const char *path)
{
	struct address to;
	int fd, why;

	if (dial_read_backend(&to, span_of(path)) < 0) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to.at, to.len) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

void
tls_report_prepare(struct tls_report *r, const struct settings *settings,
    const struct host_list *hosts, int64_t deadline_ms)
{
	int64_t patience_ms = clock_ms() + PATIENCE_MS;

	r->path = settings->tlsrpt;
	r->fd = -1;
	if (r->path[0] == '\0')
		return;
	r->fd = connect_datagrams(r->path);
	if (r->fd < 0) {
		tls_report_lose(r, strerror(errno));
		return;
	}
	if (patience_ms < deadline_ms)
		deadline_ms = patience_ms;
	for (size_t i = 0; i < hosts->count; i++)
		if (policy_map_covers(settings, &hosts->at[i]))
			tlsrpt_look_up(resolver_servers(), hosts->at[i].name, deadline_ms,
			    r->records[i]);
}

bool
tls_report_wanted(const struct tls_report *r, size_t element)
{
	return r->fd >= 0 && r->records[element][0] != '\0';
}

void
tls_report_look(void *report, struct span octets)
{
	struct tls_report *r = report;

	tlsrpt_scan(&r->scan, octets);
}

void
tls_report_send(struct tls_report *r, size_t element, struct tlsrpt_session *session)
{
	uint8_t mem[TLSRPT_DATAGRAM_MAX];
	struct buf out;
	ssize_t sent;

	if (!tls_report_wanted(r, element) || r->scan.found)
		return;
	session->record = r->records[element];
	buf_init(&out, mem, sizeof(mem));
	if (!tlsrpt_put(&out, session)) {
		tls_report_lose(r, strerror(EMSGSIZE));
		return;
	}
	struct span datagram = buf_peek(&out);
	do
		sent = send(r->fd, datagram.at, datagram.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		tls_report_lose(r, strerror(errno));
}

void
tls_report_close(struct tls_report *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}
