/* What is kept of the certificate for a day, and the key of session tickets, which lasts as long as the pair. */
#include "key_cache_fixture.h"

#include "store/certificate_cache.h"

#define BEGIN_S INT64_C(1800000000)
#define DAY_S 86400

static const struct suite real = { .kex = &kex_hybrid };
static const struct suite_list only_real = { { &real }, 1 };
static const uint8_t one[CERTIFICATE_CACHE_DIGEST_LEN] = { 1 }, other[CERTIFICATE_CACHE_DIGEST_LEN] = { 2 };
static const struct certificate_note noted = { .fault = 3, .until_s = BEGIN_S + 99 };
static int64_t now_s;

static int64_t
as_told(void)
{
	return now_s;
}

static int
set_up(void **state)
{
	now_s = BEGIN_S;
	return scratch_open(state);
}

static struct key_cache_settings
settings(const struct suite_list *suites)
{
	struct key_cache_settings s = settings_for(suites);

	s.now_s = as_told;
	return s;
}

/* A process that opens the cache now. */
static void
begin(struct key_cache *cache, const struct suite_list *suites)
{
	struct key_cache_settings s = settings(suites);

	key_cache_open(cache, &s);
}

static bool
is_known(const uint8_t *digest)
{
	struct certificate_note note;
	struct key_cache cache;

	begin(&cache, &only_real);
	bool found = certificate_cache_find(&cache, digest, &note);
	if (found) {
		assert_int_equal(note.fault, noted.fault);
		assert_int_equal(note.until_s, noted.until_s);
	}
	key_cache_close(&cache);
	return found;
}

static void
take_note(void)
{
	struct key_cache cache;

	begin(&cache, &only_real);
	certificate_cache_keep(&cache, one, &noted);
	key_cache_close(&cache);
}

static void
for_a_day(void **state)
{
	(void)state;
	assert_false(is_known(one));
	take_note();
	assert_true(is_known(one));
	assert_false(is_known(other));
	now_s += DAY_S - 1;
	assert_true(is_known(one));
	now_s++;
	assert_false(is_known(one));
	/* a clock that was put back */
	now_s = BEGIN_S - 1;
	assert_false(is_known(one));
}

/* The timer keeps a note of the last day, whatever pairs it replaces, and drops an older one. */
static void
survives_the_timer(void **state)
{
	struct key_cache_settings s = settings(&only_real);

	(void)state;
	take_note();
	now_s += LIFETIME_S + 1;
	assert_int_equal(key_cache_expire(&s), 0);
	assert_true(is_known(one));
	now_s += DAY_S;
	assert_int_equal(key_cache_expire(&s), 0);
	now_s = BEGIN_S;
	assert_false(is_known(one));
}

static void
without_a_cache(void **state)
{
	struct key_cache_settings s = { .suites = &only_real, .lifetime_s = LIFETIME_S,
		.entries_max = 10 };
	uint8_t key[KEY_CACHE_TICKET_LEN];
	struct certificate_note note;
	struct key_cache cache;

	(void)state;
	key_cache_open(&cache, &s);
	certificate_cache_keep(&cache, one, &noted);
	assert_false(certificate_cache_find(&cache, one, &note));
	assert_int_equal(key_cache_ticket_key(&cache, key), 0);
	key_cache_close(&cache);
}

/* The key in a process that begins now, and for how long it is used. */
static uint32_t
ticket(uint8_t key[KEY_CACHE_TICKET_LEN], const struct suite_list *suites)
{
	struct key_cache cache;

	begin(&cache, suites);
	uint32_t left_s = key_cache_ticket_key(&cache, key);
	key_cache_close(&cache);
	return left_s;
}

/* All processes have the same key until the pair is replaced; nobody else's depends on it. */
static void
tickets_last_as_long_as_the_pair(void **state)
{
	uint8_t a[KEY_CACHE_TICKET_LEN], b[KEY_CACHE_TICKET_LEN];

	(void)state;
	assert_int_equal(ticket(a, &only_real), LIFETIME_S);
	now_s += LIFETIME_S - 1;
	assert_int_equal(ticket(b, &only_real), 1);
	assert_memory_equal(a, b, sizeof(a));
	now_s++;
	assert_int_equal(ticket(b, &only_real), LIFETIME_S);
	assert_memory_not_equal(a, b, sizeof(a));
	/* without 2.0 there is no pair that it could come from */
	assert_int_equal(ticket(b, &only_rsa), 0);
}

/* A process that waits longer than that makes no tickets any more. */
static void
none_after_that(void **state)
{
	uint8_t key[KEY_CACHE_TICKET_LEN];
	struct key_cache cache;

	(void)state;
	begin(&cache, &only_real);
	now_s += LIFETIME_S;
	assert_int_equal(key_cache_ticket_key(&cache, key), 0);
	key_cache_close(&cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(for_a_day),
		TEST(survives_the_timer),
		TEST(without_a_cache),
		TEST(tickets_last_as_long_as_the_pair),
		TEST(none_after_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
