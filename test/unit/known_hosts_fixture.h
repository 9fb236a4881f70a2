/* The memory of other hosts in the scratch directory, and a place to remember. */
#ifndef TEST_MEMORY_FIXTURE_H
#define TEST_MEMORY_FIXTURE_H

#include "store/known_hosts_record.h"
#include "scratch.h"
#include "unit.h"

#define T INT64_C(1800000000)
#define DAY 86400
#define HOST "mx.b.example"

static struct memory m;
static const uint8_t k1[HOSTKEY_PUBLIC_LEN] = { 4, 1 }, k2[HOSTKEY_PUBLIC_LEN] = { 4, 2 },
    k3[HOSTKEY_PUBLIC_LEN] = { 4, 3 };
static const char *const one_host[] = { HOST };
static const struct memory_place b = { "b.example", HOST, one_host, 1 };

static inline int
open_memory(void **state)
{
	if (scratch_open(state) < 0)
		return -1;
	memory_open(&m, scratch, T);
	return m.stored ? 0 : -1;
}

static inline int
close_memory(void **state)
{
	memory_close(&m);
	return scratch_close(state);
}

static inline void
open_again(int64_t now_s)
{
	memory_close(&m);
	memory_open(&m, scratch, now_s);
}

static inline struct memory_known
look_at(const struct memory_place *place, int64_t now_s)
{
	struct memory_known known;

	memory_look(&m, place, now_s, &known);
	return known;
}

static inline enum memory_standing
standing(int64_t now_s)
{
	return look_at(&b, now_s).standing;
}

/* A success at our one place. */
static inline void
worked(int64_t now_s, const uint8_t *key, const uint8_t *next)
{
	struct hostkey_next announced;

	if (next != NULL)
		memcpy(announced.public, next, sizeof(announced.public));
	memory_worked(&m, &b, now_s, 20, key, next != NULL ? &announced : NULL);
}

/* What memory_list() shows. */
struct seen {
	size_t count;
	struct memory_item at[8];
};

static inline void
see(void *context, const struct memory_item *item)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	seen->at[seen->count++] = *item;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

#endif
