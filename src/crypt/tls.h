/*
 * TLS as a client, for hosts that have STARTTLS and no XCRYPT (RFC 3207, mbedTLS's).  Octets in, octets out;
 * no descriptors.
 *
 * Certificates are looked at and the verdict is told, but none is required: against somebody who only
 * listens any will do, as with XCRYPT.
 */
#ifndef CRYPT_TLS_H
#define CRYPT_TLS_H

#include "crypt/layer.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

struct tls {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	mbedtls_x509_crt roots;
	bool started, open, failed, ended, we_ended;
	bool nameless;			/* called by address: no name to compare */
	bool owes;			/* something of its own had nowhere to go */
	size_t sealed;			/* plain octets of the record that only went in part */
	uint32_t verdict;		/* mbedTLS's flags about the certificate */
	int error;			/* mbedTLS's, of the last call that failed */
	struct buf *wire_in, *wire_out;	/* for the length of one call */
};

/* The functions for a struct tls as state. */
extern const struct layer tls_layer;

/*
 * Begins, with `host` as the name to ask for and to check; NULL: there is none.  `roots` are certificates in PEM, NUL-terminated
 * and `roots_len` octets with the NUL; none when it is NULL, and then nothing verifies.
 * 0, or -1: no memory.  The handshake moves on with each open() and seal().
 */
int tls_start(struct tls *t, const char *host, const uint8_t *roots, size_t roots_len);

/* "TLSv1.2 TLS-ECDHE-RSA-...": version and suite, once it is open.  "" before. */
void tls_describe(const struct tls *t, char *out, size_t out_len);

/* What is to be said of the certificate: "verified", "not-trusted", "expired", "wrong-name", ... */
const char *tls_certificate(const struct tls *t);

#endif
