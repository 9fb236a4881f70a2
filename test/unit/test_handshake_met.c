/*
 * Pre-shared secrets of 2.0: when they are stored, how they are used, when a client removes one.
 */
#include "handshakes.h"

#define MODERN "chacha20poly1305_2.0 aes256gcm_2.0"

static void
a_meeting_is_kept_and_found(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	assert_int_equal(server_keys.id_count, 1);
	assert_int_equal(client_keys.host_keeps, 1);
	assert_int_equal(client_keys.host_keep_s, KEYS_LIFE_S);
	assert_memory_equal(&client_keys.host, &server_keys.ids[0], sizeof(client_keys.host));
	assert_memory_equal(client_keys.host.server, keys_own(&server_keys, &kex_hybrid)->public, 32);
	assert_span(span(client_keys.host_offer, client_keys.host_offer_len), "XCRYPT " MODERN);
	/* many times, and with any suite of 2.0 */
	for (int i = 0; i < 3; i++) {
		hosts_meet(i == 1 ? "aes256gcm_2.0" : MODERN, MODERN);
		hosts_shake_hands();
		assert_true(handshake_met(&client) && handshake_met(&server));
		hosts_prove();
	}
	/* nothing new is stored; the server marks the entry as used */
	assert_int_equal(server_keys.id_count, 1);
	assert_int_equal(server_keys.id_uses, 3);
	assert_int_equal(client_keys.host_keeps, 1);
	assert_int_equal(client_keys.forgets, 0);
	assert_int_equal(client_keys.keeps + server_keys.keeps, 0);
}

/* A secret is stored once, when the other side has proved that it has the keys. */
static void
nothing_is_kept_before_the_proof(void **state)
{
	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	assert_true(client.owed && server.owed);
	handshake_settle(&client);
	handshake_settle(&server);
	assert_int_equal(server_keys.id_count + client_keys.host_keeps, 0);
	hosts_prove();
	hosts_prove();
	assert_int_equal(server_keys.id_count, 1);
	assert_int_equal(client_keys.host_keeps, 1);
	assert_memory_equal(&client_keys.host, &server_keys.ids[0], sizeof(client_keys.host));

	hosts_set_up(NULL);
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	handshake_wipe(&client);
	handshake_wipe(&server);
	hosts_prove();
	assert_int_equal(server_keys.id_count + client_keys.host_keeps, 0);
}

/* keep 0: neither side stores a secret, and every handshake is a first meeting. */
static void
a_server_may_keep_nothing(void **state)
{
	(void)state;
	server_keys.keeps_nothing = true;
	for (int i = 0; i < 2; i++) {
		hosts_have_met(MODERN);
		assert_non_null(strstr(answer_line, "= 0 "));
		assert_false(client.owed || server.owed);
	}
	assert_int_equal(server_keys.id_count + client_keys.host_keeps, 0);
}

static void
threat_19_keys_of_one_kept_secret_are_new_each_time(void **state)
{
	uint8_t key[CIPHER_KEY_MAX], first_choice[LINE_TEXT];

	(void)state;
	hosts_have_met(MODERN);
	for (int i = 0; i < 2; i++) {
		hosts_meet(MODERN, MODERN);
		hosts_shake_hands();
		assert_true(handshake_met(&client));
		assert_memory_not_equal(client.agreement.key_ab, client.agreement.key_ba, sizeof(key));
		if (i == 1) {
			assert_memory_not_equal(key, client.agreement.key_ab, sizeof(key));
			assert_memory_not_equal(key, client.agreement.key_ba, sizeof(key));
			assert_memory_not_equal(first_choice, choice, 28 + 64);
		}
		memcpy(key, client.agreement.key_ab, sizeof(key));
		memcpy(first_choice, choice, sizeof(choice));
	}
}

/* The server does not know the id: one more line each way, on the same connection. */
static void
an_unknown_id_costs_a_line(void **state)
{
	char said[LINE_TEXT];

	(void)state;
	hosts_have_met(MODERN);
	server_keys.id_count = 0;
	hosts_meet(MODERN, MODERN);
	server_offers();
	client_proposes();
	strcpy(said, choice);
	assert_int_equal(server_answers(), HANDSHAKE_UNKNOWN_ID);
	assert_string_equal(answer_line, "450 4.7.0 XCRYPT FAIL id not known");
	assert_null(handshake_suite(&server));
	assert_int_equal(client_takes_answer(), VERDICT_UNKNOWN_ID);
	assert_int_equal(client_keys.forgets, 1);

	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;
	buf_init(&out, mem, sizeof(mem));
	assert_int_equal(handshake_propose(&client, &out), 0);
	take_text(choice, buf_peek(&out));
	/* suite, Ea and Na are unchanged */
	assert_memory_equal(choice, said, 28 + 64 + 1 + 64 + 1);
	assert_int_equal(strlen(choice), 28 + 64 + 1 + 64 + 1 + 1580);
	server_agrees();
	assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
	assert_same_keys();
	assert_false(handshake_met(&client) || handshake_met(&server));
	hosts_prove();
	assert_int_equal(server_keys.id_count, 1);
	assert_int_equal(client_keys.host_keeps, 2);
}

/* A second 450 uses up the attempt; to a client that sent no id the first one is a refusal. */
static void
a_second_unknown_id_is_a_refusal(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	server_keys.id_count = 0;
	hosts_meet(MODERN, MODERN);
	server_offers();
	client_proposes();
	assert_int_equal(server_answers(), HANDSHAKE_UNKNOWN_ID);
	assert_int_equal(server_answers(), HANDSHAKE_USED_UP);
	assert_string_equal(answer_line, "450 4.7.0 XCRYPT FAIL id not known");
	assert_int_equal(client_takes_answer(), VERDICT_UNKNOWN_ID);
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;
	buf_init(&out, mem, sizeof(mem));
	assert_int_equal(handshake_propose(&client, &out), 0);
	assert_int_equal(client_takes_answer(), VERDICT_CLEAN_FAIL);
	hosts_meet(MODERN, MODERN);
	server_offers();
	client_proposes();
	strcpy(answer_line, "450 4.7.0 XCRYPT FAIL id not known");
	assert_int_equal(client_takes_answer(), VERDICT_CLEAN_FAIL);
	assert_int_equal(client_keys.forgets, 1);
}

/* The id of a first meeting with one suite works with the other suite of 2.0. */
static void
an_id_goes_with_any_suite(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	hosts_meet("aes256gcm_2.0", MODERN);
	hosts_shake_hands();
	assert_true(handshake_met(&client) && handshake_met(&server));
	assert_string_equal(handshake_suite(&server)->name, "aes256gcm_2.0");
}

/* A changed offer replaces the stored one, so that later calls do not fail once each. */
static void
another_offer_is_another_meeting(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	hosts_meet(MODERN, "aes256gcm_2.0");
	hosts_shake_hands();
	assert_false(handshake_met(&client) || handshake_met(&server));
	unsigned before = client_keys.host_keeps;
	handshake_proved(&client);
	assert_int_equal(client_keys.host_keeps, before + 1);
}

/* The server has another secret under that id: it is not the host of the first meeting. */
static void
threat_5_another_secret_shows(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	server_keys.ids[0].secret[31] ^= 1;
	hosts_meet(MODERN, MODERN);
	server_offers();
	client_proposes();
	assert_int_equal(server_answers(), HANDSHAKE_ENCRYPTED);
	assert_int_equal(client_takes_answer(), VERDICT_TAMPERED);
	/* the client removes the id; the server removes nothing */
	assert_int_equal(client_keys.forgets, 1);
	assert_int_equal(server_keys.id_count, 1);
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	assert_false(handshake_met(&client));
}

/* A wrong confirmation at a first meeting removes nothing. */
static void
tampering_with_a_first_meeting_forgets_nothing(void **state)
{
	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	char *digit = answer_line + strlen(answer_line) - 1;
	*digit = *digit == '0' ? '1' : '0';
	assert_int_equal(client_takes_answer(), VERDICT_TAMPERED);
	assert_int_equal(client_keys.forgets, 0);
	hosts_prove();
	assert_int_equal(client_keys.host_keeps, 0);
}

/* A later record that does not verify. */
static void
what_does_not_verify_is_forgotten(void **state)
{
	(void)state;
	hosts_have_met(MODERN);
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	handshake_forget(&client);
	handshake_forget(&server);
	assert_int_equal(client_keys.forgets, 1);
	assert_int_equal(server_keys.forgets, 0);
	hosts_prove();
	assert_int_equal(client_keys.host_keeps, 1);
}

/* Sending XCRYPT with EHLO uses the stored offer. */
static void
a_host_that_was_met_is_ridden_to(void **state)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	(void)state;
	buf_init(&out, mem, sizeof(mem));
	hosts_meet(MODERN, MODERN);
	assert_false(handshake_ride(&client, &out));
	assert_int_equal(buf_len(&out), 0);
	hosts_have_met(MODERN);

	hosts_meet(MODERN, MODERN);
	assert_true(handshake_ride(&client, &out));
	take_text(choice, buf_peek(&out));
	server_offers();
	assert_true(handshake_same_offer(&client, span_of(offer)));
	assert_false(handshake_same_offer(&client, SPAN("XCRYPT aes256gcm_2.0")));
	assert_false(handshake_same_offer(&client, SPAN("xcrypt " MODERN)));
	assert_false(handshake_same_offer(&client, SPAN("XCRYPT " MODERN " ")));
	assert_false(handshake_same_offer(&client, SPAN("")));
	server_agrees();
	assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
	assert_same_keys();
	assert_true(handshake_met(&client) && handshake_met(&server));

	/* the client accepts no suite of the stored offer any more */
	buf_clear(&out);
	hosts_meet("arsyfor_1.0", MODERN);
	assert_false(handshake_ride(&client, &out));
	assert_int_equal(buf_len(&out), 0);
	assert_null(handshake_suite(&client));
	/* an older suite in the stored offer is not sent with EHLO */
	memcpy(client_keys.host_offer, "XCRYPT arsyfor_1.0", 18);
	client_keys.host_offer_len = 18;
	assert_false(handshake_ride(&client, &out));
	assert_int_equal(buf_len(&out), 0);
	assert_null(handshake_suite(&client));
}

#define with_hosts(test) cmocka_unit_test_setup_teardown(test, hosts_set_up, hosts_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_hosts(a_meeting_is_kept_and_found),
		with_hosts(nothing_is_kept_before_the_proof),
		with_hosts(a_server_may_keep_nothing),
		with_hosts(threat_19_keys_of_one_kept_secret_are_new_each_time),
		with_hosts(an_unknown_id_costs_a_line),
		with_hosts(a_second_unknown_id_is_a_refusal),
		with_hosts(an_id_goes_with_any_suite),
		with_hosts(another_offer_is_another_meeting),
		with_hosts(threat_5_another_secret_shows),
		with_hosts(tampering_with_a_first_meeting_forgets_nothing),
		with_hosts(what_does_not_verify_is_forgotten),
		with_hosts(a_host_that_was_met_is_ridden_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
