/* ChaCha20-Poly1305 (RFC 8439), from mbedTLS. */
#include "crypt/cipher.h"

#include <mbedtls/chachapoly.h>

_Static_assert(sizeof(mbedtls_chachapoly_context) <= CIPHER_STATE_MAX, "state holds the context");

static int
chacha20poly1305_start(void *state, const uint8_t *key, enum cipher_use use)
{
	(void)use;
	mbedtls_chachapoly_init(state);
	if (mbedtls_chachapoly_setkey(state, key) == 0)
		return 0;
	mbedtls_chachapoly_free(state);
	return -1;
}

static void
chacha20poly1305_stop(void *state)
{
	mbedtls_chachapoly_free(state);
}

static int
chacha20poly1305_seal(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[CIPHER_TAG_LEN])
{
	return mbedtls_chachapoly_encrypt_and_tag(state, len, nonce, ad.at, ad.len,
	    in, out, tag) == 0 ? 0 : -1;
}

static int
chacha20poly1305_open(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, const uint8_t tag[CIPHER_TAG_LEN])
{
	return mbedtls_chachapoly_auth_decrypt(state, len, nonce, ad.at, ad.len,
	    tag, in, out) == 0 ? 0 : -1;
}

const struct cipher cipher_chacha20poly1305 = {
	.name = "chacha20poly1305",
	.title = "ChaCha20-Poly1305",
	.key_len = 32,
	.start = chacha20poly1305_start,
	.stop = chacha20poly1305_stop,
	.seal = chacha20poly1305_seal,
	.open = chacha20poly1305_open,
};
