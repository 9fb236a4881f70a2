#include "store/journal.h"

#include "scratch.h"
#include "unit.h"

#include <errno.h>

static uint8_t record[JOURNAL_RECORD_MAX];
static uint8_t octets[ENTRY_KEY_MAX + ENTRY_VALUE_MAX];	/* material for keys and values */

/* A copy of exactly that length, so that a sanitizer reports an overrun. */
static struct span
exact(const void *from, size_t len)
{
	uint8_t *at = malloc(len ? len : 1);

	assert_non_null(at);
	memcpy(at, from, len);
	return span(at, len);
}

static void
release(struct span s)
{
	free((void *)(uintptr_t)s.at);
}

static bool
sound(struct entry e)
{
	struct span value;

	return entry_open(&value, e.key, e.sealed);
}

static void
there_and_back(void **state)
{
	static const size_t lens[][2] = { { 1, 0 }, { 1, 1 }, { 65, 32 }, { 193, 96 },
		{ ENTRY_KEY_MAX, ENTRY_VALUE_MAX } };
	(void)state;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct span key = span(octets, lens[i][0]), value = span(octets + 7, lens[i][1]);
		struct span all = exact(record, journal_format(record, key, value));
		struct span rest = all, got;
		struct entry e;
		size_t count;

		assert_true(all.len <= JOURNAL_RECORD_MAX);
		assert_int_equal(journal_measure(all, &count), all.len);
		assert_int_equal(count, 1);
		assert_true(journal_next(&rest, &e));
		assert_true(span_equal(e.key, key));
		assert_true(entry_open(&got, e.key, e.sealed));
		assert_true(span_equal(got, value));
		assert_int_equal(rest.len, 0);
		assert_false(journal_next(&rest, &e));
		release(all);
	}
	assert_int_equal(journal_format(record, span(octets, ENTRY_KEY_MAX),
	    span(octets, ENTRY_VALUE_MAX)), JOURNAL_RECORD_MAX);
}

/*
 * The layout is an on-disk format: a key of two octets, a value of three, and a check that was
 * computed elsewhere.
 */
static void
layout_is_as_documented(void **state)
{
	static const uint8_t want[] = { 0, 0, 0, 15, 0, 2, 'k', '1',
		0x8e, 0xa6, 0xb7, 0x2f, 0x5a, 0x7f, 0x7d, 0xb3, 'a', 'b', 'c' };
	(void)state;

	assert_int_equal(journal_format(record, SPAN("k1"), SPAN("abc")), sizeof(want));
	assert_memory_equal(record, want, sizeof(want));
}

static void
lengths_at_and_past_the_limits(void **state)
{
	(void)state;
	assert_false(entry_plausible(0, ENTRY_CHECK_LEN));
	assert_true(entry_plausible(1, ENTRY_CHECK_LEN));
	assert_false(entry_plausible(1, ENTRY_CHECK_LEN - 1));
	assert_true(entry_plausible(ENTRY_KEY_MAX, ENTRY_SEALED_MAX));
	assert_false(entry_plausible(ENTRY_KEY_MAX + 1, ENTRY_SEALED_MAX));
	assert_false(entry_plausible(ENTRY_KEY_MAX, ENTRY_SEALED_MAX + 1));
	assert_false(entry_plausible(SIZE_MAX, SIZE_MAX));
}

static void
any_flipped_bit_breaks_the_check(void **state)
{
	size_t len = journal_format(record, span(octets, 65), span(octets + 9, 32));
	(void)state;

	for (size_t bit = 8 * JOURNAL_HEAD_LEN; bit < 8 * len; bit++) {
		struct span rest = span(record, len);
		struct entry e;

		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(journal_next(&rest, &e));
		assert_false(sound(e));
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* An octet moved from the key to the value makes another entry. */
static void
check_covers_where_the_key_ends(void **state)
{
	uint8_t a[ENTRY_CHECK_LEN], b[ENTRY_CHECK_LEN];
	(void)state;

	entry_check(a, SPAN("ab"), SPAN("cd"));
	entry_check(b, SPAN("abc"), SPAN("d"));
	assert_memory_not_equal(a, b, sizeof(a));
}

static void
cut_anywhere_only_whole_records_count(void **state)
{
	uint8_t journal[3 * 64];
	size_t ends[4] = { 0 }, count;
	(void)state;

	for (size_t i = 0; i < 3; i++)
		ends[i + 1] = ends[i] + journal_format(journal + ends[i], span(octets + i, 3 + i),
		    span(octets, 10 * i));
	for (size_t len = 0; len <= ends[3]; len++) {
		size_t whole = len >= ends[3] ? 3 : len >= ends[2] ? 2 : len >= ends[1];
		struct span cut = exact(journal, len);

		assert_int_equal(journal_measure(cut, &count), ends[whole]);
		assert_int_equal(count, whole);
		release(cut);
	}
}

static void
hostile_lengths_end_the_journal(void **state)
{
	static const uint8_t lengths[][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0, 1 }, { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0xff, 0xff, 0xff, 0xfc, 0, 1 }, { 0, 0, 0, 0, 0, 0 }, { 0, 0, 0, 1, 0, 1 },
		{ 0, 0, 0, 10, 0, 1 },		/* no room for the check */
		{ 0, 0, 0, 60, 0, 0 },		/* no key */
		{ 0, 0, 0, 60, 0, 51 },		/* a key that leaves 7 octets of check */
		{ 0, 0, 0, 60, 0xff, 0xff }, { 0, 0, 0x10, 0, 0, 1 },
	};
	uint8_t journal[4200] = { 0 };
	struct entry e;
	(void)state;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct span rest = span(journal, sizeof(journal));

		memcpy(journal, lengths[i], 6);
		assert_false(journal_next(&rest, &e));
		assert_int_equal(rest.len, sizeof(journal));
	}
}

static void
random_octets_are_harmless(void **state)
{
	uint8_t noise[300];
	size_t count;
	(void)state;

	srandom(1);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)random() % sizeof(noise);

		for (size_t i = 0; i < len; i++)
			noise[i] = (uint8_t)(random() & (i % 7 ? 0xff : 0));
		struct span cut = exact(noise, len), rest = cut;
		struct entry e;
		assert_true(journal_measure(cut, &count) <= len);
		while (journal_next(&rest, &e))
			assert_false(sound(e));
		release(cut);
	}
}

static void
newest_is_found(void **state)
{
	uint8_t journal[200];
	size_t len = journal_format(journal, SPAN("one"), SPAN("old"));
	struct entry e;
	struct span value;
	(void)state;

	len += journal_format(journal + len, SPAN("two"), SPAN("other"));
	len += journal_format(journal + len, SPAN("one"), SPAN("new"));
	assert_true(journal_find(span(journal, len), SPAN("one"), &e));
	assert_true(entry_open(&value, e.key, e.sealed));
	assert_true(span_equal(value, SPAN("new")));
	assert_false(journal_find(span(journal, len), SPAN("on"), &e));
	assert_false(journal_find(span(journal, len), SPAN("three"), &e));
	assert_false(journal_find(span(NULL, 0), SPAN("one"), &e));
}

/* No space for the last octet, or for any: the journal's length is unchanged. */
static void
short_write_is_taken_back(void **state)
{
	size_t len = journal_format(record, SPAN("key"), SPAN("value"));
	int fd = open(scratch_path("journal"), O_RDWR | O_CREAT | O_APPEND, 0600);
	(void)state;

	assert_int_equal(journal_append(fd, 0, span(record, len)), 0);
	assert_int_equal(scratch_size("journal"), len);
	for (size_t room = 0; room < len; room += len - 1) {
		scratch_limit(len + room);
		int result = journal_append(fd, len, span(record, len)), why = errno;
		scratch_limit(0);
		assert_int_equal(result, -1);
		assert_true(why == ENOSPC || why == EFBIG);
		assert_int_equal(scratch_size("journal"), len);
	}
	scratch_limit(2 * len);
	assert_int_equal(journal_append(fd, len, span(record, len)), 0);
	scratch_limit(0);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(layout_is_as_documented),
		cmocka_unit_test(lengths_at_and_past_the_limits),
		cmocka_unit_test(any_flipped_bit_breaks_the_check),
		cmocka_unit_test(check_covers_where_the_key_ends),
		cmocka_unit_test(cut_anywhere_only_whole_records_count),
		cmocka_unit_test(hostile_lengths_end_the_journal),
		cmocka_unit_test(random_octets_are_harmless),
		cmocka_unit_test(newest_is_found),
		cmocka_unit_test_setup_teardown(short_write_is_taken_back, scratch_open,
		    scratch_close),
	};

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 31 + i / 256);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
