/*
 * ML-KEM-768: the known answers of test/vectors/mlkem768.txt, except the longest accumulation,
 * which `make soak` runs; and under memcheck, that no secret decides anything.
 *
 * Includes the source itself, because it tests Keccak and the halves of key generation.
 */
#include "../../src/crypt/mlkem768.c"

#include "crypt/sha256.h"
#include "memcheck.h"
#include "vectors.h"

#include <sys/wait.h>

#define CASES 12

static void
take(uint8_t *out, size_t len, const char *section, const char *name)
{
	assert_int_equal(vectors_octets(out, len, section, name), len);
}

static unsigned
take_number(const char *section, const char *name)
{
	uint64_t number;

	assert_true(span_number(vectors_text(section, name), UINT32_MAX, &number));
	return (unsigned)number;
}

/* The vectors have whole values for the first cases, and digests for all. */
static void
assert_whole(const char *section, const char *name, const uint8_t *octets, size_t len)
{
	struct span value;

	if (vectors_find(section, name, &value))
		vectors_assert(section, name, octets, len);
}

struct keys {
	uint8_t encaps[MLKEM768_ENCAPS_KEY_LEN], decaps[MLKEM768_DECAPS_KEY_LEN];
};

static void
assert_digest(const char *section, const char *name, const uint8_t *octets, size_t len)
{
	uint8_t digest[SHA256_LEN];
	struct span all = span(octets, len);

	assert_int_equal(sha256_parts(digest, &all, 1), 0);
	vectors_assert(section, name, digest, sizeof(digest));
}

static void
known_answers(void **state)
{
	(void)state;
	for (int i = 0; i < CASES; i++) {
		struct keys keys;
		uint8_t seed[64], m[32], c[MLKEM768_CIPHERTEXT_LEN], k[32], again[32];
		char section[16];

		snprintf(section, sizeof(section), "case %d", i);
		take(seed, 32, section, "d");
		take(seed + 32, 32, section, "z");
		take(m, 32, section, "m");
		mlkem768_make_keys(keys.encaps, keys.decaps, seed);
		assert_whole(section, "ek", keys.encaps, sizeof(keys.encaps));
		assert_whole(section, "dk", keys.decaps, sizeof(keys.decaps));
		assert_digest(section, "ek-hash", keys.encaps, sizeof(keys.encaps));
		assert_digest(section, "dk-hash", keys.decaps, sizeof(keys.decaps));
		assert_true(mlkem768_good_key(keys.encaps));
		mlkem768_encapsulate(k, c, keys.encaps, m);
		assert_whole(section, "c", c, sizeof(c));
		assert_digest(section, "c-hash", c, sizeof(c));
		vectors_assert(section, "k", k, sizeof(k));
		mlkem768_decapsulate(again, c, keys.decaps);
		assert_memory_equal(again, k, sizeof(k));

		c[take_number(section, "bad-octet")] ^= (uint8_t)(1 << take_number(section, "bad-bit"));
		mlkem768_decapsulate(again, c, keys.decaps);
		vectors_assert(section, "bad-k", again, sizeof(again));
	}
}

/* Each changed bit of a ciphertext gives another secret, the same one each time. */
static void
a_changed_ciphertext_is_rejected_implicitly(void **state)
{
	struct keys keys;
	uint8_t seed[64] = { 1 }, m[32] = { 2 }, c[MLKEM768_CIPHERTEXT_LEN], k[32], other[32], again[32];

	(void)state;
	mlkem768_make_keys(keys.encaps, keys.decaps, seed);
	mlkem768_encapsulate(k, c, keys.encaps, m);
	for (size_t i = 0; i < sizeof(c); i += 7) {
		c[i] ^= (uint8_t)(1 << i % 8);
		mlkem768_decapsulate(other, c, keys.decaps);
		mlkem768_decapsulate(again, c, keys.decaps);
		assert_memory_not_equal(other, k, sizeof(k));
		assert_memory_equal(other, again, sizeof(again));
		c[i] ^= (uint8_t)(1 << i % 8);
	}
	mlkem768_decapsulate(again, c, keys.decaps);
	assert_memory_equal(again, k, sizeof(k));
}

/* Packs `value` as coefficient `n` of the vector in a key. */
static void
set_coefficient(uint8_t *key, size_t n, unsigned coefficient)
{
	uint8_t *at = key + n / 2 * 3;

	if (n % 2 == 0) {
		at[0] = (uint8_t)coefficient;
		at[1] = (uint8_t)((at[1] & 0xf0) | coefficient >> 8);
	} else {
		at[1] = (uint8_t)((at[1] & 0x0f) | (coefficient & 15) << 4);
		at[2] = (uint8_t)(coefficient >> 4);
	}
}

static void
keys_out_of_range_are_refused(void **state)
{
	static const unsigned positions[] = { 0, 1, 255, 256, 511, 512, 766, 767 };
	uint8_t good[MLKEM768_ENCAPS_KEY_LEN], key[MLKEM768_ENCAPS_KEY_LEN];
	char name[24];

	(void)state;
	take(good, sizeof(good), "case 0", "ek");
	assert_true(mlkem768_good_key(good));
	for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
		snprintf(name, sizeof(name), "coefficient-%u", positions[i]);
		memcpy(key, good, sizeof(key));
		set_coefficient(key, positions[i], take_number("refused", name));
		assert_false(mlkem768_good_key(key));
		set_coefficient(key, positions[i], Q - 1);	/* the largest valid value */
		assert_true(mlkem768_good_key(key));
	}
}

/* As the vectors' file describes: random rounds, each also with a random ciphertext. */
static void
accumulate(uint8_t digest[32], unsigned rounds)
{
	struct sponge generator = { .rate = SHAKE128_RATE }, all = { .rate = SHAKE128_RATE };
	struct keys keys;
	uint8_t seed[64], m[32], foreign[MLKEM768_CIPHERTEXT_LEN], c[MLKEM768_CIPHERTEXT_LEN], k[32];

	sponge_finish(&generator, SHAKE_SUFFIX);
	for (unsigned i = 0; i < rounds; i++) {
		sponge_squeeze(&generator, seed, sizeof(seed));
		sponge_squeeze(&generator, m, sizeof(m));
		sponge_squeeze(&generator, foreign, sizeof(foreign));
		mlkem768_make_keys(keys.encaps, keys.decaps, seed);
		sponge_absorb(&all, keys.encaps, sizeof(keys.encaps));
		mlkem768_encapsulate(k, c, keys.encaps, m);
		sponge_absorb(&all, c, sizeof(c));
		sponge_absorb(&all, k, sizeof(k));
		mlkem768_decapsulate(k, foreign, keys.decaps);
		sponge_absorb(&all, k, sizeof(k));
	}
	sponge_finish(&all, SHAKE_SUFFIX);
	sponge_squeeze(&all, digest, 32);
}

/* MLKEM_ROUNDS=10000 in the environment runs the longest one too. */
static void
accumulated_answers(void **state)
{
	static const char *const rounds[] = { "100", "1000", "10000" };
	const char *most = getenv("MLKEM_ROUNDS");
	uint8_t digest[32];
	char name[24];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		unsigned long n = strtoul(rounds[i], NULL, 10);
		if (n > (most == NULL ? 1000 : strtoul(most, NULL, 10)))
			break;
		snprintf(name, sizeof(name), "rounds-%s", rounds[i]);
		accumulate(digest, (unsigned)n);
		vectors_assert("accumulated", name, digest, sizeof(digest));
	}
}

/* FIPS 202: empty input, and 200 octets, which is more than one block of each function */
static void
keccak_as_published(void **state)
{
	static const uint8_t sha3_256_nothing[4] = { 0xa7, 0xff, 0xc6, 0xf8 };
	static const uint8_t sha3_512_nothing[4] = { 0xa6, 0x9f, 0x73, 0xcc };
	static const uint8_t shake128_a3[4] = { 0x13, 0x1a, 0xb8, 0xd2 };
	static const uint8_t shake256_a3[4] = { 0xcd, 0x8a, 0x92, 0x0e };
	uint8_t out[64], in[200];

	(void)state;
	memset(in, 0xa3, sizeof(in));
	hash(out, 32, SHA3_256_RATE, SHA3_SUFFIX, span(NULL, 0), span(NULL, 0));
	assert_memory_equal(out, sha3_256_nothing, 4);
	hash(out, 64, SHA3_512_RATE, SHA3_SUFFIX, span(NULL, 0), span(NULL, 0));
	assert_memory_equal(out, sha3_512_nothing, 4);
	hash(out, 64, SHAKE128_RATE, SHAKE_SUFFIX, span(in, 100), span(in, 100));
	assert_memory_equal(out, shake128_a3, 4);
	hash(out, 64, SHAKE256_RATE, SHAKE_SUFFIX, span(in, 200), span(NULL, 0));
	assert_memory_equal(out, shake256_a3, 4);
}

/* d, z and m are secret; rho, the encapsulation key and the ciphertext are public. */
static void
threat_23_secrets_decide_nothing(void **state)
{
	struct keys keys;
	uint8_t rho[32] = { 1 }, sigma[32] = { 2 }, seed[64] = { 3 }, m[32] = { 4 };
	uint8_t c[MLKEM768_CIPHERTEXT_LEN], k[32], again[32];

	(void)state;
	memcheck_or_skip();
	unsigned before = VALGRIND_COUNT_ERRORS;
	mlkem768_make_keys(keys.encaps, keys.decaps, seed);
	memcheck_hide(sigma, sizeof(sigma));
	pke_make_keys(keys.encaps, keys.decaps, rho, sigma);
	memcheck_show(keys.encaps, sizeof(keys.encaps));
	memcpy(keys.decaps + DECAPS_ENCAPS, keys.encaps, sizeof(keys.encaps));
	hash_h(keys.decaps + DECAPS_HASH, keys.encaps);
	memcheck_hide(keys.decaps + DECAPS_REJECT, SYMBOL_LEN);
	memcheck_hide(m, sizeof(m));
	mlkem768_encapsulate(k, c, keys.encaps, m);
	memcheck_show(c, sizeof(c));
	mlkem768_decapsulate(again, c, keys.decaps);
	memcheck_show(again, sizeof(again));
	memcheck_show(k, sizeof(k));
	assert_memory_equal(again, k, sizeof(k));
	c[5] ^= 1;
	mlkem768_decapsulate(again, c, keys.decaps);
	memcheck_show(again, sizeof(again));
	assert_memory_not_equal(again, k, sizeof(k));
	assert_int_equal(VALGRIND_COUNT_ERRORS, before);
}

static bool
every_section(const char *section)
{
	return strcmp(section, "accumulated") != 0;	/* asserted as far as run */
}

/* Runs last: asserts that every line was used. */
static void
every_line_is_asserted(void **state)
{
	(void)state;
	assert_true(vectors_assert_all(every_section) >= 100);
}

static int
read_file(void **state)
{
	(void)state;
	vectors_read("mlkem768.txt");
	return 0;
}

/* Runs only this test under valgrind, because all of them would take minutes. */
static int
under_valgrind(char *program)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		memcheck_again(program);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest secrets[] = {
		cmocka_unit_test(threat_23_secrets_decide_nothing),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keccak_as_published),
		cmocka_unit_test(known_answers),
		cmocka_unit_test(a_changed_ciphertext_is_rejected_implicitly),
		cmocka_unit_test(keys_out_of_range_are_refused),
		cmocka_unit_test(accumulated_answers),
		cmocka_unit_test(every_line_is_asserted),
	};

	(void)argc;
	if (RUNNING_ON_VALGRIND && getenv(MEMCHECK_AGAIN) != NULL)
		return cmocka_run_group_tests(secrets, NULL, NULL);
	return under_valgrind(argv[0]) + cmocka_run_group_tests(tests, read_file, NULL);
}
