/*
 * TLS at the mail server's end: one key, one untrusted certificate, a context for each
 * connection.
 */
#include "crypt/mbedtls_compat.h"
#include "end.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context drbg;
static mbedtls_pk_context key;
static mbedtls_x509_crt crt;
static mbedtls_ssl_config config;
static mbedtls_ssl_context ssl;		/* one connection at a time */

static void
need(int result)
{
	errno = 0;
	if (result != 0)
		give_up("TLS at the mailer's end");
}

static void
make_certificate(void)
{
	static uint8_t der[2048];
	mbedtls_x509write_cert w;

	mbedtls_x509write_crt_init(&w);
	mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&w, &key);
	mbedtls_x509write_crt_set_issuer_key(&w, &key);
	need(mbedtls_x509write_crt_set_subject_name(&w, "CN=mailer.example"));
	need(mbedtls_x509write_crt_set_issuer_name(&w, "CN=mailer.example"));
	need(mbedtls_x509write_crt_set_serial_raw(&w, (uint8_t[]){ 1 }, 1));
	need(mbedtls_x509write_crt_set_validity(&w, "20200101000000", "20991231235959"));
	int len = mbedtls_x509write_crt_der(&w, der, sizeof(der), mbedtls_ctr_drbg_random, &drbg);
	need(len > 0 ? 0 : len);
	mbedtls_x509_crt_init(&crt);
	need(mbedtls_x509_crt_parse_der(&crt, der + sizeof(der) - len, (size_t)len));
	mbedtls_x509write_crt_free(&w);
}

void
end_tls_ready(void)
{
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&drbg);
	need(mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0));
	mbedtls_pk_init(&key);
	need(mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY)));
	need(mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key),
	    mbedtls_ctr_drbg_random, &drbg));
	make_certificate();
	mbedtls_ssl_config_init(&config);
	need(mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_SERVER,
	    MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT));
	mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &drbg);
	need(mbedtls_ssl_conf_own_cert(&config, &crt, &key));
}

static int
sends(void *context, const uint8_t *octets, size_t len)
{
	const struct end *e = context;
	ssize_t put = write(e->wfd, octets, len);

	if (put < 0)
		return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE :
					 MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	return (int)put;
}

static int
receives(void *context, uint8_t *octets, size_t len)
{
	const struct end *e = context;
	ssize_t got = read(e->rfd, octets, len);

	if (got < 0)
		return errno == EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ : MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	return (int)got;
}

void
end_tls_start(struct end *e)
{
	mbedtls_ssl_init(&ssl);
	need(mbedtls_ssl_setup(&ssl, &config));
	mbedtls_ssl_set_bio(&ssl, e, sends, receives, NULL);
	e->tls = &ssl;
	e->shaking = true;
}
