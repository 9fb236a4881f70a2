/* The client's check of hosts that show their own or another key, or that are not known. */
#include "peer_checks.h"

enum shown { REMEMBERED, ANOTHER, NONE, OF_ANOTHER_SHORT_KEY, EXPIRED, TWICE };

static void
show(enum shown shown)
{
	show_key(shown == ANOTHER ? &new_key : &old_key, shown == EXPIRED ? -601 : 60);
	next_line[0] = '\0';
	if (shown == NONE)
		show_no_key();
	else if (shown == OF_ANOTHER_SHORT_KEY)
		memset(&server_keys, 0, sizeof(server_keys));
	else if (shown == TWICE)
		memcpy(next_line, id_line, sizeof(next_line));
}

/* What the host shows, and which of may, known, must and pinned go on. */
static void
host_keys(void **state)
{
	static const enum policy policies[] = { POLICY_MAY, POLICY_KNOWN, POLICY_MUST,
	    POLICY_PINNED };
	static const char *const goes_on[] = { [REMEMBERED] = "++++", [ANOTHER] = "+-+-",
	    [NONE] = "+-+-", [OF_ANOTHER_SHORT_KEY] = "+-+-", [EXPIRED] = "+-+-",
	    [TWICE] = "+-+-" };
	char expected[HOSTKEY_TEXT_LEN + 1] = "";

	(void)state;
	becomes_binding(&old_key);
	known_hosts_pin(&known_hosts, HOST, old_key.public, now);
	hostkey_put_public(expected, old_key.public);
	for (enum shown shown = REMEMBERED; shown <= TWICE; shown++)
		for (size_t p = 0; p < COUNT(policies); p++) {
			set_policy(policies[p]);
			memset(&server_keys, 0, sizeof(server_keys));
			show(shown);
			works();
			if (goes_on[shown][p] == '+')
				assert_goes_on();
			else
				assert_waits(OUTCOME_NOT_TRUSTED, "host key");
			if (shown == REMEMBERED) {
				assert_int_equal(check.verdict.alarm, ALARM_NONE);
				continue;
			}
			assert_int_equal(check.verdict.alarm, ALARM_KEY_CHANGED);
			assert_string_equal(check.verdict.expected, expected);
		}
	/* none of the wrong keys has replaced the remembered one */
	assert_memory_equal(known().key, old_key.public, HOSTKEY_PUBLIC_LEN);
}

/* Valid until ten minutes after its time, to the second. */
static void
a_statement_to_the_second(void **state)
{
	(void)state;
	set_policy(POLICY_KNOWN);
	becomes_binding(&old_key);
	show_key(&old_key, -HOSTKEY_ALLOWANCE_S);
	works();
	assert_goes_on();
	show_key(&old_key, -HOSTKEY_ALLOWANCE_S - 1);
	works();
	assert_waits(OUTCOME_NOT_TRUSTED, "past its time");
}

static void
the_key_that_was_announced(void **state)
{
	struct hostkey_next next;

	(void)state;
	set_policy(POLICY_KNOWN);
	becomes_binding(&old_key);
	show_key(&old_key, 60);
	hostkey_sign_next(&next, &old_key, keys_own(&server_keys, &kex_hybrid)->public, now + 60,
	    new_key.public);
	next_line[hostkey_put_next(next_line, &next)] = '\0';
	works();
	assert_goes_on();
	assert_true(known().has_next);
	next_line[0] = '\0';
	show_key(&new_key, 60);
	works();
	assert_goes_on();
	assert_memory_equal(known().key, new_key.public, HOSTKEY_PUBLIC_LEN);
	/* the old key is not accepted any more */
	show_key(&old_key, 60);
	works();
	assert_waits(OUTCOME_NOT_TRUSTED, "shows another host key");
}

/* Forged DNS answers name hosts that are not known, with and without encryption. */
static void
a_domain_whose_mx_hosts_changed(void **state)
{
	(void)state;
	set_policy(POLICY_KNOWN);
	becomes_binding(&old_key);
	show_no_key();
	check.place.host = hosts[1];
	check.place.hosts = &hosts[1];
	answers(STRIPPED);
	assert_waits(OUTCOME_NOT_TRUSTED, "-k forget -- b.example");
	works();
	assert_waits(OUTCOME_NOT_TRUSTED, "-k forget -- b.example");
	assert_string_equal(check.verdict.expected, HOST);
	/* beside a known host it is just a new one */
	check.place.hosts = hosts;
	check.place.host_count = 2;
	answers(STRIPPED);
	assert_goes_on();
}

/* If known hosts cannot be read, a new host may be a known one: mail waits, except under `may`. */
static void
known_hosts_that_cannot_be_read(void **state)
{
	(void)state;
	known_hosts_close(&known_hosts);
	for (int damaged = 0; damaged < 2; damaged++) {
		known_hosts_open(&known_hosts, damaged ? scratch : NULL, now);
		if (damaged) {
			becomes_binding(&old_key);
			known_hosts_close(&known_hosts);
			scratch_write("known.cdb", "x", 1);
			scratch_write("known.journal", "", 0);
			known_hosts_open(&known_hosts, scratch, now);
		}
		show_key(&new_key, 60);
		for (enum policy p = POLICY_MAY; p <= POLICY_PINNED; p++) {
			set_policy(p);
			works();
			if (p == POLICY_KNOWN || p == POLICY_PINNED) {
				assert_waits(OUTCOME_NOT_TRUSTED, "cannot be read");
				assert_null(strstr(check.verdict.text, "-k pin"));
			} else {
				assert_goes_on();
			}
		}
		known_hosts_close(&known_hosts);
	}
	known_hosts_open(&known_hosts, NULL, now);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(host_keys),
		TEST(a_statement_to_the_second),
		TEST(the_key_that_was_announced),
		TEST(a_domain_whose_mx_hosts_changed),
		TEST(known_hosts_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
