/*
 * The interface of a cipher.  A cipher is one file: it fills in one `struct cipher`, and suite.c
 * names it.
 *
 * There are two kinds.  A stream cipher (versions below 2.0) replaces each octet of the connection
 * by another.  An AEAD (version 2.0) seals records.  A cipher fills in only the functions of its
 * kind.  One keyed state serves one direction of one connection.
 */
#ifndef CRYPT_CIPHER_H
#define CRYPT_CIPHER_H

#include "base/span.h"

#define CIPHER_STATE_MAX 4608	/* octets; each cipher asserts it, Blowfish needs the most */
#define CIPHER_KEY_MAX 32
#define CIPHER_IV_LEN 12	/* octets of an AEAD nonce, RFC 8446 section 5.3 */
#define CIPHER_TAG_LEN 16

enum cipher_use { CIPHER_SEND, CIPHER_RECEIVE };

struct cipher {
	const char *name;	/* in a suite's name, before the underscore */
	const char *title;	/* for people */
	size_t key_len;		/* octets of key that it uses */
	unsigned keys;		/* number of keys, if not all of that length are used; else 0 */

	/* True if this processor lacks instructions that make it fast.  NULL: never slow. */
	bool (*slow)(void);

	/* Keys `state` (CIPHER_STATE_MAX octets, aligned as max_align_t).  0, or -1 on failure. */
	int (*start)(void *state, const uint8_t *key, enum cipher_use use);

	/* Frees and wipes what start() set up.  The state may then be started again. */
	void (*stop)(void *state);

	/* Stream ciphers: processes the next `len` octets in place.  NULL for an AEAD. */
	void (*stream)(void *state, uint8_t *octets, size_t len);

	/*
	 * AEADs: encrypts or decrypts `len` octets from `in` to `out`, which may be the same
	 * memory.  seal() writes the tag, open() checks it; `ad` is the associated data.  0, or
	 * -1; after -1 `out` must not be used.  NULL for a stream cipher.
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
extern const struct cipher cipher_blowfish;	/* if mbedTLS has it: crypt/cipher_blowfish.h */
extern const struct cipher cipher_rotn;

#endif
