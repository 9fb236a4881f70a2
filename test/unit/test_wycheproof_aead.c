/*
 * Cases like Wycheproof's for both AEADs, generated here and tried through our own wrappers
 * (statement 17): all lengths, and each bit of each tag flipped, against second implementations
 * that are as simple as possible.
 */
/* AES-256-GCM again, as on a processor without AES instructions */
#define sodium_has_aes no_processor_has_aes
#define cipher_aes256gcm cipher_aes256gcm_slow
#include "../../src/crypt/cipher_aes256gcm.c"
#undef sodium_has_aes
#undef cipher_aes256gcm

#include "unit.h"

#include "base/octets.h"
#include "crypt/random.h"

#include <mbedtls/aes.h>

#define TEXT_MAX 300

extern const struct cipher cipher_aes256gcm;

bool
no_processor_has_aes(void)
{
	return false;
}

struct sealed {
	uint8_t text[TEXT_MAX], tag[16];
};

static uint32_t
little(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void
quarter(uint32_t x[16], int a, int b, int c, int d)
{
	static const int turns[4] = { 16, 12, 8, 7 };

	for (int i = 0; i < 4; i++) {
		int to = i % 2 ? b : d, from = i % 2 ? c : a, other = i % 2 ? d : b;

		x[from] += x[other];
		x[to] ^= x[from];
		x[to] = x[to] << turns[i] | x[to] >> (32 - turns[i]);
	}
}

/* RFC 8439 section 2.3 */
static void
chacha_block(uint8_t out[64], const uint8_t key[32], uint32_t count, const uint8_t nonce[12])
{
	uint32_t x[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, before[16];

	for (int i = 0; i < 8; i++)
		x[4 + i] = little(key + 4 * i);
	x[12] = count;
	for (int i = 0; i < 3; i++)
		x[13 + i] = little(nonce + 4 * i);
	memcpy(before, x, sizeof(x));
	for (int turn = 0; turn < 10; turn++)
		for (int i = 0; i < 8; i++)
			quarter(x, i % 4, 4 + (i + i / 4) % 4, 8 + (i + i / 4 * 2) % 4,
			    12 + (i + i / 4 * 3) % 4);
	for (int i = 0; i < 64; i++)
		out[i] = (uint8_t)((x[i / 4] + before[i / 4]) >> 8 * (i % 4));
}

/* h = (h + block) * r modulo 2^130 - 5, in octets. */
static void
poly_block(uint32_t h[17], const uint8_t block[17], const uint8_t r[16])
{
	uint32_t product[34] = { 0 };

	for (int i = 0; i < 17; i++)
		h[i] += block[i];
	for (int i = 0; i < 17; i++)
		for (int j = 0; j < 16; j++)
			product[i + j] += h[i] * r[j];
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 33; i++) {
			product[i + 1] += product[i] >> 8;
			product[i] &= 0xff;
		}
		/* 2^130 is congruent to 5, and 2^136 to 5 times 2^6 */
		for (int i = 17; i < 34; i++) {
			product[i - 17] += 320 * product[i];
			product[i] = 0;
		}
		uint32_t high = product[16] >> 2;
		product[16] &= 3;
		product[0] += 5 * high;
	}
	for (int i = 0; i < 16; i++) {
		product[i + 1] += product[i] >> 8;
		h[i] = product[i] & 0xff;
	}
	h[16] = product[16];
}

static void
poly_finish(uint8_t tag[16], uint32_t h[17], const uint8_t s[16])
{
	uint32_t less[17], carry = 5;

	/* h - p is h + 5 - 2^130 */
	for (int i = 0; i < 17; i++) {
		carry += h[i];
		less[i] = carry & 0xff;
		carry >>= 8;
	}
	const uint32_t *least = less[16] >> 2 ? less : h;
	carry = 0;
	for (int i = 0; i < 16; i++) {
		carry += least[i] + s[i];
		tag[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

/* Blocks of 16 octets, the last one padded with zeros (RFC 8439 section 2.8). */
static void
poly_text(uint32_t h[17], struct span s, const uint8_t r[16])
{
	for (size_t at = 0; at < s.len; at += 16) {
		uint8_t block[17] = { 0 };

		memcpy(block, s.at + at, s.len - at < 16 ? s.len - at : 16);
		block[16] = 1;
		poly_block(h, block, r);
	}
}

static void
reference_chacha20poly1305(struct sealed *out, const uint8_t key[32], const uint8_t nonce[12],
    struct span ad, struct span plain)
{
	uint8_t first[64], stream[64], lengths[16] = { 0 };
	uint32_t h[17] = { 0 };

	chacha_block(first, key, 0, nonce);
	for (int i = 3; i < 16; i += 4)
		first[i] &= 15;
	for (int i = 4; i < 16; i += 4)
		first[i] &= 252;
	for (size_t at = 0; at < plain.len; at++) {
		if (at % 64 == 0)
			chacha_block(stream, key, (uint32_t)(1 + at / 64), nonce);
		out->text[at] = plain.at[at] ^ stream[at % 64];
	}
	for (int i = 0; i < 4; i++) {
		lengths[i] = (uint8_t)(ad.len >> 8 * i);
		lengths[8 + i] = (uint8_t)(plain.len >> 8 * i);
	}
	poly_text(h, ad, first);
	poly_text(h, span(out->text, plain.len), first);
	poly_text(h, span(lengths, 16), first);
	poly_finish(out->tag, h, first + 16);
}

/* y = (y + block) * h in GF(2^128), bit by bit: NIST SP 800-38D section 6.3 */
static void
ghash(uint8_t y[16], struct span s, const uint8_t h[16])
{
	for (size_t at = 0; at < s.len; at += 16) {
		uint8_t z[16] = { 0 }, v[16];

		for (size_t i = 0; i < 16 && at + i < s.len; i++)
			y[i] ^= s.at[at + i];
		memcpy(v, h, 16);
		for (int bit = 0; bit < 128; bit++) {
			bool low = v[15] & 1;

			for (int i = 0; i < 16; i++)
				z[i] ^= y[bit / 8] >> (7 - bit % 8) & 1 ? v[i] : 0;
			for (int i = 15; i > 0; i--)
				v[i] = (uint8_t)(v[i] >> 1 | v[i - 1] << 7);
			v[0] = (uint8_t)(v[0] >> 1 ^ (low ? 0xe1 : 0));
		}
		memcpy(y, z, 16);
	}
}

static void
aes_block(uint8_t out[16], const uint8_t key[32], const uint8_t in[16])
{
	mbedtls_aes_context aes;

	mbedtls_aes_init(&aes);
	assert_int_equal(mbedtls_aes_setkey_enc(&aes, key, 256), 0);
	assert_int_equal(mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, in, out), 0);
	mbedtls_aes_free(&aes);
}

static void
reference_aes256gcm(struct sealed *out, const uint8_t key[32], const uint8_t nonce[12],
    struct span ad, struct span plain)
{
	uint8_t h[16], zeros[16] = { 0 }, counter[16], stream[16], lengths[16] = { 0 };

	aes_block(h, key, zeros);
	memcpy(counter, nonce, 12);
	for (size_t at = 0; at < plain.len; at++) {
		octets_put32(counter + 12, (uint32_t)(2 + at / 16));
		if (at % 16 == 0)
			aes_block(stream, key, counter);
		out->text[at] = plain.at[at] ^ stream[at % 16];
	}
	octets_put64(lengths, ad.len * 8);
	octets_put64(lengths + 8, plain.len * 8);
	memset(out->tag, 0, 16);
	ghash(out->tag, ad, h);
	ghash(out->tag, span(out->text, plain.len), h);
	ghash(out->tag, span(lengths, 16), h);
	octets_put32(counter + 12, 1);
	aes_block(stream, key, counter);
	for (int i = 0; i < 16; i++)
		out->tag[i] ^= stream[i];
}

struct aead {
	const struct cipher *cipher;
	void (*reference)(struct sealed *, const uint8_t *, const uint8_t *, struct span,
	    struct span);
};

static struct aead chacha = { &cipher_chacha20poly1305, reference_chacha20poly1305 };
static struct aead gcm = { &cipher_aes256gcm, reference_aes256gcm };
static struct aead slow_gcm = { &cipher_aes256gcm_slow, reference_aes256gcm };

struct keyed {
	_Alignas(max_align_t) uint8_t state[CIPHER_STATE_MAX];
};

/* Sealed like the reference, opened again, and refused with each bit of the tag flipped. */
static void
assert_aead(const struct aead *aead, const uint8_t key[32], struct span ad, struct span plain)
{
	static struct keyed k;
	const struct cipher *c = aead->cipher;
	struct sealed expected, got;
	uint8_t nonce[12], opened[TEXT_MAX];

	assert_int_equal(random_octets(nonce, sizeof(nonce)), 0);
	aead->reference(&expected, key, nonce, ad, plain);
	assert_int_equal(c->start(k.state, key, CIPHER_SEND), 0);
	assert_int_equal(c->seal(k.state, nonce, ad, plain.at, plain.len, got.text, got.tag), 0);
	assert_memory_equal(got.text, expected.text, plain.len);
	assert_memory_equal(got.tag, expected.tag, 16);
	assert_int_equal(c->open(k.state, nonce, ad, got.text, plain.len, opened, got.tag), 0);
	assert_memory_equal(opened, plain.at, plain.len);
	for (unsigned bit = 0; bit < 128; bit++) {
		got.tag[bit / 8] = (uint8_t)(got.tag[bit / 8] ^ 1u << bit % 8);
		assert_int_equal(c->open(k.state, nonce, ad, got.text, plain.len, opened, got.tag),
		    -1);
		got.tag[bit / 8] = (uint8_t)(got.tag[bit / 8] ^ 1u << bit % 8);
	}
	/* all zeros, all ones, all bits inverted: tags that other implementations have accepted */
	for (int kind = 0; kind < 3; kind++) {
		uint8_t tag[16];

		for (int i = 0; i < 16; i++)
			tag[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (uint8_t)~got.tag[i];
		assert_int_equal(c->open(k.state, nonce, ad, got.text, plain.len, opened, tag), -1);
	}
	c->stop(k.state);
}

static void
threat_17_aead_at_every_length(void **state)
{
	uint8_t key[32], text[TEXT_MAX], ad[40];

	for (size_t len = 0; len < TEXT_MAX; len += len < 70 ? 1 : 37) {
		/* ones make Poly1305's sums as large as possible */
		assert_int_equal(random_octets(key, sizeof(key)), 0);
		memset(text, len % 3 ? 0xff : 0, sizeof(text));
		assert_int_equal(random_octets(ad, sizeof(ad)), 0);
		assert_aead(*state, key, span(ad, len % 41), span(text, len));
		assert_int_equal(random_octets(text, len), 0);
		memset(key, len % 2 ? 0xff : 0, sizeof(key));
		assert_aead(*state, key, span(ad, 5), span(text, len));
	}
}

/* The plaintext is chosen so that the ciphertext, which is authenticated, is all ones or zeros. */
static void
threat_17_aead_with_extreme_ciphertexts(void **state)
{
	const struct aead *aead = *state;
	static struct keyed k;
	uint8_t key[32], nonce[12], plain[TEXT_MAX], want[TEXT_MAX];
	struct sealed expected, got;

	for (unsigned turn = 0; turn < 64; turn++) {
		size_t len = 16 * (1 + turn % 16);

		assert_int_equal(random_octets(key, sizeof(key)), 0);
		assert_int_equal(random_octets(nonce, sizeof(nonce)), 0);
		memset(plain, 0, len);
		memset(want, turn % 2 ? 0xff : 0, len);
		if (turn % 4 > 1)
			want[len - 16] = 0xfb;	/* 2^128 - 5 at the end */
		aead->reference(&expected, key, nonce, span(NULL, 0), span(plain, len));
		for (size_t i = 0; i < len; i++)
			plain[i] = expected.text[i] ^ want[i];
		aead->reference(&expected, key, nonce, span(NULL, 0), span(plain, len));
		assert_memory_equal(expected.text, want, len);
		assert_int_equal(aead->cipher->start(k.state, key, CIPHER_SEND), 0);
		assert_int_equal(aead->cipher->seal(k.state, nonce, span(NULL, 0), plain, len,
				     got.text, got.tag),
		    0);
		assert_memory_equal(got.text, want, len);
		assert_memory_equal(got.tag, expected.tag, 16);
		aead->cipher->stop(k.state);
	}
}

static void
a_slow_state_is_wiped(void **state)
{
	static const struct keyed zeros;
	static struct keyed k;
	uint8_t key[32] = { 1 };

	(void)state;
	assert_int_equal(cipher_aes256gcm_slow.start(k.state, key, CIPHER_SEND), 0);
	cipher_aes256gcm_slow.stop(k.state);
	assert_memory_equal(&k, &zeros, sizeof(k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(threat_17_aead_at_every_length, &chacha),
		cmocka_unit_test_prestate(threat_17_aead_at_every_length, &gcm),
		cmocka_unit_test_prestate(threat_17_aead_at_every_length, &slow_gcm),
		cmocka_unit_test_prestate(threat_17_aead_with_extreme_ciphertexts, &chacha),
		cmocka_unit_test_prestate(threat_17_aead_with_extreme_ciphertexts, &gcm),
		cmocka_unit_test_prestate(threat_17_aead_with_extreme_ciphertexts, &slow_gcm),
		cmocka_unit_test(a_slow_state_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
