/*
 * A server's host key statements: keys are read from files, used to sign when needed, and wiped.
 */
#include "key_cache_fixture.h"

#include "server/hostkey_cmd.h"
#include "sys/private_file.h"

static const struct suite real = { .kex = &kex_hybrid };
static const struct suite_list only_real = { { &real }, 1 };
static struct options options;
static struct hostkey host, after;
static struct hostkey_statements said;

static int
set_up(void **state)
{
	if (scratch_open(state) < 0 || hostkey_make(&host) < 0 || hostkey_make(&after) < 0)
		return -1;
	memset(&options, 0, sizeof(options));
	options.settings_file = scratch_path("conf");
	scratch_write("conf", "", 0);
	return 0;
}

static void
write_key(const char *name, const struct hostkey *key)
{
	char text[HOSTKEY_FILE_MAX];

	scratch_write(name, text, hostkey_put_file(text, key));
}

/* Opens the cache and reads the host keys, as a session does. */
static void
sign(struct key_cache *cache)
{
	hostkey_cmd_read(&options, &said);
	hostkey_cmd_sign(opened(cache, &only_real), &said);
}

static bool
is_wiped(const struct hostkey *key)
{
	static const uint8_t zeros[HOSTKEY_PRIVATE_LEN];

	return memcmp(key->private, zeros, sizeof(zeros)) == 0;
}

static void
without_a_key_nothing_is_said(void **state)
{
	struct key_cache cache;

	(void)state;
	sign(&cache);
	assert_int_equal(said.id_len + said.next_len, 0);
	key_cache_close(&cache);
	/* a successor without a host key is ignored */
	write_key(HOSTKEY_FILE_NEXT, &after);
	sign(&cache);
	assert_int_equal(said.id_len + said.next_len, 0);
	key_cache_close(&cache);
}

static void
the_host_says_whose_the_short_key_is(void **state)
{
	struct key_cache cache;
	struct hostkey_id id;

	(void)state;
	write_key(HOSTKEY_FILE, &host);
	sign(&cache);
	assert_int_equal(said.id_len + strlen("250-\r\n"), HOSTKEY_ID_LINE_LEN);
	assert_int_equal(said.next_len, 0);
	assert_true(hostkey_get_id(&id, span(said.id, said.id_len)));
	assert_memory_equal(id.public, host.public, sizeof(id.public));
	assert_true(hostkey_verify_id(&id, own(&cache, &kex_hybrid)->public));
	assert_true(is_wiped(&said.host));
	key_cache_close(&cache);
}

static void
a_successor_is_announced_beside_it(void **state)
{
	struct key_cache cache;
	struct hostkey_id id;
	struct hostkey_next next;

	(void)state;
	write_key(HOSTKEY_FILE, &host);
	write_key(HOSTKEY_FILE_NEXT, &after);
	sign(&cache);
	assert_int_equal(said.next_len + strlen("250-\r\n"), HOSTKEY_NEXT_LINE_LEN);
	assert_true(hostkey_get_id(&id, span(said.id, said.id_len)));
	assert_true(hostkey_get_next(&next, span(said.next, said.next_len)));
	assert_memory_equal(next.public, after.public, sizeof(next.public));
	assert_int_equal(next.until_s, id.until_s);
	memcpy(next.short_public, own(&cache, &kex_hybrid)->public, sizeof(next.short_public));
	assert_true(hostkey_verify_next(&next, host.public));
	key_cache_close(&cache);
}

/* A session that stays in the clear does not sign. */
static void
threat_23_what_is_not_needed_is_forgotten(void **state)
{
	struct key_cache cache;

	(void)state;
	write_key(HOSTKEY_FILE, &host);
	hostkey_cmd_read(&options, &said);
	assert_memory_equal(said.host.private, host.private, sizeof(host.private));
	hostkey_cmd_forget(&said);
	assert_true(is_wiped(&said.host));
	hostkey_cmd_sign(opened(&cache, &only_real), &said);
	assert_int_equal(said.id_len, 0);
	key_cache_close(&cache);
}

static void
files_that_may_not_be_used_are_none(void **state)
{
	struct key_cache cache;

	(void)state;
	scratch_write(HOSTKEY_FILE, "what?\n", 6);
	sign(&cache);
	assert_int_equal(said.id_len, 0);
	key_cache_close(&cache);
	write_key(HOSTKEY_FILE, &host);
	chmod(scratch_path(HOSTKEY_FILE), 0644);
	sign(&cache);
	assert_int_equal(said.id_len, 0);
	key_cache_close(&cache);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_close)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_key_nothing_is_said),
		TEST(the_host_says_whose_the_short_key_is),
		TEST(a_successor_is_announced_beside_it),
		TEST(threat_23_what_is_not_needed_is_forgotten),
		TEST(files_that_may_not_be_used_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
