/*
 * fill SUITE PEERS: adds a server's entries for first meetings with PEERS invented clients to the
 * key cache in the current directory.
 */
#include "bench.h"

#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"
#include "store/key_cache.h"
#include "store/meetings.h"
#include "sys/address.h"

#include <sys/random.h>

#define AT_A_TIME 1000		/* entries; then the cache is reopened and compacted */

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
		if (source.own(source.context, &kex_hybrid) == NULL)
			give_up("a key pair");
		for (unsigned long i = 0; i < count; i++) {
			struct hybrid_kept kept = { .secret = { 1 } };
			struct address client;
			uint8_t octets[4];

			if (getrandom(octets, sizeof(octets), 0) != sizeof(octets) ||
			    getrandom(kept.id, sizeof(kept.id), 0) != sizeof(kept.id))
				give_up("randomness");
			address_make(&client, span(octets, sizeof(octets)), 25);
			meetings_set_client(&cache, &client);
			source.keep_id(source.context, &kept);
		}
		key_cache_close(&cache);
		if (left == 0)
			return 0;
	}
}
