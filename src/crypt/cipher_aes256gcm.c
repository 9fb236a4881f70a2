/* AES-256-GCM (RFC 5116, AEAD_AES_256_GCM), from mbedTLS. */
#include "crypt/cipher.h"

#include <mbedtls/gcm.h>

#define KEY_LEN 32

_Static_assert(sizeof(mbedtls_gcm_context) <= CIPHER_STATE_MAX, "state holds the context");

static int
aes256gcm_start(void *state, const uint8_t *key, enum cipher_use use)
{
	(void)use;
	mbedtls_gcm_init(state);
	if (mbedtls_gcm_setkey(state, MBEDTLS_CIPHER_ID_AES, key, KEY_LEN * 8) == 0)
		return 0;
	mbedtls_gcm_free(state);
	return -1;
}

static void
aes256gcm_stop(void *state)
{
	mbedtls_gcm_free(state);
}

static int
aes256gcm_seal(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[CIPHER_TAG_LEN])
{
	return mbedtls_gcm_crypt_and_tag(state, MBEDTLS_GCM_ENCRYPT, len, nonce, CIPHER_IV_LEN,
	    ad.at, ad.len, in, out, CIPHER_TAG_LEN, tag) == 0 ? 0 : -1;
}

static int
aes256gcm_open(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, const uint8_t tag[CIPHER_TAG_LEN])
{
	return mbedtls_gcm_auth_decrypt(state, len, nonce, CIPHER_IV_LEN, ad.at, ad.len,
	    tag, CIPHER_TAG_LEN, in, out) == 0 ? 0 : -1;
}

const struct cipher cipher_aes256gcm = {
	.name = "aes256gcm",
	.title = "AES-256-GCM",
	.key_len = KEY_LEN,
	.start = aes256gcm_start,
	.stop = aes256gcm_stop,
	.seal = aes256gcm_seal,
	.open = aes256gcm_open,
};
