/* The exchange of version 0.2: each side seals a secret to the other's RSA key (RFC 8017). */
#include "crypt/kex.h"

#include "base/octets.h"
#include "crypt/base64.h"
#include "crypt/kex_fields.h"
#include "crypt/random.h"

#include <assert.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <string.h>

#define MODULUS_LEN 256
#define PRIME_LEN (MODULUS_LEN / 2)
#define HALF_LEN 20

static const unsigned char exponent[] = { 0x01, 0x00, 0x01 };

_Static_assert(HALF_LEN <= KEX_CONFIRM_MAX, "an agreement holds the halves");
_Static_assert(2 * PRIME_LEN <= KEX_PRIVATE_MAX, "a pair holds both primes");
_Static_assert(BASE64_LEN(MODULUS_LEN) <= KEX_TEXT_MAX, "a field holds a value in base64");

/* Sets up an RSA context with OAEP inside `pk`.  mbedtls_pk_free() must follow even after -1. */
static int
begin(mbedtls_pk_context *pk)
{
	mbedtls_pk_init(pk);
	if (mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_RSA)) != 0)
		return -1;
	mbedtls_rsa_set_padding(mbedtls_pk_rsa(*pk), MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA1);
	return 0;
}

/* The private key is stored as its two primes, from which the rest is computed. */
static int
rsa_make_pair(struct kex_pair *pair)
{
	mbedtls_pk_context pk;
	int rc = -1;

	pair->private_len = 2 * PRIME_LEN;
	if (begin(&pk) == 0 &&
	    mbedtls_rsa_gen_key(mbedtls_pk_rsa(pk), random_mbedtls, NULL, 8 * MODULUS_LEN,
	    65537) == 0 &&
	    mbedtls_rsa_export_raw(mbedtls_pk_rsa(pk), pair->public, MODULUS_LEN,
	    pair->private, PRIME_LEN, pair->private + PRIME_LEN, PRIME_LEN, NULL, 0, NULL, 0) == 0)
		rc = 0;
	else
		octets_wipe(pair->private, sizeof(pair->private));
	mbedtls_pk_free(&pk);
	return rc;
}

static size_t
rsa_put_public(char *text, const struct kex_pair *own)
{
	return base64_encode(text, own->public, MODULUS_LEN);
}

static enum kex_field
rsa_get_public(uint8_t *public, struct span text)
{
	if (!base64_decode(public, MODULUS_LEN, text))
		return FIELD_MALFORMED;
	return (public[0] & 0x80) && (public[MODULUS_LEN - 1] & 1) ? FIELD_GOOD : FIELD_REFUSED;
}

/* Encrypts a half for the owner of `modulus`. */
static int
rsa_seal(uint8_t sealed[MODULUS_LEN], const uint8_t modulus[MODULUS_LEN],
    const uint8_t half[HALF_LEN])
{
	mbedtls_pk_context pk;
	size_t len = 0;
	int rc = -1;

	if (begin(&pk) == 0 &&
	    mbedtls_rsa_import_raw(mbedtls_pk_rsa(pk), modulus, MODULUS_LEN, NULL, 0, NULL, 0,
	    NULL, 0, exponent, sizeof(exponent)) == 0 &&
	    mbedtls_rsa_complete(mbedtls_pk_rsa(pk)) == 0 &&
	    mbedtls_pk_encrypt(&pk, half, HALF_LEN, sealed, &len, MODULUS_LEN, random_mbedtls,
	    NULL) == 0 && len == MODULUS_LEN)
		rc = 0;
	mbedtls_pk_free(&pk);
	return rc;
}

/*
 * Decrypts a half sealed to us.  The peer learns only that it was wrong, never why: mbedTLS
 * removes the padding in constant time.
 */
static int
open_sealed(uint8_t half[HALF_LEN], const struct kex_pair *own,
    const uint8_t sealed[MODULUS_LEN])
{
	const uint8_t *p = own->private, *q = own->private + PRIME_LEN;
	mbedtls_pk_context pk;
	uint8_t plain[MODULUS_LEN];
	size_t len = 0;
	int rc = -1;

	assert(own->private_len == 2 * PRIME_LEN);
	if (begin(&pk) == 0 &&
	    mbedtls_rsa_import_raw(mbedtls_pk_rsa(pk), NULL, 0, p, PRIME_LEN, q, PRIME_LEN, NULL, 0,
	    exponent, sizeof(exponent)) == 0 &&
	    mbedtls_rsa_complete(mbedtls_pk_rsa(pk)) == 0 &&
	    mbedtls_pk_decrypt(&pk, sealed, MODULUS_LEN, plain, &len, sizeof(plain), random_mbedtls,
	    NULL) == 0 && len == HALF_LEN) {
		memcpy(half, plain, HALF_LEN);
		rc = 0;
	}
	octets_wipe(plain, sizeof(plain));
	mbedtls_pk_free(&pk);
	return rc;
}

static int
rsa_put_ok(struct agreement *a, char *text)
{
	uint8_t *half = a->server ? a->half_b : a->half_a, sealed[MODULUS_LEN];

	if (random_octets(half, HALF_LEN) < 0 || rsa_seal(sealed, a->peer_public, half) < 0)
		return -1;
	return (int)base64_encode(text, sealed, sizeof(sealed));
}

static bool
rsa_get_ok(struct agreement *a, struct span text)
{
	uint8_t sealed[MODULUS_LEN];

	return base64_decode(sealed, sizeof(sealed), text) &&
	    open_sealed(a->server ? a->half_a : a->half_b, a->own, sealed) == 0;
}

static int
rsa_finish(struct agreement *a)
{
	uint8_t halves[2 * HALF_LEN];

	memcpy(halves, a->half_a, HALF_LEN);
	memcpy(halves + HALF_LEN, a->half_b, HALF_LEN);
	int rc = fields_split_keys(a, span(halves, sizeof(halves)));
	octets_wipe(halves, sizeof(halves));
	return rc;
}

const struct kex kex_rsa = {
	.version_text = "0.2",
	.version = 2,
	.title = "RSA, 2048 bits",
	.public_len = MODULUS_LEN,
	.nonce_len = FIELDS_SHORT_NONCE_LEN,
	.pair_on_demand = true,
	.pair = rsa_make_pair,
	.put_public = rsa_put_public,
	.get_public = rsa_get_public,
	.draw_nonce = fields_draw_short_nonce,
	.put_nonce = fields_put_short_nonce,
	.get_nonce = fields_get_short_nonce,
	.prepare = fields_nothing_to_do,
	.put_ok = rsa_put_ok,
	.get_ok = rsa_get_ok,
	.finish = rsa_finish,
};
