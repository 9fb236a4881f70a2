/*
 * Blowfish in 64-bit CFB.  XCRYPT keys it with 10 octets and a zero IV, through cipher_blowfish;
 * this header is for the vectors, and for who wants to know whether it is there: mbedTLS has
 * dropped Blowfish in 3.0, and an earlier one may have been built without.
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

/* Keys it with `len` octets, 4 to 56, and a zero IV.  0, or -1: not such a key. */
int blowfish_key(struct blowfish *b, const uint8_t *key, size_t len, enum cipher_use use);

/* The next `len` octets, in place. */
void blowfish_stream(struct blowfish *b, uint8_t *octets, size_t len);

#endif
#endif
