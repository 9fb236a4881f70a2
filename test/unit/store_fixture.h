/* A store in the scratch directory, and short functions to use it. */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include "scratch.h"
#include "store/store.h"
#include "unit.h"

#define RECORD_LEN(key, value) (JOURNAL_HEAD_LEN + (key) + ENTRY_CHECK_LEN + (value))

static inline struct store
opened(void)
{
	struct store s;

	assert_int_equal(store_open(&s, scratch, "t"), 0);
	return s;
}

static inline bool
has(struct store *s, const char *key, const char *want)
{
	uint8_t value[ENTRY_VALUE_MAX];
	size_t len;

	if (!store_find(s, span_of(key), value, sizeof(value), &len))
		return false;
	/* whatever else happens, never a wrong value */
	assert_true(span_equal(span(value, len), span_of(want)));
	return true;
}

static inline int
put(struct store *s, const char *key, const char *value)
{
	return store_append(s, span_of(key), span_of(value));
}

/* Keys that begin with '-' are dropped, with '!' always kept, with '+' and '*' kept longer. */
static inline enum compact_keep
keep(void *context, struct entry entry)
{
	(void)context;
	switch (entry.key.at[0]) {
	case '-':
		return COMPACT_DROP;
	case '+':
		return COMPACT_KEEP_LONGER;
	case '*':
		return COMPACT_KEEP_LONGEST;
	case '!':
		return COMPACT_KEEP_ALWAYS;
	default:
		return COMPACT_KEEP;
	}
}

static inline int
rebuild(struct store *s, uint64_t entries_max)
{
	struct store_rebuilding how = { .keep = keep, .entries_max = entries_max };

	if (store_lock(s) < 0)
		return -1;
	int result = store_rebuild(s, &how);
	store_unlock(s);
	return result;
}

/*
 * Opens the store, looks up, appends, compacts, and looks up again: whatever is in the files, no
 * wrong value is found.
 */
static inline void
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

static inline void
fill(void)
{
	struct store s = opened();

	assert_int_equal(put(&s, "a", "alpha"), 0);
	assert_int_equal(rebuild(&s, 10), 0);
	assert_int_equal(put(&s, "a", "alpha"), 0);
	assert_int_equal(put(&s, "b", "beta"), 0);
	store_close(&s);
}

#endif
