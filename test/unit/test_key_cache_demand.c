/* Pairs that are made when they are first needed (version 0.2). */
#include "key_cache_fixture.h"

#include "crypt/cipher_blowfish.h"

#include <sys/wait.h>

/* A pair is kept only if a suite of its version is built in; mbedTLS may have no Blowfish. */
static void
skip_without_blowfish(void)
{
#ifndef BLOWFISH_BUILT_IN
	print_message("this mbedTLS has no Blowfish\n");
	skip();
#endif
}

/* The public key that a process gets when it opens the cache now. */
static const uint8_t *
key_now(const struct suite_list *suites)
{
	static uint8_t public[KEX_PUBLIC_MAX];
	struct key_cache r;

	memcpy(public, own(opened(&r, suites), &x_rsa)->public, sizeof(public));
	key_cache_close(&r);
	return public;
}

static uint8_t first[KEX_PUBLIC_MAX];

static void
make_first(void)
{
	memcpy(first, key_now(&both), sizeof(first));
}

static void
made_once_and_only_when_asked_for(void **state)
{
	struct key_cache r, other;

	(void)state;
	skip_without_blowfish();
	pairs_made = 0;
	for (int i = 0; i < 3; i++) {
		assert_non_null(own(opened(&r, &both), &x_new));
		key_cache_close(&r);
	}
	assert_int_equal(pairs_made, 2);
	/* another process makes it while this one has the cache open, and this one finds it */
	opened(&other, &both);
	make_first();
	assert_int_equal(pairs_made, 3);
	assert_memory_equal(own(&other, &x_rsa)->public, first, sizeof(first));
	key_cache_close(&other);
	for (int i = 0; i < 3; i++)
		assert_memory_equal(key_now(i == 0 ? &only_rsa : &both), first, sizeof(first));
	assert_int_equal(pairs_made, 3);
	/* nothing computed with it is kept */
	keep(opened(&r, &both), &x_rsa, 1);
	assert_false(found(&r, &x_rsa, 1));
	key_cache_close(&r);
}

/* Another process stores its pair while ours is being made: the first one wins. */
static void
first_to_store_decides(void **state)
{
	struct key_cache r;

	(void)state;
	skip_without_blowfish();
	pairs_made = 0;
	opened(&r, &both);
	meanwhile = make_first;
	assert_memory_equal(own(&r, &x_rsa)->public, first, sizeof(first));
	assert_int_equal(own(&r, &x_rsa)->private_len, 256);
	key_cache_close(&r);
	assert_int_equal(pairs_made, 2 + 1 + 1);
	assert_memory_equal(key_now(&both), first, sizeof(first));
}

static void
make_first_and_fold(void)
{
	make_first();
	keep_many(0, STORE_COMPACT_AT);
	keep_many(0, 0);
}

/* A session does not open files again: if the CDB was replaced, it uses its own pair. */
static void
compacted_meanwhile(void **state)
{
	struct key_cache r;

	(void)state;
	skip_without_blowfish();
	for (int cdb_before = 0; cdb_before < 2; cdb_before++) {
		opened(&r, cdb_before ? &both : &only_rsa);
		meanwhile = make_first_and_fold;
		assert_memory_not_equal(own(&r, &x_rsa)->public, first, sizeof(first));
		key_cache_close(&r);
		assert_memory_equal(key_now(&both), first, sizeof(first));
		age(&x_rsa, LIFETIME_S);
	}
}

static bool lock_was_free;

static void
try_the_lock(void)
{
	struct store s;

	store_open(&s, scratch, "keys");
	lock_was_free = store_lock(&s) == 0;
	store_unlock(&s);
	store_close(&s);
}

static void
making_a_pair_holds_no_lock(void **state)
{
	struct key_cache r;

	(void)state;
	opened(&r, &only_rsa);
	meanwhile = try_the_lock;
	lock_was_free = false;
	assert_non_null(own(&r, &x_rsa));
	assert_true(lock_was_free);
	key_cache_close(&r);
}

static void
many_processes_at_once(void **state)
{
	enum { PROCESSES = 8 };
	uint8_t public[PROCESSES][KEX_PUBLIC_MAX];
	int ends[2], status;

	(void)state;
	skip_without_blowfish();
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(write(ends[1], key_now(&both), sizeof(public[0])) ==
			    sizeof(public[0]) ? 0 : 1);
	}
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(read(ends[0], public[i], sizeof(public[i])), sizeof(public[i]));
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		assert_memory_equal(public[i], public[0], sizeof(public[0]));
	}
	assert_memory_equal(key_now(&both), public[0], sizeof(public[0]));
	close(ends[0]);
	close(ends[1]);
}

/* Compaction by processes with and without the suite. */
static void
compaction_keeps_it(void **state)
{
	struct key_cache_settings settings = settings_for(&both);

	(void)state;
	skip_without_blowfish();
	make_first();
	keep_many(0, STORE_COMPACT_AT);
	assert_memory_equal(key_now(&both), first, sizeof(first));
	assert_int_equal(scratch_size("keys.journal"), 0);
	keep_many(1000, STORE_COMPACT_AT);
	keep_many(2000, 1);
	assert_memory_equal(key_now(&only_rsa), first, sizeof(first));
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_memory_equal(key_now(&both), first, sizeof(first));
	settings.suites = &only_new;
	assert_int_equal(key_cache_expire(&settings), 0);
	assert_memory_not_equal(key_now(&both), first, sizeof(first));
}

/* The private key of an outlived pair leaves the disk before there is a new pair. */
static void
an_outlived_pair_leaves_the_disk(void **state)
{
	static const uint8_t tag[2] = { 'P', 2 };
	uint8_t value[ENTRY_VALUE_MAX];
	struct key_cache r;
	size_t len;

	(void)state;
	for (int which = 0; which < 2; which++) {
		make_first();
		age(which == 0 ? &x_rsa : &x_new, LIFETIME_S);
		pairs_made = 0;
		opened(&r, &both);
		assert_int_equal(pairs_made, 2);
		assert_false(store_find(&r.store, span(tag, 2), value, sizeof(value), &len));
		assert_memory_not_equal(own(&r, &x_rsa)->public, first, sizeof(first));
		assert_int_equal(pairs_made, 3);
		key_cache_close(&r);
		opened(&r, &both);
		assert_int_equal(pairs_made, 3);
		key_cache_close(&r);
	}
}

static void
without_a_store_it_is_ones_own(void **state)
{
	struct key_cache_settings settings = settings_for(&both);
	struct key_cache r;

	(void)state;
	settings.directory = NULL;
	for (int i = 0; i < 2; i++) {
		pairs_made = 0;
		key_cache_open(&r, &settings);
		assert_non_null(own(&r, &x_rsa));
		assert_non_null(own(&r, &x_rsa));
		assert_int_equal(pairs_made, 1);
		key_cache_close(&r);
	}
	/* a store that is not writable is used as if there were none */
	keep_many(1, 1);
	assert_int_equal(chmod(scratch_path("keys.journal"), 0400), 0);
	pairs_made = 0;
	opened(&r, &only_rsa);
	r.store.writable = false;	/* root can write it all the same */
	assert_non_null(own(&r, &x_rsa));
	assert_false(r.own[0].shared);
	assert_int_equal(pairs_made, 1);
	key_cache_close(&r);
}

/* If a pair cannot be made, the next request tries again; nothing is stored. */
static int
make_nothing(struct kex_pair *pair)
{
	(void)pair;
	pairs_made++;
	return -1;
}

static void
pair_that_cannot_be_made(void **state)
{
	static const struct kex x = { .version_text = "0.2", .version = 2, .public_len = 256,
		.pair_on_demand = true, .pair = make_nothing };
	static const struct suite s = { .kex = &x };
	static const struct suite_list list = { { &s }, 1 };
	struct key_cache r;

	(void)state;
	pairs_made = 0;
	opened(&r, &list);
	assert_null(own(&r, &x));
	assert_null(own(&r, &x));
	assert_int_equal(pairs_made, 2);
	key_cache_close(&r);
	assert_non_null(key_now(&only_rsa));
	assert_int_equal(pairs_made, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(made_once_and_only_when_asked_for),
		TEST(first_to_store_decides),
		TEST(compacted_meanwhile),
		TEST(making_a_pair_holds_no_lock),
		TEST(many_processes_at_once),
		TEST(compaction_keeps_it),
		TEST(an_outlived_pair_leaves_the_disk),
		TEST(without_a_store_it_is_ones_own),
		TEST(pair_that_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
