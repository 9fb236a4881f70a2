/*
 * ML-KEM-768, the key encapsulation of FIPS 203: whoever holds the encapsulation key makes a
 * secret and a ciphertext, and the holder of the decapsulation key gets the same secret from
 * that ciphertext.  No quantum computer is known to break it.
 *
 * All randomness is an argument, so that known answers can be asserted.  Time and memory
 * accesses depend on no secret.  Nothing is allocated, and the functions wipe what they leave
 * on the stack.
 */
#ifndef CRYPT_MLKEM768_H
#define CRYPT_MLKEM768_H

#include <stdbool.h>
#include <stdint.h>

#define MLKEM768_ENCAPS_KEY_LEN 1184
#define MLKEM768_DECAPS_KEY_LEN 2400
#define MLKEM768_CIPHERTEXT_LEN 1088
#define MLKEM768_SECRET_LEN 32
#define MLKEM768_SEED_LEN 64	/* d || z */
#define MLKEM768_MESSAGE_LEN 32	/* m */

/*
 * Algorithm 16: makes a key pair from 64 random octets.  The caller wipes `seed` and
 * `decaps_key`.
 */
void mlkem768_make_keys(uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN],
    uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN], const uint8_t seed[MLKEM768_SEED_LEN]);

/* Section 7.2: false for a key in which a coefficient is 3329 or more. */
bool mlkem768_good_key(const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN]);

/*
 * Algorithm 17: makes a secret and its ciphertext from 32 random octets, for a key that
 * mlkem768_good_key() accepts.  The caller wipes `secret` and `message`.
 */
void mlkem768_encapsulate(uint8_t secret[MLKEM768_SECRET_LEN], uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN],
    const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN], const uint8_t message[MLKEM768_MESSAGE_LEN]);

/*
 * Algorithm 18: gets the secret from a ciphertext.  A ciphertext that was changed gives a
 * secret that nobody else can compute, and no error (implicit rejection).  The caller wipes
 * `secret`.
 */
void mlkem768_decapsulate(uint8_t secret[MLKEM768_SECRET_LEN],
    const uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN], const uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN]);

#endif
