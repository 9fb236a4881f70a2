/*
 * The client's check of a host: the handshake asks, and known hosts, host keys and policy
 * answer.  The handshake (transparents.h) and the store are real; the test plays what is in
 * between.
 */
#ifndef TEST_PEER_CHECKS_H
#define TEST_PEER_CHECKS_H

#include "transparents.h"

#include "client/peer_check.h"
#include "scratch.h"

#define T INT64_C(1800000000)
#define DAY 86400
#define HOST "mx.b.example"
#define STRIPPED "250-mx\r\n250 SIZE 1\r\n"		/* an EHLO reply without the offer */

static struct known_hosts known_hosts;
static struct key_cache cache;
static struct peer_check check;
static struct hostkey old_key, new_key;
static int64_t now;
static const char *const hosts[] = { HOST, "mx2.b.example" };

/* The server's statements, as lines of the EHLO reply in the encrypted session. */
static char id_line[HOSTKEY_STATEMENT_MAX + 1], next_line[HOSTKEY_STATEMENT_MAX + 1];

static inline int64_t
test_now(void)
{
	return now;
}

static inline int
start_all(void **state)
{
	struct key_cache_settings settings = { .suites = &client_suites, .lifetime_s = 7200,
		.entries_max = 16, .now_s = test_now };

	now = T;
	id_line[0] = next_line[0] = '\0';
	if (scratch_open(state) < 0 || transparent_set_up(state) < 0 || hostkey_make(&old_key) < 0 ||
	    hostkey_make(&new_key) < 0)
		return -1;
	suites_named(&client_suites, MODERN);
	key_cache_open(&cache, &settings);
	known_hosts_open(&known_hosts, scratch, now);
	check = (struct peer_check){ .known_hosts = &known_hosts, .cache = &cache, .now_s = test_now,
		.policy = POLICY_MAY, .suites = &client_suites,
		.place = { "b.example", HOST, hosts, 1 } };
	set.check = peer_check_decide;
	set.check_context = &check;
	return 0;
}

static inline int
end_all(void **state)
{
	known_hosts_close(&known_hosts);
	key_cache_close(&cache);
	transparent_tear_down(state);
	return scratch_close(state);
}

static inline struct known_host
known(void)
{
	struct known_host k;

	known_hosts_look_up(&known_hosts, &check.place, now, &k);
	return k;
}

static inline void
set_policy(enum policy policy)
{
	check.policy = policy;
	set.encryption_required = policy_requires_encryption(policy);
}

/* The server's statement with that key, valid for some time from now on. */
static inline void
show_key(const struct hostkey *key, int64_t seconds)
{
	struct hostkey_id id;

	const struct kex_pair *pair = keys_own(&server_keys, &kex_hybrid);
	assert_int_equal(hostkey_sign_id(&id, key, pair->public, now + seconds), 0);
	id_line[hostkey_put_id(id_line, &id)] = '\0';
}

static inline void
show_no_key(void)
{
	id_line[0] = next_line[0] = '\0';
}

/* A connection on which XCRYPT works, up to the EHLO reply in the encrypted session. */
static inline void
works(void)
{
	char reply[2 * LINE_TEXT];

	peer_check_start(&check);
	call_inside(MODERN);
	snprintf(reply, sizeof(reply), "250-mx\r\n%s%s%s%s%s%s250 SIZE 1\r\n",
	    id_line[0] ? "250-" : "", id_line, id_line[0] ? "\r\n" : "",
	    next_line[0] ? "250-" : "", next_line, next_line[0] ? "\r\n" : "");
	bench_wire(&bench, reply);
}

/* A connection whose first EHLO gets that answer. */
static inline void
answers(const char *reply)
{
	peer_check_start(&check);
	call_ehlo(MODERN);
	bench_wire(&bench, reply);
}

static inline void
assert_goes_on(void)
{
	assert_true(bench.io.settled);
	assert_int_equal(bench.io.end, OUTCOME_NONE);
	assert_string_equal(check.verdict.text, "");
}

static inline void
assert_waits(enum outcome end, const char *words)
{
	assert_false(bench.io.settled);
	assert_int_equal(bench.io.end, end);
	if (strstr(check.verdict.text, words) == NULL)
		fail_msg("%s: %s", words, check.verdict.text);
	/* nothing of the reply or of a message has been passed on */
	assert_local(&bench, "");
}

/* Makes the host established: two successes a day apart, whatever the policy is. */
static inline void
becomes_binding(const struct hostkey *key)
{
	enum policy policy = check.policy;

	set_policy(POLICY_MAY);
	for (int i = 0; i < 2; i++) {
		if (key != NULL)
			show_key(key, 3600);
		works();
		assert_goes_on();
		now += DAY;
	}
	assert_int_equal(known().standing, KNOWN_ESTABLISHED);
	assert_int_equal(known().has_key, key != NULL);
	set_policy(policy);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start_all, end_all)

#endif
