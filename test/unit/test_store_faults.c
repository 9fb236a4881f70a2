/* Stores with damaged, foreign or hostile files. */
#include "store_fixture.h"

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
		assert_true(mknod(path, S_IFREG | 0600, 0) == 0 && chown(path, 1, 1) == 0);
}

/* A directory, a link, a FIFO, another user's file: left alone, without waiting. */
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
		assert_true(s.corrupt);
		store_close(&s);
		assert_int_equal(remove(scratch_path("t.journal")), 0);

		make_other(kind, scratch_path("t.cdb"));
		make_other(kind, scratch_path("t.cdb.new"));
		s = opened();
		assert_int_equal(put(&s, "k", "v"), 0);
		assert_true(has(&s, "k", "v"));
		assert_true(s.corrupt);
		/* all but a directory are replaced */
		assert_int_equal(rebuild(&s, 10), kind == 0 ? -1 : 0);
		assert_true(has(&s, "k", "v"));
		store_close(&s);
		remove(scratch_path("t.cdb"));
		remove(scratch_path("t.cdb.new"));
		remove(scratch_path("t.journal"));
	}
	assert_int_equal(scratch_size("elsewhere"), 0);
}

/* statement 28: files truncated by a crash or a bad disk */
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

/* Offsets outside the file, records of 4 GB, hash tables of 2^32 slots. */
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
			memcpy(record + 4, "\x49\x06\0\0", 4);	/* one octet more than any value */
		scratch_write("t.cdb", file, len);
		scratch_write("t.journal", "", 0);
		free(file);
		use();
	}
}

/* statement 28: each state that store.c lists */
static void
threat_28_states_that_a_crash_leaves(void **state)
{
	size_t len;
	uint8_t *journal;
	struct store s;

	(void)state;
	/* a new CDB that is incomplete */
	fill();
	scratch_write("t.cdb.new", "half", 4);
	use();
	assert_int_equal(access(scratch_path("t.cdb.new"), F_OK), -1);
	/* the new CDB in place, with the journal not emptied */
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
	/* an incomplete record is cut off by the next process that appends */
	scratch_write("t.journal", journal, len - 1);
	assert_int_equal(put(&s, "c", "gamma"), 0);
	store_close(&s);
	s = opened();
	assert_true(has(&s, "c", "gamma"));
	assert_int_equal(s.journal.len, scratch_size("t.journal"));
	assert_int_equal(s.journal.count, 2);
	/* none of this makes the store count as corrupt */
	assert_false(has(&s, "d", "delta"));
	assert_false(s.corrupt);
	store_close(&s);
	free(journal);
}

/* If an entry is damaged, a key that is not found may have been there. */
static void
a_damaged_entry_makes_the_store_corrupt(void **state)
{
	size_t len;

	(void)state;
	fill();
	uint8_t *journal = scratch_read("t.journal", &len);
	journal[len - 1] ^= 1;		/* in b's value */
	scratch_write("t.journal", journal, len);
	free(journal);
	struct store s = opened();
	assert_true(has(&s, "a", "alpha"));
	assert_false(has(&s, "c", "gamma"));
	assert_false(s.corrupt);
	assert_false(has(&s, "b", "beta"));
	assert_true(s.corrupt);
	store_close(&s);
}

static void
full_disk_costs_nothing_but_memory(void **state)
{
	(void)state;
	fill();
	size_t cdb_len = (size_t)scratch_size("t.cdb");
	long journal_len = scratch_size("t.journal");

	/* space for every number of octets less than the new CDB needs */
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(other_things_in_place_of_files),
		TEST(threat_28_files_cut_at_every_length),
		TEST(threat_28_any_octet_damaged),
		TEST(random_files_are_harmless),
		TEST(hostile_lengths_in_a_cdb),
		TEST(threat_28_states_that_a_crash_leaves),
		TEST(a_damaged_entry_makes_the_store_corrupt),
		TEST(full_disk_costs_nothing_but_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
