#include "cache/ring.h"

#include "base/clock.h"
#include "base/log.h"
#include "scratch.h"
#include "unit.h"

#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#define LIFETIME_S 7200

/*
 * Two exchanges whose secret everybody can compute from the two public keys, so that a wrong one is
 * noticed.  Of 2.0 and 1.0 they have the lengths.
 */
static unsigned pairs_made;

static int
make_pair(struct exchange_pair *pair, size_t len)
{
	pairs_made++;
	pair->private_len = len;
	return getrandom(pair->private, len, 0) < 0 || getrandom(pair->public, len, 0) < 0 ? -1 : 0;
}

static int
make_new(struct exchange_pair *pair)
{
	return make_pair(pair, 32);
}

static int
make_old(struct exchange_pair *pair)
{
	return make_pair(pair, 96);
}

static int
make_none(struct exchange_pair *pair)
{
	(void)pair;
	return -1;
}

static const struct exchange x_new = { .generation = "2.0", .rank = 20, .public_len = 32,
	.secret_len = 32, .cached = true, .pair = make_new };
static const struct exchange x_old = { .generation = "1.0", .rank = 10, .public_len = 96,
	.secret_len = 96, .cached = true, .pair = make_old };
static const struct exchange x_rsa = { .generation = "0.2", .rank = 2, .public_len = 256,
	.pair = make_old };
static const struct exchange x_head = { .generation = "0.1", .rank = 1 };
static const struct exchange x_broken = { .generation = "2.0", .rank = 20, .public_len = 32,
	.secret_len = 32, .cached = true, .pair = make_none };
static const struct suite s_new = { .exchange = &x_new }, s_new2 = { .exchange = &x_new },
	s_old = { .exchange = &x_old }, s_rsa = { .exchange = &x_rsa }, s_head = { .exchange = &x_head },
	s_broken = { .exchange = &x_broken };
static const struct suite_list only_new = { { &s_new, &s_new2 }, 2 }, only_old = { { &s_old }, 1 },
	both = { { &s_new, &s_old, &s_rsa, &s_head, &s_new2 }, 5 }, none, broken = { { &s_broken }, 1 };

static void
peer(uint8_t public[EXCHANGE_PUBLIC_MAX], unsigned number)
{
	memset(public, (int)(number * 7), EXCHANGE_PUBLIC_MAX);
	octets_put32(public, number);
}

static void
compute(uint8_t *secret, const struct exchange *x, const uint8_t *ours, unsigned number)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX];

	peer(other, number);
	for (size_t i = 0; i < x->secret_len; i++)
		secret[i] = (uint8_t)(ours[i] * 5u + other[i] + i);
}

static struct ring_settings
settings_for(const struct suite_list *suites)
{
	return (struct ring_settings){ .directory = scratch, .suites = suites,
		.lifetime_s = LIFETIME_S, .entries_max = 1000 };
}

static struct ring *
opened(struct ring *r, const struct suite_list *suites)
{
	struct ring_settings settings = settings_for(suites);

	ring_open(r, &settings);
	return r;
}

static const struct exchange_pair *
own(struct ring *r, const struct exchange *x)
{
	return ring_source(r).own(r, x);
}

static void
keep(struct ring *r, const struct exchange *x, unsigned number)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX];
	struct key_source source = ring_source(r);

	peer(other, number);
	compute(secret, x, own(r, x)->public, number);
	source.keep(source.context, x, other, secret);
}

/* Is it found?  A wrong one ends the test. */
static bool
found(struct ring *r, const struct exchange *x, unsigned number)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX], want[EXCHANGE_SECRET_MAX];
	struct key_source source = ring_source(r);

	peer(other, number);
	if (!source.find(source.context, x, other, secret))
		return false;
	compute(want, x, own(r, x)->public, number);
	if (memcmp(secret, want, x->secret_len) != 0)
		abort();
	return true;
}

/* Opens, keeps the peers from `first` on, closes. */
static void
keep_many(unsigned first, unsigned count)
{
	struct ring r;

	opened(&r, &only_new);
	for (unsigned i = 0; i < count; i++)
		keep(&r, &x_new, first + i);
	ring_close(&r);
}

static enum fold_fate
keep_all(void *context, struct entry entry)
{
	(void)context, (void)entry;
	return FOLD_KEEP_ALWAYS;
}

/* Puts an entry into the CDB behind the ring's back. */
static void
plant(struct span key, struct span value)
{
	struct store_addition added = { key, value };
	struct store_rebuilding how = { &added, 1, keep_all, NULL, 0 };
	struct store s;

	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	assert_int_equal(store_lock(&s), 0);
	assert_int_equal(store_rebuild(&s, &how), 0);
	store_unlock(&s);
	store_close(&s);
}

/* Makes the pair of a generation as old as that. */
static void
age(const struct exchange *x, int64_t age_s)
{
	uint8_t key[2] = { 'P', (uint8_t)x->rank }, value[ENTRY_VALUE_MAX];
	struct store s;
	size_t len;

	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	assert_true(store_find(&s, span(key, 2), value, sizeof(value), &len));
	store_close(&s);
	octets_put64(value, (uint64_t)(clock_wall_s() - age_s));
	plant(span(key, 2), span(value, len));
}

/* Opens anew: is the secret of peer 1 still found? */
static bool
survives(const struct suite_list *suites, const struct exchange *x)
{
	struct ring r;

	bool there = found(opened(&r, suites), x, 1);
	ring_close(&r);
	return there;
}

static void
what_is_kept_is_found_by_the_next(void **state)
{
	uint8_t public[32];
	struct ring r;

	(void)state;
	pairs_made = 0;
	assert_false(found(opened(&r, &only_new), &x_new, 1));
	keep(&r, &x_new, 1);
	assert_true(found(&r, &x_new, 1));
	memcpy(public, own(&r, &x_new)->public, 32);
	ring_close(&r);
	for (int round = 0; round < 3; round++) {
		assert_true(found(opened(&r, &only_new), &x_new, 1));
		assert_false(found(&r, &x_new, 2));
		assert_memory_equal(own(&r, &x_new)->public, public, 32);
		ring_close(&r);
		keep_many(1000 + 1000 * (unsigned)round, 300);
	}
	assert_int_equal(pairs_made, 1);
}

static void
generations_side_by_side(void **state)
{
	struct ring r;

	(void)state;
	pairs_made = 0;
	opened(&r, &both);
	keep(&r, &x_new, 1);
	assert_false(found(&r, &x_old, 1));
	keep(&r, &x_old, 1);
	assert_true(found(&r, &x_new, 1) && found(&r, &x_old, 1));
	/* one that has a pair but nothing to keep, and one with neither */
	assert_non_null(own(&r, &x_rsa));
	keep(&r, &x_rsa, 1);
	assert_false(found(&r, &x_rsa, 1));
	assert_null(own(&r, &x_head));
	ring_close(&r);
	assert_int_equal(pairs_made, 3);
	assert_true(survives(&both, &x_old) && survives(&only_new, &x_new) &&
	    survives(&only_old, &x_old));
	assert_int_equal(pairs_made, 3);
}

/* A generation that is switched on later gets its pair, and costs the others nothing. */
static void
newly_enabled_generation(void **state)
{
	(void)state;
	keep_many(1, 1);
	assert_true(survives(&both, &x_new));
	struct ring r;
	keep(opened(&r, &both), &x_old, 1);
	ring_close(&r);
	/* and folding by a process that does not use it leaves it in place */
	keep_many(2, STORE_FOLD_AT);
	keep_many(1000, 0);
	assert_int_equal(scratch_size("keys.journal"), 0);
	assert_true(survives(&both, &x_old) && survives(&both, &x_new));
}

static void
pairs_are_replaced_at_their_lifetime(void **state)
{
	/* a few seconds apart, as the clock goes on meanwhile */
	static const struct { int64_t age_s; bool good; } cases[] = { { LIFETIME_S, false },
		{ LIFETIME_S - 20, true }, { LIFETIME_S + 1, false }, { -580, true }, { -620, false },
		{ INT64_MAX / 2, false }, { INT64_MIN / 2, false } };

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

/* The number of entries in the CDB and the journal. */
static size_t
entries(void)
{
	size_t len;
	uint8_t *file = scratch_read("keys.cdb", &len);
	struct fold fold = { 0 };
	struct store s;

	assert_int_equal(fold_add_cdb(&fold, span(file, len)), 0);
	assert_int_equal(store_open(&s, scratch, "keys"), 0);
	size_t count = fold.count + s.journal_count;
	store_close(&s);
	fold_free(&fold);
	free(file);
	return count;
}

/* One that is outlived takes everything along, in the CDB and in the journal. */
static void
replacing_drops_everything(void **state)
{
	struct ring r;

	(void)state;
	opened(&r, &both);
	keep(&r, &x_new, 1);
	keep(&r, &x_old, 1);
	ring_close(&r);
	age(&x_old, LIFETIME_S);
	keep_many(2, 3);
	assert_true(entries() > 5);
	pairs_made = 0;
	assert_false(survives(&both, &x_new));
	assert_int_equal(pairs_made, 2);
	assert_int_equal(entries(), 2);
	/* of a generation no longer enabled nothing is left either */
	age(&x_new, LIFETIME_S);
	assert_false(survives(&only_new, &x_new));
	assert_int_equal(entries(), 1);
}

/* statement 19 */
static void
threat_19_late_secret_of_an_old_pair(void **state)
{
	uint8_t other[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX];
	struct ring slow, quick;

	(void)state;
	opened(&slow, &only_new);
	age(&x_new, LIFETIME_S);
	opened(&quick, &only_new);
	assert_memory_not_equal(own(&slow, &x_new)->public, own(&quick, &x_new)->public, 32);
	/* appended with the old pair, after the new one is in place */
	keep(&slow, &x_new, 1);
	assert_true(scratch_size("keys.journal") > 0);
	peer(other, 1);
	assert_false(ring_source(&quick).find(&quick, &x_new, other, secret));
	ring_close(&quick);
	assert_false(survives(&only_new, &x_new));
	/* nor when it is appended, and folded, later */
	keep(opened(&quick, &only_new), &x_new, 2);
	keep(&slow, &x_new, 3);
	keep_many(10, STORE_FOLD_AT);
	assert_false(survives(&only_new, &x_new));
	assert_int_equal(scratch_size("keys.journal"), 0);
	assert_int_equal(entries(), 1 + 1 + STORE_FOLD_AT);
	assert_true(found(&quick, &x_new, 2));
	ring_close(&quick);
	ring_close(&slow);
}

static void
folded_at_256_and_not_at_255(void **state)
{
	struct ring r;

	(void)state;
	assert_int_equal(STORE_FOLD_AT, 256);
	keep_many(0, STORE_FOLD_AT - 1);
	opened(&r, &only_new);
	assert_int_equal(r.store.journal_count, STORE_FOLD_AT - 1);
	assert_true(scratch_size("keys.journal") > 0);
	keep(&r, &x_new, STORE_FOLD_AT - 1);
	/* never by a session that only appends */
	assert_int_equal(r.store.journal_count, STORE_FOLD_AT);
	ring_close(&r);
	opened(&r, &only_new);
	assert_int_equal(r.store.journal_count, 0);
	assert_int_equal(scratch_size("keys.journal"), 0);
	for (unsigned i = 0; i < STORE_FOLD_AT; i++)
		assert_true(found(&r, &x_new, i));
	ring_close(&r);
}

/* statement 29: as many peers as there may be, and one more */
static void
threat_29_cap_on_peers(void **state)
{
	struct ring_settings settings = settings_for(&only_new);
	struct ring r;

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		settings.entries_max = STORE_FOLD_AT;
		keep_many(0, STORE_FOLD_AT + more);
		ring_open(&r, &settings);
		assert_int_equal(entries(), 1 + STORE_FOLD_AT);
		assert_int_equal(found(&r, &x_new, 0), more == 0);
		for (unsigned i = 1; i < STORE_FOLD_AT + more; i++)
			assert_true(found(&r, &x_new, i));
		ring_close(&r);
		age(&x_new, LIFETIME_S);
	}
	settings.entries_max = 1000;
	for (unsigned i = 0; i < 20000; i++) {
		if (i % 200 == 0)
			ring_open(&r, &settings);
		keep(&r, &x_new, i);
		if (i % 200 == 199)
			ring_close(&r);
	}
	assert_true(entries() <= 1 + 1000 + STORE_FOLD_AT + 200);
}

static void
off_makes_pairs_for_each_process(void **state)
{
	struct ring_settings settings = settings_for(&both);
	uint8_t public[32];
	struct ring r;
	int status;

	(void)state;
	settings.directory = NULL;
	pairs_made = 0;
	ring_open(&r, &settings);
	assert_int_equal(pairs_made, 0);
	memcpy(public, own(&r, &x_new)->public, 32);
	assert_memory_equal(own(&r, &x_new)->public, public, 32);
	assert_int_equal(pairs_made, 1);
	keep(&r, &x_new, 1);
	assert_false(found(&r, &x_new, 1));
	pid_t pid = fork();
	if (pid == 0) {
		ring_after_fork(&r);
		_exit(memcmp(own(&r, &x_new)->public, public, 32) == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	ring_close(&r);
	assert_int_equal(ring_expire(&settings), 0);
	assert_int_equal(scratch_size("keys.journal"), -1);
}

static void
pair_that_cannot_be_made(void **state)
{
	struct ring r;

	(void)state;
	opened(&r, &broken);
	assert_null(own(&r, &x_broken));
	assert_null(own(&r, &x_new));
	ring_close(&r);
	keep_many(1, 1);
	assert_true(survives(&only_new, &x_new));
}

static void
forked_process_sees_what_has_changed(void **state)
{
	struct ring parent;
	int status;

	(void)state;
	opened(&parent, &only_new);
	keep_many(1, 1);
	for (int round = 0; round < 2; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			ring_after_fork(&parent);
			bool same = found(&parent, &x_new, 1);
			keep(&parent, &x_new, 2);
			ring_close(&parent);
			_exit(same == (round == 0) ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		/* it was the first to notice that the pair is too old */
		age(&x_new, round == 0 ? LIFETIME_S : 0);
	}
	ring_close(&parent);
	struct ring r;
	assert_true(found(opened(&r, &only_new), &x_new, 2));
	ring_close(&r);
}

static void
expire_is_for_a_timer(void **state)
{
	struct ring_settings settings = settings_for(&only_new);

	(void)state;
	keep_many(1, 5);
	/* nothing outlived: folded, and everything there */
	assert_int_equal(ring_expire(&settings), 0);
	assert_int_equal(scratch_size("keys.journal"), 0);
	assert_true(survives(&only_new, &x_new));
	age(&x_new, LIFETIME_S);
	assert_int_equal(ring_expire(&settings), 0);
	assert_int_equal(entries(), 1);
	/* what is not enabled any more goes */
	keep_many(1, 5);
	settings.suites = &none;
	assert_int_equal(ring_expire(&settings), 0);
	assert_int_equal(entries(), 0);
	chmod(scratch, 0755);
	assert_int_equal(ring_expire(&settings), -1);
}

static void
bad_pairs_are_replaced(void **state)
{
	uint8_t key[2] = { 'P', 20 }, value[ENTRY_VALUE_MAX] = { 0 };
	/* no private key at all, half a time, one octet more than a private key can have */
	static const size_t lens[] = { 0, 4, 8 + 32, 8 + 32 + EXCHANGE_PRIVATE_MAX + 1 };

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

/* Found to be wrong, computed anew, kept: the next one finds the right one. */
static void
newer_record_heals_a_wrong_one(void **state)
{
	uint8_t key[2 + 64] = { 'S', 20 }, other[EXCHANGE_PUBLIC_MAX], wrong[32] = { 0 };
	struct ring r;

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
		/* of another length it is none */
		peer(other, 2);
		memcpy(key + 34, other, 32);
		assert_int_equal(store_append(&r.store, span(key, 66), span(wrong, 31)), 0);
		assert_false(found(&r, &x_new, 2));
		keep(&r, &x_new, 1);
		ring_close(&r);
		assert_true(survives(&only_new, &x_new));
		age(&x_new, LIFETIME_S);
	}
}

/* What the log said since: to be freed. */
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
unusable_directory_is_said_loudly(void **state)
{
	int fd = open(scratch_path("log"), O_RDWR | O_CREAT | O_APPEND, 0600), saved = dup(2);
	struct ring r;

	(void)state;
	chmod(scratch, 0750);
	dup2(fd, 2);
	log_open("test", LOG_MAIL, true);
	assert_false(found(opened(&r, &only_new), &x_new, 1));
	keep(&r, &x_new, 1);
	bool made = own(&r, &x_new) != NULL, kept = found(&r, &x_new, 1);
	ring_close(&r);
	char *text = said(fd);
	chmod(scratch, 0700);
	/* a damaged pair is said, and healed */
	plant(SPAN("P\024"), SPAN("x"));
	scratch_write("keys.journal", "\0\0\0\x0d\0\2P\024checkerr", 17);
	opened(&r, &only_new);
	ring_close(&r);
	char *text2 = said(fd);
	opened(&r, &only_new);
	ring_close(&r);
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

/* Several notice at the same time that the pair is too old: the first replaces it, and the others see that. */
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
		struct ring r;
		opened(&r, &only_new);
		_exit(!r.own[0].shared || pairs_made > 0 ||
		    memcmp(own(&r, &x_new)->public, value + 8, 32) != 0);
	}
	/* should the child be slower than this, it finds the new pair at once: no harm done */
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	octets_put64(value, (uint64_t)clock_wall_s());
	assert_int_equal(store_rebuild(&s, &how), 0);
	store_unlock(&s);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(&s);
}

/* A full disk: what is there is used; a pair that is outlived is not, but one of our own. */
static void
threat_27_full_disk(void **state)
{
	struct ring r, first;
	uint8_t public[32];

	(void)state;
	keep_many(1, STORE_FOLD_AT);
	scratch_limit(20);
	opened(&first, &only_new);
	bool there = found(&first, &x_new, 1);
	keep(&first, &x_new, 9999);
	bool learned = found(&first, &x_new, 9999);
	ring_close(&first);
	scratch_limit(0);
	assert_true(there && !learned);
	age(&x_new, LIFETIME_S);
	scratch_limit(20);
	there = found(opened(&r, &only_new), &x_new, 1);
	memcpy(public, own(&r, &x_new)->public, 32);
	keep(&r, &x_new, 1);
	opened(&first, &only_new);
	bool shared = memcmp(own(&first, &x_new)->public, public, 32) == 0;
	struct ring_settings settings = settings_for(&only_new);
	int expired = ring_expire(&settings);
	scratch_limit(0);
	assert_false(there || shared);
	assert_int_equal(expired, -1);
	ring_close(&r);
	ring_close(&first);
	keep_many(1, 1);
	assert_true(survives(&only_new, &x_new));
}

/* One connection after the other, of any age, with any peer. */
static void
live(unsigned seed, unsigned connections)
{
	struct ring_settings settings = settings_for(seed % 2 ? &both : &only_new);
	struct ring r;

	srandom(seed);
	settings.entries_max = 150;
	for (unsigned i = 0; i < connections; i++) {
		ring_open(&r, &settings);
		for (int n = 0; n < 3; n++) {
			const struct exchange *x = seed % 2 && random() % 2 ? &x_old : &x_new;
			unsigned number = (unsigned)random() % 300;

			if (own(&r, x) == NULL)
				abort();
			if (!found(&r, x, number))
				keep(&r, x, number);
		}
		ring_close(&r);
	}
}

/* Whatever is in the files is a right secret, and all of it can be read. */
static void
check_everything(void)
{
	struct ring r;
	unsigned count = 0;

	/* one never seen: where a record was cut short, it is gone now */
	keep(opened(&r, &both), &x_new, 1000);
	ring_close(&r);
	opened(&r, &both);
	for (unsigned i = 0; i < 300; i++)
		count += (unsigned)found(&r, &x_new, i) + (unsigned)found(&r, &x_old, i);
	assert_true(count > 0);
	assert_int_equal(r.store.journal_len, scratch_size("keys.journal"));
	assert_false(r.store.complained);
	ring_close(&r);
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
	/* somebody's clock, or lifetime, is another */
	for (int i = 0; i < 20; i++) {
		struct ring_settings settings = settings_for(&both);
		settings.lifetime_s = i % 5 ? LIFETIME_S : 0;
		assert_int_equal(ring_expire(&settings), 0);
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	for (unsigned i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	live(9, 100);
	check_everything();
}

/* Every one of a few neighbours is found by each that opens afterwards: nothing is lost on the way. */
static void
nothing_is_lost_between_processes(void **state)
{
	int status;

	(void)state;
	keep_many(0, 0);
	for (unsigned i = 0; i < 8; i++)
		if (fork() == 0) {
			for (unsigned n = 0; n < 100; n++) {
				struct ring r;
				unsigned number = 100 * i + n;

				opened(&r, &only_new);
				/* on a busy machine the lock may be a long time coming */
				for (int tries = 0; !found(&r, &x_new, number) && tries < 50; tries++)
					keep(&r, &x_new, number);
				ring_close(&r);
				opened(&r, &only_new);
				if (!found(&r, &x_new, number))
					_exit(1);
				ring_close(&r);
			}
			_exit(0);
		}
	for (unsigned i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	struct ring r;
	opened(&r, &only_new);
	for (unsigned i = 0; i < 800; i++)
		assert_true(found(&r, &x_new, i));
	ring_close(&r);
}

/* statement 28: killed at any moment, some hundreds of times */
static void
threat_28_killed_at_any_moment(void **state)
{
	pid_t pids[3];

	(void)state;
	keep_many(1, 1);
	srandom((unsigned)getpid());
	for (unsigned round = 0; round < 150; round++) {
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
		/* the lock is free, and the store opens and learns */
		struct ring r;
		opened(&r, &both);
		assert_true(r.own[0].shared && r.own[1].shared);
		keep(&r, &x_new, 1);
		keep(&r, &x_old, 1);
		ring_close(&r);
		assert_true(survives(&both, &x_new) && survives(&both, &x_old));
	}
	check_everything();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_found_by_the_next),
		TEST(generations_side_by_side),
		TEST(newly_enabled_generation),
		TEST(pairs_are_replaced_at_their_lifetime),
		TEST(replacing_drops_everything),
		TEST(threat_19_late_secret_of_an_old_pair),
		TEST(folded_at_256_and_not_at_255),
		TEST(threat_29_cap_on_peers),
		TEST(off_makes_pairs_for_each_process),
		TEST(pair_that_cannot_be_made),
		TEST(forked_process_sees_what_has_changed),
		TEST(expire_is_for_a_timer),
		TEST(bad_pairs_are_replaced),
		TEST(newer_record_heals_a_wrong_one),
		TEST(unusable_directory_is_said_loudly),
		TEST(replaced_once_however_many_notice),
		TEST(threat_27_full_disk),
		TEST(threat_28_many_processes_at_once),
		TEST(nothing_is_lost_between_processes),
		TEST(threat_28_killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
