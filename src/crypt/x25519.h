/*
 * X25519 (RFC 7748), by libsodium: a process's first takes a sixteenth of what it takes with
 * mbedTLS.
 */
#ifndef CRYPT_X25519_H
#define CRYPT_X25519_H

#include <stdbool.h>
#include <stdint.h>

#define X25519_LEN 32	/* octets of a private key, a public key and a shared secret */

/* Makes a key pair.  0, or -1 with errno: no randomness.  The caller wipes `private`. */
int x25519_make_pair(uint8_t private[X25519_LEN], uint8_t public[X25519_LEN]);

/*
 * Section 6.1: the secret shared with the holder of `public`.  0, or -1: it would be all zeros, as
 * it is for every point of low order.  The caller wipes `secret`.
 */
int x25519(uint8_t secret[X25519_LEN], const uint8_t private[X25519_LEN],
    const uint8_t public[X25519_LEN]);

/* The public key of a private one. */
void x25519_public(uint8_t public[X25519_LEN], const uint8_t private[X25519_LEN]);

/*
 * Is that a point of order 1, 2, 4 or 8, in any encoding?  Nobody who follows the protocol
 * sends one.
 */
bool x25519_low_order(const uint8_t public[X25519_LEN]);

#endif
