/*
 * ML-KEM-768.  An input is an encapsulation key, a ciphertext, or edits of honest ones.  A key is
 * accepted exactly when each of its coefficients is below 3329.  A changed ciphertext gives
 * another secret.  The output depends on nothing except the input octets.
 */
#include "fuzz.h"

#include "crypt/mlkem768.h"

#include <string.h>

enum { POLYNOMIALS = MLKEM768_ENCAPS_KEY_LEN - 32, MODULUS = 3329 };

static struct {
	uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN], decaps_key[MLKEM768_DECAPS_KEY_LEN];
	uint8_t ciphertext[MLKEM768_CIPHERTEXT_LEN];
	uint8_t secret[MLKEM768_SECRET_LEN];
} honest;

static void
make(void)
{
	static const uint8_t seed[MLKEM768_SEED_LEN] = { 1 }, message[MLKEM768_MESSAGE_LEN] = { 2 };

	mlkem768_make_keys(honest.encaps_key, honest.decaps_key, seed);
	assert(mlkem768_good_key(honest.encaps_key));
	mlkem768_encapsulate(honest.secret, honest.ciphertext, honest.encaps_key, message);
}

/* FIPS 203 algorithm 6: three octets are two coefficients of 12 bits. */
static bool
in_range(const uint8_t *key)
{
	for (size_t i = 0; i < POLYNOMIALS; i += 3)
		if ((key[i] | (key[i + 1] & 15) << 8) >= MODULUS ||
		    (key[i + 1] >> 4 | key[i + 2] << 4) >= MODULUS)
			return false;
	return true;
}

static void
look_at_key(const uint8_t *key)
{
	static const uint8_t message[MLKEM768_MESSAGE_LEN] = { 3 };
	uint8_t ciphertext[2][MLKEM768_CIPHERTEXT_LEN], secret[2][MLKEM768_SECRET_LEN];

	assert(mlkem768_good_key(key) == in_range(key));
	if (!in_range(key))
		return;
	for (size_t i = 0; i < 2; i++)
		mlkem768_encapsulate(secret[i], ciphertext[i], key, message);
	assert(memcmp(secret[0], secret[1], sizeof(secret[0])) == 0);
	assert(memcmp(ciphertext[0], ciphertext[1], sizeof(ciphertext[0])) == 0);
	/* the secret depends on the key through its hash */
	if (memcmp(key, honest.encaps_key, MLKEM768_ENCAPS_KEY_LEN) != 0) {
		mlkem768_encapsulate(secret[1], ciphertext[1], honest.encaps_key, message);
		assert(memcmp(secret[0], secret[1], sizeof(secret[0])) != 0);
	}
}

static void
look_at_ciphertext(const uint8_t *ciphertext)
{
	uint8_t secret[2][MLKEM768_SECRET_LEN], rejected[MLKEM768_DECAPS_KEY_LEN];
	bool same = memcmp(ciphertext, honest.ciphertext, MLKEM768_CIPHERTEXT_LEN) == 0;

	for (size_t i = 0; i < 2; i++)
		mlkem768_decapsulate(secret[i], ciphertext, honest.decaps_key);
	assert(memcmp(secret[0], secret[1], sizeof(secret[0])) == 0);
	assert((memcmp(secret[0], honest.secret, sizeof(secret[0])) == 0) == same);
	/* z, the last 32 octets of the key, is used in a rejection only */
	memcpy(rejected, honest.decaps_key, sizeof(rejected));
	rejected[sizeof(rejected) - 1] ^= 1;
	mlkem768_decapsulate(secret[1], ciphertext, rejected);
	assert((memcmp(secret[0], secret[1], sizeof(secret[0])) == 0) == same);
}

/* Writes octets of the input to `octets`, at offsets that the input gives. */
static void
edit(struct span input, uint8_t *octets, size_t len)
{
	while (input.len > 3) {
		size_t at = take_number(&input) % len;
		struct span piece = take_octets(&input, take_octet(&input) % 16 + 1u);

		if (piece.len > len - at)
			piece.len = len - at;
		if (piece.len > 0)
			memcpy(octets + at, piece.at, piece.len);
	}
}

/* Copies the octets of the input and fills up with zeros. */
static void
fill(uint8_t *octets, size_t len, struct span input)
{
	memset(octets, 0, len);
	if (input.len > 0)
		memcpy(octets, input.at, input.len < len ? input.len : len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[MLKEM768_ENCAPS_KEY_LEN], ciphertext[MLKEM768_CIPHERTEXT_LEN];
	struct span input = span(data, size);

	make();
	memcpy(key, honest.encaps_key, sizeof(key));
	memcpy(ciphertext, honest.ciphertext, sizeof(ciphertext));
	switch (take_octet(&input) % 4) {
	case 0:
		edit(input, key, sizeof(key));
		look_at_key(key);
		break;
	case 1:
		edit(input, ciphertext, sizeof(ciphertext));
		look_at_ciphertext(ciphertext);
		break;
	case 2:
		fill(key, sizeof(key), input);
		look_at_key(key);
		break;
	default:
		fill(ciphertext, sizeof(ciphertext), input);
		look_at_ciphertext(ciphertext);
		break;
	}
	return 0;
}
