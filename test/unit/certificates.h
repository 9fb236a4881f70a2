/* Certificates and keys in PEM, made by the test. */
#ifndef TEST_CERTIFICATES_H
#define TEST_CERTIFICATES_H

#include "unit.h"

#include "crypt/certificate.h"
#include "crypt/certificate_make.h"
#include "crypt/mbedtls_compat.h"
#include "crypt/random.h"

#include <mbedtls/rsa.h>

#define MADE_S 1700000000		/* 14 November 2023 */
#define LONG_AGO "20200101000000"
#define AHEAD "20991231000000"

struct made {
	char chain[8192], key[8192];
	size_t chain_len, key_len;	/* with the NUL */
};

static inline struct span
made_chain(const struct made *m)
{
	return span(m->chain, m->chain_len);
}

static inline struct span
made_key(const struct made *m)
{
	return span(m->key, m->key_len);
}

/* A key of P-256, or of RSA with so many bits, in PEM. */
static inline void
made_new_key(struct made *m, unsigned rsa_bits)
{
	mbedtls_pk_context pk;
	struct hostkey host;
	uint8_t der[CERTIFICATE_KEY_LEN];

	mbedtls_pk_init(&pk);
	if (rsa_bits > 0) {
		assert_int_equal(mbedtls_pk_setup(&pk,
		    mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)), 0);
		assert_int_equal(mbedtls_rsa_gen_key(mbedtls_pk_rsa(pk), random_mbedtls, NULL,
		    rsa_bits, 65537), 0);
	} else {
		assert_int_equal(hostkey_make(&host), 0);
		certificate_put_key(der, &host);
		assert_int_equal(mbedtls_pk_parse_key(&pk, der, sizeof(der), NULL, 0,
		    random_mbedtls, NULL), 0);
	}
	assert_int_equal(mbedtls_pk_write_key_pem(&pk, (uint8_t *)m->key, sizeof(m->key)), 0);
	m->key_len = strlen(m->key) + 1;
	mbedtls_pk_free(&pk);
}

/* A self-signed certificate of m's key. */
static inline void
made_new_chain(struct made *m, const char *subject, const char *from, const char *until)
{
	mbedtls_x509write_cert crt;
	mbedtls_pk_context pk;
	uint8_t serial[] = { 1 };

	mbedtls_pk_init(&pk);
	mbedtls_x509write_crt_init(&crt);
	assert_int_equal(mbedtls_pk_parse_key(&pk, (uint8_t *)m->key, m->key_len, NULL, 0,
	    random_mbedtls, NULL), 0);
	mbedtls_x509write_crt_set_md_alg(&crt, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&crt, &pk);
	mbedtls_x509write_crt_set_issuer_key(&crt, &pk);
	assert_int_equal(mbedtls_x509write_crt_set_subject_name(&crt, subject), 0);
	assert_int_equal(mbedtls_x509write_crt_set_issuer_name(&crt, subject), 0);
	assert_int_equal(mbedtls_x509write_crt_set_serial_raw(&crt, serial, sizeof(serial)), 0);
	assert_int_equal(mbedtls_x509write_crt_set_validity(&crt, from, until), 0);
	assert_int_equal(mbedtls_x509write_crt_pem(&crt, (uint8_t *)m->chain, sizeof(m->chain),
	    random_mbedtls, NULL), 0);
	m->chain_len = strlen(m->chain) + 1;
	mbedtls_x509write_crt_free(&crt);
	mbedtls_pk_free(&pk);
}

#endif
