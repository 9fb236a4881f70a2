/*
 * Session tickets (RFC 5077; RFC 8446, section 4.6.1), so that a client's later connections cost no
 * public-key operation, in whichever process they are.  A ticket is mbedTLS's own form of the
 * session, sealed with XChaCha20-Poly1305 under a key that all processes share.
 *
 *	nonce (24 octets)  sealed session  tag (16 octets)
 */
#ifndef CRYPT_TLS_TICKET_H
#define CRYPT_TLS_TICKET_H

#include <mbedtls/ssl.h>
#include <stdbool.h>

#define TLS_TICKET_KEY_LEN 32

struct tls_ticket {
	uint8_t key[TLS_TICKET_KEY_LEN];
	uint32_t lifetime_s;	/* for how long the key remains in use; 0: no tickets, and no key */
	bool resumed;		/* the client has shown a ticket of ours */
};

/* Wipes the key, with which no ticket can be made then. */
void tls_ticket_forget(struct tls_ticket *t);

/* For mbedtls_ssl_conf_session_tickets_cb(); the context is a struct tls_ticket. */
int tls_ticket_write(void *ticket, const mbedtls_ssl_session *session, unsigned char *start,
    const unsigned char *end, size_t *len, uint32_t *lifetime_s);
int tls_ticket_parse(void *ticket, mbedtls_ssl_session *session, unsigned char *octets, size_t len);

#endif
