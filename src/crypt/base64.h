/*
 * Base64 with padding (RFC 4648 section 4), for keys, signatures and RSA values.
 */
#ifndef CRYPT_BASE64_H
#define CRYPT_BASE64_H

#include "base/span.h"

/* Most octets that one call encodes or decodes: an ML-KEM-768 encapsulation key. */
#define BASE64_OCTETS_MAX 1184

/* The characters that `octets` octets become. */
#define BASE64_LEN(octets) (((octets) + 2) / 3 * 4)

/* Writes BASE64_LEN(len) characters to `text`, without a NUL, and returns how many. */
size_t base64_encode(char *text, const uint8_t *octets, size_t len);

/*
 * Reads `text` into exactly `len` octets.  Accepts only the text that base64_encode() writes for
 * them: no blanks, no line ends, no other padding, unused bits zero.  False otherwise; `octets` may
 * have been written to then.
 */
bool base64_decode(uint8_t *octets, size_t len, struct span text);

#endif
