/*
 * Handshakes between two correct hosts, the secrets they keep, and an attacker who changes lines.
 */
#include "handshakes.h"

#define MODERN "chacha20poly1305_2.0 aes256gcm_2.0"
#define EVERYTHING MODERN " arsyfor_1.0 rotn_0.1"

static void
every_suite_works(void **state)
{
	(void)state;
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		hosts_meet(every_suite(), s->name);
		hosts_shake_hands();
		assert_ptr_equal(handshake_suite(&client), s);
		assert_ptr_equal(handshake_suite(&server), s);
	}
}

static void
the_lines_are_these(void **state)
{
	(void)state;
	hosts_meet(MODERN, EVERYTHING);
	hosts_shake_hands();
	assert_string_equal(offer, "XCRYPT " EVERYTHING);
	assert_memory_equal(choice, "XCRYPT chacha20poly1305_2.0 ", 28);
	assert_int_equal(strlen(choice), 28 + 64 + 1 + 64);
	assert_memory_equal(answer_line, "250 XCRYPT ", 11);
	assert_int_equal(strlen(answer_line), 11 + 64 + 1 + 64);
	assert_memory_equal(ok, "XCRYPT OK ", 10);
	assert_int_equal(strlen(ok), 10 + 32);
	assert_memory_equal(ok_reply, "250 XCRYPT OK ", 14);
	assert_int_equal(strlen(ok_reply), 14 + 32);

	hosts_meet(EVERYTHING, "arsyfor_1.0");
	hosts_shake_hands();
	assert_int_equal(strlen(choice), strlen("XCRYPT arsyfor_1.0 ") + 192 + 1 + 20);
	assert_string_equal(ok, "XCRYPT OK");
	assert_string_equal(ok_reply, "250 XCRYPT OK");
}

/* Version 0.2: the text after OK is never the same, and only the other side can decrypt it. */
static void
halves_are_exchanged(void **state)
{
	char first[LINE_TEXT];

	(void)state;
	if (suite_find(SPAN("blowfish_0.2")) == NULL) {
		print_message("mbedTLS has no Blowfish here\n");
		skip();
	}
	for (int i = 0; i < 2; i++) {
		hosts_meet("blowfish_0.2", "blowfish_0.2");
		hosts_shake_hands();
		assert_int_equal(strlen(choice), strlen("XCRYPT blowfish_0.2 ") + 344 + 1 + 20);
		assert_int_equal(strlen(answer_line), strlen("250 XCRYPT ") + 344 + 1 + 20);
		assert_int_equal(strlen(ok), strlen("XCRYPT OK ") + 344);
		assert_int_equal(strlen(ok_reply), strlen("250 XCRYPT OK ") + 344);
		assert_memory_not_equal(client.agreement.half_a, client.agreement.half_b, 20);
		assert_true(i == 0 || strcmp(ok, first) != 0);
		strcpy(first, ok);
	}
	/* a half sealed for an earlier connection can be decrypted, but gives other keys */
	uint8_t key[CIPHER_KEY_MAX];
	memcpy(key, server.agreement.key_ab, sizeof(key));
	hosts_meet("blowfish_0.2", "blowfish_0.2");
	hosts_agree();
	strcpy(ok, first);
	assert_true(server_takes_ok());
	assert_memory_not_equal(server.agreement.key_ab, key, 10);
}

/* Version 0.2: a half that cannot be decrypted is a FAIL, not a sign of tampering. */
static void
halves_that_cannot_be_opened(void **state)
{
	(void)state;
	if (suite_find(SPAN("blowfish_0.2")) == NULL) {
		print_message("mbedTLS has no Blowfish here\n");
		skip();
	}
	for (int i = 0; i < 3; i++) {
		hosts_meet("blowfish_0.2", "blowfish_0.2");
		hosts_agree();
		client_says_ok();
		char *octet = &ok[strlen("XCRYPT OK ") + 100];
		if (i == 0)
			*octet = *octet == 'A' ? 'B' : 'A';
		else if (i == 1)
			*octet = '\0';
		else
			strcpy(ok, "XCRYPT OK");
		assert_false(server_takes_ok());
		assert_string_equal(ok_reply, "454 4.7.0 XCRYPT FAIL wrong confirmation");
		assert_int_equal(client_takes_ok(), VERDICT_UNINTELLIGIBLE);
	}
	hosts_meet("blowfish_0.2", "blowfish_0.2");
	hosts_agree();
	client_says_ok();
	assert_true(server_takes_ok());
	ok_reply[strlen("250 XCRYPT OK ")] ^= 1;
	assert_int_equal(client_takes_ok(), VERDICT_UNINTELLIGIBLE);
}

static void
letters_of_words_and_digits_are_read_in_either_case(void **state)
{
	(void)state;
	hosts_meet("arsyfor_1.0", "arsyfor_1.0");
	server_offers();
	client_proposes();
	memcpy(choice, "xCrYpT", 6);
	for (char *c = choice + strlen("XCRYPT arsyfor_1.0 "); *c != '\0'; c++)
		*c = (char)(*c >= 'a' && *c <= 'f' ? *c - 32 : *c);
	assert_int_equal(server_answers(), HANDSHAKE_AGREED);
	memcpy(answer_line, "250 xcrypt", 10);
	client_says_ok();
	strcpy(ok, "xcrypt ok");
	assert_true(server_takes_ok());
	strcpy(ok_reply, "250 xcrypt Ok");
	assert_int_equal(client_takes_ok(), VERDICT_GOOD);
	assert_same_keys();
}

static void
threat_5_the_newest_common_version_is_taken(void **state)
{
	static const struct {
		const char *accepted, *offered, *chosen;
	} rows[] = {
		{ EVERYTHING, "XCRYPT rotn_0.1 arsyfor_1.0 aes256gcm_2.0 chacha20poly1305_2.0",
		    "aes256gcm_2.0" },
		{ "rotn_0.1 arsyfor_1.0", "XCRYPT rotn_0.1 aes256gcm_2.0 arsyfor_1.0",
		    "arsyfor_1.0" },
		{ MODERN, "XCRYPT new_3.0 chacha20poly1305_2.0", "chacha20poly1305_2.0" },
		{ MODERN, "xcrypt  aes256gcm_2.0", "aes256gcm_2.0" },
		{ MODERN, "XCRYPT AES256GCM_2.0", NULL }, { MODERN, "XCRYPT arsyfor_1.0", NULL },
		{ MODERN, "XCRYPT", NULL }, { MODERN, "XCRYPT ", NULL }, { MODERN, "", NULL },
		{ MODERN, "XCRYPTS aes256gcm_2.0", NULL }, { MODERN, " XCRYPT aes256gcm_2.0",
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		hosts_meet(rows[i].accepted, "");
		bool chosen = handshake_choose(&client, span_of(rows[i].offered));
		assert_int_equal(chosen, rows[i].chosen != NULL);
		if (chosen)
			assert_string_equal(handshake_suite(&client)->name, rows[i].chosen);
		else
			assert_null(handshake_suite(&client));
	}
}

/* Two connections: the second one needs no public-key operation on either side. */
static void
secrets_are_kept_and_found(void **state)
{
	(void)state;
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		hosts_set_up(NULL);
		hosts_meet(s->name, s->name);
		hosts_shake_hands();
		assert_false(client.kept || server.kept);
		hosts_meet(s->name, s->name);
		hosts_shake_hands();
		assert_int_equal(client.kept, s->kex->cached);
		assert_int_equal(server.kept, s->kex->cached);
		assert_int_equal(client_keys.keeps, s->kex->cached ? 1 : 0);
		assert_int_equal(server_keys.keeps, s->kex->cached ? 1 : 0);
		assert_int_equal(client_keys.uses, s->kex->cached ? 1 : 0);
		assert_int_equal(server_keys.uses, s->kex->cached ? 1 : 0);
	}
}

static void
threat_19_keys_of_one_kept_secret_are_new_each_time(void **state)
{
	uint8_t key[CIPHER_KEY_MAX];

	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	memcpy(key, client.agreement.key_ab, sizeof(key));
	assert_memory_not_equal(key, client.agreement.key_ba, sizeof(key));
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	assert_true(client.kept);
	assert_memory_not_equal(key, client.agreement.key_ab, sizeof(key));
	assert_memory_not_equal(key, client.agreement.key_ba, sizeof(key));
}

static void
nothing_is_kept_of_what_did_not_finish(void **state)
{
	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	client_says_ok();
	assert_int_equal(handshake_compute(&server), 0);
	ok[strlen(ok) - 1] ^= 1;
	assert_false(server_takes_ok());
	assert_string_equal(ok_reply, "454 4.7.0 XCRYPT FAIL wrong confirmation");
	assert_int_equal(client_takes_ok(), VERDICT_TAMPERED);
	assert_int_equal(client_keys.keeps + server_keys.keeps, 0);
}

static void
a_wrong_secret_at_the_server_is_computed_anew(void **state)
{
	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	uint8_t right = server_keys.kept[0].secret[0];
	server_keys.kept[0].secret[0] ^= 1;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	assert_true(server.kept && server.recomputed);
	assert_int_equal(server_keys.keeps, 2);
	assert_int_equal(server_keys.uses, 0);
	assert_int_equal(server_keys.kept[0].secret[0], right);
}

/* A wrong secret at the client is replaced for the next connection; this one must end. */
static void
a_wrong_secret_at_the_client_is_replaced(void **state)
{
	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	uint8_t right = client_keys.kept[0].secret[0];
	client_keys.kept[0].secret[0] ^= 1;
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	client_says_ok();
	assert_false(server_takes_ok());
	assert_int_equal(client_takes_ok(), VERDICT_TAMPERED);
	assert_int_equal(client_keys.keeps, 2);
	assert_int_equal(server_keys.keeps, 1);
	assert_int_equal(client_keys.kept[0].secret[0], right);
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
}

/* A wrong confirmation while the secret was right does not change what is kept. */
static void
tampering_changes_no_secret(void **state)
{
	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	client_says_ok();
	assert_true(server_takes_ok());
	ok_reply[strlen(ok_reply) - 1] ^= 1;
	assert_int_equal(client_takes_ok(), VERDICT_TAMPERED);
	assert_int_equal(client_keys.keeps, 1);
	assert_int_equal(server_keys.keeps, 1);
}

/*
 * statement 5: the server rejects the client's confirmation, and the client the server's
 */
static void
assert_confirmation_fails(void)
{
	client_says_ok();
	assert_false(server_takes_ok());
	assert_int_equal(client_takes_ok(), VERDICT_TAMPERED);
	assert_int_equal(client_keys.keeps + server_keys.keeps, 0);
}

static void
threat_5_an_offer_changed_on_the_way_shows(void **state)
{
	static const char *const changed[] = {
		"XCRYPT chacha20poly1305_2.0", "XCRYPT aes256gcm_2.0",
		"XCRYPT aes256gcm_2.0 chacha20poly1305_2.0",
		"XCRYPT chacha20poly1305_2.0 aes256gcm_2.0 better_2.0",
		"XCRYPT chacha20poly1305_2.0 aes256gcm_2.0 ",
		"xcrypt chacha20poly1305_2.0 aes256gcm_2.0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		hosts_meet(MODERN, MODERN);
		server_offers();
		strcpy(offer, changed[i]);
		client_proposes();
		assert_int_equal(server_answers(), HANDSHAKE_AGREED);
		assert_confirmation_fails();
	}
}

static void
threat_5_a_choice_changed_on_the_way_shows(void **state)
{
	(void)state;
	/* another suite with the same key and nonce */
	hosts_meet(MODERN, MODERN);
	server_offers();
	client_proposes();
	char *fields = strchr(strchr(choice, ' ') + 1, ' '), other[LINE_TEXT];
	snprintf(other, sizeof(other), "XCRYPT aes256gcm_2.0%s", fields);
	strcpy(choice, other);
	assert_int_equal(server_answers(), HANDSHAKE_AGREED);
	assert_confirmation_fails();

	/* a letter in the other case, which decodes to the same key */
	hosts_meet(MODERN, MODERN);
	server_offers();
	client_proposes();
	choice[0] = 'x';
	assert_int_equal(server_answers(), HANDSHAKE_AGREED);
	assert_confirmation_fails();
}

static void
threat_5_an_answer_changed_on_the_way_shows(void **state)
{
	static const size_t from_the_end[] = { 1, 64, 66, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(from_the_end) / sizeof(from_the_end[0]); i++) {
		hosts_meet(MODERN, MODERN);
		hosts_agree();
		char *digit = answer_line + strlen(answer_line) - from_the_end[i];
		*digit = *digit == '0' ? '1' : '0';
		assert_confirmation_fails();
	}
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	answer_line[4] = 'x';
	assert_confirmation_fails();
}

/* The transcript contains the last offer, not an earlier one. */
static void
an_offer_made_twice_is_one(void **state)
{
	(void)state;
	hosts_meet(MODERN, MODERN);
	server_offers();
	server_offers();
	hosts_shake_hands();
	assert_string_equal(offer, "XCRYPT " MODERN);
}

static void
wiping_leaves_no_secret(void **state)
{
	static const uint8_t zeros[CIPHER_KEY_MAX];

	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	handshake_wipe(&server);
	assert_memory_equal(server.agreement.secret, zeros, sizeof(zeros));
	assert_memory_equal(server.agreement.key_ab, zeros, sizeof(zeros));
	assert_memory_equal(server.agreement.key_ba, zeros, sizeof(zeros));
	assert_memory_equal(server.agreement.confirm_a, zeros, 16);
}

#define with_hosts(test) cmocka_unit_test_setup_teardown(test, hosts_set_up, hosts_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_hosts(every_suite_works),
		with_hosts(the_lines_are_these),
		with_hosts(halves_are_exchanged),
		with_hosts(halves_that_cannot_be_opened),
		with_hosts(letters_of_words_and_digits_are_read_in_either_case),
		with_hosts(threat_5_the_newest_common_version_is_taken),
		with_hosts(secrets_are_kept_and_found),
		with_hosts(threat_19_keys_of_one_kept_secret_are_new_each_time),
		with_hosts(nothing_is_kept_of_what_did_not_finish),
		with_hosts(a_wrong_secret_at_the_server_is_computed_anew),
		with_hosts(a_wrong_secret_at_the_client_is_replaced),
		with_hosts(tampering_changes_no_secret),
		with_hosts(threat_5_an_offer_changed_on_the_way_shows),
		with_hosts(threat_5_a_choice_changed_on_the_way_shows),
		with_hosts(threat_5_an_answer_changed_on_the_way_shows),
		with_hosts(an_offer_made_twice_is_one),
		with_hosts(wiping_leaves_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
