#include "store_fixture.h"

#include "base/clock.h"

#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

static void
appended_entries_are_found_by_later_openings(void **state)
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
	assert_int_equal(late.journal.count, 1);
	/* exactly as much space as it needs, and one octet less */
	assert_true(store_find(&late, SPAN("k"), value, 5, &len));
	assert_false(store_find(&late, SPAN("k"), value, 4, &len));
	/* a process that appends also reads what others have appended */
	assert_int_equal(put(&early, "l", ""), 0);
	assert_true(has(&early, "k", "value"));
	assert_true(has(&early, "l", ""));
	/* the same value is not written again, another one is */
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
	/* the journal's value is newer than the CDB's, before and after the next compaction */
	assert_int_equal(put(&s, "a", "2"), 0);
	assert_int_equal(put(&s, "d", "1"), 0);
	assert_int_equal(put(&s, "d", "2"), 0);
	for (int round = 0; round < 2; round++) {
		other = opened();
		assert_true(has(&other, "a", "2") && has(&other, "b", "1"));
		assert_true(has(&other, "d", "2"));
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
	struct store_rebuilding how = { added, 2, keep, NULL, 1 };
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
	/* stored again, so newer than b */
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

/* Stores `kind`0 to `kind`9, the last one newest. */
static void
put_ten(struct store *s, char kind)
{
	for (char i = '0'; i <= '9'; i++) {
		const char key[] = { kind, i, '\0' };
		assert_int_equal(put(s, key, "1"), 0);
	}
}

/* Asserts that of these exactly those in `want` are left. */
static void
assert_some(struct store *s, char kind, const char *want)
{
	for (char i = '0'; i <= '9'; i++) {
		const char key[] = { kind, i, '\0' };
		if (has(s, key, "1") != (strchr(want, i) != NULL))
			fail_msg("%s: not as in %s", key, want);
	}
}

/* statement 29: entries that any host can cause push out no better ones, but have their share */
static void
threat_29_what_is_worth_more_goes_last(void **state)
{
	struct store s = opened();

	(void)state;
	assert_int_equal(put(&s, "*old", "1"), 0);
	assert_int_equal(put(&s, "+old", "1"), 0);
	put_ten(&s, 'a');
	assert_int_equal(rebuild(&s, 8), 0);
	assert_true(has(&s, "*old", "1") && has(&s, "+old", "1"));
	assert_some(&s, 'a', "456789");

	/* newer entries get a quarter, however many better ones there are */
	put_ten(&s, '*');
	put_ten(&s, 'b');
	assert_int_equal(rebuild(&s, 8), 0);
	assert_false(has(&s, "*old", "1") || has(&s, "+old", "1"));
	assert_some(&s, '*', "456789");
	assert_some(&s, 'b', "89");
	/* if there are no others, the better ones get that quarter too */
	put_ten(&s, '*');
	assert_int_equal(rebuild(&s, 8), 0);
	assert_some(&s, '*', "23456789");
	assert_some(&s, 'b', "");
	/* of two kinds the better one comes first */
	put_ten(&s, '+');
	assert_int_equal(rebuild(&s, 8), 0);
	assert_some(&s, '*', "456789");
	assert_some(&s, '+', "89");
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
journal_stops_growing(void **state)
{
	static const uint8_t zeros[1000];
	const size_t len = RECORD_LEN(1, 2), full = JOURNAL_MAX;
	uint8_t *journal = calloc(1, full + 100);
	size_t at = 0;
	struct store s;

	(void)state;
	while (full - len - at > 1000)
		at += journal_format(journal + at, SPAN("f"), span(zeros, 500));
	at += journal_format(journal + at, SPAN("f"),
	    span(zeros, full - len - at - RECORD_LEN(1, 0)));
	/* exactly at the limit, and one octet more */
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
	/* a file longer than the limit was not made by us */
	memset(journal, 0, full + 100);
	scratch_write("t.journal", journal, full + 100);
	use();
	free(journal);
}

/* If the journal has grown beyond a reader's buffer, the reader stores nothing. */
static void
journal_outgrows_a_reader(void **state)
{
	struct store s = opened(), other = opened();
	char key[16];

	(void)state;
	for (int i = 0; scratch_size("t.journal") < (long)JOURNAL_ROOM + 1000; i++) {
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
	store_close(&s);
	s = opened();
	assert_int_equal(put(&s, "k", "v"), 0);
	store_close(&s);
	store_close(&other);
}

static void
close_wiped(struct store *s)
{
	store_close(s);
	for (size_t i = 0; i < sizeof(s->journal.room); i++)
		assert_int_equal(s->journal.room[i], 0);
}

static int
put_long(struct store *s, unsigned number, size_t len)
{
	static uint8_t value[ENTRY_VALUE_MAX];
	char key[16];

	snprintf(key, sizeof(key), "%08u", number);
	memset(value, 'v', sizeof(value));
	return store_append(s, span(key, 8), span(value, len));
}

static void
there_is_room_to_the_last_octet(void **state)
{
	static struct store s;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t used = 0;
		unsigned number = 0;

		assert_int_equal(store_open(&s, scratch, "t"), 0);
		for (; JOURNAL_ROOM - used > RECORD_LEN(8, ENTRY_VALUE_MAX);
		     used += RECORD_LEN(8, 1000))
			assert_int_equal(put_long(&s, number++, 1000), 0);
		size_t last = JOURNAL_ROOM - used - RECORD_LEN(8, 0) + over;
		assert_int_equal(put_long(&s, number, last), over ? -1 : 0);
		assert_int_equal(scratch_size("t.journal"), over ? used : JOURNAL_ROOM);
		close_wiped(&s);
		assert_int_equal(unlink(scratch_path("t.journal")), 0);
	}
}

/* A damaged end that was read is wiped too, even if what overwrote it is shorter. */
static void
what_was_read_is_wiped(void **state)
{
	static struct store s;
	uint8_t torn[500];

	(void)state;
	memset(torn, 'v', sizeof(torn));
	scratch_write("t.journal", torn, sizeof(torn));
	assert_int_equal(store_open(&s, scratch, "t"), 0);
	assert_int_equal(put(&s, "k", "v"), 0);
	close_wiped(&s);
}

/* A removed journal's lock excludes nobody, so it must not be written. */
static void
a_removed_journal_is_not_written(void **state)
{
	struct store s = opened();

	(void)state;
	unlink(scratch_path("t.journal"));
	assert_int_equal(put(&s, "k", "v"), -1);
	/* maintenance makes a new one */
	assert_int_equal(rebuild(&s, 10), 0);
	assert_int_equal(put(&s, "k", "v"), 0);
	unlink(scratch_path("t.journal"));
	assert_int_equal(put(&s, "k", "w"), -1);
	store_close(&s);
	s = opened();
	assert_int_equal(put(&s, "k", "w"), 0);
	store_close(&s);
}

/* Runs in a child with its own mount namespace: 0 good, 77 not possible here. */
static int
try_read_only(void)
{
	char inside[96];
	struct store s;

	snprintf(inside, sizeof(inside), "%s/in", scratch);
	if (mkdir(inside, 0700) < 0 || (unshare(CLONE_NEWNS) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", inside, "tmpfs", 0, "mode=700") < 0)
		return 77;
	if (store_open(&s, inside, "t") < 0 || put(&s, "a", "1") < 0 || rebuild(&s, 9) < 0 ||
	    put(&s, "b", "2") < 0)
		return 77;
	store_close(&s);
	if (mount("none", inside, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) < 0)
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
		s = opened();
		/* the parent holds the lock */
		_exit(put(&s, "k", "child") == 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_unlock(&s);
	assert_int_equal(put(&s, "k", "parent"), 0);
	store_close(&s);
}

/* Runs until it is killed. */
static void
add_and_rebuild(volatile unsigned *newest)
{
	struct store s = opened();
	char key[16];

	for (unsigned n = 1; ; n++) {
		snprintf(key, sizeof(key), "%u", n);
		if (put(&s, key, "v") < 0)
			continue;
		*newest = n;
		rebuild(&s, 5);
	}
}

/* A store opened at any moment of a rebuilding has all earlier entries. */
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
	if (pid == 0)
		add_and_rebuild(newest);
	unsigned hidden = 0;
	for (int round = 0; round < 20000; round++) {
		unsigned before = *newest;
		struct store reader = opened();

		snprintf(key, sizeof(key), "%u", before);
			/* unless so many were added since that it was dropped as the oldest */
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
		TEST(appended_entries_are_found_by_later_openings),
		TEST(rebuilding_keeps_the_newest_of_each),
		TEST(what_is_added_is_newest),
		TEST(threat_29_the_oldest_go_first),
		TEST(threat_29_what_is_worth_more_goes_last),
		TEST(directory_is_made_or_refused),
		TEST(journal_stops_growing),
		TEST(journal_outgrows_a_reader),
		TEST(there_is_room_to_the_last_octet),
		TEST(what_was_read_is_wiped),
		TEST(a_removed_journal_is_not_written),
		TEST(read_only_directory_is_read),
		TEST(a_forked_process_has_a_lock_of_its_own),
		TEST(a_rebuilding_hides_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
