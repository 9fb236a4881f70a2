/*
 * The key cache, over arbitrary files.  An input is the length of keys.cdb, that file, and
 * keys.journal.  There is always a pair, and a secret that is kept is found, here and in the
 * next process.
 */
#include "files.h"

#include "store/key_cache.h"

#include <string.h>

/* The pair works as a pair, and a secret is kept. */
static void
use(struct key_cache *cache, const struct kex *x, bool is_there)
{
	struct key_source source = key_cache_source(cache);
	const struct kex_pair *pair = source.own(source.context, x);
	uint8_t peer[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX], found[KEX_SECRET_MAX];

	assert(pair != NULL && pair->private_len <= KEX_PRIVATE_MAX);
	memset(peer, 7, sizeof(peer));
	memset(secret, 9, sizeof(secret));
	assert(!is_there || source.find(source.context, x, peer, found));
	source.keep(source.context, x, peer, secret);
	assert(source.find(source.context, x, peer, found));
	assert(memcmp(found, secret, x->secret_len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct key_cache cache;
	struct span journal;
	const char *directory = files_make("keys", span(data, size), &journal);
	struct suite_list suites;
	struct span culprit;
	struct key_cache_settings settings = { .directory = directory, .suites = &suites,
		.lifetime_s = 7200, .entries_max = 20 };

	assert(suite_list_read(&suites, SPAN("chacha20poly1305_2.0 arsyfor_1.0"), &culprit) == 0);
	fixed_start(1);
	/*
	 * If the tables and records of a CDB contradict each other, compaction may lose one of
	 * its pairs, which the second process to open it finds out; from then on all is well.
	 */
	for (size_t opened = 1; opened <= 3; opened++) {
		key_cache_open(&cache, &settings);
		for (size_t i = 0; i < 2; i++)
			use(&cache, suites.at[i]->kex, opened == 3);
		key_cache_close(&cache);
	}
	assert(key_cache_expire(&settings) == 0);
	return 0;
}
