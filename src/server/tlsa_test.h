/*
 * What the DNS says of this host in TLSA records, for -t.
 */
#ifndef SERVER_TLSA_TEST_H
#define SERVER_TLSA_TEST_H

#include "server/serve_tls.h"

/*
 * Looks up the TLSA records of this host's name, and prints whether they match the certificate and
 * the host key that clients get; `files` is from serve_tls_read() and `said` from
 * hostkey_cmd_read().  0, or -1 if hosts that use DANE cannot send to this host.
 */
int tlsa_test(const struct options *o, const struct serve_tls_files *files,
    const struct hostkey_statements *said);

#endif
