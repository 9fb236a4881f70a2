/* The memory of other hosts: what people pin, forget and list. */
#include "known_hosts_fixture.h"

static void
pins(void **state)
{
	struct memory_known known;

	(void)state;
	assert_int_equal(memory_pin(&m, "MX.b.example", k1, T), 0);
	known = look_at(&b, T);
	assert_true(known.has_pin && !known.pin_is_domains);
	assert_int_equal(known.standing, MEMORY_BINDING);
	assert_memory_equal(known.pin, k1, sizeof(k1));
	/* the domain's comes before it */
	assert_int_equal(memory_pin(&m, "b.example", k2, T), 0);
	known = look_at(&b, T);
	assert_true(known.pin_is_domains);
	assert_memory_equal(known.pin, k2, sizeof(k2));
	assert_int_equal(memory_pin(&m, "b.example", k3, T), 0);
	assert_memory_equal(look_at(&b, T).pin, k3, sizeof(k3));
	/* pins do not lapse */
	open_again(T + 1000 * DAY);
	assert_true(look_at(&b, T + 1000 * DAY).has_pin);
	assert_int_equal(memory_forget(&m, "b.example", T), 1);
	assert_memory_equal(look_at(&b, T).pin, k1, sizeof(k1));
	assert_int_equal(memory_forget(&m, HOST, T), 1);
	assert_false(look_at(&b, T).has_pin);
}

/* Another key that was shown there is no longer good. */
static void
a_pin_takes_the_place_of_other_keys(void **state)
{
	static const char *const both[] = { HOST, "mx2.b.example" };
	const struct memory_place second = { "b.example", "mx2.b.example", both, 2 };

	(void)state;
	worked(T, k1, k2);
	worked(T + DAY, k1, k2);
	assert_int_equal(memory_pin(&m, HOST, k1, T + DAY), 0);
	assert_true(look_at(&b, T + DAY).has_key);
	assert_int_equal(memory_pin(&m, HOST, k3, T + DAY), 0);
	struct memory_known known = look_at(&b, T + DAY);
	assert_false(known.has_key || known.has_next);
	assert_memory_equal(known.pin, k3, sizeof(k3));
	/* and the host is still one of the domain's */
	assert_int_equal(look_at(&second, T + DAY).standing, MEMORY_STRANGER);
}

static void
forgetting(void **state)
{
	static const char *const hosts[] = { HOST, "mx2.b.example" };
	static const char *const second_host[] = { "mx2.b.example" };
	const struct memory_place second = { "b.example", "mx2.b.example", hosts, 2 },
	    only_second = { "b.example", "mx2.b.example", second_host, 1 },
	    shared = { "c.example", HOST, one_host, 1 };

	(void)state;
	for (int day = 0; day < 2; day++) {
		memory_worked(&m, &second, T + day * DAY, 20, NULL, NULL);
		memory_worked(&m, &b, T + day * DAY + 1, 20, NULL, NULL);
		memory_worked(&m, &shared, T + day * DAY, 20, NULL, NULL);
	}
	/* as a mail host, of every domain */
	assert_int_equal(memory_forget(&m, "Mx.B.example", T + DAY), 4);
	assert_int_equal(look_at(&b, T + DAY).standing, MEMORY_STRANGER);
	assert_int_equal(look_at(&shared, T + DAY).standing, MEMORY_STRANGER);
	assert_int_equal(look_at(&second, T + DAY).standing, MEMORY_BINDING);
	assert_int_equal(memory_forget(&m, HOST, T + DAY), 0);
	/* as a domain */
	assert_int_equal(memory_forget(&m, "b.example", T + DAY), 1);
	assert_int_equal(look_at(&only_second, T + DAY).standing, MEMORY_STRANGER);
}

static void
the_list_has_everything_once(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(memory_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 0);
	memory_pin(&m, "a.example", k3, T);
	worked(T, k1, NULL);
	worked(T + DAY, k1, k2);
	worked(T + 2 * DAY, k1, k2);
	assert_int_equal(memory_list(&m, T + 2 * DAY, see, &seen), 0);
	assert_int_equal(seen.count, 2);
	const struct memory_item *item = &seen.at[0];
	assert_string_equal(item->domain, "b.example");
	assert_string_equal(item->host, HOST);
	assert_int_equal(item->first_s, T);
	assert_int_equal(item->last_s, T + 2 * DAY);
	assert_true(item->binding && item->known.has_key && item->known.has_next);
	assert_int_equal(item->known.rank, 20);
	assert_memory_equal(item->known.next, k2, sizeof(k2));
	assert_true(memory_item_is(item, "B.example") && memory_item_is(item, HOST));
	assert_false(memory_item_is(item, "example"));
	item = &seen.at[1];
	assert_string_equal(item->domain, "a.example");
	assert_string_equal(item->host, "");
	assert_true(item->known.has_pin);
	assert_memory_equal(item->known.pin, k3, sizeof(k3));
	/* what has lapsed is not shown; a key is, before it binds */
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(memory_list(&m, T + 100 * DAY, see, &seen), 0);
	assert_int_equal(seen.count, 1);
}

static void
as_many_as_there_is_room_for(void **state)
{
	char name[32];
	struct memory_place place = { name, name, NULL, 0 };

	(void)state;
	m.entries_max = 100;
	memory_pin(&m, "pinned.example", k1, T);
	for (int i = 0; i < 51; i++) {
		snprintf(name, sizeof(name), "h%d.example", i);
		memory_worked(&m, &place, T + i, 20, NULL, NULL);
	}
	/* two entries each, a host's and a domain's: the first has to go, and no pin */
	assert_int_equal(memory_pin(&m, "other.example", k1, T), 0);
	for (int i = 0; i < 51; i++) {
		snprintf(name, sizeof(name), "h%d.example", i);
		assert_int_equal(look_at(&place, T).standing, i < 1 ? MEMORY_STRANGER : MEMORY_RECENT);
	}
	snprintf(name, sizeof(name), "pinned.example");
	assert_true(look_at(&place, T).has_pin);
}

/* statement 29: strangers push out neither a host that binds nor one that has been met again */
static void
threat_29_hosts_that_bind_go_last(void **state)
{
	char name[32] = "binds.example";
	struct memory_place place = { name, name, NULL, 0 };

	(void)state;
	m.entries_max = 100;
	memory_worked(&m, &place, T, 20, k1, NULL);
	memory_worked(&m, &place, T + DAY, 20, k1, NULL);
	snprintf(name, sizeof(name), "again.example");
	memory_worked(&m, &place, T + DAY, 20, NULL, NULL);
	memory_worked(&m, &place, T + DAY + MEMORY_FRESH_S, 20, NULL, NULL);
	snprintf(name, sizeof(name), "once.example");
	memory_worked(&m, &place, T + 2 * DAY, 20, NULL, NULL);
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "h%d.example", i);
		memory_worked(&m, &place, T + 2 * DAY + i, 20, NULL, NULL);
	}
	assert_int_equal(memory_pin(&m, "pinned.example", k2, T), 0);
	snprintf(name, sizeof(name), "binds.example");
	struct memory_known known = look_at(&place, T + 3 * DAY);
	assert_int_equal(known.standing, MEMORY_BINDING);
	assert_true(known.has_key);
	snprintf(name, sizeof(name), "again.example");
	assert_int_equal(look_at(&place, T + 3 * DAY).standing, MEMORY_RECENT);
	snprintf(name, sizeof(name), "once.example");
	assert_int_equal(look_at(&place, T + 3 * DAY).standing, MEMORY_STRANGER);
	snprintf(name, sizeof(name), "h59.example");
	assert_int_equal(look_at(&place, T + 3 * DAY).standing, MEMORY_RECENT);
}

/* What a session had read before that is not written down behind it. */
static void
forgetting_while_sessions_run(void **state)
{
	struct memory other;

	(void)state;
	worked(T, k1, NULL);
	worked(T + DAY, k1, NULL);
	open_again(T + DAY);
	memory_open(&other, scratch, T + DAY);
	assert_int_equal(memory_forget(&other, HOST, T + DAY), 2);
	memory_told(&m, &b, T + DAY);
	worked(T + 2 * DAY, k1, NULL);
	open_again(T + 2 * DAY);
	assert_int_equal(standing(T + 2 * DAY), MEMORY_STRANGER);
	memory_close(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pins),
		TEST(a_pin_takes_the_place_of_other_keys),
		TEST(forgetting),
		TEST(the_list_has_everything_once),
		TEST(as_many_as_there_is_room_for),
		TEST(threat_29_hosts_that_bind_go_last),
		TEST(forgetting_while_sessions_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
