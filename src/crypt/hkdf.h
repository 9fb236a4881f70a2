/*
 * HKDF (RFC 5869) with SHA-256, on the stack.  mbedTLS's own allocates memory for each HMAC.  musl
 * returns every freed page to the kernel at once, which would cost a tenth of the time of a
 * handshake with a cached secret.
 */
#ifndef CRYPT_HKDF_H
#define CRYPT_HKDF_H

#include "base/span.h"

#define HKDF_PRK_LEN 32
#define HKDF_OKM_MAX (255 * HKDF_PRK_LEN)

/* RFC 5869 section 2.2: `prk` from a salt and a secret of any length.  0, or -1. */
int hkdf_extract(uint8_t prk[HKDF_PRK_LEN], struct span salt, struct span secret);

/*
 * RFC 5869 section 2.3: writes `len` octets, at most HKDF_OKM_MAX, to `okm`.  0, or -1: `okm` must
 * not be used then.  Both functions wipe their intermediate values.
 */
int hkdf_expand(uint8_t *okm, size_t len, const uint8_t prk[HKDF_PRK_LEN], struct span info);

#endif
