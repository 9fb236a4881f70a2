/*
 * fill SUITE PEERS: peers that never were, into the key cache in the current directory, behind
 * those that are there.
 */
#include "bench.h"

#include "crypt/suite.h"
#include "store/key_cache.h"

#include <sys/random.h>

#define AT_A_TIME 1000		/* before the ring is opened anew, and folds them */

int
main(int argc, char *argv[])
{
	struct key_cache_settings settings = { .directory = ".",
		.lifetime_s = 7200,
		.entries_max = 1u << 20 };
	static struct suite_list suites;
	struct span culprit;

	if (argc != 3 || suite_list_read(&suites, span_of(argv[1]), &culprit) < 0)
		return 64;
	settings.suites = &suites;
	for (unsigned long left = number(argv[2]), count; ; left -= count) {
		struct key_cache cache;

		key_cache_open(&cache, &settings);
		if (!cache.stored)
			give_up("a cache directory");
		struct key_source source = key_cache_source(&cache);
		count = left < AT_A_TIME ? left : AT_A_TIME;
		for (unsigned long i = 0; i < count; i++) {
			uint8_t peer[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX] = { 1 };

			if (getrandom(peer, sizeof(peer), 0) != sizeof(peer))
				give_up("randomness");
			source.keep(source.context, suites.at[0]->kex, peer, secret);
		}
		key_cache_close(&cache);
		if (left == 0)
			return 0;
	}
}
