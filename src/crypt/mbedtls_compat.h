/*
 * The differences between mbedTLS 2.28 (Debian 12) and 3.6 (Debian 13).  The tree uses the names of
 * 3.6; for 2.28 they are defined here.  Blowfish, which 3.0 dropped: crypt/cipher_blowfish.h.
 */
#ifndef CRYPT_MBEDTLS_COMPAT_H
#define CRYPT_MBEDTLS_COMPAT_H

#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_MAJOR < 3

#define mbedtls_sha256_starts mbedtls_sha256_starts_ret
#define mbedtls_sha256_update mbedtls_sha256_update_ret
#define mbedtls_sha256_finish mbedtls_sha256_finish_ret

#define MBEDTLS_SSL_VERSION_TLS1_2 MBEDTLS_SSL_MINOR_VERSION_3

static inline void
mbedtls_ssl_conf_max_tls_version(mbedtls_ssl_config *config, int minor)
{
	mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, minor);
}

static inline void
mbedtls_ssl_conf_min_tls_version(mbedtls_ssl_config *config, int minor)
{
	mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, minor);
}

/* 3.6 blinds its computations with random numbers here; 2.28 does not. */
#define mbedtls_pk_parse_key(pk, key, len, pwd, pwd_len, rng, context) \
	mbedtls_pk_parse_key(pk, key, len, pwd, pwd_len)
#define mbedtls_pk_check_pair(public, private, rng, context) mbedtls_pk_check_pair(public, private)

/* mbedtls_ssl_conf_groups() of 3.6 has IANA's numbers, which 2.28 has not. */
static const mbedtls_ecp_group_id mbedtls_compat_groups[] = {
	MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP384R1,
	MBEDTLS_ECP_DP_NONE
};
#define mbedtls_ssl_conf_groups mbedtls_ssl_conf_curves

/* 2.28 does not offer RSA-PSS. */
static inline void
mbedtls_compat_order_signatures(mbedtls_ssl_config *config)
{
	(void)config;
}

static inline int
mbedtls_x509write_crt_set_serial_raw(mbedtls_x509write_cert *crt, unsigned char *serial, size_t len)
{
	mbedtls_mpi number;

	mbedtls_mpi_init(&number);
	int rc = mbedtls_mpi_read_binary(&number, serial, len);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_serial(crt, &number);
	mbedtls_mpi_free(&number);
	return rc;
}

#else

static const uint16_t mbedtls_compat_groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE
};

/*
 * A client offers RSA-PSS, which TLS 1.3 needs, and 3.6.6 refuses it in TLS 1.2.  Most servers take
 * the first that they have, so it is offered last.
 */
static inline void
mbedtls_compat_order_signatures(mbedtls_ssl_config *config)
{
	static const uint16_t order[] = {
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
		MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512, MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
		MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
		MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384, MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
		MBEDTLS_TLS1_3_SIG_NONE
	};

	mbedtls_ssl_conf_sig_algs(config, order);
}

#endif

#ifdef MBEDTLS_SSL_PROTO_TLS1_3

#include <psa/crypto.h>

/* TLS 1.3 uses mbedTLS's PSA functions, which have to be set up once.  0, or -1: no memory. */
static inline int
mbedtls_compat_tls13(void)
{
	return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
}

#else

/* mbedtls_ssl_read() returns it only for TLS 1.3.  0 is no error code. */
#define MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET 0

static inline int
mbedtls_compat_tls13(void)
{
	return 0;
}

#endif
#endif
