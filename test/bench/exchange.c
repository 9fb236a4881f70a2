/*
 * What a peer that is not in the cache costs at least, alone, with the C library that the programs have:
 *
 *	x25519 first US			a public-key operation, the first of its process, as in a session
 *	x25519 mbedtls US		one of many
 *	append US			an entry to the journal of the cache in the current directory
 */
#include "bench.h"

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
	const struct kex *x = &kex_x25519;
	struct kex_pair own = { .private_len = x->secret_len };
	struct agreement a = { .own = &own };
	double us[ROUNDS];

	for (uint8_t i = 0; i < x->public_len; i++)
		own.private[i] = a.peer_public[i] = (uint8_t)(i * 7 + 1);
	double first = cpu_us();
	if (x->agree(&a) < 0)
		give_up("X25519");
	printf("x25519 first %.1f\n", cpu_us() - first);
	for (int round = 0; round < ROUNDS; round++) {
		double begun = cpu_us();
		for (int i = 0; i < OPERATIONS; i++)
			if (x->agree(&a) < 0)
				give_up("X25519");
		us[round] = (cpu_us() - begun) / OPERATIONS;
	}
	printf("x25519 mbedtls %.1f\n", median(us, ROUNDS));
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
	uint8_t peer[KEX_PUBLIC_MAX] = { 0 }, secret[KEX_SECRET_MAX] = { 0 };
	struct key_cache cache;

	key_cache_open(&cache, &settings);
	if (!cache.stored || cache.store.journal.count > 0)
		give_up("an empty cache directory");
	struct key_source source = key_cache_source(&cache);
	double begun = cpu_us();
	for (uint8_t i = 0; i < APPENDS; i++) {
		peer[0] = i;
		source.keep(source.context, x, peer, secret);
	}
	printf("append %.1f\n", (cpu_us() - begun) / APPENDS);
	key_cache_close(&cache);
}

int
main(void)
{
	time_exchange();
	time_append();
	return 0;
}
