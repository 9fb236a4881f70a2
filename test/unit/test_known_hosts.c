/* Known hosts: what adds to them, when a host is established, and when it lapses. */
#include "known_hosts_fixture.h"

static void
established_after_two_a_day_apart(void **state)
{
	(void)state;
	assert_int_equal(standing(T), KNOWN_NEW);
	worked(T, NULL, NULL);
	assert_int_equal(standing(T), KNOWN_SEEN);
	assert_int_equal(look_at(&b, T).version, 20);
	/* any number of them within a day */
	for (int i = 0; i < 100; i++)
		worked(T + i * 800, NULL, NULL);
	worked(T + DAY - 1, NULL, NULL);
	assert_int_equal(standing(T + 2 * DAY), KNOWN_SEEN);
	worked(T + DAY, NULL, NULL);
	assert_int_equal(standing(T + DAY), KNOWN_ESTABLISHED);
	open_again(T + DAY);
	assert_int_equal(standing(T + DAY), KNOWN_ESTABLISHED);
}

static void
lapses_after_60_days(void **state)
{
	int64_t last = T + DAY;

	(void)state;
	worked(T, NULL, NULL);
	worked(last, NULL, NULL);
	assert_int_equal(standing(last + 60 * DAY), KNOWN_ESTABLISHED);
	assert_int_equal(standing(last + 60 * DAY + 1), KNOWN_NEW);
	/* and starts again */
	worked(last + 60 * DAY + 1, NULL, NULL);
	assert_int_equal(standing(last + 60 * DAY + 1), KNOWN_SEEN);
	/* two successes with a gap of exactly 60 days between them still count together */
	worked(T, NULL, NULL);
	assert_int_equal(standing(T), KNOWN_SEEN);
}

static void
one_success_lasts_60_days_too(void **state)
{
	(void)state;
	worked(T, NULL, NULL);
	worked(T + 60 * DAY, NULL, NULL);
	assert_int_equal(standing(T + 60 * DAY), KNOWN_ESTABLISHED);
}

/* A success shortly after another is not stored unless it brings something new. */
static void
not_every_success_is_written_down(void **state)
{
	long size;

	(void)state;
	worked(T, k1, NULL);
	size = scratch_size("known.journal");
	worked(T + KNOWN_HOSTS_FRESH_S - 1, k1, NULL);
	assert_int_equal(scratch_size("known.journal"), size);
	worked(T + KNOWN_HOSTS_FRESH_S, k1, NULL);
	assert_true(scratch_size("known.journal") > size);
	size = scratch_size("known.journal");
	worked(T + KNOWN_HOSTS_FRESH_S, k1, k2);
	assert_true(scratch_size("known.journal") > size);
	/* the success that establishes the host is stored */
	worked(T + DAY - 1, k1, k2);
	assert_int_equal(standing(T + DAY), KNOWN_SEEN);
	worked(T + DAY, k1, k2);
	assert_int_equal(standing(T + DAY), KNOWN_ESTABLISHED);
}

static void
the_newest_version_counts(void **state)
{
	(void)state;
	known_hosts_worked(&m, &b, T, 30, NULL, NULL);
	known_hosts_worked(&m, &b, T + 1, 20, NULL, NULL);
	assert_int_equal(look_at(&b, T).version, 30);
}

static void
a_key_is_established_separately(void **state)
{
	struct known_host known;

	(void)state;
	worked(T, NULL, NULL);
	worked(T + DAY, NULL, NULL);
	worked(T + DAY, k1, NULL);
	known = look_at(&b, T + DAY);
	assert_int_equal(known.standing, KNOWN_ESTABLISHED);
	assert_false(known.has_key);
	/* a key that is not established is replaced */
	worked(T + DAY + 10, k2, NULL);
	worked(T + 2 * DAY + 9, k2, NULL);
	assert_false(look_at(&b, T + 2 * DAY).has_key);
	worked(T + 2 * DAY + 10, k2, NULL);
	known = look_at(&b, T + 2 * DAY + 10);
	assert_true(known.has_key);
	assert_memory_equal(known.key, k2, sizeof(k2));
	/* a success without a key does not change it */
	worked(T + 3 * DAY, NULL, NULL);
	assert_true(look_at(&b, T + 3 * DAY).has_key);
}

static void
a_key_not_shown_again_is_dropped_before_it_is_established(void **state)
{
	(void)state;
	worked(T, k1, NULL);
	worked(T + 10, NULL, NULL);
	worked(T + DAY, k1, NULL);
	assert_int_equal(standing(T + DAY), KNOWN_ESTABLISHED);
	assert_false(look_at(&b, T + DAY).has_key);
}

static void
the_next_key(void **state)
{
	struct known_host known;

	(void)state;
	worked(T, k1, NULL);
	worked(T + DAY, k1, k2);
	known = look_at(&b, T + DAY);
	assert_true(known.has_key && known.has_next);
	assert_memory_equal(known.next, k2, sizeof(k2));
	/* the announcement was withdrawn */
	worked(T + DAY + 1, k1, NULL);
	assert_false(look_at(&b, T + DAY).has_next);
	worked(T + DAY + 2, k1, k3);
	worked(T + DAY + 3, k1, k2);
	assert_memory_equal(look_at(&b, T + DAY).next, k2, sizeof(k2));
	/* a success without a key does not change it */
	worked(T + DAY + 4, NULL, NULL);
	assert_true(look_at(&b, T + DAY).has_next);
	/* the announced key comes into use: it replaces the old one and is established at once */
	worked(T + DAY + 5, k2, NULL);
	known = look_at(&b, T + DAY + 5);
	assert_true(known.has_key && !known.has_next);
	assert_memory_equal(known.key, k2, sizeof(k2));
	/* a key that was not announced must be seen for a day */
	worked(T + DAY + 6, k3, NULL);
	assert_false(look_at(&b, T + DAY + 6).has_key);
}

static void
names_are_the_same_in_either_case(void **state)
{
	const struct known_hosts_place warn = { "B.Example", "MX.B.EXAMPLE", NULL, 0 };

	(void)state;
	known_hosts_worked(&m, &warn, T, 20, NULL, NULL);
	assert_int_equal(standing(T), KNOWN_SEEN);
	assert_int_equal(look_at(&warn, T).standing, KNOWN_SEEN);
	/* but each pair of domain and host is separate */
	const struct known_hosts_place other = { "b.example", "mx2.b.example", NULL, 0 },
	    elsewhere = { "c.example", HOST, NULL, 0 };
	assert_int_equal(look_at(&other, T).standing, KNOWN_NEW);
	assert_int_equal(look_at(&elsewhere, T).standing, KNOWN_NEW);
}

static void
names_up_to_255_octets(void **state)
{
	char name[KNOWN_HOSTS_NAME_MAX + 2];
	const struct known_hosts_place place = { name, name, NULL, 0 };

	(void)state;
	memset(name, 'a', sizeof(name));
	name[KNOWN_HOSTS_NAME_MAX] = '\0';
	known_hosts_worked(&m, &place, T, 20, k1, NULL);
	assert_int_equal(look_at(&place, T).standing, KNOWN_SEEN);
	assert_int_equal(known_hosts_pin(&m, name, k1, T), 0);
	name[KNOWN_HOSTS_NAME_MAX] = 'a';
	name[KNOWN_HOSTS_NAME_MAX + 1] = '\0';
	known_hosts_worked(&m, &place, T, 20, k1, NULL);
	assert_int_equal(look_at(&place, T).standing, KNOWN_NEW);
	assert_int_equal(known_hosts_pin(&m, name, k1, T), -1);
	assert_int_equal(known_hosts_forget(&m, "", T), -1);
}

/* A known domain none of whose present hosts is known. */
static void
a_domain_whose_mx_hosts_changed(void **state)
{
	static const char *const new_hosts[] = { "mx.c.example", "mx2.c.example" };
	static const char *const mixed[] = { "mx.c.example", "MX.b.example" };
	const struct known_hosts_place moved = { "b.example", "mx.c.example", new_hosts, 2 };
	const struct known_hosts_place grown = { "b.example", "mx.c.example", mixed, 2 };

	(void)state;
	worked(T, NULL, NULL);
	assert_int_equal(look_at(&moved, T).standing, KNOWN_NEW);
	worked(T + DAY, NULL, NULL);
	struct known_host known = look_at(&moved, T + DAY);
	assert_int_equal(known.standing, KNOWN_MX_CHANGED);
	assert_string_equal(known.last_host, HOST);
	assert_int_equal(look_at(&grown, T + DAY).standing, KNOWN_NEW);
	assert_int_equal(look_at(&moved, T + 61 * DAY).standing, KNOWN_MX_CHANGED);
	assert_int_equal(look_at(&moved, T + 61 * DAY + 1).standing, KNOWN_NEW);
	/* once one of the new hosts is known, the domain has moved there */
	known_hosts_worked(&m, &moved, T + DAY, 20, NULL, NULL);
	assert_int_equal(look_at(&moved, T + DAY).standing, KNOWN_SEEN);
	const struct known_hosts_place second = { "b.example", "mx2.c.example", new_hosts, 2 };
	assert_int_equal(look_at(&second, T + DAY).standing, KNOWN_NEW);
}

static void
alerted_once_until_it_works_again(void **state)
{
	static const char *const new_hosts[] = { "mx.c.example" };
	const struct known_hosts_place moved = { "b.example", "mx.c.example", new_hosts, 1 };

	(void)state;
	known_hosts_alerted(&m, &b, T);
	assert_int_equal(standing(T), KNOWN_NEW);
	worked(T, k1, NULL);
	worked(T + DAY, k1, k2);
	assert_false(look_at(&b, T + DAY).alerted);
	known_hosts_alerted(&m, &b, T + DAY);
	struct known_host known = look_at(&b, T + DAY);
	assert_true(known.alerted && known.has_key && known.has_next);
	assert_int_equal(known.standing, KNOWN_ESTABLISHED);
	assert_false(look_at(&moved, T + DAY).alerted);
	known_hosts_alerted(&m, &moved, T + DAY);
	assert_true(look_at(&moved, T + DAY).alerted);
	worked(T + DAY + 1, k1, NULL);
	assert_false(look_at(&b, T + DAY).alerted);
	assert_false(look_at(&moved, T + DAY).alerted);
	known_hosts_alerted(&m, &b, T + DAY + 2);
	worked(T + DAY + 3, NULL, NULL);
	assert_false(look_at(&b, T + DAY).alerted);
	/* an alert is not a success */
	known_hosts_alerted(&m, &b, T + 50 * DAY);
	assert_int_equal(standing(T + 62 * DAY), KNOWN_NEW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(established_after_two_a_day_apart),
		TEST(lapses_after_60_days),
		TEST(one_success_lasts_60_days_too),
		TEST(not_every_success_is_written_down),
		TEST(the_newest_version_counts),
		TEST(a_key_is_established_separately),
		TEST(a_key_not_shown_again_is_dropped_before_it_is_established),
		TEST(the_next_key),
		TEST(names_are_the_same_in_either_case),
		TEST(names_up_to_255_octets),
		TEST(a_domain_whose_mx_hosts_changed),
		TEST(alerted_once_until_it_works_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
