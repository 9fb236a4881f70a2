/*
 * STARTTLS for blackpony: TLS as the layer of a session, with the system's CA certificates.
 */
#ifndef CLIENT_STARTTLS_H
#define CLIENT_STARTTLS_H

#include "crypt/layer.h"

#include <mbedtls/x509_crt.h>

/*
 * Opens the file of CA certificates, which the jail forbids later.  Without it no certificate is
 * trusted; that shows in the log and has no other effect.
 */
void starttls_prepare(void);

/*
 * Whether the next TLS connection must use TLS 1.2 or later, with (EC)DHE and an AEAD; otherwise it
 * takes what the host has.
 */
void starttls_strict(bool required);

/*
 * session->tls_start: starts TLS towards `host`, which is a name for SNI, or an address.  0, or
 * -1.
 */
int starttls_begin(const char *host, const struct layer **layer, void **state);

/* Closes the file of CA certificates: no TLS will start any more. */
void starttls_done(void);

/*
 * The certificates that the host of the last TLS connection has sent, its own first.  NULL: the
 * handshake is not done.
 */
const mbedtls_x509_crt *starttls_chain(void);

/*
 * Whether the last TLS connection is open, with a certificate that is valid for the name that it
 * was begun with, and was issued by one of the system's authorities.
 */
bool starttls_is_verified(void);

/* Its status, such as "verified" or "expired": see tls_certificate(). */
const char *starttls_certificate(void);

/*
 * Appends lines for -t about the last TLS connection, if there was one: what it was, or that the
 * host accepts no version of TLS that is built in.
 */
void starttls_report(struct buf *out);

/* Appends " tls=... certificate=..." of the last TLS connection to a log line. */
void starttls_log(struct buf *line);

#endif
