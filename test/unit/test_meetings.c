/*
 * Pre-shared secrets of XCRYPT 2.0: a server finds them by id, a client by host; each has its
 * limits, and none is used in the other role.
 */
#include "addresses.h"
#include "key_cache_fixture.h"

#include "store/meetings.h"

static const struct suite real = { .kex = &kex_hybrid };
static const struct suite_list only_real = { { &real }, 1 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BEGIN_S INT64_C(1800000000)
#define OFFER "XCRYPT chacha20poly1305_2.0 aes256gcm_2.0"

static int64_t now_s;

static int64_t
as_told(void)
{
	return now_s;
}

static int
set_up(void **state)
{
	now_s = BEGIN_S;
	return scratch_open(state);
}

static void
called_from(struct key_cache *cache, const char *text)
{
	struct address client = address(text, 4711);

	meetings_set_client(cache, &client);
}

/* Sets the client's address to one of 2^32. */
static void
called_from_number(struct key_cache *cache, unsigned number)
{
	struct address client;

	address_make(&client, span(&number, sizeof(number)), 4711);
	meetings_set_client(cache, &client);
}

/* Opens the cache as another process. */
static struct key_cache *
begun(struct key_cache *cache)
{
	struct key_cache_settings settings = settings_for(&only_real);

	settings.now_s = as_told;
	key_cache_open(cache, &settings);
	meetings_set_host(cache, "mx.b.example", SPAN("192.0.2.1"), 25);
	called_from(cache, "198.51.100.1");
	return cache;
}

/* Reopens the cache, as the next process does. */
static void
next(struct key_cache *cache)
{
	key_cache_close(cache);
	begun(cache);
}

/* The entry of the number-th first meeting. */
static struct hybrid_kept
meeting(const struct key_cache *cache, unsigned number)
{
	struct hybrid_kept kept;

	memset(kept.id, (int)number, sizeof(kept.id));
	octets_put32(kept.id, number * 2654435761u);
	memset(kept.secret, (int)number + 1, sizeof(kept.secret));
	memset(kept.server, 7, sizeof(kept.server));
	if (cache != NULL)
		memcpy(kept.server, cache->own[0].pair.public, sizeof(kept.server));
	return kept;
}

static void
keep_id(struct key_cache *cache, unsigned number)
{
	struct hybrid_kept kept = meeting(cache, number);

	meetings_keep_id(cache, &kept);
}

/* Whether the entry is found; a wrong one fails the test. */
static bool
found_id(struct key_cache *cache, unsigned number)
{
	struct hybrid_kept want = meeting(cache, number), kept = { 0 };

	memcpy(kept.id, want.id, sizeof(kept.id));
	if (!meetings_find_id(cache, &kept)) {
		memset(want.secret, 0, sizeof(want.secret));
		assert_memory_equal(kept.secret, want.secret, sizeof(kept.secret));
		return false;
	}
	assert_memory_equal(&kept, &want, sizeof(kept));
	return true;
}

static void
keep_host(struct key_cache *cache, unsigned number, unsigned keep_s)
{
	struct hybrid_kept kept = meeting(NULL, number);

	meetings_keep_host(cache, &kept, SPAN(OFFER), keep_s);
}

static bool
found_host(struct key_cache *cache, unsigned number)
{
	struct hybrid_kept want = meeting(NULL, number), kept = { 0 };
	uint8_t offer[512];
	size_t len;

	if (!meetings_find_host(cache, &kept, offer, sizeof(offer), &len))
		return false;
	assert_memory_equal(&kept, &want, sizeof(kept));
	assert_span(span(offer, len), OFFER);
	return true;
}

static void
a_server_finds_what_it_kept(void **state)
{
	struct key_cache cache, other;

	(void)state;
	begun(&cache);
	begun(&other);
	assert_false(found_id(&cache, 1));
	keep_id(&cache, 1);
	assert_true(found_id(&cache, 1));
	assert_false(found_id(&cache, 2));
	next(&other);
	assert_true(found_id(&other, 1));
	assert_false(found_id(&other, 2));
	key_cache_close(&other);
	/* also after a compaction, and for any client */
	for (unsigned i = 0; i < STORE_COMPACT_AT; i++) {
		called_from_number(&cache, i);
		keep_id(&cache, 100 + i);
	}
	next(&cache);
	assert_int_equal(scratch_size("keys.journal"), 0);
	assert_true(found_id(&cache, 1) && found_id(&cache, 100));
	key_cache_close(&cache);
}

static void
a_client_finds_the_host_that_it_calls(void **state)
{
	static const struct { const char *name, *address; uint16_t port; } others[] = {
		{ "mx2.b.example", "192.0.2.1", 25 }, { "mx.b.example", "192.0.2.2", 25 },
		{ "mx.b.example", "192.0.2.1", 26 }, { "mx.b.exampl", "e192.0.2.1", 25 },
		{ "", "mx.b.example192.0.2.1", 25 }, { "mx.b.example", "", 25 },
	};
	struct key_cache cache;

	(void)state;
	begun(&cache);
	assert_false(found_host(&cache, 1));
	keep_host(&cache, 1, 7200);
	for (int again = 0; again < 2; again++) {
		assert_true(found_host(&cache, 1));
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			meetings_set_host(&cache, others[i].name, span_of(others[i].address),
			    others[i].port);
			assert_false(found_host(&cache, 1));
		}
		next(&cache);
	}
	/* the newest entry counts */
	keep_host(&cache, 2, 7200);
	assert_true(found_host(&cache, 2));
	next(&cache);
	assert_true(found_host(&cache, 2));
	key_cache_close(&cache);
}

/* An offer that exceeds the room is not returned, and one that is too long is not stored. */
static void
offers_are_kept_whole(void **state)
{
	static uint8_t long_offer[513], offer[600];
	struct hybrid_kept kept = meeting(NULL, 1), got;
	struct key_cache cache;
	size_t len = 0;

	(void)state;
	memset(long_offer, 'x', sizeof(long_offer));
	begun(&cache);
	meetings_keep_host(&cache, &kept, span(long_offer, 513), 7200);
	assert_false(meetings_find_host(&cache, &got, offer, sizeof(offer), &len));
	meetings_keep_host(&cache, &kept, span(long_offer, 512), 7200);
	assert_false(meetings_find_host(&cache, &got, offer, 511, &len));
	assert_true(meetings_find_host(&cache, &got, offer, 512, &len));
	assert_int_equal(len, 512);
	assert_memory_equal(offer, long_offer, len);
	key_cache_close(&cache);
}

static void
threat_19_one_role_is_never_taken_for_the_other(void **state)
{
	struct key_cache cache;

	(void)state;
	begun(&cache);
	keep_id(&cache, 1);
	assert_false(found_host(&cache, 1));
	keep_host(&cache, 2, 7200);
	assert_false(found_id(&cache, 2));
	meetings_forget_host(&cache);
	assert_true(found_id(&cache, 1));
	key_cache_close(&cache);
}

/* A client's limits: the server's keep, its own key lifetime, and the host key statement. */
static void
what_a_client_keeps_has_its_time(void **state)
{
	static const struct { unsigned keep_s; int64_t until_s, lasts_s; } rows[] = {
		{ 100, INT64_MAX, 100 }, { 1, INT64_MAX, 1 }, { 86400, INT64_MAX, LIFETIME_S - 10 },
		{ 7000, BEGIN_S + 10 + 300, 300 }, { 200, BEGIN_S + 10 + 300, 200 },
	};
	struct key_cache cache;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scratch_close(state);
		set_up(state);
		begun(&cache);
		now_s = BEGIN_S + 10;
		meetings_set_until(&cache, rows[i].until_s);
		keep_host(&cache, 1, rows[i].keep_s);
		next(&cache);
		assert_true(found_host(&cache, 1));
		now_s = BEGIN_S + 10 + rows[i].lasts_s - 1;
		next(&cache);
		assert_true(found_host(&cache, 1));
		now_s++;
		/* its own pair may have been replaced by then */
		assert_int_equal(found_host(&cache, 1), rows[i].lasts_s == LIFETIME_S - 10);
		next(&cache);
		assert_false(found_host(&cache, 1));
		key_cache_close(&cache);
	}
}

/* After the clock was set back, an entry stored in the future is ignored. */
static void
times_in_the_future_are_none(void **state)
{
	struct key_cache cache;

	(void)state;
	begun(&cache);
	now_s += 300;
	keep_host(&cache, 1, 7200);
	now_s--;
	assert_false(found_host(&cache, 1));
	now_s++;
	assert_true(found_host(&cache, 1));
	key_cache_close(&cache);
}

static void
a_host_is_forgotten(void **state)
{
	struct key_cache cache;

	(void)state;
	begun(&cache);
	keep_host(&cache, 1, 7200);
	meetings_set_host(&cache, "other.example", SPAN("192.0.2.1"), 25);
	keep_host(&cache, 2, 7200);
	meetings_forget_host(&cache);
	assert_false(found_host(&cache, 2));
	next(&cache);
	assert_true(found_host(&cache, 1));
	meetings_set_host(&cache, "other.example", SPAN("192.0.2.1"), 25);
	assert_false(found_host(&cache, 2));
	keep_host(&cache, 3, 7200);
	assert_true(found_host(&cache, 3));
	key_cache_close(&cache);
}

/* keep is the rest of the pair's life, at most a day. */
static void
keep_is_the_rest_of_the_pairs_life(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	struct key_cache cache;

	(void)state;
	begun(&cache);
	assert_int_equal(meetings_keep_s(&cache, &kex_hybrid), LIFETIME_S);
	assert_int_equal(meetings_keep_s(&cache, &kex_oakley1), 0);
	now_s += LIFETIME_S - 1;
	assert_int_equal(meetings_keep_s(&cache, &kex_hybrid), 1);
	for (int past = 0; past < 3; past++) {
		now_s++;
		assert_int_equal(meetings_keep_s(&cache, &kex_hybrid), 0);
	}
	next(&cache);
	assert_int_equal(meetings_keep_s(&cache, &kex_hybrid), LIFETIME_S);
	key_cache_close(&cache);
	/* keys with a lifetime of a week */
	settings.now_s = as_told;
	settings.lifetime_s = 7 * 86400;
	key_cache_open(&cache, &settings);
	assert_int_equal(meetings_keep_s(&cache, &kex_hybrid), HYBRID_KEEP_MAX);
	key_cache_close(&cache);
	/* no cache */
	settings.directory = NULL;
	key_cache_open(&cache, &settings);
	assert_int_equal(meetings_keep_s(&cache, &kex_hybrid), 0);
	key_cache_close(&cache);
}

/* Entries are dropped with the own pair; an entry for a replaced pair is not stored. */
static void
threat_19_a_pair_that_is_replaced_takes_them_along(void **state)
{
	struct key_cache slow, quick;

	(void)state;
	begun(&slow);
	keep_id(&slow, 1);
	keep_host(&slow, 1, 86400);
	now_s += LIFETIME_S;
	begun(&quick);
	assert_memory_not_equal(quick.own[0].pair.public, slow.own[0].pair.public, 32);
	assert_false(found_id(&quick, 1) || found_host(&quick, 1));
	long size = scratch_size("keys.journal");
	keep_id(&slow, 2);
	assert_int_equal(scratch_size("keys.journal"), size);
	/* a client's entry is found with its own pair only */
	keep_host(&slow, 2, 86400);
	next(&quick);
	assert_false(found_id(&quick, 2) || found_host(&quick, 2));
	keep_id(&quick, 3);
	assert_true(found_id(&quick, 3));
	key_cache_close(&slow);
	key_cache_close(&quick);
}

/* Statement 29: compaction keeps the newest few entries of one client address, used or not. */
static void
threat_29_one_client_has_few(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	struct key_cache cache;
	unsigned count = 0;

	(void)state;
	begun(&cache);
	for (unsigned i = 0; i < 50; i++) {
		called_from(&cache, "198.51.100.1");
		keep_id(&cache, i);
		if (i % 2 == 0 && found_id(&cache, i)) {
			struct hybrid_kept kept = meeting(&cache, i);
			meetings_used_id(&cache, &kept);
		}
		called_from(&cache, "198.51.100.2");
		if (i < 3)
			keep_id(&cache, 1000 + i);
	}
	key_cache_close(&cache);
	settings.now_s = as_told;
	assert_int_equal(key_cache_expire(&settings), 0);
	begun(&cache);
	for (unsigned i = 0; i < 50; i++) {
		bool is_there = found_id(&cache, i);
		count += is_there;
		assert_int_equal(is_there, i >= 50 - MEETINGS_PER_CLIENT);
	}
	assert_int_equal(count, MEETINGS_PER_CLIENT);
	for (unsigned i = 0; i < 3; i++)
		assert_true(found_id(&cache, 1000 + i));
	key_cache_close(&cache);
}

/* Statement 29: an IPv6 /64 counts as one address, and so do all forms of an IPv4 address. */
static void
threat_29_a_network_is_one_client(void **state)
{
	static const char *const networks[][3] = {
		{ "2001:db8::1", "2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff" },
		{ "2001:db8:0:1::", "2001:db8:0:1::1", "2001:db8:0:1:8000::" },
		{ "192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201" },
		{ "192.0.2.2", "::ffff:192.0.2.2", "192.0.2.2" },
		{ "::1", "::2", "::c000:201" },
	};
	uint8_t marks[COUNT(networks)][KEY_CACHE_MARK_LEN];
	struct key_cache cache;

	(void)state;
	begun(&cache);
	for (size_t i = 0; i < COUNT(networks); i++) {
		for (size_t k = 0; k < 3; k++) {
			called_from(&cache, networks[i][k]);
			if (k == 0)
				memcpy(marks[i], cache.client_mark, sizeof(marks[i]));
			assert_memory_equal(cache.client_mark, marks[i], sizeof(marks[i]));
		}
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(marks[k], marks[i], sizeof(marks[i]));
	}
	key_cache_close(&cache);
}

/* Statement 29: clients that call once do not displace used entries or entries of called hosts. */
static void
threat_29_what_is_of_use_goes_last(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	struct key_cache cache;

	(void)state;
	settings.now_s = as_told;
	settings.entries_max = 100;
	key_cache_open(&cache, &settings);
	meetings_set_host(&cache, "mx.b.example", SPAN("192.0.2.1"), 25);
	keep_host(&cache, 1, 7200);
	keep_id(&cache, 1);
	keep_id(&cache, 2);
	assert_true(found_id(&cache, 1));
	struct hybrid_kept used = meeting(&cache, 1);
	meetings_used_id(&cache, &used);
	for (unsigned i = 0; i < 600; i++) {
		called_from_number(&cache, i);
		keep_id(&cache, 1000 + i);
	}
	key_cache_close(&cache);
	assert_int_equal(key_cache_expire(&settings), 0);
	begun(&cache);
	assert_true(found_id(&cache, 1) && found_host(&cache, 1));
	assert_false(found_id(&cache, 2) || found_id(&cache, 1000));
	assert_true(found_id(&cache, 1599));
	key_cache_close(&cache);
}

/* Statement 29: clients from many networks that call again do not displace called hosts. */
static void
threat_29_clients_push_out_no_host(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	struct key_cache cache;

	(void)state;
	settings.now_s = as_told;
	settings.entries_max = 100;
	key_cache_open(&cache, &settings);
	meetings_set_host(&cache, "mx.b.example", SPAN("192.0.2.1"), 25);
	keep_host(&cache, 1, 7200);
	for (unsigned i = 0; i < 300; i++) {
		struct hybrid_kept kept = meeting(&cache, 1000 + i);
		called_from_number(&cache, i);
		meetings_keep_id(&cache, &kept);
		assert_true(found_id(&cache, 1000 + i));
		meetings_used_id(&cache, &kept);
	}
	key_cache_close(&cache);
	assert_int_equal(key_cache_expire(&settings), 0);
	begun(&cache);
	assert_true(found_id(&cache, 1299) && found_host(&cache, 1));
	assert_false(found_id(&cache, 1000));
	key_cache_close(&cache);
}

/* A look-up writes nothing, and use is recorded once. */
static void
use_is_noted_once(void **state)
{
	struct key_cache cache;
	struct hybrid_kept kept;

	(void)state;
	begun(&cache);
	keep_id(&cache, 1);
	long size = scratch_size("keys.journal");
	assert_true(found_id(&cache, 1));
	assert_int_equal(scratch_size("keys.journal"), size);
	kept = meeting(&cache, 1);
	meetings_used_id(&cache, &kept);
	long noted = scratch_size("keys.journal");
	assert_true(noted > size);
	for (int i = 0; i < 3; i++) {
		next(&cache);
		assert_true(found_id(&cache, 1));
		meetings_used_id(&cache, &kept);
	}
	assert_int_equal(scratch_size("keys.journal"), noted);
	key_cache_close(&cache);
}

/* Compaction drops expired and removed entries. */
static void
what_does_not_count_is_dropped(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	struct key_cache cache;

	(void)state;
	settings.now_s = as_told;
	begun(&cache);
	key_cache_close(&cache);
	assert_int_equal(key_cache_expire(&settings), 0);
	long bare = scratch_size("keys.cdb");
	begun(&cache);
	keep_host(&cache, 1, 100);
	meetings_set_host(&cache, "other.example", SPAN("192.0.2.1"), 25);
	keep_host(&cache, 2, 7200);
	meetings_forget_host(&cache);
	key_cache_close(&cache);
	now_s += 99;
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_true(scratch_size("keys.cdb") > bare);
	now_s++;
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_int_equal(scratch_size("keys.cdb"), bare);
	assert_int_equal(scratch_size("keys.journal"), 0);
}

/* Malformed entries are ignored and dropped. */
static void
damaged_entries_are_none(void **state)
{
	static const uint8_t octets[200];
	uint8_t key[2 + 32 + 32] = { 'C', 20 };
	struct key_cache cache;
	struct hybrid_kept kept = meeting(NULL, 1);

	(void)state;
	begun(&cache);
	memcpy(key + 2, cache.own[0].pair.public, 32);
	memcpy(key + 34, kept.id, 16);
	assert_int_equal(store_append(&cache.store, span(key, 50), span(octets, 39)), 0);
	assert_false(found_id(&cache, 1));
	key[0] = 'H';
	memcpy(key + 34, cache.host, 32);
	for (size_t len = 1; len <= 96; len += 19) {
		assert_int_equal(store_append(&cache.store, span(key, 66), span(octets, len)), 0);
		assert_false(found_host(&cache, 1));
	}
	next(&cache);
	assert_false(found_id(&cache, 1) || found_host(&cache, 1));
	key_cache_close(&cache);
}

/* Every process knows the present two-hour key and its predecessor. */
static void
our_own_server_keys_are_known(void **state)
{
	uint8_t keys[4][X25519_LEN];
	struct key_cache cache;

	(void)state;
	for (int i = 0; i < 4; i++) {
		begun(&cache);
		memcpy(keys[i], cache.own[0].pair.public, X25519_LEN);
		for (int again = 0; again < 2; again++) {
			for (int k = 0; k <= i; k++)
				assert_int_equal(meetings_is_own(&cache, keys[k]), k >= i - 1);
			next(&cache);
		}
		key_cache_close(&cache);
		now_s += LIFETIME_S;
	}
}

/* When the pair of one version expires, all pairs are replaced, and each becomes a predecessor. */
static void
a_pair_replaced_with_another_is_the_one_before(void **state)
{
	static const struct suite old = { .kex = &x_old };
	static const struct suite_list two = { { &real, &old }, 2 };
	struct key_cache_settings settings = settings_for(&two);
	uint8_t first[X25519_LEN];
	struct key_cache cache;

	(void)state;
	key_cache_open(&cache, &settings);
	memcpy(first, cache.own[0].pair.public, sizeof(first));
	key_cache_close(&cache);
	age(&x_old, LIFETIME_S);
	key_cache_open(&cache, &settings);
	assert_memory_not_equal(first, cache.own[0].pair.public, sizeof(first));
	assert_true(meetings_is_own(&cache, first));
	key_cache_close(&cache);
}

static void
with_the_cache_off_nothing_is_kept(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	struct key_cache cache;

	(void)state;
	settings.directory = NULL;
	settings.now_s = as_told;
	key_cache_open(&cache, &settings);
	assert_non_null(own(&cache, &kex_hybrid));
	meetings_set_host(&cache, "mx.b.example", SPAN("192.0.2.1"), 25);
	keep_id(&cache, 1);
	keep_host(&cache, 1, 7200);
	meetings_forget_host(&cache);
	assert_false(found_id(&cache, 1) || found_host(&cache, 1));
	assert_true(meetings_is_own(&cache, own(&cache, &kex_hybrid)->public));
	key_cache_close(&cache);
	assert_int_equal(scratch_size("keys.journal"), -1);
}

/* A decided session can still store its secret, without a private key in memory. */
static void
threat_23_a_settled_cache_keeps_and_does_not_know(void **state)
{
	static const uint8_t zeros[X25519_LEN];
	struct key_cache cache, other;

	(void)state;
	begun(&cache);
	keep_id(&cache, 1);
	next(&cache);
	key_cache_leave_directory(&cache);
	key_cache_settle(&cache);
	assert_memory_equal(cache.own[0].pair.private, zeros, sizeof(zeros));
	assert_int_equal(cache.store.cdbfd, -1);
	keep_id(&cache, 2);
	keep_host(&cache, 2, 7200);
	begun(&other);
	assert_true(found_id(&other, 1) && found_id(&other, 2) && found_host(&other, 2));
	key_cache_close(&other);
	key_cache_done(&cache);
	assert_int_equal(cache.store.journalfd, -1);
	assert_true(cache.stored);
	key_cache_done(&cache);
	key_cache_close(&cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_finds_what_it_kept),
		TEST(a_client_finds_the_host_that_it_calls),
		TEST(offers_are_kept_whole),
		TEST(threat_19_one_role_is_never_taken_for_the_other),
		TEST(what_a_client_keeps_has_its_time),
		TEST(times_in_the_future_are_none),
		TEST(a_host_is_forgotten),
		TEST(keep_is_the_rest_of_the_pairs_life),
		TEST(threat_19_a_pair_that_is_replaced_takes_them_along),
		TEST(threat_29_one_client_has_few),
		TEST(threat_29_a_network_is_one_client),
		TEST(threat_29_what_is_of_use_goes_last),
		TEST(threat_29_clients_push_out_no_host),
		TEST(use_is_noted_once),
		TEST(what_does_not_count_is_dropped),
		TEST(damaged_entries_are_none),
		TEST(our_own_server_keys_are_known),
		TEST(a_pair_replaced_with_another_is_the_one_before),
		TEST(with_the_cache_off_nothing_is_kept),
		TEST(threat_23_a_settled_cache_keeps_and_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
