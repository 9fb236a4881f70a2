/* ChaCha20-Poly1305 (RFC 8439), by libsodium */
#include "crypt/cipher.h"

#include "base/octets.h"
#include "crypt/sodium.h"

#include <sodium/crypto_aead_chacha20poly1305.h>
#include <string.h>

#define KEY_LEN crypto_aead_chacha20poly1305_ietf_KEYBYTES

_Static_assert(KEY_LEN <= CIPHER_KEY_MAX, "a direction's key is long enough");

static int
chacha20poly1305_start(void *state, const uint8_t *key, enum cipher_use use)
{
	(void)use;
	memcpy(state, key, KEY_LEN);
	return 0;
}

static void
chacha20poly1305_stop(void *state)
{
	octets_wipe(state, KEY_LEN);
	sodium_wipe_stack();
}

static int
chacha20poly1305_seal(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[CIPHER_TAG_LEN])
{
	sodium_expect(len);
	return crypto_aead_chacha20poly1305_ietf_encrypt_detached(out, tag, NULL, in, len, ad.at,
	    ad.len, NULL, nonce, state);
}

static int
chacha20poly1305_open(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, const uint8_t tag[CIPHER_TAG_LEN])
{
	sodium_expect(len);
	return crypto_aead_chacha20poly1305_ietf_decrypt_detached(out, NULL, in, len, tag, ad.at,
	    ad.len, nonce, state);
}

const struct cipher cipher_chacha20poly1305 = {
	.name = "chacha20poly1305",
	.title = "ChaCha20-Poly1305",
	.key_len = KEY_LEN,
	.start = chacha20poly1305_start,
	.stop = chacha20poly1305_stop,
	.seal = chacha20poly1305_seal,
	.open = chacha20poly1305_open,
};
