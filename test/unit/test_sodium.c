/* When libsodium selects its fast code, and that it uses our source of randomness. */
#include "unit.h"

#include "crypt/cipher.h"
#include "crypt/sodium.h"

#include <sodium/core.h>
#include <sodium/crypto_aead_aes256gcm.h>
#include <sodium/randombytes.h>

#define BULK 9216

static uint8_t text[BULK];

static void
expects_nothing_of_little(void **state)
{
	(void)state;
	assert_string_not_equal(randombytes_implementation_name(), "getrandom");
	for (int i = 0; i < 3; i++)
		sodium_expect(BULK / 4);
	sodium_expect(BULK / 4 - 1);
	assert_string_not_equal(randombytes_implementation_name(), "getrandom");
}

/* In pieces, as records come: the results are the same before and after sodium_init(). */
static void
bulk_makes_it_choose(void **state)
{
	const struct cipher *c = &cipher_chacha20poly1305;
	static uint8_t slow[BULK], fast[BULK];
	static _Alignas(max_align_t) uint8_t mem[CIPHER_STATE_MAX];
	uint8_t key[CIPHER_KEY_MAX] = { 1 }, nonce[CIPHER_IV_LEN] = { 2 }, tag[2][CIPHER_TAG_LEN];

	(void)state;
	assert_int_equal(c->start(mem, key, CIPHER_SEND), 0);
	/* the few octets that the previous test left */
	assert_int_equal(c->seal(mem, nonce, span(NULL, 0), text, 0, slow, tag[0]), 0);
	assert_string_not_equal(randombytes_implementation_name(), "getrandom");
	assert_int_equal(c->seal(mem, nonce, span(NULL, 0), text, BULK, slow, tag[0]), 0);
	assert_string_equal(randombytes_implementation_name(), "getrandom");
	assert_int_equal(c->seal(mem, nonce, span(NULL, 0), text, BULK, fast, tag[1]), 0);
	assert_memory_equal(slow, fast, sizeof(slow));
	assert_memory_equal(tag[0], tag[1], sizeof(tag[0]));
	c->stop(mem);
	uint32_t words[4];
	for (size_t i = 0; i < 4; i++)
		words[i] = randombytes_random();
	assert_false(words[0] == words[1] && words[1] == words[2] && words[2] == words[3]);
	sodium_expect(SIZE_MAX);
}

/* On x86-64; on other machines libsodium's is not used. */
static void
aes_is_there_if_libsodium_says_so(void **state)
{
	bool x86 = false;

	(void)state;
#if defined(__x86_64__)
	x86 = true;
#endif
	assert_true(sodium_init() >= 0);
	assert_int_equal(sodium_has_aes(), x86 && crypto_aead_aes256gcm_is_available());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expects_nothing_of_little),
		cmocka_unit_test(bulk_makes_it_choose),
		cmocka_unit_test(aes_is_there_if_libsodium_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
