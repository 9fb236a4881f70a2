/*
 * The key cache, over arbitrary files.  An input is the length of keys.cdb, that file, and
 * keys.journal.  There is always a pair, and a secret that is kept is found, here and in the
 * next process.
 */
#include "files.h"

#include "crypt/kex_hybrid.h"
#include "smtp/handshake.h"
#include "store/key_cache.h"
#include "store/meetings.h"

#include <string.h>

/* A stored secret is found again, and only in the role that stored it. */
static void
meet(struct key_cache *cache, bool is_there)
{
	const struct key_source source = key_cache_source(cache);
	struct hybrid_kept as_server, as_client, found;
	struct span offer = SPAN("XCRYPT chacha20poly1305_2.0");
	uint8_t mem[XCRYPT_LINE_MAX];
	size_t len;

	memset(&as_server, 0x11, sizeof(as_server));
	memset(&as_client, 0x22, sizeof(as_client));
	meetings_set_client(cache, &(struct address){ .len = 0 });
	meetings_set_host(cache, "mx.b.example", SPAN("192.0.2.2"), 25);
	found = as_server;
	assert(source.find_id(cache, &found) || !is_there);
	assert(source.find_host(cache, &found, mem, sizeof(mem), &len) || !is_there);

	source.keep_id(cache, &as_server);
	source.keep_host(cache, &as_client, offer, 7200);
	memset(&found, 0, sizeof(found));
	memcpy(found.id, as_server.id, sizeof(found.id));
	assert(source.find_id(cache, &found));
	assert(memcmp(found.secret, as_server.secret, sizeof(found.secret)) == 0);
	source.used_id(cache, &found);
	assert(source.find_host(cache, &found, mem, sizeof(mem), &len));
	assert(memcmp(&found, &as_client, sizeof(found)) == 0 && span_equal(span(mem, len), offer));
	assert(!source.find_id(cache, &found));
	meetings_set_host(cache, "mx.b.example", SPAN("192.0.2.2"), 26);
	assert(!source.find_host(cache, &found, mem, sizeof(mem), &len));
}

/* Checks that the pair works and that a secret can be stored. */
static void
use(struct key_cache *cache, const struct kex *x, bool is_there)
{
	struct key_source source = key_cache_source(cache);
	const struct kex_pair *pair = source.own(source.context, x);
	uint8_t peer[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX], found[KEX_SECRET_MAX];

	assert(pair != NULL && pair->private_len <= KEX_PRIVATE_MAX);
	if (x == &kex_hybrid) {
		meet(cache, is_there);
		return;
	}
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
