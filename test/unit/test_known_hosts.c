/* The memory of other hosts: what raises it, when it binds and lapses. */
#include "known_hosts_fixture.h"

static void
binds_after_two_a_day_apart(void **state)
{
	(void)state;
	assert_int_equal(standing(T), MEMORY_STRANGER);
	worked(T, NULL, NULL);
	assert_int_equal(standing(T), MEMORY_RECENT);
	assert_int_equal(look_at(&b, T).rank, 20);
	/* however many */
	for (int i = 0; i < 100; i++)
		worked(T + i * 800, NULL, NULL);
	worked(T + DAY - 1, NULL, NULL);
	assert_int_equal(standing(T + 2 * DAY), MEMORY_RECENT);
	worked(T + DAY, NULL, NULL);
	assert_int_equal(standing(T + DAY), MEMORY_BINDING);
	open_again(T + DAY);
	assert_int_equal(standing(T + DAY), MEMORY_BINDING);
}

static void
lapses_after_60_days(void **state)
{
	int64_t last = T + DAY;

	(void)state;
	worked(T, NULL, NULL);
	worked(last, NULL, NULL);
	assert_int_equal(standing(last + 60 * DAY), MEMORY_BINDING);
	assert_int_equal(standing(last + 60 * DAY + 1), MEMORY_STRANGER);
	/* and begins anew */
	worked(last + 60 * DAY + 1, NULL, NULL);
	assert_int_equal(standing(last + 60 * DAY + 1), MEMORY_RECENT);
	/* two successes on either side of a gap of 60 days are still of one time */
	worked(T, NULL, NULL);
	assert_int_equal(standing(T), MEMORY_RECENT);
}

static void
one_success_lasts_60_days_too(void **state)
{
	(void)state;
	worked(T, NULL, NULL);
	worked(T + 60 * DAY, NULL, NULL);
	assert_int_equal(standing(T + 60 * DAY), MEMORY_BINDING);
}

/* What comes shortly after another is not written down, unless it says something new. */
static void
not_every_success_is_written_down(void **state)
{
	long size;

	(void)state;
	worked(T, k1, NULL);
	size = scratch_size("known.journal");
	worked(T + MEMORY_FRESH_S - 1, k1, NULL);
	assert_int_equal(scratch_size("known.journal"), size);
	worked(T + MEMORY_FRESH_S, k1, NULL);
	assert_true(scratch_size("known.journal") > size);
	size = scratch_size("known.journal");
	worked(T + MEMORY_FRESH_S, k1, k2);
	assert_true(scratch_size("known.journal") > size);
	/* the one that binds */
	worked(T + DAY - 1, k1, k2);
	assert_int_equal(standing(T + DAY), MEMORY_RECENT);
	worked(T + DAY, k1, k2);
	assert_int_equal(standing(T + DAY), MEMORY_BINDING);
}

static void
the_best_generation_counts(void **state)
{
	(void)state;
	memory_worked(&m, &b, T, 30, NULL, NULL);
	memory_worked(&m, &b, T + 1, 20, NULL, NULL);
	assert_int_equal(look_at(&b, T).rank, 30);
}

static void
a_key_binds_by_itself(void **state)
{
	struct memory_known known;

	(void)state;
	worked(T, NULL, NULL);
	worked(T + DAY, NULL, NULL);
	worked(T + DAY, k1, NULL);
	known = look_at(&b, T + DAY);
	assert_int_equal(known.standing, MEMORY_BINDING);
	assert_false(known.has_key);
	/* what does not bind yet gives way */
	worked(T + DAY + 10, k2, NULL);
	worked(T + 2 * DAY + 9, k2, NULL);
	assert_false(look_at(&b, T + 2 * DAY).has_key);
	worked(T + 2 * DAY + 10, k2, NULL);
	known = look_at(&b, T + 2 * DAY + 10);
	assert_true(known.has_key);
	assert_memory_equal(known.key, k2, sizeof(k2));
	/* a success without one takes nothing from it */
	worked(T + 3 * DAY, NULL, NULL);
	assert_true(look_at(&b, T + 3 * DAY).has_key);
}

static void
a_key_not_shown_again_is_dropped_before_it_binds(void **state)
{
	(void)state;
	worked(T, k1, NULL);
	worked(T + 10, NULL, NULL);
	worked(T + DAY, k1, NULL);
	assert_int_equal(standing(T + DAY), MEMORY_BINDING);
	assert_false(look_at(&b, T + DAY).has_key);
}

static void
the_next_key(void **state)
{
	struct memory_known known;

	(void)state;
	worked(T, k1, NULL);
	worked(T + DAY, k1, k2);
	known = look_at(&b, T + DAY);
	assert_true(known.has_key && known.has_next);
	assert_memory_equal(known.next, k2, sizeof(k2));
	/* announced no longer: erased */
	worked(T + DAY + 1, k1, NULL);
	assert_false(look_at(&b, T + DAY).has_next);
	worked(T + DAY + 2, k1, k3);
	worked(T + DAY + 3, k1, k2);
	assert_memory_equal(look_at(&b, T + DAY).next, k2, sizeof(k2));
	/* a success without any key says nothing */
	worked(T + DAY + 4, NULL, NULL);
	assert_true(look_at(&b, T + DAY).has_next);
	/* it comes into use: the old is gone, and the new one binds at once */
	worked(T + DAY + 5, k2, NULL);
	known = look_at(&b, T + DAY + 5);
	assert_true(known.has_key && !known.has_next);
	assert_memory_equal(known.key, k2, sizeof(k2));
	/* one that was not announced has to prove itself */
	worked(T + DAY + 6, k3, NULL);
	assert_false(look_at(&b, T + DAY + 6).has_key);
}

static void
names_are_the_same_in_either_case(void **state)
{
	const struct memory_place loud = { "B.Example", "MX.B.EXAMPLE", NULL, 0 };

	(void)state;
	memory_worked(&m, &loud, T, 20, NULL, NULL);
	assert_int_equal(standing(T), MEMORY_RECENT);
	assert_int_equal(look_at(&loud, T).standing, MEMORY_RECENT);
	/* but each host of each domain is one */
	const struct memory_place other = { "b.example", "mx2.b.example", NULL, 0 },
	    elsewhere = { "c.example", HOST, NULL, 0 };
	assert_int_equal(look_at(&other, T).standing, MEMORY_STRANGER);
	assert_int_equal(look_at(&elsewhere, T).standing, MEMORY_STRANGER);
}

static void
names_up_to_255_octets(void **state)
{
	char name[MEMORY_NAME_MAX + 2];
	const struct memory_place place = { name, name, NULL, 0 };

	(void)state;
	memset(name, 'a', sizeof(name));
	name[MEMORY_NAME_MAX] = '\0';
	memory_worked(&m, &place, T, 20, k1, NULL);
	assert_int_equal(look_at(&place, T).standing, MEMORY_RECENT);
	assert_int_equal(memory_pin(&m, name, k1, T), 0);
	name[MEMORY_NAME_MAX] = 'a';
	name[MEMORY_NAME_MAX + 1] = '\0';
	memory_worked(&m, &place, T, 20, k1, NULL);
	assert_int_equal(look_at(&place, T).standing, MEMORY_STRANGER);
	assert_int_equal(memory_pin(&m, name, k1, T), -1);
	assert_int_equal(memory_forget(&m, "", T), -1);
}

/* A remembered domain none of whose hosts is remembered. */
static void
a_domain_that_moved(void **state)
{
	static const char *const new_hosts[] = { "mx.c.example", "mx2.c.example" };
	static const char *const mixed[] = { "mx.c.example", "MX.b.example" };
	const struct memory_place moved = { "b.example", "mx.c.example", new_hosts, 2 };
	const struct memory_place grown = { "b.example", "mx.c.example", mixed, 2 };

	(void)state;
	worked(T, NULL, NULL);
	assert_int_equal(look_at(&moved, T).standing, MEMORY_STRANGER);
	worked(T + DAY, NULL, NULL);
	struct memory_known known = look_at(&moved, T + DAY);
	assert_int_equal(known.standing, MEMORY_MOVED);
	assert_string_equal(known.last_host, HOST);
	assert_int_equal(look_at(&grown, T + DAY).standing, MEMORY_STRANGER);
	assert_int_equal(look_at(&moved, T + 61 * DAY).standing, MEMORY_MOVED);
	assert_int_equal(look_at(&moved, T + 61 * DAY + 1).standing, MEMORY_STRANGER);
	/* once one of them is known, it has moved there */
	memory_worked(&m, &moved, T + DAY, 20, NULL, NULL);
	assert_int_equal(look_at(&moved, T + DAY).standing, MEMORY_RECENT);
	const struct memory_place second = { "b.example", "mx2.c.example", new_hosts, 2 };
	assert_int_equal(look_at(&second, T + DAY).standing, MEMORY_STRANGER);
}

static void
told_once_until_it_works_again(void **state)
{
	static const char *const new_hosts[] = { "mx.c.example" };
	const struct memory_place moved = { "b.example", "mx.c.example", new_hosts, 1 };

	(void)state;
	memory_told(&m, &b, T);
	assert_int_equal(standing(T), MEMORY_STRANGER);
	worked(T, k1, NULL);
	worked(T + DAY, k1, k2);
	assert_false(look_at(&b, T + DAY).told);
	memory_told(&m, &b, T + DAY);
	struct memory_known known = look_at(&b, T + DAY);
	assert_true(known.told && known.has_key && known.has_next);
	assert_int_equal(known.standing, MEMORY_BINDING);
	assert_false(look_at(&moved, T + DAY).told);
	memory_told(&m, &moved, T + DAY);
	assert_true(look_at(&moved, T + DAY).told);
	worked(T + DAY + 1, k1, NULL);
	assert_false(look_at(&b, T + DAY).told);
	assert_false(look_at(&moved, T + DAY).told);
	memory_told(&m, &b, T + DAY + 2);
	worked(T + DAY + 3, NULL, NULL);
	assert_false(look_at(&b, T + DAY).told);
	/* telling is no success */
	memory_told(&m, &b, T + 50 * DAY);
	assert_int_equal(standing(T + 62 * DAY), MEMORY_STRANGER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(binds_after_two_a_day_apart),
		TEST(lapses_after_60_days),
		TEST(one_success_lasts_60_days_too),
		TEST(not_every_success_is_written_down),
		TEST(the_best_generation_counts),
		TEST(a_key_binds_by_itself),
		TEST(a_key_not_shown_again_is_dropped_before_it_binds),
		TEST(the_next_key),
		TEST(names_are_the_same_in_either_case),
		TEST(names_up_to_255_octets),
		TEST(a_domain_that_moved),
		TEST(told_once_until_it_works_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
