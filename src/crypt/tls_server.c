#include "crypt/tls_server.h"

#include "crypt/mbedtls_compat.h"

static const int suites[] = { TLS_SUITES, 0 };

int
tls_server_start(struct tls *t, struct span chain, struct span key,
    const struct tls_ticket *ticket)
{
	if (tls_set_up(t, MBEDTLS_SSL_IS_SERVER) < 0 ||
	    certificate_open(&t->own, chain, key) != CERTIFICATE_GOOD ||
	    mbedtls_ssl_conf_own_cert(&t->config, &t->own.chain, &t->own.key) != 0)
		return -1;
	mbedtls_ssl_conf_authmode(&t->config, MBEDTLS_SSL_VERIFY_NONE);
	mbedtls_ssl_conf_min_tls_version(&t->config, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_ciphersuites(&t->config, suites);
	mbedtls_ssl_conf_groups(&t->config, mbedtls_compat_groups);
	if (ticket != NULL && ticket->lifetime_s > 0) {
		t->ticket = *ticket;
		mbedtls_ssl_conf_session_tickets_cb(&t->config, tls_ticket_write,
		    tls_ticket_parse, &t->ticket);
	}
	return tls_connect(t);
}
