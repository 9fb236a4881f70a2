/*
 * Host keys (xcrypt.7, "Host keys"): ECDSA on P-256 with SHA-256.  A host key says whose a short
 * key is, and which host key comes after it.
 *
 * What a server says of itself, inside the encrypted session, are the two statements
 *
 *	XCRYPT-ID <host key> <until> <signature>
 *	XCRYPT-NEXT <next host key> <signature>
 *
 * Octets in, octets out: where keys lie is sys/private_file.h's, what is remembered cache/'s.
 */
#ifndef CRYPT_HOSTKEY_H
#define CRYPT_HOSTKEY_H

#include "base/octets.h"

#define HOSTKEY_PRIVATE_LEN 32
#define HOSTKEY_PUBLIC_LEN 65		/* a point, uncompressed */
#define HOSTKEY_SIGNATURE_LEN 64	/* r || s */
#define HOSTKEY_SHORT_LEN 32		/* the short key of generation 2.0 that is vouched for */
#define HOSTKEY_DIGEST_LEN 32
#define HOSTKEY_TEXT_LEN 88		/* characters of a public key or a signature */
#define HOSTKEY_STATEMENT_MAX 256	/* characters of a statement */
#define HOSTKEY_FILE_MAX 160		/* characters of a key with its private half */
#define HOSTKEY_ALLOWANCE_S 600		/* for clocks that differ */

struct hostkey {
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	uint8_t private[HOSTKEY_PRIVATE_LEN];
};

/* Makes a key.  0, or -1: no randomness or no memory. */
int hostkey_make(struct hostkey *key);

void hostkey_wipe(struct hostkey *key);

/*
 * ECDSA over SHA-256 of `text`; deterministic (RFC 6979), so that a key is never lost to bad
 * randomness.  0, or -1: no memory, or the halves of the key do not belong together.
 */
int hostkey_sign(uint8_t signature[HOSTKEY_SIGNATURE_LEN], const struct hostkey *key,
    struct span text);
bool hostkey_verify(const uint8_t signature[HOSTKEY_SIGNATURE_LEN],
    const uint8_t public[HOSTKEY_PUBLIC_LEN], struct span text);

/*
 * A public key as people see and pin it: HOSTKEY_TEXT_LEN characters of base64, no NUL.  Reading
 * takes that one text of a key only, and only of a point that is on the curve.
 */
void hostkey_put_public(char text[HOSTKEY_TEXT_LEN], const uint8_t public[HOSTKEY_PUBLIC_LEN]);
bool hostkey_get_public(uint8_t public[HOSTKEY_PUBLIC_LEN], struct span text);

/*
 * A whole key as it stands in its file: public and private half in base64, a blank between them and
 * a newline behind.  put() returns how many characters, HOSTKEY_FILE_MAX at most.  That the halves
 * belong together is found out when it signs.
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
	uint8_t signature[HOSTKEY_SIGNATURE_LEN];	/* by the key before it */
};

/* `key` says that `short_public` is its host's until then.  0, or -1 as hostkey_sign(). */
int hostkey_sign_id(struct hostkey_id *id, const struct hostkey *key,
    const uint8_t short_public[HOSTKEY_SHORT_LEN], int64_t until_s);

/* Does the statement say so?  Its time is another question. */
bool hostkey_verify_id(const struct hostkey_id *id, const uint8_t short_public[HOSTKEY_SHORT_LEN]);

/* Is `now_s` not past `until_s`, with the allowance? */
bool hostkey_in_time(int64_t until_s, int64_t now_s);

/* `key` says that `next_public` comes after it. */
int hostkey_sign_next(struct hostkey_next *next, const struct hostkey *key,
    const uint8_t next_public[HOSTKEY_PUBLIC_LEN]);
bool hostkey_verify_next(const struct hostkey_next *next,
    const uint8_t public[HOSTKEY_PUBLIC_LEN]);

/*
 * A statement as it stands in the EHLO reply, without `250-` and CRLF.  Writing returns how many
 * characters, HOSTKEY_STATEMENT_MAX at most.  Reading takes exactly that form, the keyword in
 * either case.
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
 * What tells statements from others: SHA-256 over both lines, `next` empty where there is none.
 * 0, or -1: no memory.
 */
int hostkey_digest(uint8_t digest[HOSTKEY_DIGEST_LEN], struct span id, struct span next);

#endif
