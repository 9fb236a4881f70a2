/*
 * Host keys (xcrypt(7), HOST KEYS): ECDSA on P-256 with SHA-256.  A host key certifies the host's
 * short-lived X25519 key (the short key) and announces its own successor.
 *
 * A server makes these statements inside the encrypted session:
 *
 *	XCRYPT-ID <host key> <until> <signature>
 *	XCRYPT-NEXT <next host key> <until> <signature>
 *
 * Octets in, octets out: sys/private_file.h reads and writes key files, store/ remembers keys.
 */
#ifndef CRYPT_HOSTKEY_H
#define CRYPT_HOSTKEY_H

#include "base/span.h"

#define HOSTKEY_PRIVATE_LEN 32
#define HOSTKEY_PUBLIC_LEN 65		/* an uncompressed point */
#define HOSTKEY_SIGNATURE_LEN 64	/* r || s */
#define HOSTKEY_SHORT_LEN 32		/* the X25519 public key of version 2.0 */
#define HOSTKEY_DIGEST_LEN 32
#define HOSTKEY_TEXT_LEN 88		/* characters of a public key or a signature */
#define HOSTKEY_STATEMENT_MAX 256	/* characters of a statement */
#define HOSTKEY_ID_LINE_LEN 204	/* octets of a statement as a reply line, with `250-` and CRLF */
#define HOSTKEY_NEXT_LINE_LEN 206
#define HOSTKEY_FILE_MAX 160		/* characters of a key file */
#define HOSTKEY_ALLOWANCE_S 600		/* seconds by which clocks may differ */

struct hostkey {
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	uint8_t private[HOSTKEY_PRIVATE_LEN];
};

/* Makes a key.  0, or -1: no randomness or no memory. */
int hostkey_make(struct hostkey *key);

void hostkey_wipe(struct hostkey *key);

/*
 * Signs SHA-256 of `text` with ECDSA.  The signature is deterministic (RFC 6979), so that bad
 * randomness cannot reveal the key.  0, or -1: no memory, or the two halves of the key do not
 * match.
 */
int hostkey_sign(uint8_t signature[HOSTKEY_SIGNATURE_LEN], const struct hostkey *key,
    struct span text);
bool hostkey_verify(const uint8_t signature[HOSTKEY_SIGNATURE_LEN],
    const uint8_t public[HOSTKEY_PUBLIC_LEN], struct span text);

/*
 * A public key as people see and pin it: HOSTKEY_TEXT_LEN characters of base64, without a NUL.
 * get() accepts only canonical base64 and only points on the curve.
 */
void hostkey_put_public(char text[HOSTKEY_TEXT_LEN], const uint8_t public[HOSTKEY_PUBLIC_LEN]);
bool hostkey_get_public(uint8_t public[HOSTKEY_PUBLIC_LEN], struct span text);

/*
 * The text of a key file: public and private half in base64 with a blank between them, and a
 * newline.  put() returns the number of characters, at most HOSTKEY_FILE_MAX.  get() does not
 * check that the halves match; hostkey_sign() does.
 */
size_t hostkey_put_file(char text[HOSTKEY_FILE_MAX], const struct hostkey *key);
bool hostkey_get_file(struct hostkey *key, struct span text);

struct hostkey_id {			/* XCRYPT-ID */
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	int64_t until_s;		/* Unix time */
	uint8_t signature[HOSTKEY_SIGNATURE_LEN];
};

struct hostkey_next {			/* XCRYPT-NEXT */
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	uint8_t short_public[HOSTKEY_SHORT_LEN];	/* covered by the signature; not sent */
	int64_t until_s;				/* same as in the accompanying XCRYPT-ID */
	uint8_t signature[HOSTKEY_SIGNATURE_LEN];	/* by the present host key */
};

/* Signs with `key` that `short_public` is its host's until `until_s`.  Fails as hostkey_sign(). */
int hostkey_sign_id(struct hostkey_id *id, const struct hostkey *key,
    const uint8_t short_public[HOSTKEY_SHORT_LEN], int64_t until_s);

/* Whether the signature is valid.  Does not look at the time. */
bool hostkey_verify_id(const struct hostkey_id *id, const uint8_t short_public[HOSTKEY_SHORT_LEN]);

/* Whether a statement is still valid at `now_s`, allowing for clocks that differ. */
bool hostkey_in_time(int64_t until_s, int64_t now_s);

/*
 * Signs with `key` the statement that `next_public` succeeds it.  `short_public` and `until_s`
 * are those of the accompanying XCRYPT-ID.  `public` verifies such a statement.
 */
int hostkey_sign_next(struct hostkey_next *next, const struct hostkey *key,
    const uint8_t short_public[HOSTKEY_SHORT_LEN], int64_t until_s,
    const uint8_t next_public[HOSTKEY_PUBLIC_LEN]);
bool hostkey_verify_next(const struct hostkey_next *next,
    const uint8_t public[HOSTKEY_PUBLIC_LEN]);

/*
 * A statement as in the EHLO reply, without `250-` and CRLF.  put() returns the number of
 * characters, at most HOSTKEY_STATEMENT_MAX.  get() accepts exactly that form; only the keyword is
 * case-insensitive.
 */
size_t hostkey_put_id(char text[HOSTKEY_STATEMENT_MAX], const struct hostkey_id *id);
bool hostkey_get_id(struct hostkey_id *id, struct span text);
size_t hostkey_put_next(char text[HOSTKEY_STATEMENT_MAX], const struct hostkey_next *next);
bool hostkey_get_next(struct hostkey_next *next, struct span text);

enum statement_verdict {		/* on the XCRYPT-ID that a host shows */
	STATEMENT_NONE,		/* it shows none */
	STATEMENT_GOOD,
	STATEMENT_INVALID,	/* malformed, or not signed for the host's short key */
	STATEMENT_EXPIRED
};

/*
 * A digest that identifies a pair of statements: SHA-256 over both lines; `next` is empty where it
 * is absent.  0, or -1: no memory, or a line longer than a statement can be.
 */
int hostkey_digest(uint8_t digest[HOSTKEY_DIGEST_LEN], struct span id, struct span next);

#endif
