/*
 * What a key exchange is: one generation of XCRYPT.  An exchange is one file: it fills in one
 * `struct exchange`, and suite.c names it.
 *
 * The handshake (smtp/handshake.h) knows when; an exchange knows what the fields of its lines
 * mean and how keys come out of them.  It does no input or output, and keeps nothing.
 */
#ifndef CRYPT_KEX_H
#define CRYPT_KEX_H

#include "base/octets.h"
#include "crypt/cipher.h"

struct suite;

#define KEX_PRIVATE_MAX 256	/* octets; the primes of an RSA-2048 key are the longest */
#define KEX_PUBLIC_MAX 256
#define KEX_SECRET_MAX 96
#define KEX_NONCE_MAX 32
#define KEX_CONFIRM_MAX 20		/* octets behind OK: a tag, or a secret of one's own */
#define KEX_TEXT_MAX 352		/* characters of a field on the wire */

struct kex_pair {
	uint8_t private[KEX_PRIVATE_MAX];
	size_t private_len;
	uint8_t public[KEX_PUBLIC_MAX];	/* exchange's public_len octets */
};

/* What both sides of one connection have agreed on so far. */
struct agreement {
	const struct suite *suite;
	bool server;				/* which side we are: b, or a */
	const struct kex_pair *own;	/* the key source's; NULL where there are none */
	uint8_t peer_public[KEX_PUBLIC_MAX];
	uint8_t nonce_a[KEX_NONCE_MAX], nonce_b[KEX_NONCE_MAX];
	uint8_t secret[KEX_SECRET_MAX];	/* Z */
	uint8_t transcript[32];			/* T, 2.0 */
	uint8_t half_a[KEX_CONFIRM_MAX], half_b[KEX_CONFIRM_MAX]; /* Sa and Sb, 0.2 */

	/* what comes out */
	uint8_t key_ab[CIPHER_KEY_MAX], key_ba[CIPHER_KEY_MAX];
	uint8_t iv_ab[CIPHER_IV_LEN], iv_ba[CIPHER_IV_LEN];
	uint8_t confirm_a[16], confirm_b[16];
};

enum kex_field {
	FIELD_GOOD,
	FIELD_MALFORMED,	/* not of the form: 501 */
	FIELD_REFUSED		/* of the form, but not a value that is accepted: 454 */
};

#define KEX_VERSION_2_0 20	/* the first generation with integrity, and with host keys */

struct kex {
	const char *version_text;		/* in a suite's name, behind the underscore: "2.0" */
	unsigned version;			/* higher is newer: 20 for 2.0 */
	const char *title;		/* for people: "X25519" */
	size_t public_len;		/* octets of a public key; 0: there is none */
	size_t secret_len;		/* octets of Z; 0: there is none */
	size_t nonce_len;		/* octets of a nonce as kept in struct agreement */
	bool cached;			/* Z is worth keeping (section 6) */
	bool pair_on_demand;		/* slow to make: only when a session first needs one */
	bool hears_ehlo_first;		/* 2.0: inside, nothing before EHLO */
	bool confirms;			/* any wrong reply to XCRYPT OK is the mark of tampering */

	/*
	 * Makes a pair, to be used for as long as keys live (xcrypt.7, "What is kept").  0, or -1:
	 * no randomness or no memory.  NULL where public_len is 0.
	 */
	int (*pair)(struct kex_pair *pair);

	/*
	 * The fields of a line.  The put functions write characters to `text`, at most
	 * KEX_TEXT_MAX and without a NUL, and return how many.  The get functions read all of
	 * `text`.  A nonce is drawn fresh from the kernel by draw_nonce(): 0, or -1.
	 */
	size_t (*put_public)(char *text, const struct kex_pair *own);
	enum kex_field (*get_public)(uint8_t *public, struct span text);
	int (*draw_nonce)(uint8_t *nonce);
	size_t (*put_nonce)(char *text, const uint8_t *nonce);
	enum kex_field (*get_nonce)(uint8_t *nonce, struct span text);

	/* Z from our private and their public key, to a->secret.  0, or -1.  NULL: there is none. */
	int (*agree)(struct agreement *a);

	/*
	 * T, to a->transcript: `lines` is offer LF choice LF answer LF.  0, or -1.  NULL where the
	 * lines are no part of the keys.
	 */
	int (*hash_transcript)(struct agreement *a, struct span lines);

	/* Once keys, nonces, transcript and Z are there.  0, or -1: not to be used (all-zero Z). */
	int (*prepare)(struct agreement *a);

	/*
	 * What goes behind OK.  put_ok() writes our side's, get_ok() reads the other side's and says
	 * whether it is the right one; the server gets first and puts then, the client the other
	 * way round.  put_ok() returns the length of the text, 0 when nothing goes there (which is
	 * no error), or -1.
	 */
	int (*put_ok)(struct agreement *a, char *text);
	bool (*get_ok)(struct agreement *a, struct span text);

	/* The session keys, after both.  0, or -1. */
	int (*finish)(struct agreement *a);
};

extern const struct kex kex_x25519;	/* 2.0 */
extern const struct kex kex_oakley1;	/* 1.0 */
extern const struct kex kex_rsa;	/* 0.2 */
extern const struct kex kex_rotn;	/* 0.1 */

/* Wipes every secret in `a`; what else it holds stays. */
void agreement_wipe(struct agreement *a);

/*
 * Where an exchange's pair and the secrets computed with it come from.  The key ring (store/key_cache.h)
 * is one; tests have their own.  `own` is NULL where no pair is to be had now; what it points at
 * lives as long as the source.
 */
struct key_source {
	void *context;
	const struct kex_pair *(*own)(void *context, const struct kex *x);
	/* Z computed earlier with the present own pair and that public key, to `secret`? */
	bool (*find)(void *context, const struct kex *x, const uint8_t *peer_public,
	    uint8_t *secret);
	/* A finished handshake's Z, to be found later. */
	void (*keep)(void *context, const struct kex *x, const uint8_t *peer_public,
	    const uint8_t *secret);
	/* A handshake has finished with the Z that was found last.  May be NULL. */
	void (*used)(void *context, const struct kex *x, const uint8_t *peer_public,
	    const uint8_t *secret);
};

#endif
