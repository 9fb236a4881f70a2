/*
 * Wycheproof's classes of cases, generated here and run through our wrappers (statement 17):
 * X25519 at the edges of the field, and HKDF, against simple second implementations.  test_x25519
 * has the low-order points.
 */
#include "unit.h"

#include "crypt/random.h"
#include "crypt/hkdf.h"
#include "crypt/x25519.h"

#include <mbedtls/md.h>

/* Numbers modulo 2^255 - 19: 32 octets, least significant first. */
typedef uint8_t number[32];

static void
reduce(number out, const uint32_t in[64])
{
	uint32_t limbs[32], carry = 0;

	for (int i = 0; i < 32; i++)
		limbs[i] = in[i] + 38 * in[i + 32];
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 32; i++) {
			limbs[i] += carry;
			carry = limbs[i] >> 8;
			limbs[i] &= 0xff;
		}
		limbs[0] += 38 * carry;
		carry = 0;
	}
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)limbs[i];
}

static void
times(number out, const number a, const number b)
{
	uint32_t product[64] = { 0 };

	for (int i = 0; i < 32; i++)
		for (int j = 0; j < 32; j++)
			product[i + j] += (uint32_t)a[i] * b[j];
	/* so that the reduction does not overflow */
	for (int i = 0; i < 63; i++) {
		product[i + 1] += product[i] >> 8;
		product[i] &= 0xff;
	}
	reduce(out, product);
}

/* a + b, or a - b + 2^256 - 38, which is congruent to a - b and not negative. */
static void
plus(number out, const number a, const number b, bool minus)
{
	uint32_t sum[64] = { 0 };

	for (int i = 0; i < 32; i++)
		sum[i] = minus ? a[i] + 2 * (i == 0 ? 0xda : 0xffu) - b[i] : (uint32_t)a[i] + b[i];
	reduce(out, sum);
}

/* a^(p - 2), the inverse of a. */
static void
invert(number out, const number a)
{
	number power, result = { 1 };

	memcpy(power, a, sizeof(power));
	for (int bit = 0; bit < 255; bit++) {
		if (bit != 2 && bit != 4)	/* p - 2 is 2^255 - 21 */
			times(result, result, power);
		times(power, power, power);
	}
	memcpy(out, result, sizeof(result));
}

/* Reduces n below p, the form that is sent. */
static void
canonical(number n)
{
	static const number p = { 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f };

	for (int turn = 0; turn < 3; turn++) {
		number less;
		int borrow = 0;

		for (int i = 0; i < 32; i++) {
			int digit = n[i] - p[i] - borrow;

			borrow = digit < 0;
			less[i] = (uint8_t)digit;
		}
		if (!borrow)
			memcpy(n, less, sizeof(less));
	}
}

/* The ladder of RFC 7748 section 5. */
static void
reference_x25519(number out, const number scalar, const number point)
{
	static const number a24 = { 0x41, 0xdb, 0x01 };
	number k, x1, x2 = { 1 }, z2 = { 0 }, x3, z3 = { 1 }, a, b, c, d, e;

	memcpy(k, scalar, 32);
	k[0] &= 0xf8;
	k[31] = (uint8_t)((k[31] & 0x7f) | 0x40);
	memcpy(x1, point, 32);
	x1[31] &= 0x7f;
	memcpy(x3, x1, 32);
	for (int bit = 254; bit >= 0; bit--) {
		bool set = k[bit / 8] >> bit % 8 & 1;
		uint8_t *p2x = set ? x3 : x2, *p2z = set ? z3 : z2, *p3x = set ? x2 : x3,
			*p3z = set ? z2 : z3;

		plus(a, p2x, p2z, false);
		plus(b, p2x, p2z, true);
		plus(c, p3x, p3z, false);
		plus(d, p3x, p3z, true);
		times(d, d, a);		/* DA */
		times(c, c, b);		/* CB */
		plus(p3x, d, c, false);
		times(p3x, p3x, p3x);
		plus(p3z, d, c, true);
		times(p3z, p3z, p3z);
		times(p3z, p3z, x1);
		times(a, a, a);		/* AA */
		times(b, b, b);		/* BB */
		times(p2x, a, b);
		plus(e, a, b, true);
		times(c, e, a24);
		plus(c, a, c, false);
		times(p2z, e, c);
	}
	invert(z2, z2);
	times(out, x2, z2);
	canonical(out);
}

static void
assert_product(const number scalar, const number point)
{
	static const number zero;
	number expected, secret;

	reference_x25519(expected, scalar, point);
	int rc = x25519(secret, scalar, point);
	if (memcmp(expected, zero, 32) == 0)
		assert_int_equal(rc, -1);
	else if (rc < 0 || memcmp(secret, expected, 32) != 0)
		fail_msg("point %02x %02x ... %02x", point[0], point[1], point[31]);
}

/* All ones, all zeros, ones up to a bit or from a bit on, where carries run through all limbs. */
static void
edge(number out, unsigned n)
{
	memset(out, n & 1 ? 0xff : 0, 32);
	n /= 2;
	for (unsigned bit = 0; bit < n && bit < 256; bit++)
		out[bit / 8] = (uint8_t)(out[bit / 8] ^ 1u << bit % 8);
}

#define EDGES (2 * 257)

static void
threat_17_x25519_at_the_edges_of_the_field(void **state)
{
	number point, scalar;

	(void)state;
	/* half of all u are on the twist */
	for (unsigned n = 0; n < EDGES; n += 3) {
		assert_int_equal(random_octets(scalar, 32), 0);
		edge(point, n);
		assert_product(scalar, point);
	}
	for (unsigned n = 0; n < EDGES; n += 21) {
		assert_int_equal(random_octets(point, 32), 0);
		edge(scalar, n);
		assert_product(scalar, point);
	}
}

/* Small numbers, and those around p, 2^255 and 2^256; those above p are reduced. */
static void
threat_17_x25519_around_p(void **state)
{
	number point, scalar;

	(void)state;
	assert_int_equal(random_octets(scalar, 32), 0);
	for (unsigned n = 0; n < 256; n += n < 24 || n >= 232 ? 1 : 16)
		for (unsigned top = 0; top < 4; top++) {
			memset(point, top & 1 ? 0xff : 0, 32);
			point[0] = (uint8_t)n;
			point[31] = (uint8_t)((top & 1 ? 0x7f : 0) | (top & 2 ? 0x80 : 0));
			assert_product(scalar, point);
		}
}

static void
hmac(uint8_t out[32], struct span key, struct span text)
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	uint8_t pad[64 + 1024], inner[64 + 32], short_key[32];

	assert_true(text.len <= 1024);
	if (key.len > 64) {
		assert_int_equal(mbedtls_md(sha256, key.at, key.len, short_key), 0);
		key = span(short_key, sizeof(short_key));
	}
	for (int outer = 0; outer < 2; outer++) {
		uint8_t *at = outer ? inner : pad;

		memset(at, outer ? 0x5c : 0x36, 64);
		for (size_t i = 0; i < key.len; i++)
			at[i] ^= key.at[i];
	}
	if (text.len > 0)
		memcpy(pad + 64, text.at, text.len);
	assert_int_equal(mbedtls_md(sha256, pad, 64 + text.len, inner + 64), 0);
	assert_int_equal(mbedtls_md(sha256, inner, sizeof(inner), out), 0);
}

#define OKM_MAX 320

/* RFC 5869 */
static void
reference_hkdf(uint8_t okm[OKM_MAX], const uint8_t prk[32], struct span info)
{
	uint8_t text[32 + 256 + 1];
	size_t len = 0;

	for (uint8_t n = 1; n <= OKM_MAX / 32; n++) {
		memcpy(text + len, info.at, info.len);
		text[len + info.len] = n;
		hmac(okm + 32 * (n - 1), span(prk, 32), span(text, len + info.len + 1));
		memcpy(text, okm + 32 * (n - 1), 32);
		len = 32;
	}
}

/* Salts, secrets and infos of every length around a block, random and extreme. */
static void
threat_17_hkdf(void **state)
{
	static const size_t lens[] = { 0, 1, 31, 32, 33, 55, 56, 63, 64, 65, 96, 127, 128, 129, 200 };
	uint8_t octets[3][256], prk[32], expected[32], okm[OKM_MAX], reference[OKM_MAX];

	(void)state;
	for (unsigned turn = 0; turn < 20 * sizeof(lens) / sizeof(lens[0]); turn++) {
		size_t salt_len = lens[turn % 15], secret_len = lens[turn / 2 % 15],
			info_len = lens[turn / 3 % 15], okm_len = turn;

		for (size_t i = 0; i < 3; i++)
			if (turn < 4)
				memset(octets[i], turn & 1 ? 0xff : 0, sizeof(octets[i]));
			else
				assert_int_equal(random_octets(octets[i], sizeof(octets[i])), 0);
		struct span salt = span(octets[0], salt_len), secret = span(octets[1], secret_len),
			info = span(octets[2], info_len);
		assert_int_equal(hkdf_extract(prk, salt, secret), 0);
		hmac(expected, salt, secret);
		assert_memory_equal(prk, expected, sizeof(prk));
		assert_int_equal(hkdf_expand(okm, okm_len, prk, info), 0);
		reference_hkdf(reference, prk, info);
		assert_memory_equal(okm, reference, okm_len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_17_x25519_at_the_edges_of_the_field),
		cmocka_unit_test(threat_17_x25519_around_p),
		cmocka_unit_test(threat_17_hkdf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
