/*
 * The key exchange of XCRYPT 2.0 (xcrypt.7): X25519 pairs that live for one connection; at a
 * first meeting ML-KEM-768 and the server's two-hour key besides; between hosts that have met,
 * the secret they kept.
 *
 * What the fields of both lines mean and how keys come out of them is known here; when they are
 * sent is smtp/handshake.h's business, and what is kept store/key_cache.h's.
 */
#ifndef CRYPT_KEX_HYBRID_H
#define CRYPT_KEX_HYBRID_H

#include "base/buf.h"
#include "crypt/kex.h"
#include "crypt/mlkem768.h"
#include "crypt/x25519.h"

#define HYBRID_NONCE_LEN 32
#define HYBRID_ID_LEN 16
#define HYBRID_SECRET_LEN 32		/* R */
#define HYBRID_CONFIRM_LEN 16
#define HYBRID_LINES 4			/* of the transcript */
#define HYBRID_KEEP_MAX 86400		/* seconds */

/* What two hosts that have met know of each other. */
struct hybrid_kept {
	uint8_t id[HYBRID_ID_LEN];
	uint8_t secret[HYBRID_SECRET_LEN];	/* R */
	uint8_t server[X25519_LEN];		/* Sb of their first meeting */
};

/* One connection's exchange.  Everything in it but the public keys is secret. */
struct hybrid {
	bool met;				/* the client names a kept secret by its id */
	uint8_t private[X25519_LEN];		/* ours for this connection, and its public key: Ea or Eb */
	uint8_t public[X25519_LEN];
	uint8_t peer[X25519_LEN];		/* theirs */
	uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN];	/* ek: the client's, at a first meeting */
	uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN];
	uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN];	/* ct */
	uint8_t kem_secret[MLKEM768_SECRET_LEN];	/* K */
	uint8_t confirm[HYBRID_CONFIRM_LEN];	/* confirm-b, as it has to be */
	/*
	 * Between hosts that have met, what was kept: set before the exchange.  At a first
	 * meeting what is to be kept, once hybrid_agree() has been called; `server` as soon as
	 * it is known.
	 */
	struct hybrid_kept kept;
};

/* Draws our pair and nonce.  0, or -1 with errno: no randomness. */
int hybrid_draw(struct hybrid *h, struct agreement *a);

/* Client, first meeting: makes the ML-KEM key pair.  0, or -1 with errno: no randomness. */
int hybrid_make_kem(struct hybrid *h);

/*
 * Client: puts `<Ea> <Na> <ek>`, or `<Ea> <Na> =<id>` where they have met, to `out`.  False: no
 * room.
 */
bool hybrid_put_choice(struct buf *out, const struct hybrid *h, const struct agreement *a);

/* Server: reads these fields.  FIELD_REFUSED: a point of low order, or an ek out of range. */
enum kex_field hybrid_get_choice(struct hybrid *h, struct agreement *a, struct span fields);

/*
 * Server, first meeting: makes K and ct for the client's ek.  0, or -1 with errno: no
 * randomness.
 */
int hybrid_encapsulate(struct hybrid *h);

/*
 * Server: puts `<Eb> <Nb> <Sb> <ct> <keep>`, or `<Eb> <Nb> =`, to `out`: the answer without its
 * last field, which follows from hybrid_agree().  `keep_s`: for how long the server will know
 * the id, 0 to HYBRID_KEEP_MAX seconds.  False: no room.
 */
bool hybrid_put_answer(struct buf *out, const struct hybrid *h, const struct agreement *a,
    unsigned keep_s);

/*
 * Client: reads the fields of an answer.  FIELD_MALFORMED also for an answer of the other form
 * than the choice; FIELD_REFUSED: a point of low order, or our own Ea.  `confirm` gets
 * confirm-b as the server has it, and `signed_len` says how many octets of `fields` come before
 * it, without the blank.
 */
enum kex_field hybrid_get_answer(struct hybrid *h, struct agreement *a, struct span fields,
    unsigned *keep_s, uint8_t confirm[HYBRID_CONFIRM_LEN], size_t *signed_len);

/*
 * Both: the session keys (in `a`), h->confirm and, at a first meeting, what is to be kept.
 * `lines` are those of the transcript, hello, offer, choice, answer, without their ends; `own`
 * the server's two-hour pair, which only the server has and only a first meeting needs.  0, or
 * -1: a shared secret is all zeros, and nothing may be used.
 */
int hybrid_agree(struct hybrid *h, struct agreement *a, const struct kex_pair *own,
    const struct span lines[HYBRID_LINES]);

/* Wipes everything but `kept`; wipes it all. */
void hybrid_wipe_keys(struct hybrid *h);
void hybrid_wipe(struct hybrid *h);

#endif
