/*
 * AES-256-GCM (NIST SP 800-38D).  Uses libsodium if the processor has AES instructions, which is
 * six times as fast as mbedTLS, and mbedTLS otherwise.
 */
#include "crypt/cipher.h"

#include "base/octets.h"
#include "crypt/sodium.h"

#include <mbedtls/gcm.h>
#include <sodium/crypto_aead_aes256gcm.h>

#define KEY_LEN crypto_aead_aes256gcm_KEYBYTES

struct gcm {
	union {
		crypto_aead_aes256gcm_state sodium;
		mbedtls_gcm_context mbedtls;
	};
	bool fast;	/* libsodium's member is in use */
};

_Static_assert(sizeof(struct gcm) <= CIPHER_STATE_MAX, "state holds the context");
_Static_assert(KEY_LEN <= CIPHER_KEY_MAX, "a direction's key is long enough");

static bool
slow(void)
{
	return !sodium_has_aes();
}

static int
aes256gcm_start(void *state, const uint8_t *key, enum cipher_use use)
{
	struct gcm *g = state;

	(void)use;
	g->fast = sodium_has_aes();
	if (g->fast)
		return crypto_aead_aes256gcm_beforenm(&g->sodium, key);
	mbedtls_gcm_init(&g->mbedtls);
	if (mbedtls_gcm_setkey(&g->mbedtls, MBEDTLS_CIPHER_ID_AES, key, KEY_LEN * 8) == 0)
		return 0;
	mbedtls_gcm_free(&g->mbedtls);
	return -1;
}

static void
aes256gcm_stop(void *state)
{
	struct gcm *g = state;

	if (g->fast) {
		sodium_wipe_stack();
	} else {
		mbedtls_gcm_free(&g->mbedtls);
	}
	octets_wipe(g, sizeof(*g));
}

static int
aes256gcm_seal(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[CIPHER_TAG_LEN])
{
	struct gcm *g = state;

	if (g->fast)
		return crypto_aead_aes256gcm_encrypt_detached_afternm(out, tag, NULL, in, len,
		    ad.at, ad.len, NULL, nonce, &g->sodium);
	return mbedtls_gcm_crypt_and_tag(&g->mbedtls, MBEDTLS_GCM_ENCRYPT, len, nonce,
	    CIPHER_IV_LEN, ad.at, ad.len, in, out, CIPHER_TAG_LEN, tag) == 0 ? 0 : -1;
}

static int
aes256gcm_open(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
    const uint8_t *in, size_t len, uint8_t *out, const uint8_t tag[CIPHER_TAG_LEN])
{
	struct gcm *g = state;

	if (g->fast)
		return crypto_aead_aes256gcm_decrypt_detached_afternm(out, NULL, in, len, tag,
		    ad.at, ad.len, nonce, &g->sodium);
	return mbedtls_gcm_auth_decrypt(&g->mbedtls, len, nonce, CIPHER_IV_LEN, ad.at, ad.len, tag,
	    CIPHER_TAG_LEN, in, out) == 0 ? 0 : -1;
}

const struct cipher cipher_aes256gcm = {
	.name = "aes256gcm",
	.title = "AES-256-GCM",
	.key_len = KEY_LEN,
	.slow = slow,
	.start = aes256gcm_start,
	.stop = aes256gcm_stop,
	.seal = aes256gcm_seal,
	.open = aes256gcm_open,
};
