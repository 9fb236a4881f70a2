/*
 * arsyfor, which is RC4 by its published test vectors.  XCRYPT uses it through cipher_arsyfor,
 * with keys of 10 octets; this header is exposed for the test vectors, whose keys have other
 * lengths.
 */
#ifndef CRYPT_CIPHER_ARSYFOR_H
#define CRYPT_CIPHER_ARSYFOR_H

#include "base/span.h"

struct arsyfor {
	uint8_t s[256];		/* the permutation */
	uint8_t i, j;
};

/* Sets the key of `len` octets, 1 to 256. */
void arsyfor_key(struct arsyfor *a, const uint8_t *key, size_t len);

/* XORs the next `len` octets of the keystream into `octets`. */
void arsyfor_stream(struct arsyfor *a, uint8_t *octets, size_t len);

#endif
