/*
 * Blowfish in 64-bit CFB.  XCRYPT uses it through cipher_blowfish, with keys of 10 octets and a
 * zero IV.  This header is exposed for the test vectors, and says whether Blowfish is available:
 * mbedTLS 3.0 has dropped it, and an earlier mbedTLS may have been built without it.
 */
#ifndef CRYPT_CIPHER_BLOWFISH_H
#define CRYPT_CIPHER_BLOWFISH_H

#include "crypt/cipher.h"

#if __has_include(<mbedtls/blowfish.h>)
#include <mbedtls/blowfish.h>
#endif

#ifdef MBEDTLS_BLOWFISH_C

#define BLOWFISH_BUILT_IN

struct blowfish {
	mbedtls_blowfish_context context;
	unsigned char iv[MBEDTLS_BLOWFISH_BLOCKSIZE];
	size_t iv_used;
	int mode;
};

/* Sets the key of `len` octets, 4 to 56, and a zero IV.  0, or -1 for another length. */
int blowfish_key(struct blowfish *b, const uint8_t *key, size_t len, enum cipher_use use);

/* Encrypts or decrypts the next `len` octets in place. */
void blowfish_stream(struct blowfish *b, uint8_t *octets, size_t len);

#endif
#endif
