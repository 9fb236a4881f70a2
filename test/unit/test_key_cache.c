#include "key_cache_fixture.h"

#include <sys/wait.h>

static void
what_is_kept_is_found_by_the_next(void **state)
{
	uint8_t public[32];
	struct key_cache r;

	(void)state;
	pairs_made = 0;
	assert_false(found(opened(&r, &only_new), &x_new, 1));
	keep(&r, &x_new, 1);
	assert_true(found(&r, &x_new, 1));
	memcpy(public, own(&r, &x_new)->public, 32);
	key_cache_close(&r);
	for (int round = 0; round < 3; round++) {
		assert_true(found(opened(&r, &only_new), &x_new, 1));
		assert_false(found(&r, &x_new, 2));
		assert_memory_equal(own(&r, &x_new)->public, public, 32);
		key_cache_close(&r);
		keep_many(1000 + 1000 * (unsigned)round, 300);
	}
	assert_int_equal(pairs_made, 1);
}

static void
versions_side_by_side(void **state)
{
	struct key_cache r;

	(void)state;
	pairs_made = 0;
	opened(&r, &both);
	keep(&r, &x_new, 1);
	assert_false(found(&r, &x_old, 1));
	keep(&r, &x_old, 1);
	assert_true(found(&r, &x_new, 1) && found(&r, &x_old, 1));
	/* an exchange with a pair and nothing to keep, and one with neither */
	assert_non_null(own(&r, &x_rsa));
	keep(&r, &x_rsa, 1);
	assert_false(found(&r, &x_rsa, 1));
	assert_null(own(&r, &x_head));
	key_cache_close(&r);
	assert_int_equal(pairs_made, 3);
	assert_true(survives(&both, &x_old) && survives(&only_new, &x_new) &&
	    survives(&only_old, &x_old));
	assert_int_equal(pairs_made, 3);
}

/* A version that is enabled later gets its pair without affecting the others. */
static void
newly_enabled_version(void **state)
{
	(void)state;
	keep_many(1, 1);
	assert_true(survives(&both, &x_new));
	struct key_cache r;
	keep(opened(&r, &both), &x_old, 1);
	key_cache_close(&r);
	/* and a compaction by a process that does not use it keeps it */
	keep_many(2, STORE_COMPACT_AT);
	keep_many(1000, 0);
	assert_int_equal(scratch_size("keys.journal"), 0);
	assert_true(survives(&both, &x_old) && survives(&both, &x_new));
}

static void
pairs_are_replaced_at_their_lifetime(void **state)
{
	/* some seconds of margin, because the clock runs meanwhile */
	static const struct { int64_t age_s; bool good; } cases[] = {
		{ LIFETIME_S - 20, true }, { LIFETIME_S, false }, { LIFETIME_S + 1, false },
		{ -580, true }, { -620, false }, { INT64_MAX / 2, false }, { INT64_MIN / 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		keep_many(1, 1);
		assert_true(survives(&only_new, &x_new));
		age(&x_new, cases[i].age_s);
		pairs_made = 0;
		assert_int_equal(survives(&only_new, &x_new), cases[i].good);
		assert_int_equal(pairs_made, cases[i].good ? 0 : 1);
		assert_false(!cases[i].good && survives(&only_new, &x_new));
	}
}

static int64_t told_s;

static int64_t
as_told(void)
{
	return told_s;
}

/* Lifetimes are counted in seconds of the given clock. */
static void
time_is_what_the_settings_say(void **state)
{
	struct key_cache_settings settings = settings_for(&only_new);
	struct key_cache r;

	(void)state;
	settings.now_s = as_told;
	told_s = 1000000;
	key_cache_open(&r, &settings);
	keep(&r, &x_new, 1);
	key_cache_close(&r);
	for (int past = 0; past < 2; past++) {
		told_s = 1000000 + LIFETIME_S - 1 + past;
		key_cache_open(&r, &settings);
		assert_int_equal(found(&r, &x_new, 1), past == 0);
		key_cache_close(&r);
	}
}

/*
 * A session that was open before may use an expired pair for ten minutes more; a new one may not.
 */
static void
an_outlived_pair_has_ten_minutes(void **state)
{
	struct key_cache_settings settings = settings_for(&only_new);
	struct key_cache slow, quick;

	(void)state;
	settings.now_s = as_told;
	told_s = 1000000;
	key_cache_open(&slow, &settings);
	for (int64_t past = 0; past <= 600; past += 100) {
		told_s = 1000000 + LIFETIME_S + past;
		assert_non_null(own(&slow, &x_new));
	}
	key_cache_open(&quick, &settings);
	assert_memory_not_equal(own(&quick, &x_new)->public, own(&slow, &x_new)->public, 32);
	told_s++;
	assert_null(own(&slow, &x_new));
	key_cache_close(&quick);
	key_cache_close(&slow);
	/* a pair that only this process has does not expire */
	settings.directory = NULL;
	key_cache_open(&slow, &settings);
	assert_non_null(own(&slow, &x_new));
	told_s += 10 * LIFETIME_S;
	assert_non_null(own(&slow, &x_new));
	key_cache_close(&slow);
}

/* The number of entries in CDB and journal together. */
static size_t
entries(void)
{
	size_t len;
	uint8_t *file = scratch_read("keys.cdb", &len);
	struct compaction compaction = { 0 };
	struct store s;

	assert_int_equal(compact_add_cdb(&compaction, span(file, len)), 0);
	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	size_t count = compaction.count + s.journal.count;
	store_close(&s);
	compact_free(&compaction);
	free(file);
	return count;
}

/* An outlived pair takes everything with it, in the CDB and in the journal. */
static void
replacing_drops_everything(void **state)
{
	struct key_cache r;

	(void)state;
	opened(&r, &both);
	keep(&r, &x_new, 1);
	keep(&r, &x_old, 1);
	key_cache_close(&r);
	age(&x_old, LIFETIME_S);
	keep_many(2, 3);
	assert_true(entries() > 5);
	pairs_made = 0;
	assert_false(survives(&both, &x_new));
	assert_int_equal(pairs_made, 2);
	/* each pair has an entry with its predecessor's public key */
	assert_int_equal(entries(), 4);
	/* entries of a version that is no longer enabled go too */
	age(&x_new, LIFETIME_S);
	assert_false(survives(&only_new, &x_new));
	assert_int_equal(entries(), 2);
}

/* statement 19 */
static void
threat_19_late_secret_of_an_old_pair(void **state)
{
	uint8_t other[KEX_PUBLIC_MAX], secret[KEX_SECRET_MAX];
	struct key_cache slow, quick;

	(void)state;
	opened(&slow, &only_new);
	age(&x_new, LIFETIME_S);
	opened(&quick, &only_new);
	assert_memory_not_equal(own(&slow, &x_new)->public, own(&quick, &x_new)->public, 32);
	/* appended with the old pair after the new one is in place */
	keep(&slow, &x_new, 1);
	assert_true(scratch_size("keys.journal") > 0);
	peer(other, 1);
	assert_false(key_cache_source(&quick).find(&quick, &x_new, other, secret));
	key_cache_close(&quick);
	assert_false(survives(&only_new, &x_new));
	/* nor if it is appended, and compacted, later */
	keep(opened(&quick, &only_new), &x_new, 2);
	keep(&slow, &x_new, 3);
	keep_many(10, STORE_COMPACT_AT);
	assert_false(survives(&only_new, &x_new));
	assert_int_equal(scratch_size("keys.journal"), 0);
	assert_int_equal(entries(), 2 + 1 + STORE_COMPACT_AT);
	assert_true(found(&quick, &x_new, 2));
	key_cache_close(&quick);
	key_cache_close(&slow);
}

static void
compacted_at_256_and_not_at_255(void **state)
{
	struct key_cache r;

	(void)state;
	assert_int_equal(STORE_COMPACT_AT, 256);
	keep_many(0, STORE_COMPACT_AT - 1);
	opened(&r, &only_new);
	assert_int_equal(r.store.journal.count, STORE_COMPACT_AT - 1);
	assert_true(scratch_size("keys.journal") > 0);
	keep(&r, &x_new, STORE_COMPACT_AT - 1);
	/* a session that only appends never compacts */
	assert_int_equal(r.store.journal.count, STORE_COMPACT_AT);
	key_cache_close(&r);
	opened(&r, &only_new);
	assert_int_equal(r.store.journal.count, 0);
	assert_int_equal(scratch_size("keys.journal"), 0);
	for (unsigned i = 0; i < STORE_COMPACT_AT; i++)
		assert_true(found(&r, &x_new, i));
	key_cache_close(&r);
}

/* statement 29: as many peers as the limit, and one more */
static void
threat_29_cap_on_peers(void **state)
{
	struct key_cache_settings settings = settings_for(&only_new);
	struct key_cache r;

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		settings.entries_max = STORE_COMPACT_AT;
		keep_many(0, STORE_COMPACT_AT + more);
		key_cache_open(&r, &settings);
		assert_int_equal(entries(), 1 + more + STORE_COMPACT_AT);
		assert_int_equal(found(&r, &x_new, 0), more == 0);
		for (unsigned i = 1; i < STORE_COMPACT_AT + more; i++)
			assert_true(found(&r, &x_new, i));
		key_cache_close(&r);
		age(&x_new, LIFETIME_S);
	}
	settings.entries_max = 1000;
	for (unsigned i = 0; i < 20000; i++) {
		if (i % 200 == 0)
			key_cache_open(&r, &settings);
		keep(&r, &x_new, i);
		if (i % 200 == 199)
			key_cache_close(&r);
	}
	assert_true(entries() <= 2 + 1000 + STORE_COMPACT_AT + 200);
}

/* statement 29: peers that connect once do not push out those that have connected again */
static void
threat_29_a_peer_that_was_used_goes_last(void **state)
{
	struct key_cache_settings settings = settings_for(&both);
	struct key_cache r;

	(void)state;
	settings.entries_max = 200;
	for (unsigned i = 0; i < 20; i++) {
		key_cache_open(&r, &settings);
		for (unsigned n = 0; n < 100; n++) {
			keep(&r, &x_new, 1000 + 100 * i + n);
			keep(&r, &x_old, 1000 + 100 * i + n);
		}
		if (i == 0) {
			keep(&r, &x_new, 1);
			keep(&r, &x_old, 1);
			keep(&r, &x_new, 2);
		}
		if (i < 2) {
			use_again(&r, &x_new, 1);
			use_again(&r, &x_old, 1);
		}
		key_cache_close(&r);
	}
	key_cache_open(&r, &settings);
	assert_true(found(&r, &x_new, 1) && found(&r, &x_old, 1));
	assert_false(found(&r, &x_new, 2));
	key_cache_close(&r);
}

/* A look-up writes nothing; use is recorded once. */
static void
use_is_noted_once(void **state)
{
	struct key_cache r;

	(void)state;
	opened(&r, &only_new);
	keep(&r, &x_new, 1);
	off_t size = scratch_size("keys.journal");
	assert_true(found(&r, &x_new, 1));
	assert_int_equal(scratch_size("keys.journal"), size);
	use_again(&r, &x_new, 1);
	off_t noted = scratch_size("keys.journal");
	assert_true(noted > size);
	for (int i = 0; i < 3; i++) {
		use_again(&r, &x_new, 1);
		assert_true(found(&r, &x_new, 1));
		key_cache_close(&r);
		opened(&r, &only_new);
	}
	assert_int_equal(scratch_size("keys.journal"), noted);
	key_cache_close(&r);
}

static void
off_makes_pairs_for_each_process(void **state)
{
	struct key_cache_settings settings = settings_for(&both);
	uint8_t public[32];
	struct key_cache r;
	int status;

	(void)state;
	settings.directory = NULL;
	pairs_made = 0;
	key_cache_open(&r, &settings);
	assert_int_equal(pairs_made, 0);
	memcpy(public, own(&r, &x_new)->public, 32);
	assert_memory_equal(own(&r, &x_new)->public, public, 32);
	assert_int_equal(pairs_made, 1);
	keep(&r, &x_new, 1);
	assert_false(found(&r, &x_new, 1));
	pid_t pid = fork();
	if (pid == 0) {
		key_cache_open(&r, &settings);
		_exit(memcmp(own(&r, &x_new)->public, public, 32) == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	key_cache_close(&r);
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_int_equal(scratch_size("keys.journal"), -1);
}

static void
expire_is_for_a_timer(void **state)
{
	struct key_cache_settings settings = settings_for(&only_new);

	(void)state;
	keep_many(1, 5);
	/* nothing is outlived: compacted, and everything is kept */
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_int_equal(scratch_size("keys.journal"), 0);
	assert_true(survives(&only_new, &x_new));
	age(&x_new, LIFETIME_S);
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_int_equal(entries(), 2);
	/* entries of versions no longer enabled are dropped */
	keep_many(1, 5);
	settings.suites = &none;
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_int_equal(entries(), 0);
	chmod(scratch, 0755);
	assert_int_equal(key_cache_expire(&settings), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_found_by_the_next),
		TEST(versions_side_by_side),
		TEST(newly_enabled_version),
		TEST(pairs_are_replaced_at_their_lifetime),
		TEST(time_is_what_the_settings_say),
		TEST(an_outlived_pair_has_ten_minutes),
		TEST(replacing_drops_everything),
		TEST(threat_19_late_secret_of_an_old_pair),
		TEST(compacted_at_256_and_not_at_255),
		TEST(threat_29_cap_on_peers),
		TEST(threat_29_a_peer_that_was_used_goes_last),
		TEST(use_is_noted_once),
		TEST(off_makes_pairs_for_each_process),
		TEST(expire_is_for_a_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
