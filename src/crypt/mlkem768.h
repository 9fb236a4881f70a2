/*
 * ML-KEM-768, the key encapsulation mechanism of FIPS 203.  The holder of an encapsulation key
 * makes a shared secret and a ciphertext; the holder of the decapsulation key recovers the secret
 * from the ciphertext.  It is designed to resist quantum computers.
 *
 * All randomness is passed as an argument, so that tests can assert known answers.  Time and
 * memory accesses do not depend on secrets.  Nothing is allocated.  The functions wipe what they
 * leave on the stack.
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
 * Algorithm 16: derives a key pair from 64 random octets.  The caller wipes `seed` and
 * `decaps_key`.
 */
void mlkem768_make_keys(uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN],
    uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN], const uint8_t seed[MLKEM768_SEED_LEN]);

/* Section 7.2: false if a coefficient of the key is 3329 or more. */
bool mlkem768_good_key(const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN]);

/*
 * Algorithm 17: derives a shared secret and its ciphertext from 32 random octets, for a key that
 * mlkem768_good_key() accepts.  The caller wipes `secret` and `message`.
 */
void mlkem768_encapsulate(uint8_t secret[MLKEM768_SECRET_LEN], uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN],
    const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN], const uint8_t message[MLKEM768_MESSAGE_LEN]);

/*
 * Algorithm 18: recovers the secret from a ciphertext.  A modified ciphertext is not an error; it
 * gives an unrelated secret that nobody else can compute (implicit rejection).  The caller wipes
 * `secret`.
 */
void mlkem768_decapsulate(uint8_t secret[MLKEM768_SECRET_LEN],
    const uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN], const uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN]);

#endif
