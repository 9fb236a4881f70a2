/* The exchange of version 1.0: Diffie-Hellman in the 768-bit group of RFC 2412 appendix E.1. */
#include "crypt/kex.h"

#include "base/octets.h"
#include "crypt/kex_fields.h"
#include "crypt/random.h"

#include <assert.h>
#include <mbedtls/bignum.h>
#include <string.h>

#define NUMBER_LEN 96

/* RFC 2412 appendix E.1 */
static const uint8_t prime[NUMBER_LEN] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x0f, 0xda, 0xa2,
	0x21, 0x68, 0xc2, 0x34, 0xc4, 0xc6, 0x62, 0x8b, 0x80, 0xdc, 0x1c, 0xd1,
	0x29, 0x02, 0x4e, 0x08, 0x8a, 0x67, 0xcc, 0x74, 0x02, 0x0b, 0xbe, 0xa6,
	0x3b, 0x13, 0x9b, 0x22, 0x51, 0x4a, 0x08, 0x79, 0x8e, 0x34, 0x04, 0xdd,
	0xef, 0x95, 0x19, 0xb3, 0xcd, 0x3a, 0x43, 0x1b, 0x30, 0x2b, 0x0a, 0x6d,
	0xf2, 0x5f, 0x14, 0x37, 0x4f, 0xe1, 0x35, 0x6d, 0x6d, 0x51, 0xc2, 0x45,
	0xe4, 0x85, 0xb5, 0x76, 0x62, 0x5e, 0x7e, 0xc6, 0xf4, 0x4c, 0x42, 0xe9,
	0xa6, 0x3a, 0x36, 0x20, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

static const uint8_t generator[NUMBER_LEN] = { [NUMBER_LEN - 1] = 2 };

/* Private and public keys must satisfy 2 <= number <= p - 2. */
static bool
in_range(const uint8_t number[NUMBER_LEN])
{
	uint8_t last[NUMBER_LEN];

	memcpy(last, prime, NUMBER_LEN);
	last[NUMBER_LEN - 1] -= 2;
	return memcmp(number, generator, NUMBER_LEN) >= 0 && memcmp(number, last, NUMBER_LEN) <= 0;
}

/* out = base ^ exponent mod p, big-endian with leading zeros. */
static int
power(uint8_t out[NUMBER_LEN], const uint8_t base[NUMBER_LEN], const uint8_t exponent[NUMBER_LEN])
{
	mbedtls_mpi x, a, e, p;
	int rc = -1;

	mbedtls_mpi_init(&x);
	mbedtls_mpi_init(&a);
	mbedtls_mpi_init(&e);
	mbedtls_mpi_init(&p);
	if (mbedtls_mpi_read_binary(&a, base, NUMBER_LEN) == 0 &&
	    mbedtls_mpi_read_binary(&e, exponent, NUMBER_LEN) == 0 &&
	    mbedtls_mpi_read_binary(&p, prime, NUMBER_LEN) == 0 &&
	    mbedtls_mpi_exp_mod(&x, &a, &e, &p, NULL) == 0 &&
	    mbedtls_mpi_write_binary(&x, out, NUMBER_LEN) == 0)
		rc = 0;
	mbedtls_mpi_free(&p);
	mbedtls_mpi_free(&e);
	mbedtls_mpi_free(&a);
	mbedtls_mpi_free(&x);
	return rc;
}

static int
oakley1_make_pair(struct kex_pair *pair)
{
	do {
		if (random_octets(pair->private, NUMBER_LEN) < 0)
			return -1;
	} while (!in_range(pair->private));
	pair->private_len = NUMBER_LEN;
	if (power(pair->public, generator, pair->private) < 0) {
		octets_wipe(pair->private, sizeof(pair->private));
		return -1;
	}
	return 0;
}

static size_t
oakley1_put_public(char *text, const struct kex_pair *own)
{
	return fields_put_hex(text, own->public, NUMBER_LEN);
}

static enum kex_field
oakley1_get_public(uint8_t *public, struct span text)
{
	enum kex_field field = fields_get_hex(public, NUMBER_LEN, text);

	return field == FIELD_GOOD && !in_range(public) ? FIELD_REFUSED : field;
}

static int
oakley1_agree(struct agreement *a)
{
	assert(a->own->private_len == NUMBER_LEN);
	return power(a->secret, a->peer_public, a->own->private);
}

static int
oakley1_finish(struct agreement *a)
{
	return fields_split_keys(a, span(a->secret, NUMBER_LEN));
}

const struct kex kex_oakley1 = {
	.version_text = "1.0",
	.version = 10,
	.title = "Diffie-Hellman, 768-bit Oakley group 1",
	.public_len = NUMBER_LEN,
	.secret_len = NUMBER_LEN,
	.nonce_len = FIELDS_SHORT_NONCE_LEN,
	.cached = true,
	.pair = oakley1_make_pair,
	.put_public = oakley1_put_public,
	.get_public = oakley1_get_public,
	.draw_nonce = fields_draw_short_nonce,
	.put_nonce = fields_put_short_nonce,
	.get_nonce = fields_get_short_nonce,
	.agree = oakley1_agree,
	.prepare = fields_nothing_to_do,
	.put_ok = fields_put_bare_ok,
	.get_ok = fields_get_bare_ok,
	.finish = oakley1_finish,
};
