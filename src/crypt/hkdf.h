/*
 * HKDF (RFC 5869) with SHA-256.  mbedTLS has it too, and takes memory from the heap for each HMAC: with
 * musl, which gives every freed page back at once, that is a tenth of what a handshake with a kept secret
 * costs.  Here it is on the stack.
 */
#ifndef CRYPT_HKDF_H
#define CRYPT_HKDF_H

#include "base/octets.h"

#define HKDF_PRK_LEN 32
#define HKDF_OKM_MAX (255 * HKDF_PRK_LEN)

/* Section 2.2: `prk` from a salt and a secret of any length.  0, or -1. */
int hkdf_extract(uint8_t prk[HKDF_PRK_LEN], struct span salt, struct span secret);

/*
 * Section 2.3: `len` octets, HKDF_OKM_MAX at most, to `okm`.  0, or -1, and then `okm` is not to be used.
 * Both leave nothing secret behind but what they return.
 */
int hkdf_expand(uint8_t *okm, size_t len, const uint8_t prk[HKDF_PRK_LEN], struct span info);

#endif
