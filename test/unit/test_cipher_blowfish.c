/*
 * Blowfish: all lines of the published vectors, test/vectors/blowfish.txt.  Our code only does
 * 64-bit CFB; applied to zeros it encrypts the IV, from which the other modes are built here.
 */
#include "unit.h"

#include "base/octets.h"
#include "crypt/cipher_blowfish.h"

#ifdef BLOWFISH_BUILT_IN

#define BLOCK 8
#define OCTETS_MAX 64

static size_t
from_hex(uint8_t *out, const char *hex)
{
	assert_true(strlen(hex) <= 2 * OCTETS_MAX);
	assert_true(octets_from_hex(out, strlen(hex) / 2, span_of(hex)));
	return strlen(hex) / 2;
}

/*
 * mbedTLS takes no keys shorter than 4 octets.  Blowfish repeats a key throughout its P-array, so
 * writing a shorter key several times is equivalent.
 */
static void
start(struct blowfish *b, const uint8_t *key, size_t len, enum cipher_use use)
{
	uint8_t repeated[4 * OCTETS_MAX];
	size_t times = len < 4 ? 4 : 1;

	for (size_t i = 0; i < times; i++)
		memcpy(repeated + i * len, key, len);
	assert_int_equal(blowfish_key(b, repeated, times * len, use), 0);
}

static void
encrypt(uint8_t block[BLOCK], const uint8_t *key, size_t key_len)
{
	struct blowfish b;

	start(&b, key, key_len, CIPHER_SEND);
	memcpy(b.iv, block, BLOCK);
	memset(block, 0, BLOCK);
	blowfish_stream(&b, block, BLOCK);
}

static void
assert_block(const uint8_t *key, size_t key_len, const char *plain_hex, const char *wire_hex)
{
	uint8_t block[OCTETS_MAX], wire[OCTETS_MAX];

	assert_int_equal(from_hex(block, plain_hex), BLOCK);
	assert_int_equal(from_hex(wire, wire_hex), BLOCK);
	encrypt(block, key, key_len);
	assert_memory_equal(block, wire, BLOCK);
}

/* In pieces of `step` octets, in both directions. */
static void
assert_cfb(const uint8_t *key, size_t key_len, const uint8_t iv[BLOCK], const uint8_t *plain,
    const uint8_t *wire, size_t len, size_t step)
{
	uint8_t octets[OCTETS_MAX];
	struct blowfish b;

	memcpy(octets, plain, len);
	for (int way = 0; way < 2; way++) {
		start(&b, key, key_len, way == 0 ? CIPHER_SEND : CIPHER_RECEIVE);
		memcpy(b.iv, iv, BLOCK);
		for (size_t at = 0; at < len; at += step)
			blowfish_stream(&b, octets + at, len - at < step ? len - at : step);
		assert_memory_equal(octets, way == 0 ? wire : plain, len);
	}
}

static void
assert_mode(const char *mode, const char *wire_hex, const uint8_t *data, size_t len)
{
	uint8_t key[OCTETS_MAX], iv[OCTETS_MAX], wire[OCTETS_MAX], octets[OCTETS_MAX] = { 0 };
	size_t key_len = from_hex(key, "0123456789ABCDEFF0E1D2C3B4A59687");
	size_t wire_len = from_hex(wire, wire_hex);

	from_hex(iv, "FEDCBA9876543210");
	if (strcmp(mode, "CFB64") == 0) {
		assert_int_equal(wire_len, len);
		for (size_t step = 1; step <= len; step++)
			assert_cfb(key, key_len, iv, data, wire, len, step);
		return;
	}
	memcpy(octets, data, len);
	for (size_t at = 0; at < wire_len; at++) {
		if (strcmp(mode, "OFB64") == 0) {
			if (at % BLOCK == 0)
				encrypt(iv, key, key_len);
			octets[at] ^= iv[at % BLOCK];
			continue;
		}
		assert_string_equal(mode, "CBC");
		iv[at % BLOCK] ^= octets[at];
		if (at % BLOCK == BLOCK - 1) {
			encrypt(iv, key, key_len);
			memcpy(octets + at - (BLOCK - 1), iv, BLOCK);
		}
	}
	assert_memory_equal(octets, wire, wire_len);
}

static void
published_vectors(void **state)
{
	char line[512], key_hex[128], mode[16], plain[128], wire[128];
	uint8_t key[OCTETS_MAX], data[OCTETS_MAX];
	size_t len, data_len = 0, blocks = 0, keys = 0, modes = 0;
	FILE *f = fopen(TEST_VECTORS "/blowfish.txt", "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "ECB %127s %127s %127s", key_hex, plain, wire) == 3) {
			len = from_hex(key, key_hex);
			assert_block(key, len, plain, wire);
			blocks++;
		} else if (sscanf(line, "KEYLEN %zu %127s", &len, wire) == 2) {
			from_hex(key, "F0E1D2C3B4A5968778695A4B3C2D1E0F0011223344556677");
			assert_block(key, len, "FEDCBA9876543210", wire);
			keys++;
		} else if (sscanf(line, "MODE DATA %127s", plain) == 1) {
			data_len = from_hex(data, plain);
		} else if (sscanf(line, "MODE %15s %127s", mode, wire) == 2) {
			assert_mode(mode, wire, data, data_len);
			modes++;
		} else {
			fail_msg("a line of another form: %s", line);
		}
	}
	fclose(f);
	assert_int_equal(blocks, 36);
	assert_int_equal(keys, 24);
	assert_int_equal(modes, 3);
}

/* The cipher uses exactly its 10 octets and starts with a zero IV; a state for each direction. */
static void
keyed_with_ten_octets(void **state)
{
	_Alignas(max_align_t) static uint8_t a[CIPHER_STATE_MAX], b[CIPHER_STATE_MAX];
	uint8_t key[OCTETS_MAX], octets[11], expected[BLOCK] = { 0 };

	(void)state;
	assert_int_equal(cipher_blowfish.key_len, 10);
	from_hex(key, "F0E1D2C3B4A5968778695A4B");
	encrypt(expected, key, 10);
	memset(octets, 0, sizeof(octets));
	assert_int_equal(cipher_blowfish.start(a, key, CIPHER_SEND), 0);
	assert_int_equal(cipher_blowfish.start(b, key, CIPHER_RECEIVE), 0);
	cipher_blowfish.stream(a, octets, sizeof(octets));
	assert_memory_equal(octets, expected, BLOCK);
	for (size_t i = 0; i < sizeof(octets); i++) {
		cipher_blowfish.stream(b, octets + i, 1);
		assert_int_equal(octets[i], 0);
	}
	cipher_blowfish.stop(a);
	cipher_blowfish.stop(b);
}

static void
keys_of_another_length_are_refused(void **state)
{
	const uint8_t key[57] = { 1 };
	struct blowfish b;

	(void)state;
	assert_int_equal(blowfish_key(&b, key, 3, CIPHER_SEND), -1);
	assert_int_equal(blowfish_key(&b, key, 4, CIPHER_SEND), 0);
	assert_int_equal(blowfish_key(&b, key, 56, CIPHER_SEND), 0);
	assert_int_equal(blowfish_key(&b, key, 57, CIPHER_SEND), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(keyed_with_ten_octets),
		cmocka_unit_test(keys_of_another_length_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void
this_mbedtls_has_no_blowfish(void **state)
{
	(void)state;
	skip();
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(this_mbedtls_has_no_blowfish) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
