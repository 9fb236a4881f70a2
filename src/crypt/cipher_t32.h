/*
 * t32 of the t-class of SOBER ciphers: a shift register over GF(2^32) with a nonlinear output
 * filter and stuttering controlled by its own output.  XCRYPT uses it through cipher_t32, with
 * keys of 10 octets and no nonce; this header is exposed for the published test vectors, which
 * have other keys and load nonces.
 */
#ifndef CRYPT_CIPHER_T32_H
#define CRYPT_CIPHER_T32_H

#include "base/span.h"

#define T32_WORDS 17		/* words of the register */
#define T32_FIELDS 16		/* two-bit fields of a control word; each gives one word or none */
#define T32_STEPS_MAX (1 + 2 * T32_FIELDS)	/* steps of one control word, with its own */

struct t32 {
	/* the register is r[0] (the oldest) to r[16]; the words of later steps follow it */
	uint32_t r[T32_WORDS + T32_STEPS_MAX];
	uint32_t keyed[T32_WORDS];		/* the register after the key was loaded */
	uint32_t konst;
	uint8_t stream[4 * T32_FIELDS];		/* keystream from the last control word */
	uint8_t used, made;			/* stream[used] to stream[made - 1] are not used yet */
};

/* Sets the key of `len` octets and prepares for the first octet of the keystream. */
void t32_key(struct t32 *t, const uint8_t *key, size_t len);

/* Restarts the keystream with the present key and a nonce of `len` octets. */
void t32_nonce(struct t32 *t, const uint8_t *nonce, size_t len);

/* XORs the next `len` octets of the keystream into `octets`. */
void t32_stream(struct t32 *t, uint8_t *octets, size_t len);

#endif
