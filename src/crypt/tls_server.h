/*
 * TLS as a server, for blackponyd's STARTTLS (RFC 3207).  ECDHE and AEAD only, TLS 1.2 or later.
 * The layer is tls_layer; clients show no certificate.
 */
#ifndef CRYPT_TLS_SERVER_H
#define CRYPT_TLS_SERVER_H

#include "crypt/tls.h"

/*
 * Starts TLS with a certificate chain and its key, in the forms of certificate_open().  Both are
 * parsed here, so that the caller can wipe them.  `ticket` is the key for session tickets and is
 * copied; NULL: no tickets.  The private key is wiped when the handshake ends.  0, or -1: no
 * memory, or one of the two cannot be parsed.  Whether they belong together was checked before.
 */
int tls_server_start(struct tls *t, struct span chain, struct span key,
    const struct tls_ticket *ticket);

#endif
