/*
 * The key exchange of XCRYPT 2.0 (xcrypt(7), VERSION 2.0).  Each connection has fresh X25519
 * pairs.  A first meeting adds ML-KEM-768 and the server's two-hour X25519 key; later handshakes
 * add the pre-shared secret R that the first meeting produced.
 *
 * This module parses and writes the fields of both lines and derives the keys.  The order of
 * events is in smtp/handshake.h.  store/meetings.h keeps the secrets.
 */
#ifndef CRYPT_KEX_HYBRID_H
#define CRYPT_KEX_HYBRID_H

#include "base/buf.h"
#include "crypt/kex.h"
#include "crypt/mlkem768.h"
#include "crypt/x25519.h"

#define HYBRID_NONCE_LEN 32
#define HYBRID_ID_LEN 16
#define HYBRID_SECRET_LEN 32		/* R, the pre-shared secret */
#define HYBRID_CONFIRM_LEN 16
#define HYBRID_LINES 4			/* lines of the transcript */
#define HYBRID_KEEP_MAX 86400		/* seconds */

/* What a client and a server keep of a first meeting. */
struct hybrid_kept {
	uint8_t id[HYBRID_ID_LEN];
	uint8_t secret[HYBRID_SECRET_LEN];	/* R */
	uint8_t server[X25519_LEN];		/* Sb of the first meeting */
};

/* One key exchange.  All members except public keys are secret. */
struct hybrid {
	bool met;				/* the choice has an id instead of an ek */
	uint8_t private[X25519_LEN];		/* ours for this connection */
	uint8_t public[X25519_LEN];
	uint8_t peer[X25519_LEN];		/* the peer's Ea or Eb */
	uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN];	/* ek, at a first meeting */
	uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN];
	uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN];	/* ct */
	uint8_t kem_secret[MLKEM768_SECRET_LEN];	/* K */
	uint8_t confirm[HYBRID_CONFIRM_LEN];	/* confirm-b as computed here */
	/*
	 * In a later handshake, the stored entry: set before the exchange.  At a first meeting,
	 * the new entry: `server` is set when Sb is known, the rest by hybrid_agree().
	 */
	struct hybrid_kept kept;
};

/* Generates our X25519 pair and nonce.  0, or -1 with errno: no randomness. */
int hybrid_draw(struct hybrid *h, struct agreement *a);

/* Client, first meeting: generates the ML-KEM key pair.  0, or -1 with errno: no randomness. */
int hybrid_make_kem(struct hybrid *h);

/* Client: appends `<Ea> <Na> <ek>`, or `<Ea> <Na> =<id>` if h->met, to `out`.  False: no room. */
bool hybrid_put_choice(struct buf *out, const struct hybrid *h, const struct agreement *a);

/* Server: parses these fields.  FIELD_REFUSED: low-order point, or ek out of range. */
enum kex_field hybrid_get_choice(struct hybrid *h, struct agreement *a, struct span fields);

/*
 * Server, first meeting: computes K and ct from the client's ek.  0, or -1 with errno: no
 * randomness.
 */
int hybrid_encapsulate(struct hybrid *h);

/*
 * Server: appends `<Eb> <Nb> <Sb> <ct> <keep>`, or `<Eb> <Nb> =` if h->met, to `out`.  The caller
 * adds confirm-b after hybrid_agree().  `keep_s`: number of seconds for which the server will
 * know the id, 0 to HYBRID_KEEP_MAX.  False: no room.
 */
bool hybrid_put_answer(struct buf *out, const struct hybrid *h, const struct agreement *a,
    unsigned keep_s);

/*
 * Client: parses the fields of an answer.  `confirm` receives confirm-b as the server sent it.
 * `signed_len` receives the number of octets of `fields` before confirm-b and its blank.
 * FIELD_MALFORMED: also if the answer has the other form than the choice.  FIELD_REFUSED:
 * low-order point, or Eb equals our Ea.
 */
enum kex_field hybrid_get_answer(struct hybrid *h, struct agreement *a, struct span fields,
    unsigned *keep_s, uint8_t confirm[HYBRID_CONFIRM_LEN], size_t *signed_len);

/*
 * Both: derives the session keys (into `a`), h->confirm and, at a first meeting, the entry to
 * keep.  `lines` is the transcript without line ends: hello, offer, choice, answer.  `own` is the
 * server's two-hour pair; the client passes NULL, and only a first meeting uses it.  0, or -1: a
 * DH result is all zeros, and nothing may be used.
 */
int hybrid_agree(struct hybrid *h, struct agreement *a, const struct kex_pair *own,
    const struct span lines[HYBRID_LINES]);

/* Wipes all members except `kept`; hybrid_wipe() wipes that too. */
void hybrid_wipe_keys(struct hybrid *h);
void hybrid_wipe(struct hybrid *h);

#endif
