/*
 * Reports to tlsrpt-collectd about sessions with TLS (smtp/tlsrpt.h), if the setting tlsrpt names
 * its socket.  Mail never waits for a report: one that cannot be sent at once is lost.
 */
#ifndef CLIENT_TLS_REPORT_H
#define CLIENT_TLS_REPORT_H

#include "smtp/tlsrpt.h"
#include "sys/host.h"
#include "sys/settings.h"
#include "sys/tlsrpt_lookup.h"

struct tls_report {
	int fd;				/* -1: none are sent */
	const char *path;
	bool lost;			/* the log has said that a report is lost */
	struct tlsrpt_scan scan;	/* of what the local MTA sends */
	char records[HOST_LIST_MAX][TLSRPT_RECORD_MAX];	/* by element; "": it wants none */
};

/*
 * Connects the socket, and looks up which of the domains want reports; the jail forbids both
 * later.  Only domains that policy_map_covers() are looked up.
 */
void tls_report_prepare(struct tls_report *r, const struct settings *settings,
    const struct host_list *hosts, int64_t deadline_ms);

/* Whether the domain of that element wants reports, and they can be sent. */
bool tls_report_wanted(const struct tls_report *r, size_t element);

/*
 * Sends a report, with `record` set to that of the element, unless one of the messages so far is a
 * report itself (RFC 8460 section 3).
 */
void tls_report_send(struct tls_report *r, size_t element, struct tlsrpt_session *session);

/* For session->local_seen: looks for a report among the messages.  `report`: struct tls_report. */
void tls_report_look(void *report, struct span octets);

void tls_report_close(struct tls_report *r);

#endif
