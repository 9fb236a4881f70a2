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
	assert_int_equal(strlen(choice), 28 + 64 + 1 + 64 + 1 + 1580);
	assert_memory_equal(answer_line, "250 XCRYPT ", 11);
	assert_int_equal(strlen(answer_line), 11 + 64 + 1 + 64 + 1 + 64 + 1 + 1452 + 5 + 1 + 32);
	assert_true(strlen(choice) + 2 <= XCRYPT_LINE_MAX && strlen(answer_line) + 2 <= XCRYPT_LINE_MAX);
	hosts_prove();

	hosts_meet(MODERN, EVERYTHING);
	hosts_shake_hands();
	assert_int_equal(strlen(choice), 28 + 64 + 1 + 64 + 2 + 32);
	assert_int_equal(choice[28 + 64 + 1 + 64 + 1], '=');
	assert_int_equal(strlen(answer_line), 11 + 64 + 1 + 64 + 2 + 1 + 32);

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
		if (s->kex == &kex_hybrid)
			continue;
		hosts_set_up(NULL);
		hosts_meet(s->name, s->name);
		hosts_shake_hands();
		assert_false(handshake_met(&client) || handshake_met(&server));
		hosts_meet(s->name, s->name);
		hosts_shake_hands();
		assert_int_equal(handshake_met(&client), s->kex->cached);
		assert_int_equal(handshake_met(&server), s->kex->cached);
		assert_int_equal(client_keys.keeps, s->kex->cached ? 1 : 0);
		assert_int_equal(server_keys.keeps, s->kex->cached ? 1 : 0);
		assert_int_equal(client_keys.uses, s->kex->cached ? 1 : 0);
		assert_int_equal(server_keys.uses, s->kex->cached ? 1 : 0);
	}
}

/* Statement 5: any change on the way makes the confirmation wrong. */
static void
assert_confirmation_fails(void)
{
	assert_int_equal(client_takes_answer(), VERDICT_TAMPERED);
	handshake_proved(&client);
	assert_int_equal(client_keys.host_keeps, 0);
}

static void
threat_5_a_hello_changed_on_the_way_shows(void **state)
{
	static const char *const changed[] = { "EHLO b.example", "ehlo a.example", "EHLO a.example " };

	(void)state;
	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		hosts_meet(MODERN, MODERN);
		handshake_hello(&server, span_of(changed[i]));
		hosts_agree();
		assert_confirmation_fails();
	}
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
		server_agrees();
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
	server_agrees();
	assert_confirmation_fails();

	/* a letter in the other case, which decodes to the same key */
	hosts_meet(MODERN, MODERN);
	server_offers();
	client_proposes();
	choice[0] = 'x';
	server_agrees();
	assert_confirmation_fails();
}

/* Changes each field of the answer, and the case of a letter. */
static void
threat_5_an_answer_changed_on_the_way_shows(void **state)
{
	static const size_t places[] = { 11, 11 + 65 + 5, 11 + 130 + 7, 11 + 195 + 500, 11 + 195 + 1453 };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		hosts_meet(MODERN, MODERN);
		hosts_agree();
		char *digit = answer_line + places[i];
		*digit = *digit == '2' ? '3' : '2';
		assert_confirmation_fails();
	}
	for (size_t at = 1; at <= 32; at++) {
		hosts_meet(MODERN, MODERN);
		hosts_agree();
		char *digit = answer_line + strlen(answer_line) - at;
		*digit = *digit == '0' ? '1' : '0';
		assert_confirmation_fails();
	}
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	answer_line[4] = 'x';
	assert_confirmation_fails();
}

/* The same with a pre-shared secret: Eb, Nb and confirm-b. */
static void
threat_5_a_short_answer_changed_on_the_way_shows(void **state)
{
	static const size_t places[] = { 11, 11 + 63, 11 + 65, 11 + 130 + 2, 11 + 130 + 2 + 31 };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		hosts_set_up(NULL);
		hosts_have_met(MODERN);
		client_keys.host_keeps = 0;
		hosts_meet(MODERN, MODERN);
		hosts_agree();
		char *digit = answer_line + places[i];
		*digit = *digit == '2' ? '3' : '2';
		assert_confirmation_fails();
		assert_int_equal(client_keys.forgets, 1);
	}
}

/* An answer of another connection, whole or in parts, is not accepted on this one. */
static void
threat_5_answers_are_not_exchanged(void **state)
{
	char other[LINE_TEXT];

	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	strcpy(other, answer_line);
	for (size_t from = 0; from < strlen(other); from += 65) {
		hosts_meet(MODERN, MODERN);
		hosts_agree();
		memcpy(answer_line + from, other + from, strlen(other) - from);
		assert_confirmation_fails();
	}
}

/* A replayed choice is answered, but without the private keys the answer is useless. */
static void
threat_5_a_choice_said_again_gives_other_keys(void **state)
{
	uint8_t key[CIPHER_KEY_MAX];

	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	memcpy(key, server.agreement.key_ab, sizeof(key));
	handshake_start(&server, true, &server_suites, keys_source(&server_keys));
	handshake_hello(&server, SPAN(HELLO));
	server_offers();
	assert_int_equal(server_answers(), HANDSHAKE_ENCRYPTED);
	assert_memory_not_equal(key, server.agreement.key_ab, sizeof(key));
	/* nothing is stored without a record */
	assert_int_equal(server_keys.id_count, 0);
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
	/* an entry stays until it is stored */
	handshake_settle(&server);
	assert_memory_equal(server.agreement.key_ab, zeros, sizeof(zeros));
	assert_memory_equal(server.agreement.key_ba, zeros, sizeof(zeros));
	assert_memory_equal(server.hybrid.private, zeros, sizeof(zeros));
	assert_memory_equal(server.hybrid.kem_secret, zeros, sizeof(zeros));
	assert_memory_not_equal(server.hybrid.kept.secret, zeros, sizeof(zeros));
	assert_string_equal(handshake_suite(&server)->name, "chacha20poly1305_2.0");
	handshake_proved(&server);
	assert_memory_equal(server.hybrid.kept.secret, zeros, sizeof(zeros));

	server_keys.keeps_nothing = true;
	hosts_meet(MODERN, MODERN);
	hosts_shake_hands();
	handshake_settle(&server);
	handshake_settle(&client);
	assert_memory_equal(server.hybrid.kept.secret, zeros, sizeof(zeros));
	assert_memory_equal(client.hybrid.kept.secret, zeros, sizeof(zeros));
	assert_memory_equal(client.hybrid.private, zeros, sizeof(zeros));

	hosts_meet("arsyfor_1.0", "arsyfor_1.0");
	hosts_shake_hands();
	handshake_wipe(&server);
	assert_memory_equal(server.agreement.secret, zeros, sizeof(zeros));
	assert_memory_equal(server.agreement.key_ab, zeros, sizeof(zeros));
}

/* No keys are derived if the EHLO line or the offer is too long for the transcript. */
static void
lines_that_cannot_be_hashed_give_no_keys(void **state)
{
	static uint8_t longer[XCRYPT_LINE_MAX + 1];

	(void)state;
	memset(longer, 'a', sizeof(longer));
	hosts_meet(MODERN, MODERN);
	handshake_hello(&server, span(longer, sizeof(longer)));
	server_offers();
	client_proposes();
	assert_int_equal(server_answers(), HANDSHAKE_USED_UP);
	assert_string_equal(answer_line, "454 4.7.0 XCRYPT FAIL temporarily unavailable");
	hosts_meet(MODERN, MODERN);
	handshake_hello(&server, span(longer, XCRYPT_LINE_MAX));
	handshake_hello(&client, span(longer, XCRYPT_LINE_MAX));
	hosts_shake_hands();
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
		with_hosts(threat_5_a_hello_changed_on_the_way_shows),
		with_hosts(threat_5_an_offer_changed_on_the_way_shows),
		with_hosts(threat_5_a_choice_changed_on_the_way_shows),
		with_hosts(threat_5_an_answer_changed_on_the_way_shows),
		with_hosts(threat_5_a_short_answer_changed_on_the_way_shows),
		with_hosts(threat_5_answers_are_not_exchanged),
		with_hosts(threat_5_a_choice_said_again_gives_other_keys),
		with_hosts(an_offer_made_twice_is_one),
		with_hosts(wiping_leaves_no_secret),
		with_hosts(lines_that_cannot_be_hashed_give_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
