/*
 * Octets: hexadecimal digits, big-endian numbers, and the handling of secrets.
 */
#ifndef BASE_OCTETS_H
#define BASE_OCTETS_H

#include "base/span.h"

/* Writes the 2 * len lower-case hexadecimal digits of `in` to `out`, without a NUL. */
void octets_to_hex(char *out, const uint8_t *in, size_t len);

/*
 * Reads 2 * len hexadecimal digits of either case into `len` octets.  False if `hex` is anything
 * else; `out` may have been written to then.
 */
bool octets_from_hex(uint8_t *out, size_t len, struct span hex);

/* Big-endian numbers, as all lengths and sequence numbers on the wire and on the disk are. */
void octets_put16(uint8_t out[2], uint16_t value);
void octets_put32(uint8_t out[4], uint32_t value);
void octets_put64(uint8_t out[8], uint64_t value);
uint16_t octets_get16(const uint8_t in[2]);
uint32_t octets_get32(const uint8_t in[4]);
uint64_t octets_get64(const uint8_t in[8]);

/*
 * True if the `len` octets at `a` and at `b` are the same.  The time it takes depends on `len`
 * only.
 */
bool octets_equal_secret(const uint8_t *a, const uint8_t *b, size_t len);

/*
 * Zeroes `len` octets that held a secret; the compiler does not remove it.  `at` may be NULL when
 * len is 0.
 */
void octets_wipe(void *at, size_t len);

#endif
