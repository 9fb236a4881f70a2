/*
 * TLS as a layer, by mbedTLS, for STARTTLS (RFC 3207): what client and server share, and the
 * client, for hosts that do not offer XCRYPT.  crypt/tls_server.h has the server.  Octets in,
 * octets out; no descriptors.
 *
 * As a client, the certificate is checked and the result reported, but no result is required: as
 * with XCRYPT, any certificate protects against an eavesdropper.
 */
#ifndef CRYPT_TLS_H
#define CRYPT_TLS_H

#include "crypt/certificate.h"
#include "crypt/layer.h"
#include "crypt/tls_ticket.h"

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

/* What is enough where encryption is required: ECDHE with an AEAD, in the order of preference. */
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
#define TLS_SUITES_1_3 \
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384, \
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
#else
#define TLS_SUITES_1_3
#endif
#define TLS_SUITES \
	TLS_SUITES_1_3 \
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, \
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, \
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, \
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, \
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256

/* The fault where a host refuses our versions of TLS.  mbedTLS 2.28 has none after 1.2. */
#ifdef MBEDTLS_SSL_PROTO_TLS1_3
#define TLS_FAULT_VERSION "tls-version-refused"
#else
#define TLS_FAULT_VERSION "tls-1.3-only"
#endif

struct tls {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	mbedtls_x509_crt roots;		/* the client's */
	struct certificate own;		/* the server's; its key is wiped when the handshake ends */
	struct tls_ticket ticket;	/* the server's, wiped likewise */
	bool started, open, failed, ended, we_ended;
	bool server;
	bool nameless;			/* called by address: no name to compare */
	bool version_refused;		/* the server has refused our versions of TLS */
	uint8_t held[128];		/* written during the handshake while reading */
	size_t held_len;
	bool owes;			/* an alert could not be written while reading */
	size_t sealed;			/* length of the write that mbedTLS has yet to finish */
	uint32_t verdict;		/* mbedTLS's flags about the certificate */
	int error;			/* mbedTLS's code of the last call that failed */
	struct buf *wire_in, *wire_out;	/* only set during a call */
};

/* The functions of the layer; its state is a struct tls. */
extern const struct layer tls_layer;

/*
 * Starts TLS as a client.  `host` is the name to send as SNI and to compare with the certificate;
 * NULL: none.  `roots` are trusted certificates in PEM, NUL-terminated, of `roots_len` octets
 * including the NUL; with NULL nothing verifies.  `strict`: accepts only TLS 1.2 or later, with
 * (EC)DHE and an AEAD; otherwise all that mbedTLS has.  0, or -1: no memory.  Each open() and
 * seal() continues the handshake.
 */
int tls_start(struct tls *t, const char *host, const uint8_t *roots, size_t roots_len,
    bool strict);

/* Writes version and suite, "TLSv1.2 TLS-ECDHE-RSA-...", or "" before the handshake is done. */
void tls_describe(const struct tls *t, char *out, size_t out_len);

/* The certificate's status for the log: "verified", "not-trusted", "expired", "wrong-name", ... */
const char *tls_certificate(const struct tls *t);

/* Whether the handshake is done, and the certificate is valid for the name. */
bool tls_is_verified(const struct tls *t);

/*
 * The certificates that the server has sent, its own first; NULL before the handshake is done.
 * Valid as long as the connection is.
 */
const mbedtls_x509_crt *tls_peer_chain(const struct tls *t);

/*
 * For the roles: set_up() makes `t` a configuration with mbedTLS's defaults, which the caller
 * changes; connect() begins the connection.  0, or -1: no memory.
 */
int tls_set_up(struct tls *t, int endpoint);
int tls_connect(struct tls *t);

#endif
