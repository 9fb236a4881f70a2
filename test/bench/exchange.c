/*
 * Measures alone what each connection needs at least, with the C library of the programs:
 *
 *	x25519 first US			the first X25519 operation of a process, as in a session
 *	x25519 ours US			each of many
 *	mlkem keys US			ML-KEM-768: generates a key pair (client, first meeting)
 *	mlkem encapsulate US		... encapsulates, with the check of the key (server)
 *	mlkem decapsulate US		... decapsulates (client)
 *	append US			appends to the journal of the cache in this directory
 */
#include "bench.h"

#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"
#include "store/key_cache.h"

#include <stdio.h>
#include <string.h>

enum {
	ROUNDS = 9,
	OPERATIONS = 20,
	APPENDS = 100			/* fewer than fold the journal */
};

static void
time_exchange(void)
{
	uint8_t private[X25519_LEN], public[X25519_LEN], secret[X25519_LEN];
	double us[ROUNDS];

	for (uint8_t i = 0; i < X25519_LEN; i++)
		private[i] = public[i] = (uint8_t)(i * 7 + 1);
	double first = cpu_us();
	if (x25519(secret, private, public) < 0)
		give_up("X25519");
	printf("x25519 first %.1f\n", cpu_us() - first);
	for (int round = 0; round < ROUNDS; round++) {
		double begun = cpu_us();
		for (int i = 0; i < OPERATIONS; i++)
			if (x25519(secret, private, public) < 0)
				give_up("X25519");
		us[round] = (cpu_us() - begun) / OPERATIONS;
	}
	printf("x25519 ours %.1f\n", median(us, ROUNDS));
}

enum { KEYS, ENCAPSULATE, DECAPSULATE, KEM_STEPS };

static void
time_kem(void)
{
	static const char *const names[KEM_STEPS] = { "keys", "encapsulate", "decapsulate" };
	static uint8_t encaps_key[MLKEM768_ENCAPS_KEY_LEN], decaps_key[MLKEM768_DECAPS_KEY_LEN],
	    ciphertext[MLKEM768_CIPHERTEXT_LEN], secret[MLKEM768_SECRET_LEN];
	static const uint8_t seed[MLKEM768_SEED_LEN] = { 1 }, message[MLKEM768_MESSAGE_LEN] = { 2 };
	double us[KEM_STEPS][ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double at[KEM_STEPS + 1];

		at[KEYS] = cpu_us();
		for (int i = 0; i < OPERATIONS; i++)
			mlkem768_make_keys(encaps_key, decaps_key, seed);
		at[ENCAPSULATE] = cpu_us();
		for (int i = 0; i < OPERATIONS; i++) {
			if (!mlkem768_good_key(encaps_key))
				give_up("ML-KEM");
			mlkem768_encapsulate(secret, ciphertext, encaps_key, message);
		}
		at[DECAPSULATE] = cpu_us();
		for (int i = 0; i < OPERATIONS; i++)
			mlkem768_decapsulate(secret, ciphertext, decaps_key);
		at[KEM_STEPS] = cpu_us();
		for (int i = 0; i < KEM_STEPS; i++)
			us[i][round] = (at[i + 1] - at[i]) / OPERATIONS;
	}
	for (int i = 0; i < KEM_STEPS; i++)
		printf("mlkem %s %.1f\n", names[i], median(us[i], ROUNDS));
}

static void
time_append(void)
{
	const struct suite_list list = { { &suite_table[0] }, 1 };
	const struct kex *x = suite_table[0].kex;
	struct key_cache_settings settings = { .directory = ".",
		.suites = &list,
		.lifetime_s = 7200,
		.entries_max = 65536 };
	struct hybrid_kept kept = { 0 };
	struct key_cache cache;

	key_cache_open(&cache, &settings);
	if (!cache.stored || cache.store.journal.count > 0)
		give_up("an empty cache directory");
	struct key_source source = key_cache_source(&cache);
	if (source.own(source.context, x) == NULL)
		give_up("a key pair");
	double begun = cpu_us();
	for (uint8_t i = 0; i < APPENDS; i++) {
		kept.id[0] = i;
		source.keep_id(source.context, &kept);
	}
	printf("append %.1f\n", (cpu_us() - begun) / APPENDS);
	key_cache_close(&cache);
}

int
main(void)
{
	time_exchange();
	time_kem();
	time_append();
	return 0;
}
