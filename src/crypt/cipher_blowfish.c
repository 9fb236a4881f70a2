/* Blowfish (Schneier, 1993) in 64-bit CFB, by mbedTLS. */
#include "crypt/cipher_blowfish.h"

#include "base/octets.h"

#ifdef BLOWFISH_BUILT_IN

#include <assert.h>
#include <string.h>

#define KEY_LEN 10

_Static_assert(sizeof(struct blowfish) <= CIPHER_STATE_MAX, "state holds the context");

int
blowfish_key(struct blowfish *b, const uint8_t *key, size_t len, enum cipher_use use)
{
	memset(b, 0, sizeof(*b));
	b->mode = use == CIPHER_SEND ? MBEDTLS_BLOWFISH_ENCRYPT : MBEDTLS_BLOWFISH_DECRYPT;
	mbedtls_blowfish_init(&b->context);
	return mbedtls_blowfish_setkey(&b->context, key, (unsigned)(8 * len)) == 0 ? 0 : -1;
}

void
blowfish_stream(struct blowfish *b, uint8_t *octets, size_t len)
{
	int rc = mbedtls_blowfish_crypt_cfb64(&b->context, b->mode, len, &b->iv_used, b->iv, octets,
	    octets);

	assert(rc == 0);	/* it fails only for a bad mode or offset */
	(void)rc;
}

static int
blowfish_start(void *state, const uint8_t *key, enum cipher_use use)
{
	return blowfish_key(state, key, KEY_LEN, use);
}

static void
blowfish_stop(void *state)
{
	octets_wipe(state, sizeof(struct blowfish));
}

static void
blowfish_apply(void *state, uint8_t *octets, size_t len)
{
	blowfish_stream(state, octets, len);
}

const struct cipher cipher_blowfish = {
	.name = "blowfish",
	.title = "Blowfish, 64-bit CFB",
	.key_len = KEY_LEN,
	.start = blowfish_start,
	.stop = blowfish_stop,
	.stream = blowfish_apply,
};

#endif
