/*
 * Does a domain ask for reports about TLS (RFC 8460)?
 */
#ifndef SYS_TLSRPT_LOOKUP_H
#define SYS_TLSRPT_LOOKUP_H

#include "sys/nameserver.h"

#define TLSRPT_RECORD_MAX 1024		/* octets of the record's text, with its NUL */

/*
 * Looks up the TXT record at _smtp._tls.DOMAIN and writes its text, "v=TLSRPTv1; rua=...", to
 * `record`, NUL-terminated.  False, with "" there: there is no such record, or more than one, or it
 * could not be looked up.  A record that is too long or contains a NUL does not count.
 */
bool tlsrpt_look_up(struct nameservers *n, const char *domain, int64_t deadline_ms,
    char record[TLSRPT_RECORD_MAX]);

/* The same for an answer to that query, in which `name` owns the records. */
bool tlsrpt_read_answer(struct span answer, const char *name, char record[TLSRPT_RECORD_MAX]);

#endif
