/* The cache of host key statements: each is signed once and verified once for each short key. */
#include "key_cache_fixture.h"

#include "base/octets.h"
#include "store/hostkey_cache.h"
#include "store/meetings.h"

#define X (&kex_hybrid)

static const struct suite real = { .kex = &kex_hybrid };
static const struct suite_list only_real = { { &real }, 1 };
static struct hostkey host, other;

#define UNTIL 2000000000

static int
make_keys(void **state)
{
	(void)state;
	return hostkey_make(&host) == 0 && hostkey_make(&other) == 0 ? 0 : -1;
}

/* A key that differs and cannot sign: its statements must come from the cache. */
static struct hostkey
without_private(const struct hostkey *key)
{
	struct hostkey k = *key;

	memset(k.private, 0, sizeof(k.private));
	return k;
}

static void
signed_once_for_each_short_key(void **state)
{
	struct hostkey blunt = without_private(&host);
	struct hostkey_id first, again;
	struct key_cache r;

	(void)state;
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_id(&r, X, &blunt, &first), -1);
	assert_int_equal(hostkey_cache_id(&r, X, &host, &first), 0);
	assert_true(hostkey_verify_id(&first, own(&r, X)->public));
	key_cache_close(&r);
	/* in every process, also after a compaction */
	for (int round = 0; round < 2; round++) {
		opened(&r, &only_real);
		assert_int_equal(hostkey_cache_id(&r, X, &blunt, &again), 0);
		assert_memory_equal(first.public, again.public, sizeof(first.public));
		assert_memory_equal(first.signature, again.signature, sizeof(first.signature));
		assert_int_equal(first.until_s, again.until_s);
		for (unsigned i = 0; i < STORE_COMPACT_AT; i++)
			keep(&r, X, i);
		key_cache_close(&r);
	}
	/* other host keys and other short keys have their own statements */
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_id(&r, X, &other, &again), 0);
	assert_memory_not_equal(first.signature, again.signature, sizeof(first.signature));
	key_cache_close(&r);
	age(X, LIFETIME_S);
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_id(&r, X, &blunt, &again), -1);
	assert_int_equal(hostkey_cache_id(&r, X, &host, &again), 0);
	assert_true(hostkey_verify_id(&again, own(&r, X)->public));
	assert_false(hostkey_verify_id(&first, own(&r, X)->public));
	key_cache_close(&r);
}

static void
the_next_key_is_announced_likewise(void **state)
{
	struct hostkey blunt = without_private(&host);
	struct hostkey_next first, again;
	struct key_cache r;

	(void)state;
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_next(&r, X, &host, UNTIL, other.public, &first), 0);
	assert_true(hostkey_verify_next(&first, host.public));
	assert_int_equal(first.until_s, UNTIL);
	assert_memory_equal(first.short_public, own(&r, X)->public, sizeof(first.short_public));
	key_cache_close(&r);
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_next(&r, X, &blunt, UNTIL, other.public, &again), 0);
	assert_memory_equal(first.public, again.public, sizeof(first.public));
	assert_memory_equal(first.short_public, again.short_public, sizeof(first.short_public));
	assert_memory_equal(first.signature, again.signature, sizeof(first.signature));
	assert_int_equal(again.until_s, UNTIL);
	/* another successor, and another `until`, have statements of their own */
	assert_int_equal(hostkey_cache_next(&r, X, &blunt, UNTIL, host.public, &again), -1);
	assert_int_equal(hostkey_cache_next(&r, X, &blunt, UNTIL + 1, other.public, &again), -1);
	key_cache_close(&r);
	/* it is dropped with the short key */
	age(X, LIFETIME_S);
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_next(&r, X, &blunt, UNTIL, other.public, &again), -1);
	key_cache_close(&r);
}

/* Valid until at most ten minutes after the short key is replaced. */
static void
valid_until_the_short_key_goes(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	struct hostkey_id id;
	struct key_cache r;
	int64_t now = clock_wall_s();

	(void)state;
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_id(&r, X, &host, &id), 0);
	assert_true(hostkey_verify_id(&id, own(&r, X)->public));
	assert_in_range(id.until_s, now + LIFETIME_S + 600, now + LIFETIME_S + 610);
	key_cache_close(&r);
	age(X, LIFETIME_S - 100);
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_id(&r, X, &host, &id), 0);
	assert_true(hostkey_verify_id(&id, own(&r, X)->public));
	assert_in_range(id.until_s, now + 700, now + 710);
	key_cache_close(&r);
	/* with a shorter lifetime, an old statement is not used any more */
	settings.lifetime_s = LIFETIME_S - 50;
	key_cache_open(&r, &settings);
	assert_int_equal(hostkey_cache_id(&r, X, &host, &id), 0);
	assert_true(hostkey_verify_id(&id, own(&r, X)->public));
	assert_in_range(id.until_s, now + 650, now + 660);
	key_cache_close(&r);
	/* a key that is not shared is valid only while its process runs */
	settings.directory = NULL;
	key_cache_open(&r, &settings);
	assert_int_equal(hostkey_cache_id(&r, X, &host, &id), 0);
	assert_true(hostkey_verify_id(&id, own(&r, X)->public));
	assert_in_range(id.until_s, now + 600, now + 610);
	key_cache_close(&r);
}

/* Only version 2.0 has host keys. */
static void
other_versions_have_no_statements(void **state)
{
	struct hostkey_id id;
	struct key_cache r;

	(void)state;
	opened(&r, &only_old);
	assert_int_equal(hostkey_cache_id(&r, X, &host, &id), -1);
	assert_int_equal(hostkey_cache_id(&r, &x_old, &host, &id), -1);
	key_cache_close(&r);
}

/* The XCRYPT-ID line of a server whose short key is `short_public`. */
static struct span
id_line(char text[HOSTKEY_STATEMENT_MAX], const struct hostkey *key, const uint8_t *short_key,
    int64_t until_s)
{
	struct hostkey_id id;

	assert_int_equal(hostkey_sign_id(&id, key, short_key, until_s), 0);
	return span(text, hostkey_put_id(text, &id));
}

static struct span
next_line(char text[HOSTKEY_STATEMENT_MAX], const struct hostkey *key, const uint8_t *short_key,
    int64_t until_s, const struct hostkey *next)
{
	struct hostkey_next after;

	assert_int_equal(hostkey_sign_next(&after, key, short_key, until_s, next->public), 0);
	return span(text, hostkey_put_next(text, &after));
}

static void
what_is_signed_is_believed(void **state)
{
	uint8_t peer_public[KEX_PUBLIC_MAX], elses[KEX_PUBLIC_MAX];
	char id_text[HOSTKEY_STATEMENT_MAX], next_text[HOSTKEY_STATEMENT_MAX];
	struct verified_statement v;
	struct key_cache r;

	(void)state;
	peer(peer_public, 1);
	peer(elses, 2);
	struct span id = id_line(id_text, &host, peer_public, UNTIL);
	struct span next = next_line(next_text, &host, peer_public, UNTIL, &other),
		none_said = SPAN("");
	opened(&r, &only_real);
	/* twice: verified, then found in the cache */
	for (int round = 0; round < 2; round++) {
		assert_int_equal(hostkey_cache_check(&r, X, peer_public, none_said, none_said,
				     UNTIL, &v),
		    STATEMENT_NONE);
		assert_int_equal(hostkey_cache_check(&r, X, peer_public, none_said, next, UNTIL,
				     &v),
		    STATEMENT_NONE);
		assert_int_equal(hostkey_cache_check(&r, X, elses, id, next, UNTIL, &v),
		    STATEMENT_INVALID);
		assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, none_said, UNTIL, &v),
		    STATEMENT_GOOD);
		assert_false(v.has_next);
		assert_memory_equal(v.public, host.public, sizeof(v.public));
		for (int again = 0; again < 2; again++) {
			assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, next,
					     UNTIL + 600, &v),
			    STATEMENT_GOOD);
			assert_true(v.has_next);
			assert_memory_equal(v.next.public, other.public, sizeof(v.next.public));
			assert_true(hostkey_verify_next(&v.next, v.public));
			assert_memory_equal(v.public, host.public, sizeof(v.public));
			assert_int_equal(v.until_s, UNTIL);
			assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, next,
					     UNTIL + 601, &v),
			    STATEMENT_EXPIRED);
		}
	}
	key_cache_close(&r);
}

/* An invalid line about the next key is ignored, and the valid XCRYPT-ID still counts. */
static void
an_invalid_next_key_is_ignored(void **state)
{
	uint8_t peer_public[KEX_PUBLIC_MAX], elses[KEX_PUBLIC_MAX];
	char id_text[HOSTKEY_STATEMENT_MAX], next_text[5][HOSTKEY_STATEMENT_MAX];
	struct verified_statement v;
	struct key_cache r;

	(void)state;
	peer(peer_public, 1);
	peer(elses, 2);
	struct span id = id_line(id_text, &host, peer_public, UNTIL);
	const struct span bad[] = {
		next_line(next_text[0], &other, peer_public, UNTIL, &other),
		next_line(next_text[1], &host, elses, UNTIL, &other),
		next_line(next_text[2], &host, peer_public, UNTIL - 1, &other),
		next_line(next_text[3], &host, peer_public, UNTIL + 1, &other),
		SPAN("XCRYPT-NEXT x"),
	};
	struct span good = next_line(next_text[4], &host, peer_public, UNTIL, &other);
	opened(&r, &only_real);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, bad[i], UNTIL, &v),
			    STATEMENT_GOOD);
			assert_false(v.has_next);
		}
		assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, good, UNTIL, &v),
		    STATEMENT_GOOD);
		assert_true(v.has_next);
		assert_int_equal(v.next.until_s, UNTIL);
	}
	key_cache_close(&r);
}

/* A stored secret expires with a valid host key statement; an invalid one sets no limit. */
static void
a_statement_bounds_what_is_kept(void **state)
{
	uint8_t peer_public[KEX_PUBLIC_MAX], elses[KEX_PUBLIC_MAX];
	char id_text[HOSTKEY_STATEMENT_MAX];
	struct verified_statement v;
	struct key_cache r;

	(void)state;
	peer(peer_public, 1);
	peer(elses, 2);
	struct span id = id_line(id_text, &host, peer_public, UNTIL);
	opened(&r, &only_real);
	meetings_set_host(&r, "mx.example", SPAN("192.0.2.1"), 25);
	assert_true(r.until_s == INT64_MAX);
	hostkey_cache_check(&r, X, elses, id, SPAN(""), UNTIL, &v);
	hostkey_cache_check(&r, X, peer_public, id, SPAN(""), UNTIL + 601, &v);
	assert_true(r.until_s == INT64_MAX);
	hostkey_cache_check(&r, X, peer_public, id, SPAN(""), UNTIL - 5, &v);
	assert_true(r.until_s == UNTIL);
	/* the limit does not apply to the next host */
	meetings_set_host(&r, "mx2.example", SPAN("192.0.2.1"), 25);
	assert_true(r.until_s == INT64_MAX);
	key_cache_close(&r);
}

static void
what_is_not_of_the_form_is_not_believed(void **state)
{
	uint8_t peer_public[KEX_PUBLIC_MAX], large[1024] = { 0 };
	char text[HOSTKEY_STATEMENT_MAX];
	struct verified_statement v;
	struct key_cache r;

	(void)state;
	peer(peer_public, 1);
	struct span id = id_line(text, &host, peer_public, UNTIL);
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_check(&r, X, peer_public, SPAN("XCRYPT-ID"), SPAN(""), UNTIL,
			     &v),
	    STATEMENT_INVALID);
	assert_int_equal(hostkey_cache_check(&r, X, peer_public, span(large, sizeof(large)),
			     SPAN(""), UNTIL, &v),
	    STATEMENT_INVALID);
	/*
	 * changes the signature's last character before the padding; also after a good one was
	 * cached
	 */
	assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, SPAN(""), UNTIL, &v),
	    STATEMENT_GOOD);
	text[id.len - 4] = text[id.len - 4] == 'A' ? 'B' : 'A';
	assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, SPAN(""), UNTIL, &v),
	    STATEMENT_INVALID);
	key_cache_close(&r);
}

/* A cached verdict needs no public-key operation: this one could not be the result of any. */
static void
verified_once(void **state)
{
	uint8_t key[2 + 64] = { 'V', 20 }, value[8 + 32 + 65], peer_public[KEX_PUBLIC_MAX];
	struct span line = SPAN("XCRYPT-ID not to be read");
	struct verified_statement v;
	struct key_cache r;

	(void)state;
	peer(peer_public, 1);
	opened(&r, &only_real);
	assert_int_equal(hostkey_cache_check(&r, X, peer_public, line, SPAN(""), UNTIL, &v),
	    STATEMENT_INVALID);
	memcpy(key + 2, own(&r, X)->public, 32);
	memcpy(key + 34, peer_public, 32);
	octets_put64(value, UNTIL);
	hostkey_digest(value + 8, line, SPAN(""));
	memcpy(value + 40, host.public, 65);
	assert_int_equal(store_append(&r.store, span(key, sizeof(key)), span(value, sizeof(value))),
	    0);
	assert_int_equal(hostkey_cache_check(&r, X, peer_public, line, SPAN(""), UNTIL, &v),
	    STATEMENT_GOOD);
	assert_memory_equal(v.public, host.public, 65);
	assert_int_equal(hostkey_cache_check(&r, X, peer_public, line, SPAN("x"), UNTIL, &v),
	    STATEMENT_INVALID);
	key_cache_close(&r);
	/* it is dropped with the own key */
	assert_int_equal(hostkey_cache_check(opened(&r, &only_real), X, peer_public, line, SPAN(""),
			     UNTIL, &v),
	    STATEMENT_GOOD);
	key_cache_close(&r);
	age(X, LIFETIME_S);
	assert_int_equal(hostkey_cache_check(opened(&r, &only_real), X, peer_public, line, SPAN(""),
			     UNTIL, &v),
	    STATEMENT_INVALID);
	key_cache_close(&r);
}

static void
with_the_cache_off_nothing_is_kept(void **state)
{
	struct key_cache_settings settings = settings_for(&only_real);
	uint8_t peer_public[KEX_PUBLIC_MAX];
	char text[HOSTKEY_STATEMENT_MAX];
	struct verified_statement v;
	struct key_cache r;

	(void)state;
	settings.directory = NULL;
	peer(peer_public, 1);
	struct span id = id_line(text, &host, peer_public, UNTIL);
	key_cache_open(&r, &settings);
	for (int round = 0; round < 2; round++)
		assert_int_equal(hostkey_cache_check(&r, X, peer_public, id, SPAN(""), UNTIL, &v),
		    STATEMENT_GOOD);
	key_cache_close(&r);
	assert_int_equal(scratch_size("keys.journal"), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signed_once_for_each_short_key),
		TEST(the_next_key_is_announced_likewise),
		TEST(valid_until_the_short_key_goes),
		TEST(other_versions_have_no_statements),
		TEST(what_is_signed_is_believed),
		TEST(an_invalid_next_key_is_ignored),
		TEST(a_statement_bounds_what_is_kept),
		TEST(what_is_not_of_the_form_is_not_believed),
		TEST(verified_once),
		TEST(with_the_cache_off_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
