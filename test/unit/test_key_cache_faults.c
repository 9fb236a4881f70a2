/* Key caches under faults: bad files, full disks, many processes, and killed processes. */
#include "key_cache_fixture.h"

#include "base/log.h"
#include "base/octets.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static void
pair_that_cannot_be_made(void **state)
{
	struct key_cache r;

	(void)state;
	opened(&r, &broken);
	assert_null(own(&r, &x_broken));
	assert_null(own(&r, &x_new));
	key_cache_close(&r);
	keep_many(1, 1);
	assert_true(survives(&only_new, &x_new));
}

static void
forked_process_sees_what_has_changed(void **state)
{
	struct key_cache parent;
	int status;

	(void)state;
	opened(&parent, &only_new);
	keep_many(1, 1);
	for (int round = 0; round < 2; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			key_cache_close(&parent);
			opened(&parent, &only_new);
			bool same = found(&parent, &x_new, 1);
			keep(&parent, &x_new, 2);
			key_cache_close(&parent);
			_exit(same == (round == 0) ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		/* as if this process were the first to notice that the pair is too old */
		age(&x_new, round == 0 ? LIFETIME_S : 0);
	}
	key_cache_close(&parent);
	struct key_cache r;
	assert_true(found(opened(&r, &only_new), &x_new, 2));
	key_cache_close(&r);
}

/* statement 39: a pair in the journal, which sessions write, is ignored unless made on demand */
static void
threat_39_no_pair_from_the_journal(void **state)
{
	uint8_t key[2] = { 'P', 20 }, value[8 + 64], before[32];
	struct key_cache r;

	(void)state;
	memcpy(before, own(opened(&r, &only_new), &x_new)->public, sizeof(before));
	memset(value, 7, sizeof(value));
	octets_put64(value, (uint64_t)clock_wall_s());
	assert_int_equal(store_append(&r.store, span(key, 2), span(value, sizeof(value))), 0);
	key_cache_close(&r);
	assert_memory_equal(own(opened(&r, &only_new), &x_new)->public, before, sizeof(before));
	key_cache_close(&r);
	/* also after a compaction */
	keep_many(1, STORE_COMPACT_AT);
	assert_memory_equal(own(opened(&r, &only_new), &x_new)->public, before, sizeof(before));
	key_cache_close(&r);
}

static void
bad_pairs_are_replaced(void **state)
{
	uint8_t key[2] = { 'P', 20 }, value[ENTRY_VALUE_MAX] = { 0 };
	/* no private key, half a time, and a private key one octet too long */
	static const size_t lens[] = { 0, 4, 8 + 32, 8 + 32 + KEX_PRIVATE_MAX + 1 };

	(void)state;
	octets_put64(value, (uint64_t)clock_wall_s());
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		keep_many(1, 1);
		plant(span(key, 2), span(value, lens[i]));
		pairs_made = 0;
		assert_false(survives(&only_new, &x_new));
		assert_int_equal(pairs_made, 1);
	}
}

/* A wrong secret is computed again and stored; the next look-up finds the right one. */
static void
a_newer_record_replaces_a_wrong_one(void **state)
{
	uint8_t key[2 + 64] = { 'S', 20 }, other[KEX_PUBLIC_MAX], wrong[32] = { 0 };
	struct key_cache r;

	(void)state;
	for (int in_cdb = 0; in_cdb < 2; in_cdb++) {
		opened(&r, &only_new);
		peer(other, 1);
		memcpy(key + 2, own(&r, &x_new)->public, 32);
		memcpy(key + 34, other, 32);
		if (in_cdb)
			plant(span(key, 66), span(wrong, 32));
		else
			assert_int_equal(store_append(&r.store, span(key, 66), span(wrong, 32)), 0);
		/* a secret of another length is ignored */
		peer(other, 2);
		memcpy(key + 34, other, 32);
		assert_int_equal(store_append(&r.store, span(key, 66), span(wrong, 31)), 0);
		assert_false(found(&r, &x_new, 2));
		keep(&r, &x_new, 1);
		key_cache_close(&r);
		assert_true(survives(&only_new, &x_new));
		age(&x_new, LIFETIME_S);
	}
}

/* What was logged since; to be freed. */
static char *
said(int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	char *text = calloc(1, (size_t)len + 1);

	assert_int_equal(pread(fd, text, (size_t)len, 0), len);
	assert_int_equal(ftruncate(fd, 0), 0);
	return text;
}

static void
unusable_directory_is_logged_as_a_warning(void **state)
{
	int fd = open(scratch_path("log"), O_RDWR | O_CREAT | O_APPEND, 0600), saved = dup(2);
	struct key_cache r;

	(void)state;
	chmod(scratch, 0750);
	dup2(fd, 2);
	log_open("test", LOG_MAIL, true);
	assert_false(found(opened(&r, &only_new), &x_new, 1));
	keep(&r, &x_new, 1);
	bool made = own(&r, &x_new) != NULL, kept = found(&r, &x_new, 1);
	key_cache_close(&r);
	char *text = said(fd);
	chmod(scratch, 0700);
	/* a damaged pair is reported and replaced */
	plant(SPAN("P\024"), SPAN("x"));
	int cdb = open(scratch_path("keys.cdb"), O_RDWR);
	assert_int_equal(pwrite(cdb, "checkerr", 8, COMPACT_CDB_LEAST + 8 + 2), 8);
	close(cdb);
	opened(&r, &only_new);
	key_cache_close(&r);
	char *text2 = said(fd);
	opened(&r, &only_new);
	key_cache_close(&r);
	char *text3 = said(fd);
	dup2(saved, 2);
	log_open("test", LOG_MAIL, false);
	assert_true(made && !kept);
	assert_non_null(strstr(text, "its mode is 0750"));
	assert_non_null(strstr(text2, "damaged entry"));
	assert_string_equal(text3, "");
	free(text);
	free(text2);
	free(text3);
	close(fd);
	close(saved);
}

/*
 * Several processes notice at the same time that the pair is too old: the first replaces it, and
 * the others use the new one.
 */
static void
replaced_once_however_many_notice(void **state)
{
	uint8_t key[2] = { 'P', 20 }, value[ENTRY_VALUE_MAX];
	struct store_addition added = { span(key, 2), span(NULL, 0) };
	struct store_rebuilding how = { &added, 1, keep_all, NULL, 0 };
	struct store s;
	int status;

	(void)state;
	keep_many(0, 0);
	age(&x_new, LIFETIME_S);
	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	assert_true(store_find(&s, span(key, 2), value, sizeof(value), &added.value.len));
	added.value.at = value;
	assert_int_equal(store_lock(&s), 0);
	pairs_made = 0;
	pid_t pid = fork();
	if (pid == 0) {
		struct key_cache r;
		opened(&r, &only_new);
		_exit(!r.own[0].shared || pairs_made > 0 ||
		    memcmp(own(&r, &x_new)->public, value + 8, 32) != 0);
	}
	/* a child slower than this finds the new pair at once, which does no harm */
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	octets_put64(value, (uint64_t)clock_wall_s());
	assert_int_equal(store_rebuild(&s, &how), 0);
	store_unlock(&s);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(&s);
}

/* A full disk: existing entries are used; an outlived pair is replaced only for this process. */
static void
threat_27_full_disk(void **state)
{
	struct key_cache r, first;
	uint8_t public[32];

	(void)state;
	keep_many(1, STORE_COMPACT_AT);
	scratch_limit(20);
	opened(&first, &only_new);
	bool there = found(&first, &x_new, 1);
	keep(&first, &x_new, 9999);
	bool learned = found(&first, &x_new, 9999);
	key_cache_close(&first);
	scratch_limit(0);
	assert_true(there && !learned);
	age(&x_new, LIFETIME_S);
	scratch_limit(20);
	there = found(opened(&r, &only_new), &x_new, 1);
	memcpy(public, own(&r, &x_new)->public, 32);
	keep(&r, &x_new, 1);
	opened(&first, &only_new);
	bool shared = memcmp(own(&first, &x_new)->public, public, 32) == 0;
	struct key_cache_settings settings = settings_for(&only_new);
	int expired = key_cache_expire(&settings);
	scratch_limit(0);
	assert_false(there || shared);
	assert_int_equal(expired, -1);
	key_cache_close(&r);
	key_cache_close(&first);
	keep_many(1, 1);
	assert_true(survives(&only_new, &x_new));
}

/* Makes connections with random peers and pair ages. */
static void
live(unsigned seed, unsigned connections)
{
	struct key_cache_settings settings = settings_for(seed % 2 ? &both : &only_new);
	struct key_cache r;

	srandom(seed);
	settings.entries_max = 150;
	for (unsigned i = 0; i < connections; i++) {
		key_cache_open(&r, &settings);
		for (int n = 0; n < 3; n++) {
			const struct kex *x = seed % 2 && random() % 2 ? &x_old : &x_new;
			unsigned number = (unsigned)random() % 300;

			if (own(&r, x) == NULL)
				abort();
			if (!found(&r, x, number))
				keep(&r, x, number);
		}
		key_cache_close(&r);
	}
}

/* All entries in the files can be read and are right secrets. */
static void
check_everything(void)
{
	struct key_cache r;
	unsigned count = 0;

	/* storing a new one cuts off an incomplete record */
	keep(opened(&r, &both), &x_new, 1000);
	key_cache_close(&r);
	opened(&r, &both);
	for (unsigned i = 0; i < 300; i++)
		count += (unsigned)found(&r, &x_new, i) + (unsigned)found(&r, &x_old, i);
	assert_true(count > 0);
	assert_int_equal(r.store.journal.len, scratch_size("keys.journal"));
	assert_false(r.store.complained);
	key_cache_close(&r);
}

/* statement 28 */
static void
threat_28_many_processes_at_once(void **state)
{
	int status;

	(void)state;
	for (unsigned i = 0; i < 8; i++)
		if (fork() == 0) {
			live(i + 1, 1000);
			_exit(0);
		}
	/* one process has another clock or lifetime */
	for (int i = 0; i < 20; i++) {
		struct key_cache_settings settings = settings_for(&both);
		settings.lifetime_s = i % 5 ? LIFETIME_S : 0;
		/* eight others wait for the lock, so one second may not be enough */
		int tries = 0;
		while (key_cache_expire(&settings) < 0)
			assert_in_range(++tries, 1, 30);
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	for (unsigned i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	live(9, 100);
	check_everything();
}

/*
 * The number of appends that may be lost.  On a busy machine a process may not run for a second
 * while it holds the lock; another process then replaces the journal.
 */
#define MAY_BE_LOST 8

/* Exits with the number of secrets that were not found again. */
static _Noreturn void
learn_and_look(unsigned first)
{
	int lost = 0;

	for (unsigned number = first; number < first + 100; number++) {
		struct key_cache r;

		opened(&r, &only_new);
		/* on a busy machine it may take long to get the lock */
		for (int i = 0; i < 50 && !found(&r, &x_new, number); i++)
			keep(&r, &x_new, number);
		key_cache_close(&r);
		lost += !found(opened(&r, &only_new), &x_new, number);
		key_cache_close(&r);
	}
	_exit(lost);
}

/* Processes that open the cache later find everything stored before. */
static void
nothing_is_lost_between_processes(void **state)
{
	int status, lost = 0;

	(void)state;
	keep_many(0, 0);
	for (unsigned i = 0; i < 8; i++)
		if (fork() == 0)
			learn_and_look(100 * i);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		lost += WEXITSTATUS(status);
	}
	struct key_cache r;
	opened(&r, &only_new);
	for (unsigned i = 0; i < 800; i++)
		lost += !found(&r, &x_new, i);
	key_cache_close(&r);
	assert_in_range(lost, 0, MAY_BE_LOST);
}

/* statement 28: killed at random moments, some hundreds of times */
static void
threat_28_killed_at_any_moment(void **state)
{
	pid_t pids[3];

	(void)state;
	keep_many(1, 1);
	srandom((unsigned)getpid());
	for (unsigned round = 0; round < 100; round++) {
		for (unsigned i = 0; i < 3; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				live(round * 3 + i + 1, 100000);
				_exit(0);
			}
		}
		for (unsigned i = 0; i < 3; i++) {
			nanosleep(&(struct timespec){ .tv_nsec = random() % 5000000 }, NULL);
			assert_int_equal(kill(pids[i], SIGKILL), 0);
			assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
		}
		/* the lock is free, and the store can be opened and written */
		struct key_cache r;
		opened(&r, &both);
		assert_true(r.own[0].shared && r.own[1].shared);
		keep(&r, &x_new, 1);
		keep(&r, &x_old, 1);
		key_cache_close(&r);
		assert_true(survives(&both, &x_new) && survives(&both, &x_old));
	}
	check_everything();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pair_that_cannot_be_made),
		TEST(forked_process_sees_what_has_changed),
		TEST(threat_39_no_pair_from_the_journal),
		TEST(bad_pairs_are_replaced),
		TEST(a_newer_record_replaces_a_wrong_one),
		TEST(unusable_directory_is_logged_as_a_warning),
		TEST(replaced_once_however_many_notice),
		TEST(threat_27_full_disk),
		TEST(threat_28_many_processes_at_once),
		TEST(nothing_is_lost_between_processes),
		TEST(threat_28_killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
