/*
 * What a cipher is.  A cipher is one file: it fills in one `struct cipher`, and suite.c names it.
 *
 * There are two kinds.  A stream cipher (generations below 2.0) turns each octet of the connection
 * into another.  An AEAD (2.0) seals records.  A cipher fills in the functions of its kind only.
 * One keyed state serves one direction of one connection.
 */
#ifndef CRYPT_CIPHER_H
#define CRYPT_CIPHER_H

#include "base/octets.h"

#define CIPHER_STATE_MAX 4608	/* octets; Blowfish's is the largest, each cipher asserts */
#define CIPHER_KEY_MAX 32
#define CIPHER_IV_LEN 12	/* AEAD nonce, RFC 8446 section 5.3 */
#define CIPHER_TAG_LEN 16

enum cipher_use { CIPHER_SEND, CIPHER_RECEIVE };

struct cipher {
	const char *name;	/* in a suite's name, before the underscore */
	const char *title;	/* for people */
	size_t key_len;		/* octets of the direction's key that it takes */
	unsigned keys;		/* how many there are, where not all of that length are; or 0 */

	/* Keys `state` (CIPHER_STATE_MAX octets, aligned as max_align_t).  0, or -1: cannot. */
	int (*start)(void *state, const uint8_t *key, enum cipher_use use);

	/* Frees and wipes what start() set up.  The state may then be started again. */
	void (*stop)(void *state);

	/* Streams: the next `len` octets, in place. NULL for an AEAD. */
	void (*stream)(void *state, uint8_t *octets, size_t len);

	/*
	 * AEADs (NULL for a stream): `len` octets of `in` become as many of `out`, which may be the
	 * same memory, and a tag.  open() says -1 and leaves nothing useful in `out` when the tag
	 * is not the right one.
	 */
	int (*seal)(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
	    const uint8_t *in, size_t len, uint8_t *out, uint8_t tag[CIPHER_TAG_LEN]);
	int (*open)(void *state, const uint8_t nonce[CIPHER_IV_LEN], struct span ad,
	    const uint8_t *in, size_t len, uint8_t *out, const uint8_t tag[CIPHER_TAG_LEN]);
};

extern const struct cipher cipher_chacha20poly1305;
extern const struct cipher cipher_aes256gcm;
extern const struct cipher cipher_arsyfor;
extern const struct cipher cipher_t32;
extern const struct cipher cipher_blowfish;	/* where mbedTLS has it: crypt/cipher_blowfish.h */
extern const struct cipher cipher_rotn;

#endif
