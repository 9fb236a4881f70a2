/* Known hosts: files that are full, foreign or hostile, and clocks that go back. */
#include "known_hosts_fixture.h"

#include "base/octets.h"

#include <cdb.h>
#include <errno.h>

static void
compacted_when_it_is_opened(void **state)
{
	(void)state;
	for (int i = 0; i < STORE_COMPACT_AT / 2; i++)
		worked(T + i * KNOWN_HOSTS_FRESH_S, k1, NULL);
	assert_true(scratch_size("known.journal") > 0);
	int64_t end = T + STORE_COMPACT_AT / 2 * KNOWN_HOSTS_FRESH_S;
	open_again(end);
	assert_int_equal(scratch_size("known.journal"), 0);
	assert_int_equal(standing(end), KNOWN_ESTABLISHED);
	/* a compaction removes lapsed entries from the files */
	for (int i = 0; i < STORE_COMPACT_AT / 2; i++) {
		const struct known_hosts_place other = { "c.example", "mx.c.example", NULL, 0 };
		known_hosts_worked(&m, &other, end + 70 * DAY + i * KNOWN_HOSTS_FRESH_S, 20, NULL,
		    NULL);
	}
	open_again(end + 80 * DAY);
	assert_true(scratch_size("known.cdb") > 0);
	struct seen seen = { 0 };
	assert_int_equal(known_hosts_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 1);
}

static void
without_a_directory_every_host_is_new(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	worked(T, NULL, NULL);
	known_hosts_close(&m);
	assert_int_equal(chmod(scratch, 0755), 0);
	for (int off = 0; off < 2; off++) {
		known_hosts_open(&m, off ? NULL : scratch, T);
		assert_false(m.stored);
		worked(T, NULL, NULL);
		known_hosts_alerted(&m, &b, T);
		assert_int_equal(standing(T), KNOWN_NEW);
		assert_int_equal(known_hosts_pin(&m, HOST, k1, T), -1);
		assert_int_equal(known_hosts_forget(&m, HOST, T), -1);
		assert_int_equal(known_hosts_list(&m, T, see, &seen), -1);
		known_hosts_close(&m);
	}
}

/* Values with impossible lengths, flags or times count as absent. */
static void
hostile_entries(void **state)
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX], value[KNOWN_HOSTS_HOST_LEN + 1] = { 0 };
	struct known_host_record good = { .first_s = T,
		.last_s = T + DAY,
		.key_since_s = T,
		.version = 20,
		.flags = KNOWN_HOSTS_FLAG_KEY };
	struct seen seen = { 0 };

	(void)state;
	struct span key = known_hosts_key(mem, KNOWN_HOSTS_HOST, b.domain, b.host);
	known_hosts_put_host(value, &good);
	for (size_t len = 0; len <= sizeof(value); len++) {
		assert_int_equal(store_append(&m.store, key, span(value, len)), 0);
		assert_int_equal(standing(T), len == KNOWN_HOSTS_HOST_LEN ? KNOWN_ESTABLISHED :
		    KNOWN_NEW);
	}
	static const int64_t times[][3] = {
		{ 0, T, T }, { -1, T, T }, { T + 1, T, T }, { INT64_MIN, INT64_MAX, T },
		{ 1, INT64_MAX, 1 }, { T, T + DAY, T + DAY + 1 }, { T, T + DAY, INT64_MIN },
		{ T, (INT64_C(1) << 40) + 1, T },
	};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct known_host_record h = good;

		h.first_s = times[i][0];
		h.last_s = times[i][1];
		h.key_since_s = times[i][2];
		known_hosts_put_host(value, &h);
		assert_int_equal(store_append(&m.store, key, span(value, KNOWN_HOSTS_HOST_LEN)), 0);
		assert_int_equal(standing(T), KNOWN_NEW);
		assert_int_equal(known_hosts_list(&m, T, see, &seen), 0);
		assert_int_equal(seen.count, 0);
	}
	good.flags = 8;
	known_hosts_put_host(value, &good);
	assert_int_equal(store_append(&m.store, key, span(value, KNOWN_HOSTS_HOST_LEN)), 0);
	assert_int_equal(standing(T), KNOWN_NEW);
	/* keys of an unknown kind or without a name */
	assert_int_equal(store_append(&m.store, SPAN("?x"), SPAN("y")), 0);
	assert_int_equal(store_append(&m.store, SPAN("H"), span(value, KNOWN_HOSTS_HOST_LEN)), 0);
	assert_int_equal(store_append(&m.store, SPAN("K"), span(value, HOSTKEY_PUBLIC_LEN)), 0);
	assert_int_equal(store_append(&m.store, SPAN("D"), span(value, 20)), 0);
	assert_int_equal(known_hosts_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 0);
	assert_int_equal(known_hosts_forget(&m, HOST, T), 0);
	worked(T, NULL, NULL);
	assert_int_equal(standing(T), KNOWN_SEEN);
}

/* statement 15: the host where a domain worked last appears in replies, so it must be a name */
static void
threat_15_a_host_remembered_is_a_name(void **state)
{
	static const char *const no_names[] = { "x\r\n250 ok", "x y", "\x1b[31m", "\x7f", "\xe9",
		"x\n" };
	uint8_t mem[KNOWN_HOSTS_KEY_MAX], value[KNOWN_HOSTS_DOMAIN_MAX];
	struct known_domain_record d = { .first_s = T - DAY, .last_s = T };
	struct span key = known_hosts_key(mem, KNOWN_HOSTS_DOMAIN, b.domain, NULL);

	(void)state;
	for (size_t i = 0; i <= sizeof(no_names) / sizeof(no_names[0]); i++) {
		bool good = i == sizeof(no_names) / sizeof(no_names[0]);
		const char *host = good ? "old.b.example" : no_names[i];
		struct buf name;

		d.host_len = (uint8_t)strlen(host);
		memcpy(d.host, host, d.host_len);
		assert_int_equal(store_append(&m.store, key, known_hosts_put_domain(value, &d)), 0);
		assert_int_equal(standing(T), good ? KNOWN_MX_CHANGED : KNOWN_NEW);
		assert_string_equal(look_at(&b, T).last_host, good ? host : "");
		buf_init(&name, value, sizeof(value));
		assert_int_equal(known_hosts_put_name(&name, host), good);
	}
}

static void
append_pin(const char *name, const uint8_t key[HOSTKEY_PUBLIC_LEN])
{
	uint8_t mem[KNOWN_HOSTS_KEY_MAX];

	assert_int_equal(store_append(&m.store, known_hosts_key(mem, KNOWN_HOSTS_PIN, name, NULL),
	    span(key, HOSTKEY_PUBLIC_LEN)), 0);
}

/* statement 39: a session can write to the journal, but not pin a key that way */
static void
threat_39_a_pin_in_the_journal_is_ignored(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	append_pin(HOST, k3);
	assert_false(look_at(&b, T).has_pin);
	open_again(T);
	assert_false(look_at(&b, T).has_pin);
	assert_int_equal(known_hosts_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 0);
	/* and it does not replace a pin, neither at once nor after a compaction */
	assert_int_equal(known_hosts_pin(&m, HOST, k1, T), 0);
	append_pin(HOST, k3);
	assert_memory_equal(look_at(&b, T).pin, k1, sizeof(k1));
	assert_int_equal(known_hosts_forget(&m, "other.example", T), 0);
	assert_memory_equal(look_at(&b, T).pin, k1, sizeof(k1));
	assert_int_equal(known_hosts_list(&m, T, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_memory_equal(seen.at[0].known.pin, k1, sizeof(k1));
}

static void
hostile_files(void **state)
{
	(void)state;
	worked(T, k1, NULL);
	assert_int_equal(known_hosts_pin(&m, HOST, k1, T), 0);
	for (unsigned seed = 0; seed < 50; seed++) {
		uint8_t octets[5000];

		for (size_t i = 0; i < sizeof(octets); i++)
			octets[i] = (uint8_t)(seed * 31 + i * i * (seed + 1));
		known_hosts_close(&m);
		scratch_write(seed % 2 ? "known.cdb" : "known.journal", octets, sizeof(octets));
		known_hosts_open(&m, scratch, T);
		assert_true(m.stored);
		standing(T);
		struct seen seen = { 0 };
		known_hosts_list(&m, T, see, &seen);
		worked(T, k1, NULL);
		assert_true(standing(T) != KNOWN_NEW || !known_hosts_complete(&m));
	}
}

/* One bit flipped in the CDB or inside the journal: nothing is rebuilt from it; it is reported. */
static void
what_is_damaged_is_left_as_it_is(void **state)
{
	static const char *const files[] = { "known.cdb", "known.journal" };
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(known_hosts_pin(&m, "one.example", k1, T), 0);
	assert_int_equal(known_hosts_pin(&m, "two.example", k2, T), 0);
	worked(T, k1, NULL);
	worked(T + DAY, k1, NULL);
	known_hosts_close(&m);
	for (size_t file = 0; file < 2; file++) {
		size_t len, begin = file == 0 ? 2048 : 0;
		uint8_t *octets = scratch_read(files[file], &len);

		/* all records of the CDB without its tables; all of the journal's but the last */
		size_t end = file == 0 ? cdb_unpack(octets) : octets_get32(octets) + 4;
		for (size_t bit = 8 * begin; bit < 8 * end; bit++) {
			octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
			scratch_write(files[file], octets, len);
			known_hosts_open(&m, scratch, T + DAY);
			assert_int_equal(known_hosts_list(&m, T + DAY, see, &seen), -1);
			assert_int_equal(errno, EBADMSG);
			seen.count = 0;
			assert_int_equal(known_hosts_pin(&m, "three.example", k3, T), -1);
			assert_int_equal(known_hosts_forget(&m, "two.example", T), -1);
			assert_false(known_hosts_complete(&m));
			known_hosts_close(&m);
			assert_int_equal(scratch_size(files[file]), len);
			octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		scratch_write(files[file], octets, len);
		free(octets);
	}
	known_hosts_open(&m, scratch, T + DAY);
	assert_int_equal(known_hosts_list(&m, T + DAY, see, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_true(known_hosts_complete(&m));
}

static void
a_clock_that_goes_back(void **state)
{
	(void)state;
	worked(T, k1, NULL);
	worked(T + DAY, k1, NULL);
	/* the clock starts in 1970, without a battery */
	worked(1000, k1, k2);
	worked(2000, k1, k2);
	for (int64_t now_s = T - DAY; now_s <= T + DAY; now_s += DAY) {
		assert_int_equal(standing(now_s), KNOWN_ESTABLISHED);
		assert_true(look_at(&b, now_s).has_key && look_at(&b, now_s).has_next);
	}
	open_again(T + DAY);
	assert_int_equal(standing(T + DAY), KNOWN_ESTABLISHED);
}

/* A key seen while the clock was back is not established sooner. */
static void
a_key_seen_while_the_clock_was_back(void **state)
{
	(void)state;
	worked(T, NULL, NULL);
	worked(T - 2 * DAY, k1, NULL);
	assert_int_equal(standing(T), KNOWN_SEEN);
	assert_false(look_at(&b, T).has_key);
	worked(T + DAY, k1, NULL);
	assert_true(look_at(&b, T + DAY).has_key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(compacted_when_it_is_opened),
		TEST(without_a_directory_every_host_is_new),
		TEST(hostile_entries),
		TEST(threat_15_a_host_remembered_is_a_name),
		TEST(threat_39_a_pin_in_the_journal_is_ignored),
		TEST(hostile_files),
		TEST(what_is_damaged_is_left_as_it_is),
		TEST(a_clock_that_goes_back),
		TEST(a_key_seen_while_the_clock_was_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
