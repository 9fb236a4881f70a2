#include "crypt/tls_ticket.h"

#include "base/octets.h"
#include "crypt/random.h"

#include <sodium/crypto_aead_xchacha20poly1305.h>

#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES

_Static_assert(TLS_TICKET_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one length");

void
tls_ticket_forget(struct tls_ticket *t)
{
	octets_wipe(t->key, sizeof(t->key));
	t->lifetime_s = 0;
}

int
tls_ticket_write(void *context, const mbedtls_ssl_session *session, unsigned char *start,
    const unsigned char *end, size_t *len, uint32_t *lifetime_s)
{
	struct tls_ticket *t = context;
	size_t room = (size_t)(end - start), saved;
	uint8_t *sealed = start + NONCE_LEN;

	if (room < NONCE_LEN + TAG_LEN || t->lifetime_s == 0)
		return MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	int rc = mbedtls_ssl_session_save(session, sealed, room - NONCE_LEN - TAG_LEN, &saved);
	if (rc != 0)
		return rc;
	if (random_octets(start, NONCE_LEN) < 0) {
		octets_wipe(sealed, saved);
		return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
	}
	crypto_aead_xchacha20poly1305_ietf_encrypt_detached(sealed, sealed + saved, NULL, sealed,
	    saved, NULL, 0, NULL, start, t->key);
	*len = NONCE_LEN + saved + TAG_LEN;
	*lifetime_s = t->lifetime_s;
	return 0;
}

int
tls_ticket_parse(void *context, mbedtls_ssl_session *session, unsigned char *octets, size_t len)
{
	struct tls_ticket *t = context;
	uint8_t *sealed = octets + NONCE_LEN;

	/* mbedTLS continues with a full handshake */
	if (len < NONCE_LEN + TAG_LEN || t->lifetime_s == 0)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	size_t saved = len - NONCE_LEN - TAG_LEN;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(sealed, NULL, sealed, saved,
	    sealed + saved, NULL, 0, octets, t->key) != 0)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	int rc = mbedtls_ssl_session_load(session, sealed, saved);
	octets_wipe(sealed, saved);
	t->resumed = rc == 0;
	return rc;
}
