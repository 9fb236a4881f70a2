#include "crypt/kex_hybrid.h"

#include "base/octets.h"
#include "crypt/base64.h"
#include "crypt/hkdf.h"
#include "crypt/kex_fields.h"
#include "crypt/random.h"
#include "crypt/sha256.h"
#include "crypt/suite.h"

#include <assert.h>
#include <string.h>

#define TRANSCRIPT_LEN SHA256_LEN
#define OKM_LEN (2 * CIPHER_KEY_MAX + 2 * CIPHER_IV_LEN + HYBRID_CONFIRM_LEN + HYBRID_ID_LEN + \
    HYBRID_SECRET_LEN)

_Static_assert(OKM_LEN == 152, "as the protocol has it");
_Static_assert(HYBRID_NONCE_LEN <= KEX_NONCE_MAX, "an agreement has room for the nonces");

static int
make_pair(struct kex_pair *pair)
{
	pair->private_len = X25519_LEN;
	return x25519_make_pair(pair->private, pair->public);
}

int
hybrid_draw(struct hybrid *h, struct agreement *a)
{
	if (random_octets(a->server ? a->nonce_b : a->nonce_a, HYBRID_NONCE_LEN) < 0)
		return -1;
	return x25519_make_pair(h->private, h->public);
}

int
hybrid_make_kem(struct hybrid *h)
{
	uint8_t seed[MLKEM768_SEED_LEN];

	if (random_octets(seed, sizeof(seed)) < 0)
		return -1;
	mlkem768_make_keys(h->encaps_key, h->decaps_key, seed);
	octets_wipe(seed, sizeof(seed));
	return 0;
}

int
hybrid_encapsulate(struct hybrid *h)
{
	uint8_t message[MLKEM768_MESSAGE_LEN];

	if (random_octets(message, sizeof(message)) < 0)
		return -1;
	mlkem768_encapsulate(h->kem_secret, h->ciphertext, h->encaps_key, message);
	octets_wipe(message, sizeof(message));
	return 0;
}

static bool
put_hex(struct buf *out, const uint8_t *octets, size_t len)
{
	char text[2 * X25519_LEN];

	assert(2 * len <= sizeof(text));
	octets_to_hex(text, octets, len);
	return buf_put(out, span(text, 2 * len));
}

static bool
put_base64(struct buf *out, const uint8_t *octets, size_t len)
{
	char text[BASE64_LEN(MLKEM768_ENCAPS_KEY_LEN)];

	return buf_put(out, span(text, base64_encode(text, octets, len)));
}

static bool
get_point(uint8_t point[X25519_LEN], struct span text)
{
	return octets_from_hex(point, X25519_LEN, text);
}

bool
hybrid_put_choice(struct buf *out, const struct hybrid *h, const struct agreement *a)
{
	if (!put_hex(out, h->public, X25519_LEN) || !buf_put(out, SPAN(" ")) ||
	    !put_hex(out, a->nonce_a, HYBRID_NONCE_LEN) || !buf_put(out, SPAN(" ")))
		return false;
	if (h->met)
		return buf_put(out, SPAN("=")) && put_hex(out, h->kept.id, HYBRID_ID_LEN);
	return put_base64(out, h->encaps_key, sizeof(h->encaps_key));
}

enum kex_field
hybrid_get_choice(struct hybrid *h, struct agreement *a, struct span fields)
{
	struct span point, nonce, last;

	if (!span_word(&fields, ' ', &point) || !get_point(h->peer, point) ||
	    !span_word(&fields, ' ', &nonce) ||
	    !octets_from_hex(a->nonce_a, HYBRID_NONCE_LEN, nonce) ||
	    !span_word(&fields, ' ', &last) || fields.at != NULL)
		return FIELD_MALFORMED;
	h->met = span_starts(last, SPAN("="));
	bool good = h->met ? octets_from_hex(h->kept.id, HYBRID_ID_LEN, span_from(last, 1)) :
			     base64_decode(h->encaps_key, sizeof(h->encaps_key), last);
	if (!good)
		return FIELD_MALFORMED;
	if (x25519_low_order(h->peer) || (!h->met && !mlkem768_good_key(h->encaps_key)))
		return FIELD_REFUSED;
	return FIELD_GOOD;
}

bool
hybrid_put_answer(struct buf *out, const struct hybrid *h, const struct agreement *a,
    unsigned keep_s)
{
	if (!put_hex(out, h->public, X25519_LEN) || !buf_put(out, SPAN(" ")) ||
	    !put_hex(out, a->nonce_b, HYBRID_NONCE_LEN) || !buf_put(out, SPAN(" ")))
		return false;
	if (h->met)
		return buf_put(out, SPAN("="));
	return put_hex(out, h->kept.server, X25519_LEN) && buf_put(out, SPAN(" ")) &&
	    put_base64(out, h->ciphertext, sizeof(h->ciphertext)) &&
	    buf_printf(out, " %u", keep_s);
}

/* keep: decimal, without leading zeros */
static bool
get_keep(unsigned *keep_s, struct span text)
{
	uint64_t number;

	if (!span_number(text, HYBRID_KEEP_MAX, &number) || (text.len > 1 && text.at[0] == '0'))
		return false;
	*keep_s = (unsigned)number;
	return true;
}

/* The fields that only a first meeting has, except confirm-b: Sb, ct and keep. */
static bool
get_first(struct hybrid *h, struct span *fields, unsigned *keep_s)
{
	struct span point, ciphertext, keep;

	return span_word(fields, ' ', &point) && get_point(h->kept.server, point) &&
	    span_word(fields, ' ', &ciphertext) &&
	    base64_decode(h->ciphertext, sizeof(h->ciphertext), ciphertext) &&
	    span_word(fields, ' ', &keep) && get_keep(keep_s, keep);
}

enum kex_field
hybrid_get_answer(struct hybrid *h, struct agreement *a, struct span fields,
    unsigned *keep_s, uint8_t confirm[HYBRID_CONFIRM_LEN], size_t *signed_len)
{
	const uint8_t *begin = fields.at;
	struct span point, nonce, word;

	*keep_s = 0;
	if (!span_word(&fields, ' ', &point) || !get_point(h->peer, point) ||
	    !span_word(&fields, ' ', &nonce) ||
	    !octets_from_hex(a->nonce_b, HYBRID_NONCE_LEN, nonce))
		return FIELD_MALFORMED;
	bool good = h->met ? span_word(&fields, ' ', &word) && span_equal(word, SPAN("=")) :
			     get_first(h, &fields, keep_s);
	if (!good || fields.at == NULL ||
	    !octets_from_hex(confirm, HYBRID_CONFIRM_LEN, fields))
		return FIELD_MALFORMED;
	*signed_len = (size_t)(fields.at - begin) - 1;
	if (x25519_low_order(h->peer) || memcmp(h->peer, h->public, X25519_LEN) == 0 ||
	    (!h->met && x25519_low_order(h->kept.server)))
		return FIELD_REFUSED;
	return FIELD_GOOD;
}

struct ikm {
	uint8_t octets[MLKEM768_SECRET_LEN + 2 * X25519_LEN];
	size_t len;
};

/* IKM (xcrypt(7)): R || DH(Ea, Eb), or K || DH(Ea, Eb) || DH(Ea, Sb) at a first meeting. */
static int
make_ikm(struct ikm *ikm, struct hybrid *h, const struct agreement *a,
    const struct kex_pair *own)
{
	uint8_t *at = ikm->octets;

	if (h->met)
		memcpy(at, h->kept.secret, HYBRID_SECRET_LEN);
	else if (!a->server)
		mlkem768_decapsulate(at, h->ciphertext, h->decaps_key);
	else
		memcpy(at, h->kem_secret, sizeof(h->kem_secret));
	at += HYBRID_SECRET_LEN;
	if (x25519(at, h->private, h->peer) < 0)
		return -1;
	at += X25519_LEN;
	if (!h->met) {
		const uint8_t *private = a->server ? own->private : h->private;
		const uint8_t *public = a->server ? h->peer : h->kept.server;
		if (x25519(at, private, public) < 0)
			return -1;
		at += X25519_LEN;
	}
	ikm->len = (size_t)(at - ikm->octets);
	return 0;
}

_Static_assert(HYBRID_SECRET_LEN == MLKEM768_SECRET_LEN, "R takes the place of K");

/* Each line with an LF behind it. */
static int
hash_transcript(uint8_t out[TRANSCRIPT_LEN], const struct span lines[HYBRID_LINES])
{
	struct span parts[2 * HYBRID_LINES];

	for (size_t i = 0; i < HYBRID_LINES; i++) {
		parts[2 * i] = lines[i];
		parts[2 * i + 1] = SPAN("\n");
	}
	return sha256_parts(out, parts, 2 * HYBRID_LINES);
}

/* OKM (xcrypt(7)), by HKDF. */
static int
derive(uint8_t okm[OKM_LEN], const struct ikm *ikm, const struct agreement *a,
    const struct span lines[HYBRID_LINES])
{
	uint8_t salt[2 * HYBRID_NONCE_LEN], prk[HKDF_PRK_LEN], transcript[TRANSCRIPT_LEN], label[128];
	struct buf info;
	int rc = -1;

	memcpy(salt, a->nonce_a, HYBRID_NONCE_LEN);
	memcpy(salt + HYBRID_NONCE_LEN, a->nonce_b, HYBRID_NONCE_LEN);
	buf_init(&info, label, sizeof(label));
	if (hash_transcript(transcript, lines) == 0 &&
	    buf_put(&info, SPAN("XCRYPT 2.0\0")) && buf_put(&info, span_of(a->suite->name)) &&
	    buf_put(&info, SPAN("\0")) && buf_put(&info, span(transcript, sizeof(transcript))) &&
	    hkdf_extract(prk, span(salt, sizeof(salt)), span(ikm->octets, ikm->len)) == 0 &&
	    hkdf_expand(okm, OKM_LEN, prk, buf_peek(&info)) == 0)
		rc = 0;
	octets_wipe(prk, sizeof(prk));
	return rc;
}

/* Splits OKM: key-ab, key-ba, iv-ab, iv-ba, confirm-b, id, R. */
static void
split(struct hybrid *h, struct agreement *a, const uint8_t okm[OKM_LEN])
{
	const struct {
		uint8_t *at;
		size_t len;
	} parts[] = {
		{ a->key_ab, sizeof(a->key_ab) }, { a->key_ba, sizeof(a->key_ba) },
		{ a->iv_ab, sizeof(a->iv_ab) }, { a->iv_ba, sizeof(a->iv_ba) },
		{ h->confirm, HYBRID_CONFIRM_LEN },
		{ h->kept.id, HYBRID_ID_LEN }, { h->kept.secret, HYBRID_SECRET_LEN },
	};
	size_t done = 0;

	/* id and R are new at a first meeting only */
	for (size_t i = 0; i < (h->met ? 5 : 7); i++) {
		memcpy(parts[i].at, okm + done, parts[i].len);
		done += parts[i].len;
	}
}

int
hybrid_agree(struct hybrid *h, struct agreement *a, const struct kex_pair *own,
    const struct span lines[HYBRID_LINES])
{
	uint8_t okm[OKM_LEN];
	struct ikm ikm;
	int rc = -1;

	if (make_ikm(&ikm, h, a, own) == 0 && derive(okm, &ikm, a, lines) == 0) {
		split(h, a, okm);
		memcpy(a->peer_public, h->kept.server, X25519_LEN);
		rc = 0;
	}
	octets_wipe(&ikm, sizeof(ikm));
	octets_wipe(okm, sizeof(okm));
	return rc;
}

void
hybrid_wipe_keys(struct hybrid *h)
{
	octets_wipe(h->private, sizeof(h->private));
	octets_wipe(h->decaps_key, sizeof(h->decaps_key));
	octets_wipe(h->kem_secret, sizeof(h->kem_secret));
	octets_wipe(h->confirm, sizeof(h->confirm));
}

void
hybrid_wipe(struct hybrid *h)
{
	octets_wipe(h, sizeof(*h));
}

const struct kex kex_hybrid = {
	.version_text = "2.0",
	.version = KEX_VERSION_2_0,
	.title = "X25519 and ML-KEM-768",
	.public_len = X25519_LEN,
	.nonce_len = HYBRID_NONCE_LEN,
	.pair = make_pair,
};
