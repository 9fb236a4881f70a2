#include "crypt/kex.h"

#include "base/buf.h"
#include "base/octets.h"
#include "crypt/hkdf.h"
#include "crypt/kex_fields.h"
#include "crypt/random.h"
#include "crypt/suite.h"

#include <assert.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <string.h>

#define POINT_LEN 32
#define SCALAR_LEN 32
#define NONCE_LEN 32
#define CONFIRM_LEN 16
#define OKM_LEN (2 * CIPHER_KEY_MAX + 2 * CIPHER_IV_LEN + 2 * CONFIRM_LEN)

/* X25519 (RFC 7748 section 5): out = scalar * point; the point's top bit is ignored. */
static int
x25519_multiply(uint8_t out[POINT_LEN], const uint8_t scalar[SCALAR_LEN],
    const uint8_t point[POINT_LEN])
{
	mbedtls_ecp_group curve;
	mbedtls_ecp_point in, product;
	mbedtls_mpi factor;
	uint8_t clamped[SCALAR_LEN];
	size_t len;
	int rc = -1;

	memcpy(clamped, scalar, SCALAR_LEN);
	clamped[0] = clamped[0] & 0xf8;
	clamped[31] = (clamped[31] & 0x7f) | 0x40;

	mbedtls_ecp_group_init(&curve);
	mbedtls_ecp_point_init(&in);
	mbedtls_ecp_point_init(&product);
	mbedtls_mpi_init(&factor);
	if (mbedtls_ecp_group_load(&curve, MBEDTLS_ECP_DP_CURVE25519) == 0 &&
	    mbedtls_mpi_read_binary_le(&factor, clamped, SCALAR_LEN) == 0 &&
	    mbedtls_ecp_point_read_binary(&curve, &in, point, POINT_LEN) == 0 &&
	    mbedtls_ecp_mul(&curve, &product, &factor, &in, random_mbedtls, NULL) == 0 &&
	    mbedtls_ecp_point_write_binary(&curve, &product, MBEDTLS_ECP_PF_UNCOMPRESSED,
	    &len, out, POINT_LEN) == 0)
		rc = 0;
	mbedtls_mpi_free(&factor);
	mbedtls_ecp_point_free(&product);
	mbedtls_ecp_point_free(&in);
	mbedtls_ecp_group_free(&curve);
	octets_wipe(clamped, sizeof(clamped));
	return rc;
}

static int
x25519_make_pair(struct kex_pair *pair)
{
	static const uint8_t base[POINT_LEN] = { 9 };

	if (random_octets(pair->private, SCALAR_LEN) < 0)
		return -1;
	pair->private_len = SCALAR_LEN;
	if (x25519_multiply(pair->public, pair->private, base) < 0) {
		octets_wipe(pair->private, sizeof(pair->private));
		return -1;
	}
	return 0;
}

/*
 * Whether `point` is of order 1, 2, 4 or 8, which would make the shared secret zero.  Lists their
 * encodings below 2^255; those above differ in the top bit only.
 */
static bool
low_order(const uint8_t point[POINT_LEN])
{
	static const uint8_t ff[POINT_LEN - 2] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	};
	static const uint8_t zeros[POINT_LEN - 2];
	static const uint8_t order_8[2][POINT_LEN] = {
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1,
		    0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62,
		    0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c,
		    0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22,
		    0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	};
	uint8_t first = point[0], last = point[POINT_LEN - 1] & 0x7f;

	/* 0 and 1 */
	if (first <= 1 && last == 0 && memcmp(point + 1, zeros, sizeof(zeros)) == 0)
		return true;
	/* p - 1, p and p + 1, where p = 2^255 - 19 */
	if (first >= 0xec && first <= 0xee && last == 0x7f &&
	    memcmp(point + 1, ff, sizeof(ff)) == 0)
		return true;
	for (size_t i = 0; i < 2; i++)
		if (memcmp(point, order_8[i], POINT_LEN - 1) == 0 &&
		    last == order_8[i][POINT_LEN - 1])
			return true;
	return false;
}

static size_t
x25519_put_public(char *text, const struct kex_pair *own)
{
	return fields_put_hex(text, own->public, POINT_LEN);
}

static enum kex_field
x25519_get_public(uint8_t *public, struct span text)
{
	enum kex_field field = fields_get_hex(public, POINT_LEN, text);

	return field == FIELD_GOOD && low_order(public) ? FIELD_REFUSED : field;
}

static int
x25519_draw_nonce(uint8_t *nonce)
{
	return random_octets(nonce, NONCE_LEN);
}

static size_t
x25519_put_nonce(char *text, const uint8_t *nonce)
{
	return fields_put_hex(text, nonce, NONCE_LEN);
}

static enum kex_field
x25519_get_nonce(uint8_t *nonce, struct span text)
{
	return fields_get_hex(nonce, NONCE_LEN, text);
}

static int
x25519_agree(struct agreement *a)
{
	assert(a->own->private_len == SCALAR_LEN);
	return x25519_multiply(a->secret, a->own->private, a->peer_public);
}

static int
hash_transcript(struct agreement *a, struct span lines)
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);

	return mbedtls_md(sha256, lines.at, lines.len, a->transcript) == 0 ? 0 : -1;
}

/* HKDF with the salt and info of xcrypt(7). */
static int
derive(uint8_t okm[OKM_LEN], const struct agreement *a)
{
	uint8_t salt[2 * NONCE_LEN], prk[HKDF_PRK_LEN], label[128];
	struct buf info;
	int rc = -1;

	memcpy(salt, a->nonce_a, NONCE_LEN);
	memcpy(salt + NONCE_LEN, a->nonce_b, NONCE_LEN);
	buf_init(&info, label, sizeof(label));
	if (buf_put(&info, SPAN("XCRYPT 2.0\0")) &&
	    buf_put(&info, span_of(a->suite->name)) && buf_put(&info, SPAN("\0")) &&
	    buf_put(&info, span(a->transcript, sizeof(a->transcript))) &&
	    hkdf_extract(prk, span(salt, sizeof(salt)), span(a->secret, POINT_LEN)) == 0 &&
	    hkdf_expand(okm, OKM_LEN, prk, buf_peek(&info)) == 0)
		rc = 0;
	if (rc < 0)
		octets_wipe(okm, OKM_LEN);
	octets_wipe(prk, sizeof(prk));
	return rc;
}

static int
x25519_prepare(struct agreement *a)
{
	static const uint8_t zero[POINT_LEN];
	uint8_t okm[OKM_LEN];
	const struct {
		uint8_t *at;
		size_t len;
	} parts[] = {
		{ a->key_ab, sizeof(a->key_ab) }, { a->key_ba, sizeof(a->key_ba) },
		{ a->iv_ab, sizeof(a->iv_ab) }, { a->iv_ba, sizeof(a->iv_ba) },
		{ a->confirm_a, CONFIRM_LEN }, { a->confirm_b, CONFIRM_LEN },
	};
	size_t done = 0;

	if (octets_equal_secret(a->secret, zero, POINT_LEN) || derive(okm, a) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		memcpy(parts[i].at, okm + done, parts[i].len);
		done += parts[i].len;
	}
	assert(done == OKM_LEN);
	octets_wipe(okm, sizeof(okm));
	return 0;
}

static int
x25519_put_ok(struct agreement *a, char *text)
{
	return (int)fields_put_hex(text, a->server ? a->confirm_b : a->confirm_a, CONFIRM_LEN);
}

static bool
x25519_get_ok(struct agreement *a, struct span text)
{
	uint8_t confirm[CONFIRM_LEN];

	return fields_get_hex(confirm, CONFIRM_LEN, text) == FIELD_GOOD &&
	    octets_equal_secret(confirm, a->server ? a->confirm_a : a->confirm_b, CONFIRM_LEN);
}

const struct kex kex_x25519 = {
	.version_text = "2.0",
	.version = KEX_VERSION_2_0,
	.title = "X25519",
	.public_len = POINT_LEN,
	.secret_len = POINT_LEN,
	.nonce_len = NONCE_LEN,
	.cached = true,
	.hears_ehlo_first = true,
	.confirms = true,
	.pair = x25519_make_pair,
	.put_public = x25519_put_public,
	.get_public = x25519_get_public,
	.draw_nonce = x25519_draw_nonce,
	.put_nonce = x25519_put_nonce,
	.get_nonce = x25519_get_nonce,
	.agree = x25519_agree,
	.hash_transcript = hash_transcript,
	.prepare = x25519_prepare,
	.put_ok = x25519_put_ok,
	.get_ok = x25519_get_ok,
	.finish = fields_nothing_to_do,
};
