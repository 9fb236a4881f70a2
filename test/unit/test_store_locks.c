/* Stores that are held up by a lock that is not released, or by the journal's contents. */
#include "store_fixture.h"

#include "base/clock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

static void
waiting_for_the_lock_is_limited(void **state)
{
	struct store s = opened();
	int fd = open(scratch_path("t.journal"), O_RDWR), dir = open(scratch, O_RDONLY);
	int64_t start_ms = clock_ms(), append_ms, lock_ms;

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(put(&s, "k", "v"), -1);
	append_ms = clock_ms() - start_ms;
	assert_int_equal(flock(dir, LOCK_EX), 0);
	assert_int_equal(store_lock(&s), -1);
	lock_ms = clock_ms() - start_ms - append_ms;
	assert_true(append_ms >= 100 && append_ms < 800);
	assert_true(lock_ms >= 1000 && lock_ms < 5000);
	close(fd);
	close(dir);
	assert_int_equal(put(&s, "k", "v"), 0);
	store_close(&s);
}

/* statement 39: a session that keeps the journal's lock loses the journal; others lose nothing */
static void
threat_39_a_lock_is_not_held(void **state)
{
	struct store s = opened(), other;
	int64_t start_ms;

	(void)state;
	assert_int_equal(put(&s, "a", "1"), 0);
	assert_int_equal(flock(s.journalfd, LOCK_EX), 0);
	store_leave_directory(&s);
	start_ms = clock_ms();
	other = opened();
	assert_true(clock_ms() - start_ms < 800);
	assert_true(has(&other, "a", "1"));
	assert_int_equal(put(&other, "b", "2"), 0);
	start_ms = clock_ms();
	assert_int_equal(rebuild(&other, 10), 0);
	assert_int_equal(put(&other, "c", "3"), 0);
	/* what it appends is never read */
	assert_int_equal(put(&s, "a", "x"), -1);
	store_close(&other);
	other = opened();
	assert_true(clock_ms() - start_ms < 50 * 20);
	assert_true(has(&other, "a", "1"));
	assert_true(has(&other, "b", "2"));
	assert_true(has(&other, "c", "3"));
	store_close(&other);
	store_close(&s);
}

/* statement 39: nor can it hold up maintenance by taking the lock meanwhile */
static void
threat_39_maintenance_is_not_held_up(void **state)
{
	struct store s = opened(), other = opened();
	int64_t start_ms = clock_ms();

	(void)state;
	assert_int_equal(put(&s, "a", "1"), 0);
	assert_int_equal(flock(s.journalfd, LOCK_EX), 0);
	assert_int_equal(rebuild(&other, 10), 0);
	assert_true(clock_ms() - start_ms < 800);
	assert_true(has(&other, "a", "1"));
	assert_int_equal(put(&other, "b", "2"), 0);
	store_close(&other);
	store_close(&s);
}

/* statement 39: a journal of junk that looks like records takes no time and is soon removed */
static void
threat_39_junk_takes_no_time(void **state)
{
	static uint8_t junk[4u << 20];
	struct store s;

	(void)state;
	/* every third octet begins what looks like a record of 1,536 octets */
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = i % 3 == 2 ? 6 : 0;
	scratch_write("t.journal", junk, sizeof(junk));
	clock_t start = clock();
	s = opened();
	assert_true(clock() - start < CLOCKS_PER_SEC);
	assert_true(s.corrupt && store_is_due(&s));
	assert_int_equal(rebuild(&s, 10), 0);
	assert_false(store_is_due(&s));
	assert_int_equal(put(&s, "k", "v"), 0);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waiting_for_the_lock_is_limited),
		TEST(threat_39_a_lock_is_not_held),
		TEST(threat_39_maintenance_is_not_held_up),
		TEST(threat_39_junk_takes_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
