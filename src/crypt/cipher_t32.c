/* t32, a stream cipher of the SOBER t-class (Hawkes and Rose, 2000). */
#include "crypt/cipher_t32.h"

#include "base/octets.h"
#include "crypt/cipher.h"

#include <string.h>

#define KEY_LEN 10

_Static_assert(sizeof(struct t32) <= CIPHER_STATE_MAX, "state holds the context");

static const uint32_t sbox[256] = {
	0xa3aa1887, 0xd75e435c, 0x0965c042, 0x830e6ef4, 0xf857ee20, 0x4884fed3,
	0xf666c502, 0xf454e8ae, 0xb32ee9d9, 0x211f38d4, 0x15829b5d, 0x785cdf3c,
	0x99864249, 0xb12e3963, 0xaff4429f, 0xf9432c35, 0xe7f40325, 0x2dc0dd70,
	0x4d973ded, 0x8a02dc5e, 0xce175b42, 0x4c0012bf, 0xca94d78c, 0x2eaab26b,
	0x52c11b9a, 0x95168146, 0xd9ea8ec5, 0x1e8ac28f, 0x4eed5c0f, 0x38b4101c,
	0x442db082, 0x280929e1, 0x0a1843de, 0xdf8299fc, 0x022fbc4b, 0xa03915dd,
	0x17a803fa, 0xf146b2de, 0x60233342, 0x68cee7c3, 0x12d607ef, 0xb797ebab,
	0x7a7f859b, 0xc31f2e2f, 0xe95b71da, 0xfae2269a, 0x3d39c3d1, 0x53a56b36,
	0x96c9def2, 0x84c9fc5f, 0x6b27b3a3, 0xbaa56ddf, 0xf225b510, 0x630f85a7,
	0x9ae82e71, 0x19cb8816, 0x7c951e2a, 0xaef5f6af, 0xe5cbc2b3, 0xf54ff55d,
	0xf76b6214, 0x160b83e3, 0x6a9ea6f5, 0xa2e041af, 0x392f1f17, 0xb63b99ee,
	0x7ba65ec0, 0x0f7016c6, 0xc17709a4, 0x93326e01, 0x81b280d9, 0x1bfb1418,
	0xeeaff227, 0xb4548203, 0x1a6b9d96, 0xea17a8c0, 0xd0d5bf6e, 0x91ee7888,
	0x2ffcfe64, 0xb8a193cd, 0x550d0184, 0xb9ae4930, 0xda014f36, 0x85a87088,
	0x3fad6c2a, 0x4122c678, 0xbf204de7, 0xe0c2e759, 0x5a00248e, 0x583b446b,
	0x800d9fc2, 0x5f14a895, 0x666cc3a1, 0x0bfef170, 0xd8c19155, 0x907b8a66,
	0x351b5e69, 0xd5a8623e, 0xc0bdfa35, 0xa7f068cc, 0x333a6acd, 0x0655e936,
	0x65602db9, 0x69df13c1, 0x450bb16d, 0x0080b83c, 0x94b23763, 0x56d8a911,
	0x6db6bc13, 0x985579d7, 0x9b5c2fa8, 0x76f4196e, 0x97db5476, 0xfc64a866,
	0xb26e16ad, 0xc27fc515, 0xb06feb3c, 0xfec8a306, 0xdb6799d9, 0x201a9133,
	0xe12466dd, 0xebeb5dcd, 0xd6118f50, 0xe4afb226, 0xddb9cef3, 0x47b36189,
	0x4a7a19b1, 0x1dc73084, 0x427ded5c, 0xed8bc58f, 0x9edde421, 0x6e1e47fb,
	0x49cc715e, 0x3cc0ff99, 0xcd122f0f, 0x43d25184, 0x277a5e6c, 0xd2bf18bc,
	0x07d7c6e0, 0xd4b7e420, 0xde1f523f, 0xc7d9b8a2, 0x67da1a6b, 0x18888c02,
	0x89d1e354, 0xcbba7d79, 0x30cc7753, 0x1f2d9655, 0x8d829da1, 0xc61590a7,
	0x8fc1c149, 0xaa537f1c, 0xc8779b69, 0x7471f2b7, 0xdc3c58fa, 0xc9dc4418,
	0x5d8c8c76, 0x5c20d9f0, 0x31a80d4d, 0xa474c473, 0x709410e9, 0x880e4211,
	0x61c8082b, 0x2c6b334a, 0x9ff68ed2, 0x0d43cc1b, 0x2b3c0ff3, 0x87e564a0,
	0x50f55a4f, 0x8240f8e7, 0x54a7f15f, 0x6400fe21, 0x266d37d6, 0x7dd506f1,
	0x03e00973, 0x40bbde36, 0x34670fa8, 0x4b31ab9e, 0x1cdab618, 0x731f52f5,
	0xd158eb4f, 0xc4b9e343, 0xfd8d77dd, 0x3bb93da6, 0xcc0fd52d, 0xfb5412f8,
	0x7fa63360, 0xabe53ad0, 0xe6700f1c, 0x3e24ed0b, 0x5b3dc1ec, 0xa5366795,
	0xad549d15, 0x04ce46d7, 0x237abe76, 0x9c48e0a0, 0x14f07c02, 0x511249b7,
	0x229ed6ba, 0xf0a47f78, 0x29cfffbd, 0x7907ca84, 0x7165f4da, 0x7e9f35da,
	0xffd2aa44, 0x8c7452ac, 0x0ed674a7, 0xe261a46a, 0x0c63152a, 0xef12b7aa,
	0xbc615927, 0x724fb118, 0x7551758d, 0x6f81687b, 0x3752f0b3, 0xa14254ed,
	0xecc77271, 0xd331acab, 0x8ef94aec, 0x62e994cd, 0x8b4d9e81, 0x86623730,
	0x108a21e8, 0xe8917f0b, 0x08a9b5d6, 0x7797adf8, 0x11d30431, 0xbecac921,
	0x92b35d46, 0x4f430a36, 0x24194022, 0xc5bca65e, 0x32ec70ba, 0x36aea8cc,
	0x9d7bae8b, 0xcf2924d5, 0xf3098a5a, 0xa6396b81, 0xbbde2522, 0xac5c1cb8,
	0x5eb8fe1d, 0x6cb3c697, 0xa9164f83, 0x13c16376, 0x5719224c, 0x25203b35,
	0xb53ac0fe, 0xe366a19a, 0xbdf0b24f, 0xa8fda998, 0x3ad52d71, 0x010896a8,
	0x05e6053f, 0x59b0d300, 0x2a99cbcc, 0x465e3d40,
};

/*
 * Multiplication by 0xc2db2aa3 in GF(2^32), modulo
 * x^32 + (x^24 + x^16 + x^8 + 1)(x^6 + x^5 + x^2 + 1).  It is linear, so the product of a word is
 * the sum of the products of its octets.  The compiler tabulates those as sums of the products of
 * single bits, which are the constant times powers of x.  Filling the tables during key set-up
 * would more than double its time.
 */
#define BITS_0 \
	0xc2db2aa3, 0xe0d33023, 0xa4c30523, 0x2ce36f23, \
	0x59c6de46, 0xb38dbc8c, 0x027e1c7d, 0x04fc38fa
#define BITS_1 \
	0x09f871f4, 0x13f0e3e8, 0x27e1c7d0, 0x4fc38fa0, \
	0x9f871f40, 0x5a6b5be5, 0xb4d6b7ca, 0x0cc80af1
#define BITS_2 \
	0x199015e2, 0x33202bc4, 0x66405788, 0xcc80af10, \
	0xfc643b45, 0x9dad13ef, 0x5e3f42bb, 0xbc7e8576
#define BITS_3 \
	0x1d986f89, 0x3b30df12, 0x7661be24, 0xecc37c48, \
	0xbce39df5, 0x1ca25e8f, 0x3944bd1e, 0x72897a3c

#define PICK(octet, bit, power) ((octet) >> (bit) & 1 ? power##U : 0)
#define PRODUCT(o, a, b, c, d, e, f, g, h) \
	PICK(o, 0, a) ^ PICK(o, 1, b) ^ PICK(o, 2, c) ^ PICK(o, 3, d) ^ \
	PICK(o, 4, e) ^ PICK(o, 5, f) ^ PICK(o, 6, g) ^ PICK(o, 7, h)
#define PRODUCTS_1(o, ...) PRODUCT(o, __VA_ARGS__)
#define PRODUCTS_4(o, ...) \
	PRODUCTS_1((o), __VA_ARGS__), PRODUCTS_1((o) + 1, __VA_ARGS__), \
	PRODUCTS_1((o) + 2, __VA_ARGS__), PRODUCTS_1((o) + 3, __VA_ARGS__)
#define PRODUCTS_16(o, ...) \
	PRODUCTS_4((o), __VA_ARGS__), PRODUCTS_4((o) + 4, __VA_ARGS__), \
	PRODUCTS_4((o) + 8, __VA_ARGS__), PRODUCTS_4((o) + 12, __VA_ARGS__)
#define PRODUCTS_64(o, ...) \
	PRODUCTS_16((o), __VA_ARGS__), PRODUCTS_16((o) + 16, __VA_ARGS__), \
	PRODUCTS_16((o) + 32, __VA_ARGS__), PRODUCTS_16((o) + 48, __VA_ARGS__)
#define PRODUCTS(...) { \
	PRODUCTS_64(0, __VA_ARGS__), PRODUCTS_64(64, __VA_ARGS__), \
	PRODUCTS_64(128, __VA_ARGS__), PRODUCTS_64(192, __VA_ARGS__) }

static const uint32_t products[4][256] = {
	PRODUCTS(BITS_0), PRODUCTS(BITS_1), PRODUCTS(BITS_2), PRODUCTS(BITS_3),
};

static inline uint32_t
t32_multiply(uint32_t w)
{
	return products[0][w & 0xff] ^ products[1][w >> 8 & 0xff] ^ products[2][w >> 16 & 0xff] ^
	    products[3][w >> 24];
}

/* The word that the next step appends to the register beginning at `r`. */
static inline uint32_t
next_word(const uint32_t *r)
{
	return r[15] ^ r[4] ^ t32_multiply(r[0]);
}

/* The output filter, applied to the register beginning at `r`. */
static inline uint32_t
filter(const uint32_t *r, uint32_t konst)
{
	uint32_t w = r[0] + r[16];

	w = sbox[w >> 24] ^ (w & 0x00ffffff);
	return ((w + r[1] + r[6]) ^ konst) + r[13];
}

static void
step(struct t32 *t)
{
	t->r[T32_WORDS] = next_word(t->r);
	memmove(t->r, t->r + 1, T32_WORDS * sizeof(t->r[0]));
}

static void
mix(struct t32 *t)
{
	step(t);
	t->r[4] ^= filter(t->r, t->konst);
}

/*
 * Loads a key or a nonce in words of four octets, most significant first.  If `len` is not a
 * multiple of four, the excess octets come first as a short word.
 */
static void
t32_load(struct t32 *t, const uint8_t *octets, size_t len)
{
	uint32_t word = 0;

	for (size_t i = 0; i < len; i++) {
		word = word << 8 | octets[i];
		if ((len - i - 1) % 4 == 0) {
			t->r[15] += word;
			mix(t);
			word = 0;
		}
	}
	t->r[15] += (uint32_t)len;
	for (size_t i = 0; i < T32_WORDS; i++)
		mix(t);
	t->used = t->made = 0;
}

void
t32_key(struct t32 *t, const uint8_t *key, size_t len)
{
	t->r[0] = t->r[1] = 1;
	for (size_t i = 2; i < T32_WORDS; i++)
		t->r[i] = t->r[i - 1] + t->r[i - 2];
	t->konst = 0;
	t32_load(t, key, len);
	step(t);
	t->konst = filter(t->r, 0);
	memcpy(t->keyed, t->r, sizeof(t->keyed));
}

void
t32_nonce(struct t32 *t, const uint8_t *nonce, size_t len)
{
	memcpy(t->r, t->keyed, sizeof(t->keyed));
	t32_load(t, nonce, len);
}

/*
 * Produces all output words of the next control word, which consists of two-bit fields.  The
 * fields do not change the register's words, only how many steps are taken and where the filter
 * is applied.  So all steps are computed first, and the loop over the fields needs no branches.
 */
static void
next_words(struct t32 *t)
{
	static const uint32_t flips[4] = { 0, 0x6996c53a, 0, 0x96693ac5 };
	static const uint8_t before[4] = { 1, 1, 2, 1 }, behind[4] = { 0, 1, 0, 0 };
	uint32_t *now = t->r;
	uint8_t *out = t->stream;

	for (size_t i = 0; i < T32_STEPS_MAX; i++)
		t->r[T32_WORDS + i] = next_word(t->r + i);
	now++;
	uint32_t control = filter(now, t->konst);
	for (int i = 0; i < T32_FIELDS; i++, control >>= 2) {
		uint32_t field = control & 3;

		now += before[field];
		octets_put32(out, filter(now, t->konst) ^ flips[field]);
		out += field == 0 ? 0 : 4;	/* field 0 outputs nothing: overwritten */
		now += behind[field];
	}
	memmove(t->r, now, T32_WORDS * sizeof(t->r[0]));
	t->used = 0;
	t->made = (uint8_t)(out - t->stream);
}

/* 8 octets at a time: octet by octet, this alone would be a fifth of the cipher's whole time. */
static void
exclusive_or(uint8_t *octets, const uint8_t *stream, size_t len)
{
	uint64_t eight, key;

	for (; len >= sizeof(eight); len -= sizeof(eight)) {
		memcpy(&eight, octets, sizeof(eight));
		memcpy(&key, stream, sizeof(key));
		eight ^= key;
		memcpy(octets, &eight, sizeof(eight));
		octets += sizeof(eight);
		stream += sizeof(eight);
	}
	for (size_t i = 0; i < len; i++)
		octets[i] ^= stream[i];
}

void
t32_stream(struct t32 *t, uint8_t *octets, size_t len)
{
	while (len > 0) {
		if (t->used == t->made)
			next_words(t);
		size_t ready = (size_t)(t->made - t->used), now = len < ready ? len : ready;

		exclusive_or(octets, t->stream + t->used, now);
		t->used = (uint8_t)(t->used + now);
		octets += now;
		len -= now;
	}
}

static int
t32_start(void *state, const uint8_t *key, enum cipher_use use)
{
	(void)use;
	t32_key(state, key, KEY_LEN);
	return 0;
}

static void
t32_stop(void *state)
{
	octets_wipe(state, sizeof(struct t32));
}

static void
t32_apply(void *state, uint8_t *octets, size_t len)
{
	t32_stream(state, octets, len);
}

const struct cipher cipher_t32 = {
	.name = "t32",
	.title = "t32 of the SOBER t-class",
	.key_len = KEY_LEN,
	.start = t32_start,
	.stop = t32_stop,
	.stream = t32_apply,
};
