/*
 * TLS as a client, by mbedTLS, for hosts that offer STARTTLS (RFC 3207) and no XCRYPT.  Octets in,
 * octets out; no descriptors.
 *
 * The certificate is checked and the result reported, but no result is required: as with XCRYPT,
 * any certificate protects against an eavesdropper.
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
	bool owes;			/* an alert could not be written while reading */
	size_t sealed;			/* length of the write that mbedTLS has yet to finish */
	uint32_t verdict;		/* mbedTLS's flags about the certificate */
	int error;			/* mbedTLS's code of the last call that failed */
	struct buf *wire_in, *wire_out;	/* only set during a call */
};

/* The functions of the layer; its state is a struct tls. */
extern const struct layer tls_layer;

/*
 * Starts TLS.  `host` is the name to send as SNI and to compare with the certificate; NULL:
 * none.  `roots` are trusted certificates in PEM, NUL-terminated, of `roots_len` octets including
 * the NUL; with NULL nothing verifies.  0, or -1: no memory.  Each open() and seal() continues
 * the handshake.
 */
int tls_start(struct tls *t, const char *host, const uint8_t *roots, size_t roots_len);

/* Writes version and suite, "TLSv1.2 TLS-ECDHE-RSA-...", or "" before the handshake is done. */
void tls_describe(const struct tls *t, char *out, size_t out_len);

/* The certificate's status for the log: "verified", "not-trusted", "expired", "wrong-name", ... */
const char *tls_certificate(const struct tls *t);

#endif
