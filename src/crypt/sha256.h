/* SHA-256 (FIPS 180-4) of octets that lie in several places. */
#ifndef CRYPT_SHA256_H
#define CRYPT_SHA256_H

#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

/* Hashes the concatenation of `count` parts.  0, or -1 if mbedTLS reports an error. */
int sha256_parts(uint8_t out[SHA256_LEN], const struct span *parts, size_t count);

#endif
