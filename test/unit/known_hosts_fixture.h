/* Known hosts in the scratch directory, and a place to know. */
#ifndef TEST_MEMORY_FIXTURE_H
#define TEST_MEMORY_FIXTURE_H

#include "scratch.h"
#include "store/known_hosts_record.h"
#include "unit.h"

#define T INT64_C(1800000000)
#define DAY 86400
#define HOST "mx.b.example"

static struct known_hosts m;
static const uint8_t k1[HOSTKEY_PUBLIC_LEN] = { 4, 1 }, k2[HOSTKEY_PUBLIC_LEN] = { 4, 2 },
    k3[HOSTKEY_PUBLIC_LEN] = { 4, 3 };
static const char *const one_host[] = { HOST };
static const struct known_hosts_place b = { "b.example", HOST, one_host, 1 };

static inline int
open_known_hosts(void **state)
{
	if (scratch_open(state) < 0)
		return -1;
	known_hosts_open(&m, scratch, T);
	return m.stored ? 0 : -1;
}

static inline int
close_known_hosts(void **state)
{
	known_hosts_close(&m);
	return scratch_close(state);
}

static inline void
open_again(int64_t now_s)
{
	known_hosts_close(&m);
	known_hosts_open(&m, scratch, now_s);
}

static inline struct known_host
look_at(const struct known_hosts_place *place, int64_t now_s)
{
	struct known_host known;

	known_hosts_look_up(&m, place, now_s, &known);
	return known;
}

static inline enum known_host_standing
standing(int64_t now_s)
{
	return look_at(&b, now_s).standing;
}

/* XCRYPT has worked at our place. */
static inline void
worked(int64_t now_s, const uint8_t *key, const uint8_t *next)
{
	struct hostkey_next announced = { .until_s = now_s + 3600 };

	if (next != NULL)
		memcpy(announced.public, next, sizeof(announced.public));
	known_hosts_worked(&m, &b, now_s, 20, key, next != NULL ? &announced : NULL);
}

/* The items that known_hosts_list() shows. */
struct seen {
	size_t count;
	struct known_hosts_item at[8];
};

static inline void
see(void *context, const struct known_hosts_item *item)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	seen->at[seen->count++] = *item;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_known_hosts, close_known_hosts)

#endif
