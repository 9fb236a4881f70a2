#include "cache/store.h"

#include "base/clock.h"
#include "scratch.h"
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define RECORD_LEN(key, value) (JOURNAL_HEAD_LEN + (key) + ENTRY_CHECK_LEN + (value))

static struct store
opened(void)
{
	struct store s;

	assert_int_equal(store_open(&s, scratch, "t"), 0);
	return s;
}

static bool
has(struct store *s, const char *key, const char *want)
{
	uint8_t value[ENTRY_VALUE_MAX];
	size_t len;

	if (!store_find(s, span_of(key), value, sizeof(value), &len))
		return false;
	/* whatever else happens: never a wrong one */
	assert_true(span_equal(span(value, len), span_of(want)));
	return true;
}

static int
put(struct store *s, const char *key, const char *value)
{
	return store_append(s, span_of(key), span_of(value));
}

/* Keys that begin with '-' go, with '!' always stay. */
static enum fold_fate
judge(void *context, struct entry entry)
{
	(void)context;
	return entry.key.at[0] == '-' ? FOLD_FORGET :
	    entry.key.at[0] == '!' ? FOLD_KEEP_ALWAYS : FOLD_KEEP;
}

static int
rebuild(struct store *s, uint64_t entries_max)
{
	struct store_rebuilding how = { .judge = judge, .entries_max = entries_max };

	if (store_lock(s) < 0)
		return -1;
	int result = store_rebuild(s, &how);
	store_unlock(s);
	return result;
}

static void
appended_is_found_by_all_who_open_later(void **state)
{
	struct store early = opened(), s = opened(), late;
	uint8_t value[8];
	size_t len;

	(void)state;
	assert_false(has(&s, "k", ""));
	assert_int_equal(put(&s, "k", "value"), 0);
	assert_true(has(&s, "k", "value"));
	assert_false(has(&early, "k", "value"));
	late = opened();
	assert_true(has(&late, "k", "value"));
	assert_int_equal(late.journal_count, 1);
	/* as much room as it needs, and one octet less */
	assert_true(store_find(&late, SPAN("k"), value, 5, &len));
	assert_false(store_find(&late, SPAN("k"), value, 4, &len));
	/* who appends learns what others have appended */
	assert_int_equal(put(&early, "l", ""), 0);
	assert_true(has(&early, "k", "value"));
	assert_true(has(&early, "l", ""));
	/* what is there already is not written again, but another value is */
	assert_int_equal(put(&s, "k", "value"), 0);
	assert_int_equal(scratch_size("t.journal"), RECORD_LEN(1, 5) + RECORD_LEN(1, 0));
	assert_int_equal(put(&s, "k", "newer"), 0);
	store_close(&late);
	late = opened();
	assert_true(has(&late, "k", "newer"));
	store_close(&early);
	store_close(&s);
	store_close(&late);
}

static void
rebuilding_keeps_the_newest_of_each(void **state)
{
	struct store s = opened(), other;

	(void)state;
	assert_int_equal(put(&s, "a", "1"), 0);
	assert_int_equal(put(&s, "b", "1"), 0);
	assert_int_equal(put(&s, "-c", "1"), 0);
	assert_int_equal(rebuild(&s, 10), 0);
	assert_int_equal(scratch_size("t.journal"), 0);
	assert_true(has(&s, "a", "1") && has(&s, "b", "1"));
	assert_false(has(&s, "-c", "1"));
	/* the journal's is newer than the CDB's, before the next folding and after it */
	assert_int_equal(put(&s, "a", "2"), 0);
	assert_int_equal(put(&s, "d", "1"), 0);
	assert_int_equal(put(&s, "d", "2"), 0);
	for (int round = 0; round < 2; round++) {
		other = opened();
		assert_true(has(&other, "a", "2") && has(&other, "b", "1") && has(&other, "d", "2"));
		store_close(&other);
		assert_int_equal(rebuild(&s, 10), 0);
	}
	assert_int_equal(access(scratch_path("t.cdb.new"), F_OK), -1);
	store_close(&s);
}

static void
what_is_added_is_newest(void **state)
{
	struct store_addition added[] = { { SPAN("!h"), SPAN("new") }, { SPAN("a"), SPAN("new") } };
	struct store_rebuilding how = { added, 2, judge, NULL, 1 };
	struct store s = opened();

	(void)state;
	assert_int_equal(put(&s, "a", "old"), 0);
	assert_int_equal(put(&s, "b", "old"), 0);
	assert_int_equal(put(&s, "!h", "old"), 0);
	assert_int_equal(store_lock(&s), 0);
	assert_int_equal(store_rebuild(&s, &how), 0);
	store_unlock(&s);
	assert_true(has(&s, "!h", "new") && has(&s, "a", "new"));
	assert_false(has(&s, "b", "old"));
	store_close(&s);
}

/* statement 29 */
static void
threat_29_the_oldest_go_first(void **state)
{
	struct store s = opened();

	(void)state;
	assert_int_equal(put(&s, "!head", "1"), 0);
	assert_int_equal(put(&s, "a", "1"), 0);
	assert_int_equal(put(&s, "b", "1"), 0);
	assert_int_equal(put(&s, "c", "1"), 0);
	assert_int_equal(rebuild(&s, 3), 0);
	assert_true(has(&s, "a", "1") && has(&s, "b", "1") && has(&s, "c", "1"));
	/* learned again, so newer than b */
	assert_int_equal(put(&s, "a", "2"), 0);
	assert_int_equal(put(&s, "d", "1"), 0);
	assert_int_equal(rebuild(&s, 3), 0);
	assert_true(has(&s, "a", "2") && has(&s, "c", "1") && has(&s, "d", "1"));
	assert_false(has(&s, "b", "1"));
	assert_int_equal(rebuild(&s, 0), 0);
	assert_false(has(&s, "d", "1"));
	assert_true(has(&s, "!head", "1"));
	store_close(&s);
}

static void
directory_is_made_or_refused(void **state)
{
	static const mode_t modes[] = { 0755, 0701, 0710, 0500, 01700, 02700 };
	struct store s;
	struct stat st;

	(void)state;
	assert_int_equal(store_open(&s, scratch_path("new"), "t"), 0);
	assert_int_equal(stat(scratch_path("new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	store_close(&s);
	assert_int_equal(store_open(&s, scratch_path("no/new"), "t"), -1);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		chmod(scratch_path("new"), modes[i]);
		assert_int_equal(store_open(&s, scratch_path("new"), "t"), -1);
		assert_false(has(&s, "k", ""));
		assert_int_equal(put(&s, "k", ""), -1);
		store_close(&s);
	}
	chmod(scratch_path("new"), 0700);
	assert_int_equal(symlink("new", scratch_path("link")), 0);
	assert_int_equal(store_open(&s, scratch_path("link"), "t"), -1);
	scratch_write("file", "", 0);
	assert_int_equal(store_open(&s, scratch_path("file"), "t"), -1);
	if (geteuid() == 0) {
		assert_int_equal(chown(scratch_path("new"), 1, 1), 0);
		assert_int_equal(store_open(&s, scratch_path("new"), "t"), -1);
	}
}

static void
make_other(int kind, const char *path)
{
	if (kind == 0)
		mkdir(path, 0700);
	else if (kind == 1)
		assert_int_equal(symlink("elsewhere", path), 0);
	else if (kind == 2)
		assert_int_equal(mkfifo(path, 0600), 0);
	else
		assert_true(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0 && chown(path, 1, 1) == 0);
}

/* A directory, a link, a pipe, somebody else's file: left alone, and nobody hangs. */
static void
other_things_in_place_of_files(void **state)
{
	(void)state;
	scratch_write("elsewhere", "", 0);
	for (int kind = 0; kind < (geteuid() == 0 ? 4 : 3); kind++) {
		make_other(kind, scratch_path("t.journal"));
		struct store s = opened();
		assert_int_equal(put(&s, "k", "v"), -1);
		assert_int_equal(rebuild(&s, 10), -1);
		assert_false(has(&s, "k", "v"));
		store_close(&s);
		assert_int_equal(remove(scratch_path("t.journal")), 0);

		make_other(kind, scratch_path("t.cdb"));
		make_other(kind, scratch_path("t.cdb.new"));
		s = opened();
		assert_int_equal(put(&s, "k", "v"), 0);
		assert_true(has(&s, "k", "v"));
		/* anything but a directory is replaced */
		assert_int_equal(rebuild(&s, 10), kind == 0 ? -1 : 0);
		assert_true(has(&s, "k", "v"));
		store_close(&s);
		remove(scratch_path("t.cdb"));
		remove(scratch_path("t.cdb.new"));
		remove(scratch_path("t.journal"));
	}
	assert_int_equal(scratch_size("elsewhere"), 0);
}

/* Opens what is there, looks, appends, folds, and looks again: whatever there is, nothing wrong comes out. */
static void
use(void)
{
	struct store s = opened();

	has(&s, "a", "alpha");
	has(&s, "b", "beta");
	assert_int_equal(put(&s, "b", "beta"), 0);
	assert_true(has(&s, "b", "beta"));
	assert_int_equal(rebuild(&s, 10), 0);
	has(&s, "a", "alpha");
	assert_true(has(&s, "b", "beta"));
	store_close(&s);
	s = opened();
	assert_true(has(&s, "b", "beta"));
	store_close(&s);
}

static void
fill(void)
{
	struct store s = opened();

	assert_int_equal(put(&s, "a", "alpha"), 0);
	assert_int_equal(rebuild(&s, 10), 0);
	assert_int_equal(put(&s, "a", "alpha"), 0);
	assert_int_equal(put(&s, "b", "beta"), 0);
	store_close(&s);
}

/* statement 28: what a crash or a bad disk can make of the files */
static void
threat_28_files_cut_at_every_length(void **state)
{
	static const char *const names[] = { "t.cdb", "t.journal" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		fill();
		size_t len, other_len;
		uint8_t *whole = scratch_read(names[i], &len);
		uint8_t *other = scratch_read(names[1 - i], &other_len);

		for (size_t cut = 0; cut < len; cut++) {
			scratch_write(names[i], whole, cut);
			scratch_write(names[1 - i], other, other_len);
			use();
		}
		free(whole);
		free(other);
	}
}

static void
threat_28_any_octet_damaged(void **state)
{
	static const char *const names[] = { "t.cdb", "t.journal" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		fill();
		size_t len, other_len;
		uint8_t *whole = scratch_read(names[i], &len);
		uint8_t *other = scratch_read(names[1 - i], &other_len);

		for (size_t at = 0; at < len; at++) {
			whole[at] ^= 0xff;
			scratch_write(names[i], whole, len);
			scratch_write(names[1 - i], other, other_len);
			use();
			whole[at] ^= 0xff;
		}
		free(whole);
		free(other);
	}
}

static void
random_files_are_harmless(void **state)
{
	uint8_t noise[6000];

	(void)state;
	srandom(2);
	for (int round = 0; round < 1000; round++) {
		size_t len = (size_t)random() % sizeof(noise);

		for (size_t i = 0; i < len; i++)
			noise[i] = (uint8_t)(i % 4 >= (size_t)(round % 5) ? 0 : random());
		scratch_write("t.cdb", noise, len);
		scratch_write("t.journal", noise + len / 3, len - len / 3);
		use();
	}
}

/* Tables that point into nowhere, records of 4 GB, hash tables of 2^32 slots. */
static void
hostile_lengths_in_a_cdb(void **state)
{
	uint8_t *file, *record;
	size_t len;

	(void)state;
	for (int round = 0; round < 6; round++) {
		fill();
		file = scratch_read("t.cdb", &len);
		record = file + 2048;
		if (round < 2)
			memset(file, round ? 0xff : 0x7f, 2048);
		for (size_t i = 0; round == 2 && i < 256; i++)
			memset(file + 8 * i + 4, 0xff, 4);
		if (round == 3)
			memset(record, 0xff, 4);
		if (round == 4)
			memset(record + 4, 0xff, 4);
		if (round == 5)
			memcpy(record + 4, "\x49\x06\0\0", 4);	/* one more than any value */
		scratch_write("t.cdb", file, len);
		scratch_write("t.journal", "", 0);
		free(file);
		use();
	}
}

/* statement 28: each state that store.c says a crash can leave */
static void
threat_28_states_that_a_crash_leaves(void **state)
{
	size_t len;
	uint8_t *journal;
	struct store s;

	(void)state;
	/* a new CDB half written */
	fill();
	scratch_write("t.cdb.new", "half", 4);
	use();
	assert_int_equal(access(scratch_path("t.cdb.new"), F_OK), -1);
	/* the new CDB in place, the journal not emptied */
	fill();
	journal = scratch_read("t.journal", &len);
	s = opened();
	assert_int_equal(rebuild(&s, 10), 0);
	store_close(&s);
	scratch_write("t.journal", journal, len);
	s = opened();
	assert_true(has(&s, "a", "alpha") && has(&s, "b", "beta"));
	assert_int_equal(rebuild(&s, 10), 0);
	assert_true(has(&s, "a", "alpha") && has(&s, "b", "beta"));
	/* a record cut short: cut off by the next to append, who has not seen it */
	scratch_write("t.journal", journal, len - 1);
	assert_int_equal(put(&s, "c", "gamma"), 0);
	store_close(&s);
	s = opened();
	assert_true(has(&s, "c", "gamma"));
	assert_int_equal(s.journal_len, scratch_size("t.journal"));
	assert_int_equal(s.journal_count, 2);
	store_close(&s);
	free(journal);
}

static void
journal_stops_growing(void **state)
{
	static const uint8_t zeros[1000];
	const size_t len = RECORD_LEN(1, 2), full = STORE_JOURNAL_MAX;
	uint8_t *journal = calloc(1, full + 100);
	size_t at = 0;
	struct store s;

	(void)state;
	while (full - len - at > 1000)
		at += journal_format(journal + at, SPAN("f"), span(zeros, 500));
	at += journal_format(journal + at, SPAN("f"),
	    span(zeros, full - len - at - RECORD_LEN(1, 0)));
	/* exactly at the limit, and one past it */
	scratch_write("t.journal", journal, at);
	s = opened();
	assert_int_equal(put(&s, "k", "vv"), 0);
	assert_int_equal(scratch_size("t.journal"), full);
	assert_int_equal(put(&s, "k", "v2"), -1);
	store_close(&s);
	scratch_write("t.journal", journal, at);
	s = opened();
	assert_int_equal(put(&s, "k", "vvv"), -1);
	assert_int_equal(scratch_size("t.journal"), at);
	assert_int_equal(rebuild(&s, 10), 0);
	assert_int_equal(put(&s, "k", "vvv"), 0);
	store_close(&s);
	/* one above the limit is not of our making */
	memset(journal, 0, full + 100);
	scratch_write("t.journal", journal, full + 100);
	use();
	free(journal);
}

/* Room enough in a journal that has grown since it was read, or nothing is learned. */
static void
journal_outgrows_a_reader(void **state)
{
	struct store s = opened(), other = opened();
	char key[16];

	(void)state;
	for (int i = 0; scratch_size("t.journal") < 70000; i++) {
		struct store_addition big = { span(key, 8), span(scratch, sizeof(scratch)) };

		snprintf(key, sizeof(key), "%08d", i);
		if (store_append(&other, big.key, big.value) < 0) {
			store_close(&other);
			other = opened();
		}
	}
	long len = scratch_size("t.journal");
	assert_int_equal(put(&s, "k", "v"), -1);
	assert_int_equal(scratch_size("t.journal"), len);
	assert_int_equal(store_reopen(&s), 0);
	assert_int_equal(put(&s, "k", "v"), 0);
	store_close(&s);
	store_close(&other);
}

static void
nobody_waits_long_for_the_lock(void **state)
{
	struct store s = opened();
	int fd = open(scratch_path("t.journal"), O_RDWR);
	int64_t start_ms = clock_ms(), append_ms, lock_ms;

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(put(&s, "k", "v"), -1);
	append_ms = clock_ms() - start_ms;
	assert_int_equal(store_lock(&s), -1);
	lock_ms = clock_ms() - start_ms - append_ms;
	assert_true(append_ms >= 100 && append_ms < 800);
	assert_true(lock_ms >= 1000 && lock_ms < 5000);
	close(fd);
	assert_int_equal(put(&s, "k", "v"), 0);
	store_close(&s);
}

/* The lock goes with the file: with a journal that is gone it would keep nobody out. */
static void
a_removed_journal_is_not_written(void **state)
{
	struct store s = opened();

	(void)state;
	unlink(scratch_path("t.journal"));
	assert_int_equal(put(&s, "k", "v"), -1);
	assert_int_equal(rebuild(&s, 10), -1);
	assert_int_equal(store_reopen(&s), 0);
	assert_int_equal(put(&s, "k", "v"), 0);
	store_close(&s);
}

static void
full_disk_costs_nothing_but_memory(void **state)
{
	(void)state;
	fill();
	size_t cdb_len = (size_t)scratch_size("t.cdb");
	long journal_len = scratch_size("t.journal");

	/* the room for each octet that a new CDB would have needed */
	for (size_t room = 1; room <= cdb_len; room += room < 2000 ? 97 : 1) {
		struct store s = opened();

		scratch_limit(room);
		int rebuilt = rebuild(&s, 10);
		scratch_limit(0);
		assert_int_equal(rebuilt, -1);
		assert_true(has(&s, "a", "alpha") && has(&s, "b", "beta"));
		assert_int_equal(scratch_size("t.journal"), journal_len);
		assert_int_equal(access(scratch_path("t.cdb.new"), F_OK), -1);
		store_close(&s);
	}
	struct store s = opened();
	scratch_limit((size_t)journal_len + 3);
	int appended = put(&s, "c", "gamma");
	scratch_limit(0);
	assert_int_equal(appended, -1);
	assert_int_equal(scratch_size("t.journal"), journal_len);
	store_close(&s);
	use();
}

/* In a child with a mount namespace of its own: 0 good, 77 not possible here. */
static int
try_read_only(void)
{
	char inside[96];
	struct store s;

	snprintf(inside, sizeof(inside), "%s/in", scratch);
	if (mkdir(inside, 0700) < 0 || (unshare(CLONE_NEWNS) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", inside, "tmpfs", 0, "mode=700") < 0)
		return 77;
	if (store_open(&s, inside, "t") < 0 || put(&s, "a", "1") < 0 || rebuild(&s, 9) < 0 ||
	    put(&s, "b", "2") < 0)
		return 77;
	store_close(&s);
	if (mount("none", inside, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 77;
	if (store_open(&s, inside, "t") < 0)
		return 1;
	bool good = has(&s, "a", "1") && has(&s, "b", "2") && put(&s, "c", "3") < 0 &&
	    rebuild(&s, 9) < 0 && !s.writable && has(&s, "b", "2");
	store_close(&s);
	return good ? 0 : 2;
}

static void
read_only_directory_is_read(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(try_read_only());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void
a_forked_process_has_a_lock_of_its_own(void **state)
{
	struct store s = opened();
	int status;

	(void)state;
	assert_int_equal(store_lock(&s), 0);
	pid_t pid = fork();
	if (pid == 0) {
		store_reopen(&s);
		/* the parent has the lock */
		_exit(put(&s, "k", "child") == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_unlock(&s);
	assert_int_equal(put(&s, "k", "parent"), 0);
	store_close(&s);
}

/* Opened at any moment of a rebuilding, a store shows what was there before. */
static void
a_rebuilding_hides_nothing(void **state)
{
	volatile unsigned *newest = mmap(NULL, sizeof(*newest), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct store s = opened();
	char key[16];
	int status;

	(void)state;
	*newest = 0;
	assert_int_equal(put(&s, "0", "v"), 0);
	pid_t pid = fork();
	for (unsigned n = 1; pid == 0; n++) {
		snprintf(key, sizeof(key), "%u", n);
		if (store_reopen(&s) < 0 || put(&s, key, "v") < 0)
			continue;
		*newest = n;
		rebuild(&s, 5);
	}
	unsigned hidden = 0;
	for (int round = 0; round < 20000; round++) {
		unsigned before = *newest;
		struct store reader = opened();

		snprintf(key, sizeof(key), "%u", before);
		/* unless so many have come since that it was the oldest */
		if (!has(&reader, key, "v") && *newest < before + 4)
			hidden++;
		store_close(&reader);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(hidden, 0);
	munmap((void *)(uintptr_t)newest, sizeof(*newest));
	store_close(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(appended_is_found_by_all_who_open_later),
		TEST(rebuilding_keeps_the_newest_of_each),
		TEST(what_is_added_is_newest),
		TEST(threat_29_the_oldest_go_first),
		TEST(directory_is_made_or_refused),
		TEST(other_things_in_place_of_files),
		TEST(threat_28_files_cut_at_every_length),
		TEST(threat_28_any_octet_damaged),
		TEST(random_files_are_harmless),
		TEST(hostile_lengths_in_a_cdb),
		TEST(threat_28_states_that_a_crash_leaves),
		TEST(journal_stops_growing),
		TEST(journal_outgrows_a_reader),
		TEST(nobody_waits_long_for_the_lock),
		TEST(a_removed_journal_is_not_written),
		TEST(full_disk_costs_nothing_but_memory),
		TEST(read_only_directory_is_read),
		TEST(a_rebuilding_hides_nothing),
		TEST(a_forked_process_has_a_lock_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
