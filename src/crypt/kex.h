/*
 * The interface of a key exchange, of which each version of XCRYPT has one.  An exchange is one
 * file: it fills in one `struct kex`, and suite.c names it.
 *
 * The handshake (smtp/handshake.h) decides the order of events; an exchange knows the meaning of
 * the fields of its lines and how keys are derived from them.  It does no input or output and
 * keeps no state.
 */
#ifndef CRYPT_KEX_H
#define CRYPT_KEX_H

#include "base/span.h"
#include "crypt/cipher.h"

struct suite;
struct hybrid_kept;

#define KEX_PRIVATE_MAX 256	/* octets; the two primes of an RSA-2048 key are the longest */
#define KEX_PUBLIC_MAX 256
#define KEX_SECRET_MAX 96
#define KEX_NONCE_MAX 32
#define KEX_CONFIRM_MAX 20	/* octets sent after OK: a confirmation, or in 0.2 a secret */
#define KEX_TEXT_MAX 352	/* characters of a field on the wire */

struct kex_pair {
	uint8_t private[KEX_PRIVATE_MAX];
	size_t private_len;
	uint8_t public[KEX_PUBLIC_MAX];	/* struct kex's public_len octets */
};

/* The state of one key agreement. */
struct agreement {
	const struct suite *suite;
	bool server;			/* we are side b (the server), else side a (the client) */
	const struct kex_pair *own;	/* the key source's; NULL if the exchange has none */
	uint8_t peer_public[KEX_PUBLIC_MAX];
	uint8_t nonce_a[KEX_NONCE_MAX], nonce_b[KEX_NONCE_MAX];
	uint8_t secret[KEX_SECRET_MAX];	/* the shared secret, Z in xcrypt(7) */
	uint8_t half_a[KEX_CONFIRM_MAX], half_b[KEX_CONFIRM_MAX]; /* Sa and Sb of version 0.2 */

	/* the results */
	uint8_t key_ab[CIPHER_KEY_MAX], key_ba[CIPHER_KEY_MAX];
	uint8_t iv_ab[CIPHER_IV_LEN], iv_ba[CIPHER_IV_LEN];
};

enum kex_field {
	FIELD_GOOD,
	FIELD_MALFORMED,	/* a syntax error: answered with 501 */
	FIELD_REFUSED		/* well-formed, but an unacceptable value: answered with 454 */
};

#define KEX_VERSION_2_0 20	/* the first version with integrity and with host keys */

struct kex {
	const char *version_text;	/* as in a suite's name, after the underscore: "2.0" */
	unsigned version;		/* for comparing: 20 for 2.0, higher is newer */
	const char *title;		/* for people: "X25519" */
	size_t public_len;		/* octets of a public key; 0: the exchange has none */
	size_t secret_len;		/* octets of the shared secret; 0: the exchange has none */
	size_t nonce_len;		/* octets of a nonce in struct agreement */
	bool cached;			/* shared secrets are kept in the key cache */
	bool pair_on_demand;		/* pairs are slow to make: made when first needed */

	/*
	 * Makes a pair that is used until keys are replaced (xcrypt(7), WHAT IS KEPT).  0, or -1:
	 * no randomness or no memory.  NULL where public_len is 0.
	 */
	int (*pair)(struct kex_pair *pair);

	/*
	 * The fields of a line.  The put functions write up to KEX_TEXT_MAX characters to `text`,
	 * without a NUL, and return their number.  The get functions parse all of `text`.
	 * draw_nonce() draws a new nonce from the kernel: 0, or -1.
	 */
	size_t (*put_public)(char *text, const struct kex_pair *own);
	enum kex_field (*get_public)(uint8_t *public, struct span text);
	int (*draw_nonce)(uint8_t *nonce);
	size_t (*put_nonce)(char *text, const uint8_t *nonce);
	enum kex_field (*get_nonce)(uint8_t *nonce, struct span text);

	/*
	 * Computes the shared secret from our private and the peer's public key into a->secret.
	 * 0, or -1.  NULL: the exchange has no shared secret.
	 */
	int (*agree)(struct agreement *a);

	/*
	 * Called when keys, nonces and shared secret are known.  0, or -1: they must not be used.
	 */
	int (*prepare)(struct agreement *a);

	/*
	 * The text after OK.  put_ok() writes ours and get_ok() checks the peer's.  The server
	 * calls get_ok() first and put_ok() then, the client the other way round.  put_ok()
	 * returns the length of the text, which is 0 where OK stands alone, or -1.
	 */
	int (*put_ok)(struct agreement *a, char *text);
	bool (*get_ok)(struct agreement *a, struct span text);

	/* Derives the session keys; called after both.  0, or -1. */
	int (*finish)(struct agreement *a);
};

extern const struct kex kex_hybrid;	/* version 2.0 */
extern const struct kex kex_oakley1;	/* version 1.0 */
extern const struct kex kex_rsa;	/* version 0.2 */
extern const struct kex kex_rotn;	/* version 0.1 */

/* Wipes the secrets and keys in `a`; the other members keep their values. */
void agreement_wipe(struct agreement *a);

/*
 * Where a handshake gets own key pairs and cached shared secrets: the key cache
 * (store/key_cache.h), or a test's replacement.
 */
struct key_source {
	void *context;
	/* Our pair, valid for as long as the source; NULL when none is available now. */
	const struct kex_pair *(*own)(void *context, const struct kex *x);
	/* Finds the secret shared by our present pair and that public key.  False: not known. */
	bool (*find)(void *context, const struct kex *x, const uint8_t *peer_public,
	    uint8_t *secret);
	/* Remembers the shared secret of a completed handshake. */
	void (*keep)(void *context, const struct kex *x, const uint8_t *peer_public,
	    const uint8_t *secret);
	/* Notes that a handshake completed with the secret found last.  May be NULL. */
	void (*used)(void *context, const struct kex *x, const uint8_t *peer_public,
	    const uint8_t *secret);

	/*
	 * 2.0, server.  keep_s(): number of seconds for which an id issued now will be known.
	 * find_id(): completes the entry with the id kept->id; false: unknown.  keep_id():
	 * stores an entry.  used_id(): notes that an entry was used.
	 */
	unsigned (*keep_s)(void *context, const struct kex *x);
	bool (*find_id)(void *context, struct hybrid_kept *kept);
	void (*keep_id)(void *context, const struct hybrid_kept *kept);
	void (*used_id)(void *context, const struct hybrid_kept *kept);
	/*
	 * 2.0, client; the host is the one that is called.  find_host(): finds its entry, and
	 * the offer it was stored with (at most `room` octets); false: none.  keep_host():
	 * stores its entry for at most `keep_s` seconds.  forget_host(): removes it.  is_own():
	 * whether a server's two-hour key is ours, the present one or its predecessor.
	 */
	bool (*find_host)(void *context, struct hybrid_kept *kept, uint8_t *offer, size_t room,
	    size_t *offer_len);
	void (*keep_host)(void *context, const struct hybrid_kept *kept, struct span offer,
	    unsigned keep_s);
	void (*forget_host)(void *context);
	bool (*is_own)(void *context, const uint8_t *server_public);
};

#endif
