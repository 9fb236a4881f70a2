/* t32: all of the published vectors, test/vectors/t32.txt. */
#include "unit.h"

#include "base/octets.h"
#include "crypt/cipher.h"
#include "crypt/cipher_t32.h"

static const char key[] = "test key 128bits";
static const uint8_t nonce[4] = { 0, 0, 0, 1 };

/*
 * The value of that name after the line that begins with `section`, valid until the next call.
 */
static const char *
value_of(const char *section, const char *name)
{
	static char line[1024], value[1024];
	char here[32];
	bool inside = false, found = false;
	FILE *f = fopen(TEST_VECTORS "/t32.txt", "r");

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '[')
			inside = strncmp(line, section, strlen(section)) == 0;
		found = inside && sscanf(line, "%31s = %1023[^\n]", here, value) == 2 &&
		    strcmp(here, name) == 0;
	}
	fclose(f);
	if (!found)
		fail_msg("%s %s is missing", section, name);
	return value;
}

static void
assert_octets(const char *section, const char *name, const uint8_t *octets, size_t len)
{
	const char *hex = value_of(section, name);
	uint8_t expected[256];

	assert_int_equal(strlen(hex), 2 * len);
	assert_true(octets_from_hex(expected, len, span_of(hex)));
	assert_memory_equal(octets, expected, len);
}

static void
start(struct t32 *t)
{
	t32_key(t, (const uint8_t *)key, strlen(key));
	t32_nonce(t, nonce, sizeof(nonce));
}

static void
vectors_1_and_2(void **state)
{
	static const char *const sections[] = { "[vector 1]", "[vector 2]" };
	uint8_t octets[256];
	char konst[9];
	struct t32 t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(value_of(sections[i], "key_ascii"), key);
		assert_string_equal(value_of(sections[i], "nonce"), "00000001");
		start(&t);
		snprintf(konst, sizeof(konst), "%08x", (unsigned)t.konst);
		assert_string_equal(konst, value_of(sections[i], "konst"));
		memset(octets, 0, sizeof(octets));
		if (i == 0) {
			t32_stream(&t, octets, 40);
			assert_octets(sections[i], "keystream40", octets, 40);
		} else {
			t32_stream(&t, octets, 256);
			assert_octets(sections[i], "keystream256", octets, 256);
		}
	}
}

/* With the key of the second vector: the same octets, however many are requested at a time. */
static void
calls_of_every_size(void **state)
{
	enum { LEN = 5000 };
	static uint8_t whole[LEN], octets[LEN];
	struct t32 t;

	(void)state;
	memset(whole, 0, LEN);
	start(&t);
	t32_stream(&t, whole, LEN);
	assert_octets("[vector 2]", "keystream256", whole, 256);
	for (size_t size = 1; size <= 64; size++) {
		memset(octets, 0, LEN);
		start(&t);
		for (size_t at = 0; at < LEN; at += size)
			t32_stream(&t, octets + at, LEN - at < size ? LEN - at : size);
		assert_memory_equal(octets, whole, LEN);
	}
	memset(octets, 0, LEN);
	start(&t);
	for (size_t at = 0, size = 0; at < LEN; at += size, size++) {
		size = LEN - at < size ? LEN - at : size;
		t32_stream(&t, octets + at, size);
	}
	assert_memory_equal(octets, whole, LEN);
}

/* A nonce can be loaded repeatedly, at any position of the keystream. */
static void
nonce_starts_over(void **state)
{
	uint8_t octets[256], first[256] = { 0 };
	struct t32 t;

	(void)state;
	start(&t);
	t32_stream(&t, first, sizeof(first));
	for (size_t used = 0; used < 100; used++) {
		t32_stream(&t, octets, used);
		t32_nonce(&t, nonce, sizeof(nonce));
		memset(octets, 0, sizeof(octets));
		t32_stream(&t, octets, sizeof(octets));
		assert_memory_equal(octets, first, sizeof(first));
	}
	const uint8_t other[4] = { 0, 0, 0, 2 };
	t32_nonce(&t, other, sizeof(other));
	memset(octets, 0, sizeof(octets));
	t32_stream(&t, octets, sizeof(octets));
	assert_memory_not_equal(octets, first, sizeof(first));
}

static void
vector_3_a_million_keys(void **state)
{
	uint8_t octets[40] = { 0 };
	struct t32 t;

	(void)state;
	start(&t);
	t32_stream(&t, octets, sizeof(octets));
	assert_string_equal(value_of("[vector 3]", "iterations"), "999999");
	for (unsigned i = 0; i < 999999; i++) {
		t32_key(&t, octets, 16);
		t32_stream(&t, octets, sizeof(octets));
	}
	assert_octets("[vector 3]", "result40", octets, sizeof(octets));
}

/* The cipher uses exactly its 10 octets, and the state of one direction undoes the other's. */
static void
keyed_with_ten_octets(void **state)
{
	_Alignas(max_align_t) static uint8_t a[CIPHER_STATE_MAX], b[CIPHER_STATE_MAX];
	const uint8_t long_key[11] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
	uint8_t octets[100] = { 0 }, expected[100] = { 0 };
	struct t32 t;

	(void)state;
	assert_int_equal(cipher_t32.key_len, 10);
	assert_int_equal(cipher_t32.start(a, long_key, CIPHER_SEND), 0);
	assert_int_equal(cipher_t32.start(b, long_key, CIPHER_RECEIVE), 0);
	t32_key(&t, long_key, 10);
	t32_stream(&t, expected, sizeof(expected));
	cipher_t32.stream(a, octets, sizeof(octets));
	assert_memory_equal(octets, expected, sizeof(octets));
	cipher_t32.stream(b, octets, sizeof(octets));
	memset(expected, 0, sizeof(expected));
	assert_memory_equal(octets, expected, sizeof(octets));
	/* octets in excess of a multiple of four count, and so does the length */
	for (size_t len = 9; len <= 12; len++) {
		t32_key(&t, (const uint8_t[12]){ 0 }, len);
		memset(octets, 0, sizeof(octets));
		t32_stream(&t, octets, sizeof(octets));
		assert_memory_not_equal(octets, expected, sizeof(octets));
		memcpy(expected, octets, sizeof(octets));
	}
	cipher_t32.stop(a);
	cipher_t32.stop(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_1_and_2),
		cmocka_unit_test(calls_of_every_size),
		cmocka_unit_test(nonce_starts_over),
		cmocka_unit_test(vector_3_a_million_keys),
		cmocka_unit_test(keyed_with_ten_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
