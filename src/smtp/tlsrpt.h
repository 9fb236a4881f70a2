/*
 * Reports about TLS (RFC 8460): one session as a datagram of JSON for tlsrpt-collectd, in the form
 * that libtlsrpt sends.  The daemon sums them up and sends the reports.  No descriptors here.
 */
#ifndef SMTP_TLSRPT_H
#define SMTP_TLSRPT_H

#include "base/buf.h"
#include "smtp/tls_policy.h"
#include "sys/dns_tlsa.h"

#define TLSRPT_DATAGRAM_MAX 32768	/* octets */

enum tlsrpt_policy {			/* "policy-type" */
	TLSRPT_TLSA = 1,
	TLSRPT_STS = 2,
	TLSRPT_NO_POLICY = 9
};

enum tlsrpt_failure {			/* RFC 8460 section 4.3, with libtlsrpt's numbers */
	TLSRPT_SUCCESS = 0,
	TLSRPT_STARTTLS_NOT_SUPPORTED = 201,
	TLSRPT_CERTIFICATE_HOST_MISMATCH = 202,
	TLSRPT_CERTIFICATE_NOT_TRUSTED = 203,
	TLSRPT_CERTIFICATE_EXPIRED = 204,
	TLSRPT_VALIDATION_FAILURE = 205,
	TLSRPT_TLSA_INVALID = 304,
	TLSRPT_DNSSEC_INVALID = 305,
	TLSRPT_DANE_REQUIRED = 306
};

struct tlsrpt_session {
	const char *domain;			/* where the message goes */
	const char *record;			/* its TLSRPT record (sys/tlsrpt_lookup.h) */
	enum tlsrpt_policy policy;
	const char *policy_domain;		/* TLSRPT_TLSA: the base name; else the domain */
	const struct dns_tlsa_list *tlsa;	/* TLSRPT_TLSA: the records */
	const struct tls_policy *sts;		/* TLSRPT_STS: for its patterns */
	enum tlsrpt_failure failure;
	/* about the failure; each may be NULL */
	const char *host, *address;		/* of the mail host */
	const char *reason;			/* for people; octets of any kind */
};

/*
 * Appends the datagram, which is ASCII.  Policy strings and patterns that do not fit are left out.
 * False, with `out` undefined, if the rest does not fit into TLSRPT_DATAGRAM_MAX octets.
 */
bool tlsrpt_put(struct buf *out, const struct tlsrpt_session *session);

/*
 * Tells a message that is a report itself (RFC 8460 section 5.3) from others by its field
 * TLS-Report-Domain.  It looks at the beginning of every line, so a line like that in the text
 * counts, too.  Start with all zero.
 */
struct tlsrpt_scan {
	size_t matched;			/* octets of the line that agree with it */
	bool inside;			/* the line has begun otherwise */
	bool found;
};

/* Looks at the next octets of what is sent; sets `found` if they have that field. */
void tlsrpt_scan(struct tlsrpt_scan *scan, struct span octets);

#endif
