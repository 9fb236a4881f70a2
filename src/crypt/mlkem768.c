/*
 * FIPS 203 with the parameters of ML-KEM-768 (k = 3, eta1 = eta2 = 2, du = 10, dv = 4), and the
 * Keccak functions that it needs (FIPS 202).  Unless FIPS 202 is named, algorithm and section
 * numbers are those of FIPS 203.
 *
 * Coefficients are always reduced to 0..Q - 1.  No division, branch or index depends on a
 * secret.  Rejection sampling of the matrix takes variable time, but its seed is public.
 */
#include "crypt/mlkem768.h"

#include "base/octets.h"

#include <stddef.h>
#include <string.h>

#define N 256		/* coefficients of a polynomial */
#define Q 3329
#define RANK 3		/* k: polynomials in a vector */
#define DU 10		/* bits of a compressed coefficient of u and of v */
#define DV 4
#define PACKED_LEN (N * 12 / 8)
#define U_LEN (N * DU / 8)
#define NOISE_LEN (N / 2)
#define SYMBOL_LEN 32	/* seeds, hashes, messages and shared secrets */

#define ENCAPS_SEED (RANK * PACKED_LEN)				/* rho in an encapsulation key */
#define DECAPS_ENCAPS (RANK * PACKED_LEN)			/* in a decapsulation key: ek, */
#define DECAPS_HASH (DECAPS_ENCAPS + MLKEM768_ENCAPS_KEY_LEN)	/* H(ek), */
#define DECAPS_REJECT (DECAPS_HASH + SYMBOL_LEN)		/* z */

_Static_assert(ENCAPS_SEED + SYMBOL_LEN == MLKEM768_ENCAPS_KEY_LEN, "an encapsulation key is t and rho");
_Static_assert(DECAPS_REJECT + SYMBOL_LEN == MLKEM768_DECAPS_KEY_LEN, "a decapsulation key ends in z");
_Static_assert(RANK * U_LEN + N * DV / 8 == MLKEM768_CIPHERTEXT_LEN, "a ciphertext is u and v");

/* ---- Keccak ---- */

struct sponge {
	uint64_t lanes[25];
	size_t rate;		/* octets of the state that take input and give output */
	size_t at;		/* octets of the rate already used */
};

#define SHA3_256_RATE 136
#define SHA3_512_RATE 72
#define SHAKE128_RATE 168
#define SHAKE256_RATE 136
#define SHA3_SUFFIX 0x06	/* domain separation and first padding bit (FIPS 202 B.2) */
#define SHAKE_SUFFIX 0x1f

static uint64_t
rotate(uint64_t lane, unsigned places)
{
	return lane << places | lane >> (64 - places);
}

/* theta, FIPS 202 section 3.2.1: XORs each bit with the parities of two columns. */
static void
theta(uint64_t a[25])
{
	uint64_t parity[5];

	for (size_t x = 0; x < 5; x++)
		parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	for (size_t x = 0; x < 5; x++) {
		uint64_t change = parity[(x + 4) % 5] ^ rotate(parity[(x + 1) % 5], 1);
		for (size_t y = 0; y < 25; y += 5)
			a[y + x] ^= change;
	}
}

/*
 * rho and pi, FIPS 202 sections 3.2.2 and 3.2.3: the lanes except the first form one cycle; each
 * is rotated and moved to the next place.
 */
static void
rho_and_pi(uint64_t a[25])
{
	static const uint8_t cycle[24] = { 10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4,
		15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1 };
	static const uint8_t places[24] = { 1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14,
		27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44 };
	uint64_t moved = a[1];

	for (size_t i = 0; i < 24; i++) {
		uint64_t next = a[cycle[i]];
		a[cycle[i]] = rotate(moved, places[i]);
		moved = next;
	}
}

/* chi, FIPS 202 section 3.2.4: the only non-linear step. */
static void
chi(uint64_t a[25])
{
	for (size_t y = 0; y < 25; y += 5) {
		uint64_t first = a[y], second = a[y + 1];
		a[y] ^= ~a[y + 1] & a[y + 2];
		a[y + 1] ^= ~a[y + 2] & a[y + 3];
		a[y + 2] ^= ~a[y + 3] & a[y + 4];
		a[y + 3] ^= ~a[y + 4] & first;
		a[y + 4] ^= ~first & second;
	}
}

/* Keccak-f[1600], FIPS 202 section 3.3 */
static void
permute(uint64_t a[25])
{
	static const uint64_t constants[24] = {
		0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
		0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
		0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
		0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
		0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
		0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
	};

	for (size_t i = 0; i < 24; i++) {
		theta(a);
		rho_and_pi(a);
		chi(a);
		a[0] ^= constants[i];
	}
}

static void
sponge_add(struct sponge *s, uint8_t octet)
{
	s->lanes[s->at / 8] ^= (uint64_t)octet << s->at % 8 * 8;
}

static void
sponge_absorb(struct sponge *s, const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sponge_add(s, in[i]);
		if (++s->at == s->rate) {
			permute(s->lanes);
			s->at = 0;
		}
	}
}

/* Pads the input; the sponge gives output from then on. */
static void
sponge_finish(struct sponge *s, uint8_t suffix)
{
	sponge_add(s, suffix);
	s->at = s->rate - 1;
	sponge_add(s, 0x80);
	s->at = s->rate;
}

static void
sponge_squeeze(struct sponge *s, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s->at == s->rate) {
			permute(s->lanes);
			s->at = 0;
		}
		out[i] = (uint8_t)(s->lanes[s->at / 8] >> s->at % 8 * 8);
		s->at++;
	}
}

/* Hashes `a` || `b` with the given rate and suffix: `len` octets to `out`. */
static void
hash(uint8_t *out, size_t len, size_t rate, uint8_t suffix, struct span a, struct span b)
{
	struct sponge s = { .rate = rate };

	sponge_absorb(&s, a.at, a.len);
	sponge_absorb(&s, b.at, b.len);
	sponge_finish(&s, suffix);
	sponge_squeeze(&s, out, len);
	octets_wipe(&s, sizeof(s));
}

/* The hash functions H, G and J of section 4.1 */
static void
hash_h(uint8_t out[SYMBOL_LEN], const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN])
{
	hash(out, SYMBOL_LEN, SHA3_256_RATE, SHA3_SUFFIX, span(encaps_key, MLKEM768_ENCAPS_KEY_LEN), span(NULL, 0));
}

static void
hash_g(uint8_t out[2 * SYMBOL_LEN], struct span a, struct span b)
{
	hash(out, 2 * SYMBOL_LEN, SHA3_512_RATE, SHA3_SUFFIX, a, b);
}

static void
hash_j(uint8_t out[SYMBOL_LEN], const uint8_t z[SYMBOL_LEN], const uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN])
{
	hash(out, SYMBOL_LEN, SHAKE256_RATE, SHAKE_SUFFIX, span(z, SYMBOL_LEN),
	    span(ciphertext, MLKEM768_CIPHERTEXT_LEN));
}

/* ---- polynomials ---- */

struct poly {
	uint16_t c[N];
};

/* 17^BitRev7(i) mod Q: powers of the root of unity in the order of the NTT (appendix A) */
static const uint16_t roots[N / 2] = {
	1, 1729, 2580, 3289, 2642, 630, 1897, 848, 1062, 1919, 193, 797, 2786, 3260, 569, 1746,
	296, 2447, 1339, 1476, 3046, 56, 2240, 1333, 1426, 2094, 535, 2882, 2393, 2879, 1974, 821,
	289, 331, 3253, 1756, 1197, 2304, 2277, 2055, 650, 1977, 2513, 632, 2865, 33, 1320, 1915,
	2319, 1435, 807, 452, 1438, 2868, 1534, 2402, 2647, 2617, 1481, 648, 2474, 3110, 1227, 910,
	17, 2761, 583, 2649, 1637, 723, 2288, 1100, 1409, 2662, 3281, 233, 756, 2156, 3015, 3050,
	1703, 1651, 2789, 1789, 1847, 952, 1461, 2687, 939, 2308, 2437, 2388, 733, 2337, 268, 641,
	1584, 2298, 2037, 3220, 375, 2549, 2090, 1645, 1063, 319, 2773, 757, 2099, 561, 2466, 2594,
	2804, 1092, 403, 1026, 1143, 2150, 2775, 886, 1722, 1212, 1874, 1029, 2110, 2935, 885, 2154,
};

/* x mod Q for x < 2 * Q */
static uint16_t
reduce_once(uint32_t x)
{
	x -= Q;
	return (uint16_t)(x + (Q & (0U - (x >> 31))));
}

/* Barrett division: floor(x / Q), or one less.  Multiplies by 2^36 / Q. */
static uint32_t
quotient(uint32_t x)
{
	return (uint32_t)((uint64_t)x * 20642678 >> 36);
}

static uint16_t
reduce(uint32_t x)
{
	return reduce_once(x - quotient(x) * Q);
}

static uint16_t
add(uint16_t a, uint16_t b)
{
	return reduce_once((uint32_t)a + b);
}

static uint16_t
subtract(uint16_t a, uint16_t b)
{
	return reduce_once((uint32_t)a + Q - b);
}

static uint16_t
multiply(uint16_t a, uint16_t b)
{
	return reduce((uint32_t)a * b);
}

static void
poly_add(struct poly *sum, const struct poly *p)
{
	for (size_t i = 0; i < N; i++)
		sum->c[i] = add(sum->c[i], p->c[i]);
}

/* NTT, algorithm 9 */
static void
transform(struct poly *p)
{
	size_t root = 1;

	for (size_t len = N / 2; len >= 2; len /= 2)
		for (size_t start = 0; start < N; start += 2 * len, root++)
			for (size_t i = start; i < start + len; i++) {
				uint16_t t = multiply(roots[root], p->c[i + len]);
				p->c[i + len] = subtract(p->c[i], t);
				p->c[i] = add(p->c[i], t);
			}
}

/* inverse NTT, algorithm 10 */
static void
transform_back(struct poly *p)
{
	size_t root = N / 2 - 1;

	for (size_t len = 2; len <= N / 2; len *= 2)
		for (size_t start = 0; start < N; start += 2 * len, root--)
			for (size_t i = start; i < start + len; i++) {
				uint16_t t = p->c[i];
				p->c[i] = add(t, p->c[i + len]);
				p->c[i + len] = multiply(roots[root], subtract(p->c[i + len], t));
			}
	for (size_t i = 0; i < N; i++)
		p->c[i] = multiply(p->c[i], 3303);	/* 128^-1 */
}

/* MultiplyNTTs, algorithms 11 and 12: sum += a * b in the NTT domain. */
static void
poly_add_product(struct poly *sum, const struct poly *a, const struct poly *b)
{
	for (size_t i = 0; i < N; i += 2) {
		uint16_t root = roots[N / 4 + i / 4], high = multiply(a->c[i + 1], b->c[i + 1]);

		if (i % 4 != 0)
			root = (uint16_t)(Q - root);
		sum->c[i] = reduce(sum->c[i] + (uint32_t)a->c[i] * b->c[i] + (uint32_t)root * high);
		sum->c[i + 1] = reduce(
		    sum->c[i + 1] + (uint32_t)a->c[i] * b->c[i + 1] + (uint32_t)a->c[i + 1] * b->c[i]);
	}
}

/* SampleNTT, algorithm 7: one element of the matrix, in the NTT domain. */
static void
sample_matrix(struct poly *p, const uint8_t rho[SYMBOL_LEN], uint8_t row, uint8_t column)
{
	struct sponge s = { .rate = SHAKE128_RATE };
	uint8_t three[3];

	sponge_absorb(&s, rho, SYMBOL_LEN);
	sponge_absorb(&s, (const uint8_t[]){ column, row }, 2);
	sponge_finish(&s, SHAKE_SUFFIX);
	for (size_t n = 0; n < N;) {
		sponge_squeeze(&s, three, sizeof(three));
		uint16_t low = (uint16_t)(three[0] | (three[1] & 15) << 8);
		uint16_t high = (uint16_t)(three[1] >> 4 | three[2] << 4);
		if (low < Q)
			p->c[n++] = low;
		if (high < Q && n < N)
			p->c[n++] = high;
	}
}

/*
 * SamplePolyCBD, algorithm 8, applied to PRF (section 4.1) of a seed and `nonce`: a polynomial
 * with small coefficients.
 */
static void
sample_noise(struct poly *p, const uint8_t seed[SYMBOL_LEN], uint8_t nonce)
{
	uint8_t noise[NOISE_LEN];

	hash(noise, NOISE_LEN, SHAKE256_RATE, SHAKE_SUFFIX, span(seed, SYMBOL_LEN), span(&nonce, 1));
	for (size_t i = 0; i < N; i++) {
		unsigned four = (unsigned)noise[i / 2] >> i % 2 * 4;
		unsigned plus = (four & 1) + (four >> 1 & 1), minus = (four >> 2 & 1) + (four >> 3 & 1);
		p->c[i] = subtract((uint16_t)plus, (uint16_t)minus);
	}
	octets_wipe(noise, sizeof(noise));
}

/* ---- octets ---- */

/* Compress, formula 4.7: round(2^bits / Q * c) mod 2^bits.  Q is odd, so there are no ties. */
static uint32_t
compress(uint16_t c, unsigned bits)
{
	uint32_t x = (uint32_t)c << bits, n = quotient(x), rest = x - n * Q;

	n += (Q / 2 - rest) >> 31;		/* 1 if rest > Q / 2: round up */
	n += (Q + Q / 2 - rest) >> 31;		/* 1 more if `n` was too small by one */
	return n & ((1U << bits) - 1);
}

/* Decompress, formula 4.8: round(Q / 2^bits * n) */
static uint16_t
decompress(uint32_t n, unsigned bits)
{
	return (uint16_t)((n * Q + (1U << (bits - 1))) >> bits);
}

/*
 * ByteEncode, algorithm 5: packs `bits` of each coefficient, N * bits / 8 octets.  Compresses
 * them first if `bits` is less than 12.
 */
static void
encode(uint8_t *out, const struct poly *p, unsigned bits)
{
	uint32_t held = 0;
	unsigned holding = 0;

	for (size_t i = 0; i < N; i++) {
		held |= (bits == 12 ? p->c[i] : compress(p->c[i], bits)) << holding;
		for (holding += bits; holding >= 8; holding -= 8, held >>= 8)
			*out++ = (uint8_t)held;
	}
}

/* ByteDecode, algorithm 6: the inverse of encode().  False: a 12-bit coefficient is >= Q. */
static bool
decode(struct poly *p, const uint8_t *in, unsigned bits)
{
	uint32_t held = 0;
	unsigned holding = 0;
	bool good = true;

	for (size_t i = 0; i < N; i++) {
		for (; holding < bits; holding += 8)
			held |= (uint32_t)*in++ << holding;
		uint32_t n = held & ((1U << bits) - 1);
		if (bits == 12) {
			good &= n < Q;
			p->c[i] = reduce_once(n);
		} else {
			p->c[i] = decompress(n, bits);
		}
		held >>= bits;
		holding -= bits;
	}
	return good;
}

/* ---- K-PKE, section 5 ---- */

/* K-PKE.KeyGen, algorithm 13, with the hashed seed as its argument: writes t || rho, and s. */
static void
pke_make_keys(uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN], uint8_t packed[RANK * PACKED_LEN],
    const uint8_t rho[SYMBOL_LEN], const uint8_t sigma[SYMBOL_LEN])
{
	struct poly s[RANK], t, element;

	for (uint8_t i = 0; i < RANK; i++) {
		sample_noise(&s[i], sigma, i);
		transform(&s[i]);
		encode(packed + i * PACKED_LEN, &s[i], 12);
	}
	for (uint8_t i = 0; i < RANK; i++) {
		sample_noise(&t, sigma, RANK + i);
		transform(&t);
		for (uint8_t j = 0; j < RANK; j++) {
			sample_matrix(&element, rho, i, j);
			poly_add_product(&t, &element, &s[j]);
		}
		encode(encaps_key + i * PACKED_LEN, &t, 12);
	}
	memcpy(encaps_key + ENCAPS_SEED, rho, SYMBOL_LEN);
	octets_wipe(s, sizeof(s));
	octets_wipe(&t, sizeof(t));
}

/* K-PKE.Encrypt, algorithm 14: encrypts 32 octets with the randomness `r`. */
static void
pke_encrypt(uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN], const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN],
    const uint8_t message[SYMBOL_LEN], const uint8_t r[SYMBOL_LEN])
{
	struct poly y[RANK], sum, other;

	for (uint8_t i = 0; i < RANK; i++) {
		sample_noise(&y[i], r, i);
		transform(&y[i]);
	}
	for (uint8_t i = 0; i < RANK; i++) {	/* u, with the transposed matrix */
		memset(&sum, 0, sizeof(sum));
		for (uint8_t j = 0; j < RANK; j++) {
			sample_matrix(&other, encaps_key + ENCAPS_SEED, j, i);
			poly_add_product(&sum, &other, &y[j]);
		}
		transform_back(&sum);
		sample_noise(&other, r, RANK + i);
		poly_add(&sum, &other);
		encode(ciphertext + i * U_LEN, &sum, DU);
	}
	memset(&sum, 0, sizeof(sum));		/* v */
	for (uint8_t j = 0; j < RANK; j++) {
		decode(&other, encaps_key + j * PACKED_LEN, 12);
		poly_add_product(&sum, &other, &y[j]);
	}
	transform_back(&sum);
	sample_noise(&other, r, 2 * RANK);
	poly_add(&sum, &other);
	decode(&other, message, 1);
	poly_add(&sum, &other);
	encode(ciphertext + RANK * U_LEN, &sum, DV);
	octets_wipe(y, sizeof(y));
	octets_wipe(&sum, sizeof(sum));
	octets_wipe(&other, sizeof(other));
}

/* K-PKE.Decrypt, algorithm 15 */
static void
pke_decrypt(uint8_t message[SYMBOL_LEN], const uint8_t packed[RANK * PACKED_LEN],
    const uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN])
{
	struct poly sum = { { 0 } }, s, other;

	for (size_t j = 0; j < RANK; j++) {
		decode(&other, ciphertext + j * U_LEN, DU);
		transform(&other);
		decode(&s, packed + j * PACKED_LEN, 12);
		poly_add_product(&sum, &s, &other);
	}
	transform_back(&sum);
	decode(&other, ciphertext + RANK * U_LEN, DV);
	for (size_t i = 0; i < N; i++)
		other.c[i] = subtract(other.c[i], sum.c[i]);
	encode(message, &other, 1);
	octets_wipe(&sum, sizeof(sum));
	octets_wipe(&s, sizeof(s));
	octets_wipe(&other, sizeof(other));
}

/* ---- ML-KEM, sections 6 and 7 ---- */

void
mlkem768_make_keys(uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN],
    uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN], const uint8_t seed[MLKEM768_SEED_LEN])
{
	uint8_t seeds[2 * SYMBOL_LEN];

	hash_g(seeds, span(seed, SYMBOL_LEN), span((const uint8_t[]){ RANK }, 1));
	pke_make_keys(encaps_key, decaps_key, seeds, seeds + SYMBOL_LEN);
	memcpy(decaps_key + DECAPS_ENCAPS, encaps_key, MLKEM768_ENCAPS_KEY_LEN);
	hash_h(decaps_key + DECAPS_HASH, encaps_key);
	memcpy(decaps_key + DECAPS_REJECT, seed + SYMBOL_LEN, SYMBOL_LEN);
	octets_wipe(seeds, sizeof(seeds));
}

bool
mlkem768_good_key(const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN])
{
	struct poly t;
	bool good = true;

	for (size_t i = 0; i < RANK; i++)
		good &= decode(&t, encaps_key + i * PACKED_LEN, 12);
	return good;
}

void
mlkem768_encapsulate(uint8_t secret[MLKEM768_SECRET_LEN], uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN],
    const uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN], const uint8_t message[MLKEM768_MESSAGE_LEN])
{
	uint8_t key_hash[SYMBOL_LEN], both[2 * SYMBOL_LEN];

	hash_h(key_hash, encaps_key);
	hash_g(both, span(message, SYMBOL_LEN), span(key_hash, SYMBOL_LEN));
	memcpy(secret, both, SYMBOL_LEN);
	pke_encrypt(ciphertext, encaps_key, message, both + SYMBOL_LEN);
	octets_wipe(both, sizeof(both));
}

void
mlkem768_decapsulate(uint8_t secret[MLKEM768_SECRET_LEN],
    const uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN], const uint8_t decaps_key[MLKEM768_DECAPS_KEY_LEN])
{
	uint8_t message[SYMBOL_LEN], both[2 * SYMBOL_LEN], rejected[SYMBOL_LEN], again[MLKEM768_CIPHERTEXT_LEN];

	pke_decrypt(message, decaps_key, ciphertext);
	hash_g(both, span(message, SYMBOL_LEN), span(decaps_key + DECAPS_HASH, SYMBOL_LEN));
	hash_j(rejected, decaps_key + DECAPS_REJECT, ciphertext);
	pke_encrypt(again, decaps_key + DECAPS_ENCAPS, message, both + SYMBOL_LEN);

	uint8_t differ = 0;
	for (size_t i = 0; i < sizeof(again); i++)
		differ |= again[i] ^ ciphertext[i];
	uint8_t mask = (uint8_t)((0U - differ) >> 8);	/* all ones if they differ */
	for (size_t i = 0; i < SYMBOL_LEN; i++)
		secret[i] = (uint8_t)((both[i] & ~mask) | (rejected[i] & mask));
	octets_wipe(message, sizeof(message));
	octets_wipe(both, sizeof(both));
	octets_wipe(rejected, sizeof(rejected));
	octets_wipe(again, sizeof(again));
}
