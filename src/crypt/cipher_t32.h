/*
 * t32, of the t-class of the SOBER ciphers: a shift register over GF(2^32), filtered, and stuttered
 * by itself.  XCRYPT keys it with 10 octets and loads no nonce, through cipher_t32; this header is
 * for the published vectors, which have other keys and load one.
 */
#ifndef CRYPT_CIPHER_T32_H
#define CRYPT_CIPHER_T32_H

#include "base/octets.h"

#define T32_WORDS 17		/* of the register */
#define T32_FIELDS 16		/* of two bits in a control word, each good for one word or none */
#define T32_STEPS_MAX (1 + 2 * T32_FIELDS)	/* of one control word, its own included */

struct t32 {
	/* the register is r[0], the oldest, to r[16]; behind it lies what later steps bring */
	uint32_t r[T32_WORDS + T32_STEPS_MAX];
	uint32_t keyed[T32_WORDS];		/* as the key left it */
	uint32_t konst;
	uint8_t stream[4 * T32_FIELDS];		/* of the last control word ... */
	uint8_t used, made;			/* ... this much, up to here */
};

/* Keys it with `len` octets, and leaves it ready for the first of the keystream. */
void t32_key(struct t32 *t, const uint8_t *key, size_t len);

/* Starts over with the key it has and a nonce of `len` octets. */
void t32_nonce(struct t32 *t, const uint8_t *nonce, size_t len);

/* XORs the next `len` octets of the keystream into `octets`. */
void t32_stream(struct t32 *t, uint8_t *octets, size_t len);

#endif
