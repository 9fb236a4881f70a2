/* The memory of other hosts: what raises it, when it binds and lapses, and what people do to it. */
#include "unit.h"

#include "cache/memory_entry.h"
#include "scratch.h"

#define T INT64_C(1800000000)
#define DAY 86400
#define HOST "mx.b.example"

static struct memory m;
static const uint8_t k1[HOSTKEY_PUBLIC_LEN] = { 4, 1 }, k2[HOSTKEY_PUBLIC_LEN] = { 4, 2 },
    k3[HOSTKEY_PUBLIC_LEN] = { 4, 3 };
static const char *const one_host[] = { HOST };
static const struct memory_place b = { "b.example", HOST, one_host, 1 };

static int
open_memory(void **state)
{
	if (scratch_open(state) < 0)
		return -1;
	memory_open(&m, scratch, T);
	return m.stored ? 0 : -1;
}

static int
close_memory(void **state)
{
	memory_close(&m);
	return scratch_close(state);
}

static void
open_again(int64_t now_s)
{
	memory_close(&m);
	memory_open(&m, scratch, now_s);
}

static struct memory_known
look_at(const struct memory_place *place, int64_t now_s)
{
	struct memory_known known;

	memory_look(&m, place, now_s, &known);
	return known;
}

static enum memory_standing
standing(int64_t now_s)
{
	return look_at(&b, now_s).standing;
}

/* A success at our one place. */
static void
worked(int64_t now_s, const uint8_t *key, const uint8_t *next)
{
	memory_worked(&m, &b, now_s, 20, key, next);
}

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
	memory_worked(&m, &place, T, 20, k1, k2);
	assert_int_equal(look_at(&place, T).standing, MEMORY_RECENT);
	assert_int_equal(memory_pin(&m, name, k1, T), 0);
	name[MEMORY_NAME_MAX] = 'a';
	name[MEMORY_NAME_MAX + 1] = '\0';
	memory_worked(&m, &place, T, 20, k1, k2);
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

struct seen {
	size_t count;
	struct memory_item at[8];
};

static void
see(void *context, const struct memory_item *item)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	seen->at[seen->count++] = *item;
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

static void
folded_when_it_is_opened(void **state)
{
	(void)state;
	for (int i = 0; i < STORE_FOLD_AT / 2; i++)
		worked(T + i * MEMORY_FRESH_S, k1, NULL);
	assert_true(scratch_size("known.journal") > 0);
	int64_t end = T + STORE_FOLD_AT / 2 * MEMORY_FRESH_S;
	open_again(end);
	assert_int_equal(scratch_size("known.journal"), 0);
	assert_int_equal(standing(end), MEMORY_BINDING);
	/* what has lapsed is gone from the files too */
	for (int i = 0; i < STORE_FOLD_AT / 2; i++) {
		const struct memory_place other = { "c.example", "mx.c.example", NULL, 0 };
		memory_worked(&m, &other, end + 70 * DAY + i * MEMORY_FRESH_S, 20, NULL, NULL);
	}
	open_again(end + 80 * DAY);
	assert_true(scratch_size("known.cdb") > 0);
	struct seen seen = { 0 };
	assert_int_equal(memory_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 1);
}

static void
without_a_directory_everybody_is_a_stranger(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	worked(T, NULL, NULL);
	memory_close(&m);
	assert_int_equal(chmod(scratch, 0755), 0);
	for (int off = 0; off < 2; off++) {
		memory_open(&m, off ? NULL : scratch, T);
		assert_false(m.stored);
		worked(T, NULL, NULL);
		memory_told(&m, &b, T);
		assert_int_equal(standing(T), MEMORY_STRANGER);
		assert_int_equal(memory_pin(&m, HOST, k1, T), -1);
		assert_int_equal(memory_forget(&m, HOST, T), -1);
		assert_int_equal(memory_list(&m, T, see, &seen), -1);
		memory_close(&m);
	}
}

/* Values of other lengths, with flags and times that cannot be: as good as not there. */
static void
hostile_entries(void **state)
{
	uint8_t mem[MEMORY_KEY_MAX], value[MEMORY_HOST_LEN + 1] = { 0 };
	struct memory_host good = { .first_s = T, .last_s = T + DAY, .key_since_s = T, .rank = 20,
		.flags = MEMORY_FLAG_KEY };
	struct seen seen = { 0 };

	(void)state;
	struct span key = memory_key(mem, MEMORY_HOST, b.domain, b.host);
	memory_put_host(value, &good);
	for (size_t len = 0; len <= sizeof(value); len++) {
		assert_int_equal(store_append(&m.store, key, span(value, len)), 0);
		assert_int_equal(standing(T), len == MEMORY_HOST_LEN ? MEMORY_BINDING :
		    MEMORY_STRANGER);
	}
	static const int64_t times[][3] = {
		{ 0, T, T }, { -1, T, T }, { T + 1, T, T }, { INT64_MIN, INT64_MAX, T },
		{ 1, INT64_MAX, 1 }, { T, T + DAY, T + DAY + 1 }, { T, T + DAY, INT64_MIN },
		{ T, (INT64_C(1) << 40) + 1, T },
	};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct memory_host h = good;

		h.first_s = times[i][0];
		h.last_s = times[i][1];
		h.key_since_s = times[i][2];
		memory_put_host(value, &h);
		assert_int_equal(store_append(&m.store, key, span(value, MEMORY_HOST_LEN)), 0);
		assert_int_equal(standing(T), MEMORY_STRANGER);
		assert_int_equal(memory_list(&m, T, see, &seen), 0);
		assert_int_equal(seen.count, 0);
	}
	good.flags = 8;
	memory_put_host(value, &good);
	assert_int_equal(store_append(&m.store, key, span(value, MEMORY_HOST_LEN)), 0);
	assert_int_equal(standing(T), MEMORY_STRANGER);
	/* and keys of no kind, or of no name */
	assert_int_equal(store_append(&m.store, SPAN("?x"), SPAN("y")), 0);
	assert_int_equal(store_append(&m.store, SPAN("H"), span(value, MEMORY_HOST_LEN)), 0);
	assert_int_equal(store_append(&m.store, SPAN("K"), span(value, HOSTKEY_PUBLIC_LEN)), 0);
	assert_int_equal(store_append(&m.store, SPAN("D"), span(value, 20)), 0);
	assert_int_equal(memory_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(memory_forget(&m, HOST, T), 0);
	worked(T, NULL, NULL);
	assert_int_equal(standing(T), MEMORY_RECENT);
}

/* statement 15: the host where a domain worked last is told to mailers, and has to be a name */
static void
threat_15_a_host_remembered_is_a_name(void **state)
{
	static const char *const no_names[] = { "x\r\n250 ok", "x y", "\x1b[31m", "\x7f", "\xe9", "x\n" };
	uint8_t mem[MEMORY_KEY_MAX], value[MEMORY_DOMAIN_MAX];
	struct memory_domain d = { .first_s = T - DAY, .last_s = T };
	struct span key = memory_key(mem, MEMORY_DOMAIN, b.domain, NULL);

	(void)state;
	for (size_t i = 0; i <= sizeof(no_names) / sizeof(no_names[0]); i++) {
		bool good = i == sizeof(no_names) / sizeof(no_names[0]);
		const char *host = good ? "old.b.example" : no_names[i];
		struct buf name;

		d.host_len = (uint8_t)strlen(host);
		memcpy(d.host, host, d.host_len);
		assert_int_equal(store_append(&m.store, key, memory_put_domain(value, &d)), 0);
		assert_int_equal(standing(T), good ? MEMORY_MOVED : MEMORY_STRANGER);
		assert_string_equal(look_at(&b, T).last_host, good ? host : "");
		buf_init(&name, value, sizeof(value));
		assert_int_equal(memory_put_name(&name, host), good);
	}
}

static void
hostile_files(void **state)
{
	(void)state;
	worked(T, k1, NULL);
	assert_int_equal(memory_pin(&m, HOST, k1, T), 0);
	for (unsigned seed = 0; seed < 50; seed++) {
		uint8_t octets[5000];

		for (size_t i = 0; i < sizeof(octets); i++)
			octets[i] = (uint8_t)(seed * 31 + i * i * (seed + 1));
		memory_close(&m);
		scratch_write(seed % 2 ? "known.cdb" : "known.journal", octets, sizeof(octets));
		memory_open(&m, scratch, T);
		assert_true(m.stored);
		standing(T);
		struct seen seen = { 0 };
		memory_list(&m, T, see, &seen);
		worked(T, k1, NULL);
		assert_true(standing(T) != MEMORY_STRANGER);
	}
}

/* Clocks go back as well. */
static void
a_clock_that_goes_back(void **state)
{
	(void)state;
	worked(T, k1, NULL);
	worked(T + DAY, k1, NULL);
	/* ... to when a host without a battery begins */
	worked(1000, k1, k2);
	worked(2000, k1, k2);
	for (int64_t now_s = T - DAY; now_s <= T + DAY; now_s += DAY) {
		assert_int_equal(standing(now_s), MEMORY_BINDING);
		assert_true(look_at(&b, now_s).has_key && look_at(&b, now_s).has_next);
	}
	open_again(T + DAY);
	assert_int_equal(standing(T + DAY), MEMORY_BINDING);
}

/* Nor does it bind sooner for that. */
static void
a_key_seen_while_the_clock_was_back(void **state)
{
	(void)state;
	worked(T, NULL, NULL);
	worked(T - 2 * DAY, k1, NULL);
	assert_int_equal(standing(T), MEMORY_RECENT);
	assert_false(look_at(&b, T).has_key);
	worked(T + DAY, k1, NULL);
	assert_true(look_at(&b, T + DAY).has_key);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)

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
		TEST(pins),
		TEST(a_pin_takes_the_place_of_other_keys),
		TEST(forgetting),
		TEST(the_list_has_everything_once),
		TEST(as_many_as_there_is_room_for),
		TEST(folded_when_it_is_opened),
		TEST(without_a_directory_everybody_is_a_stranger),
		TEST(hostile_entries),
		TEST(threat_15_a_host_remembered_is_a_name),
		TEST(hostile_files),
		TEST(a_clock_that_goes_back),
		TEST(a_key_seen_while_the_clock_was_back),
		TEST(forgetting_while_sessions_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
