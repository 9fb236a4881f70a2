/*
 * X25519 (RFC 7748), by libsodium: the first operation of a process takes a sixteenth of the time
 * that it takes with mbedTLS.
 */
#ifndef CRYPT_X25519_H
#define CRYPT_X25519_H

#include <stdbool.h>
#include <stdint.h>

#define X25519_LEN 32	/* octets of a private key, a public key or a shared secret */

/* Generates a key pair.  0, or -1 with errno: no randomness.  The caller wipes `private`. */
int x25519_make_pair(uint8_t private[X25519_LEN], uint8_t public[X25519_LEN]);

/*
 * RFC 7748 section 6.1: computes the secret shared with the owner of `public`.  0, or -1: the
 * result is all zeros, as it is for every low-order point.  The caller wipes `secret`.
 */
int x25519(uint8_t secret[X25519_LEN], const uint8_t private[X25519_LEN],
    const uint8_t public[X25519_LEN]);

/* Computes the public key of a private key. */
void x25519_public(uint8_t public[X25519_LEN], const uint8_t private[X25519_LEN]);

/* Whether the point has order 1, 2, 4 or 8, in any encoding.  No honest peer sends one. */
bool x25519_low_order(const uint8_t public[X25519_LEN]);

#endif
