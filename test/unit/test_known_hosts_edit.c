/* Known hosts: pinning, forgetting and listing by the user. */
#include "known_hosts_fixture.h"

static void
pins(void **state)
{
	struct known_host known;

	(void)state;
	assert_int_equal(known_hosts_pin(&m, "MX.b.example", k1, T), 0);
	known = look_at(&b, T);
	assert_true(known.has_pin && !known.pin_is_domains);
	assert_int_equal(known.standing, KNOWN_ESTABLISHED);
	assert_memory_equal(known.pin, k1, sizeof(k1));
	/* the domain's pin takes precedence */
	assert_int_equal(known_hosts_pin(&m, "b.example", k2, T), 0);
	known = look_at(&b, T);
	assert_true(known.pin_is_domains);
	assert_memory_equal(known.pin, k2, sizeof(k2));
	assert_int_equal(known_hosts_pin(&m, "b.example", k3, T), 0);
	assert_memory_equal(look_at(&b, T).pin, k3, sizeof(k3));
	/* pins do not lapse */
	open_again(T + 1000 * DAY);
	assert_true(look_at(&b, T + 1000 * DAY).has_pin);
	assert_int_equal(known_hosts_forget(&m, "b.example", T), 1);
	assert_memory_equal(look_at(&b, T).pin, k1, sizeof(k1));
	assert_int_equal(known_hosts_forget(&m, HOST, T), 1);
	assert_false(look_at(&b, T).has_pin);
}

/* A pin invalidates other keys that were seen there. */
static void
a_pin_takes_the_place_of_other_keys(void **state)
{
	static const char *const both[] = { HOST, "mx2.b.example" };
	const struct known_hosts_place second = { "b.example", "mx2.b.example", both, 2 };

	(void)state;
	worked(T, k1, k2);
	worked(T + DAY, k1, k2);
	assert_int_equal(known_hosts_pin(&m, HOST, k1, T + DAY), 0);
	assert_true(look_at(&b, T + DAY).has_key);
	assert_int_equal(known_hosts_pin(&m, HOST, k3, T + DAY), 0);
	struct known_host known = look_at(&b, T + DAY);
	assert_false(known.has_key || known.has_next);
	assert_memory_equal(known.pin, k3, sizeof(k3));
	/* and the host is still one of the domain's */
	assert_int_equal(look_at(&second, T + DAY).standing, KNOWN_NEW);
}

static void
forgetting(void **state)
{
	static const char *const hosts[] = { HOST, "mx2.b.example" };
	static const char *const second_host[] = { "mx2.b.example" };
	const struct known_hosts_place second = { "b.example", "mx2.b.example", hosts, 2 },
	    only_second = { "b.example", "mx2.b.example", second_host, 1 },
	    shared = { "c.example", HOST, one_host, 1 };

	(void)state;
	for (int day = 0; day < 2; day++) {
		known_hosts_worked(&m, &second, T + day * DAY, 20, NULL, NULL);
		known_hosts_worked(&m, &b, T + day * DAY + 1, 20, NULL, NULL);
		known_hosts_worked(&m, &shared, T + day * DAY, 20, NULL, NULL);
	}
	/* as an MX host of any domain */
	assert_int_equal(known_hosts_forget(&m, "Mx.B.example", T + DAY), 4);
	assert_int_equal(look_at(&b, T + DAY).standing, KNOWN_NEW);
	assert_int_equal(look_at(&shared, T + DAY).standing, KNOWN_NEW);
	assert_int_equal(look_at(&second, T + DAY).standing, KNOWN_ESTABLISHED);
	assert_int_equal(known_hosts_forget(&m, HOST, T + DAY), 0);
	/* as a domain */
	assert_int_equal(known_hosts_forget(&m, "b.example", T + DAY), 1);
	assert_int_equal(look_at(&only_second, T + DAY).standing, KNOWN_NEW);
}

static void
the_list_has_everything_once(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(known_hosts_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 0);
	known_hosts_pin(&m, "a.example", k3, T);
	worked(T, k1, NULL);
	worked(T + DAY, k1, k2);
	worked(T + 2 * DAY, k1, k2);
	assert_int_equal(known_hosts_list(&m, T + 2 * DAY, see, &seen), 0);
	assert_int_equal(seen.count, 2);
	const struct known_hosts_item *item = &seen.at[0];
	assert_string_equal(item->domain, "b.example");
	assert_string_equal(item->host, HOST);
	assert_int_equal(item->first_s, T);
	assert_int_equal(item->last_s, T + 2 * DAY);
	assert_true(item->binding && item->known.has_key && item->known.has_next);
	assert_int_equal(item->known.version, 20);
	assert_memory_equal(item->known.next, k2, sizeof(k2));
	assert_true(
	    known_hosts_item_matches(item, "B.example") && known_hosts_item_matches(item, HOST));
	assert_false(known_hosts_item_matches(item, "example"));
	item = &seen.at[1];
	assert_string_equal(item->domain, "a.example");
	assert_string_equal(item->host, "");
	assert_true(item->known.has_pin);
	assert_memory_equal(item->known.pin, k3, sizeof(k3));
	/* lapsed items are not listed; keys are, even before they are established */
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(known_hosts_list(&m, T + 100 * DAY, see, &seen), 0);
	assert_int_equal(seen.count, 1);
}

static void
as_many_as_there_is_room_for(void **state)
{
	char name[32];
	struct known_hosts_place place = { name, name, NULL, 0 };

	(void)state;
	m.entries_max = 100;
	known_hosts_pin(&m, "pinned.example", k1, T);
	for (int i = 0; i < 51; i++) {
		snprintf(name, sizeof(name), "h%d.example", i);
		known_hosts_worked(&m, &place, T + i, 20, NULL, NULL);
	}
	/* two entries for each (host and domain): the first must go, but no pin */
	assert_int_equal(known_hosts_pin(&m, "other.example", k1, T), 0);
	for (int i = 0; i < 51; i++) {
		snprintf(name, sizeof(name), "h%d.example", i);
		assert_int_equal(look_at(&place, T).standing, i < 1 ? KNOWN_NEW : KNOWN_SEEN);
	}
	snprintf(name, sizeof(name), "pinned.example");
	assert_true(look_at(&place, T).has_pin);
}

/* statement 29: new hosts push out neither established hosts nor those met again */
static void
threat_29_established_hosts_go_last(void **state)
{
	char name[32] = "binds.example";
	struct known_hosts_place place = { name, name, NULL, 0 };

	(void)state;
	m.entries_max = 100;
	known_hosts_worked(&m, &place, T, 20, k1, NULL);
	known_hosts_worked(&m, &place, T + DAY, 20, k1, NULL);
	snprintf(name, sizeof(name), "again.example");
	known_hosts_worked(&m, &place, T + DAY, 20, NULL, NULL);
	known_hosts_worked(&m, &place, T + DAY + KNOWN_HOSTS_FRESH_S, 20, NULL, NULL);
	snprintf(name, sizeof(name), "once.example");
	known_hosts_worked(&m, &place, T + 2 * DAY, 20, NULL, NULL);
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "h%d.example", i);
		known_hosts_worked(&m, &place, T + 2 * DAY + i, 20, NULL, NULL);
	}
	assert_int_equal(known_hosts_pin(&m, "pinned.example", k2, T), 0);
	snprintf(name, sizeof(name), "binds.example");
	struct known_host known = look_at(&place, T + 3 * DAY);
	assert_int_equal(known.standing, KNOWN_ESTABLISHED);
	assert_true(known.has_key);
	snprintf(name, sizeof(name), "again.example");
	assert_int_equal(look_at(&place, T + 3 * DAY).standing, KNOWN_SEEN);
	snprintf(name, sizeof(name), "once.example");
	assert_int_equal(look_at(&place, T + 3 * DAY).standing, KNOWN_NEW);
	snprintf(name, sizeof(name), "h59.example");
	assert_int_equal(look_at(&place, T + 3 * DAY).standing, KNOWN_SEEN);
}

/* What a session has read before is not stored after the user has forgotten it. */
static void
forgetting_while_sessions_run(void **state)
{
	struct known_hosts other;

	(void)state;
	worked(T, k1, NULL);
	worked(T + DAY, k1, NULL);
	open_again(T + DAY);
	known_hosts_open(&other, scratch, T + DAY);
	assert_int_equal(known_hosts_forget(&other, HOST, T + DAY), 2);
	known_hosts_alerted(&m, &b, T + DAY);
	worked(T + 2 * DAY, k1, NULL);
	open_again(T + 2 * DAY);
	assert_int_equal(standing(T + 2 * DAY), KNOWN_NEW);
	known_hosts_close(&other);
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
		TEST(threat_29_established_hosts_go_last),
		TEST(forgetting_while_sessions_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
