/* Malformed lines of the handshake, on both sides. */
#include "handshakes.h"

#define MODERN "chacha20poly1305_2.0 aes256gcm_2.0"
#define EVERYTHING MODERN " arsyfor_1.0 rotn_0.1"

#define DIGITS_16 "0123456789abcdef"
#define DIGITS_32 DIGITS_16 DIGITS_16
#define DIGITS_64 DIGITS_32 DIGITS_32
#define ZEROS_16 "0000000000000000"
#define ZEROS_64 ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16
#define BOTH DIGITS_64 " " DIGITS_64

static const char malformed[] = "501 5.5.4 XCRYPT FAIL malformed";
static const char no_suite[] = "501 5.5.4 XCRYPT FAIL no suite given";
static const char not_offered[] = "504 5.5.4 XCRYPT FAIL suite not offered";
static const char key_refused[] = "454 4.7.0 XCRYPT FAIL key refused";
static const char not_able[] = "454 4.7.0 XCRYPT FAIL temporarily unavailable";
static const char not_known[] = "450 4.7.0 XCRYPT FAIL id not known";

static void
assert_answer(const char *names, struct span line, enum handshake_answer what, const char *says)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	hosts_meet("", names);
	server_offers();
	buf_init(&out, mem, sizeof(mem));
	assert_int_equal(handshake_answer(&server, line, &out), what);
	take_text(answer_line, buf_peek(&out));
	if (strcmp(answer_line, says) != 0)
		print_error("to %.*s\n", (int)line.len, (const char *)line.at);
	assert_string_equal(answer_line, says);
	assert_null(handshake_suite(&server));
}

struct refusal {
	const char *line;
	enum handshake_answer what;
	const char *says;
};

static void
proposals_are_refused_in_this_order(void **state)
{
	static const struct refusal rows[] = {
		/* without a suite it does not count as an attempt */
		{ "XCRYPT", HANDSHAKE_NO_SUITE, no_suite }, { "XCRYPT ", HANDSHAKE_NO_SUITE,
		    no_suite },
		{ "XCRYPT  rotn_0.1 0 6", HANDSHAKE_NO_SUITE, no_suite },
		{ "XCRYPT OK", HANDSHAKE_NO_SUITE, no_suite },
		{ "XCRYPT fail", HANDSHAKE_NO_SUITE, no_suite },
		/* a suite that is not offered is reported before other errors */
		{ "XCRYPT t32_1.0 0 6", HANDSHAKE_USED_UP, not_offered },
		{ "XCRYPT arsyfor_1.0 0 6", HANDSHAKE_USED_UP, not_offered },
		{ "XCRYPT AES256GCM_2.0 0 6", HANDSHAKE_USED_UP, not_offered },
		{ "XCRYPT arsyfor_1.0", HANDSHAKE_USED_UP, not_offered },
		{ "XCRYPT OKAY", HANDSHAKE_USED_UP, not_offered },
		/* a syntax error is reported before an unacceptable value */
		{ "XCRYPT aes256gcm_2.0", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 ", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " DIGITS_64, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " ", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " =", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " =" DIGITS_16, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " =" DIGITS_32 "0", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " " DIGITS_32, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " = " DIGITS_32, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " =" DIGITS_32 " ", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " =" DIGITS_32 " x", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0  " BOTH " =" DIGITS_32, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " DIGITS_64 "  " DIGITS_64 " =" DIGITS_32, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " DIGITS_64 "0 " DIGITS_64 " =" DIGITS_32, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " DIGITS_64 " " DIGITS_16 " =" DIGITS_32, HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " BOTH " QUJD", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " ZEROS_64 " " DIGITS_64 " x", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT rotn_0.1 0 26", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT rotn_0.1 0 06", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT rotn_0.1 1 6", HANDSHAKE_USED_UP, malformed },
		{ "XCRYPT aes256gcm_2.0 " ZEROS_64 " " DIGITS_64 " =" DIGITS_32, HANDSHAKE_USED_UP,
		    key_refused },
		{ "XCRYPT aes256gcm_2.0 " BOTH " =" DIGITS_32, HANDSHAKE_UNKNOWN_ID, not_known },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_answer(MODERN " rotn_0.1", span_of(rows[i].line), rows[i].what,
		    rows[i].says);
}

static void
octets_that_are_no_text_are_malformed(void **state)
{
	(void)state;
	assert_answer(EVERYTHING, SPAN("XCRYPT rotn_0.1 0 6\0"), HANDSHAKE_USED_UP, malformed);
	assert_answer(EVERYTHING, SPAN("XCRYPT rotn_0.1 0 6\xff"), HANDSHAKE_USED_UP, malformed);
	assert_answer(EVERYTHING, SPAN("XCRYPT rotn_0.1 0 6\r"), HANDSHAKE_USED_UP, malformed);
	assert_answer(EVERYTHING, SPAN("XCRYPT rotn_0.1\t0 6"), HANDSHAKE_USED_UP, not_offered);
	assert_answer(EVERYTHING, SPAN("XCRYPT rotn_0.1\0 0 6"), HANDSHAKE_USED_UP, not_offered);
	assert_answer(EVERYTHING, SPAN("XCRYPT\trotn_0.1 0 6"), HANDSHAKE_NO_SUITE, no_suite);
}

/* No well-formed line has 510 octets; the limit shows in a 504, because that is checked first. */
static void
lines_that_are_too_long_are_malformed(void **state)
{
	static const struct { const char *head; size_t limit; } rows[] = {
		{ "XCRYPT rotn_0.1 0 ", XCRYPT_OLD_LINE_MAX }, { "XCRYPT aes256gcm_2.0 ", XCRYPT_LINE_MAX },
	};
	char line[LINE_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t len = rows[i].limit - 3; len <= rows[i].limit + 100; len++) {
			memset(line, '0', len);
			memcpy(line, rows[i].head, strlen(rows[i].head));
			assert_answer(EVERYTHING, span(line, len), HANDSHAKE_USED_UP, malformed);
			memcpy(line, "XCRYPT what_0.1 0 ", 18);
			assert_answer(EVERYTHING, span(line, len), HANDSHAKE_USED_UP, not_offered);
		}
}

/* statement 18: 0, 1, p-1 and p, and wrong lengths */
static void
threat_18_keys_of_no_use_are_refused(void **state)
{
	char line[LINE_TEXT], key[194];
	static const struct {
		size_t digits;
		char last;
		const char *says;
	} rows[] = {
		{ 192, '0', key_refused }, { 192, '1', key_refused },
		{ 191, '5', malformed }, { 193, '5', malformed },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(key, '0', sizeof(key));
		key[rows[i].digits - 1] = rows[i].last;
		key[rows[i].digits] = '\0';
		snprintf(line, sizeof(line), "XCRYPT arsyfor_1.0 %s 0123456789abcdef0123", key);
		assert_answer(EVERYTHING, span_of(line), HANDSHAKE_USED_UP, rows[i].says);
	}
	memset(key, 'f', 192);
	key[192] = '\0';
	snprintf(line, sizeof(line), "XCRYPT arsyfor_1.0 %s 0123456789abcdef0123", key);
	assert_answer(EVERYTHING, span_of(line), HANDSHAKE_USED_UP, key_refused);
}

/* 2.0: the two-hour pair is needed for every handshake, because its age determines keep. */
static void
without_a_key_the_server_is_not_able(void **state)
{
	char line[LINE_TEXT];

	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	strcpy(line, choice);
	server_keys.none = true;
	assert_answer(MODERN, span_of(line), HANDSHAKE_USED_UP, not_able);
	memset(line, '4', 192);
	line[192] = '\0';
	assert_answer("arsyfor_1.0", span_of(spell("XCRYPT arsyfor_1.0 @ 0123456789abcdef0123", line)),
	    HANDSHAKE_USED_UP, not_able);
}

static void
without_a_key_the_client_does_not_propose(void **state)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	(void)state;
	client_keys.none = true;
	hosts_meet("arsyfor_1.0", "arsyfor_1.0");
	server_offers();
	buf_init(&out, mem, sizeof(mem));
	assert_true(handshake_choose(&client, span_of(offer)));
	assert_int_equal(handshake_propose(&client, &out), -1);
	assert_int_equal(buf_len(&out), 0);
}

/* statement 18: only the client can get its own key and nonce back */
static void
threat_18_our_own_key_and_nonce_are_refused(void **state)
{
	(void)state;
	hosts_meet("arsyfor_1.0", "arsyfor_1.0");
	hosts_agree();
	char *fields = strchr(strchr(choice, ' ') + 1, ' ');
	snprintf(answer_line, sizeof(answer_line), "250 XCRYPT%s", fields);
	assert_int_equal(client_takes_answer(), VERDICT_KEY_REFUSED);
}

/* A host that connects to itself has the same key on both sides, which works. */
static void
our_own_key_with_another_nonce_is_not(void **state)
{
	(void)state;
	hosts_meet("arsyfor_1.0", "arsyfor_1.0");
	handshake_start(&server, true, &server_suites, keys_source(&client_keys));
	hosts_shake_hands();
}

/* 2.0: the client's own two-hour key as Sb, or its own Ea as Eb, is refused. */
static void
threat_18_our_own_server_key_is_refused(void **state)
{
	char ea[65];

	(void)state;
	hosts_meet(MODERN, MODERN);
	handshake_start(&server, true, &server_suites, keys_source(&client_keys));
	handshake_hello(&server, SPAN(HELLO));
	hosts_agree();
	assert_int_equal(client_takes_answer(), VERDICT_UNINTELLIGIBLE);
	assert_false(handshake_has_keys(&client));

	hosts_meet(MODERN, MODERN);
	hosts_agree();
	memcpy(ea, strchr(strchr(choice, ' ') + 1, ' ') + 1, 64);
	memcpy(answer_line + 11, ea, 64);
	assert_int_equal(client_takes_answer(), VERDICT_UNINTELLIGIBLE);
	assert_int_equal(client_keys.forgets, 0);
}

static void
assert_verdict(struct span raw, enum handshake_verdict verdict)
{
	hosts_meet(EVERYTHING, "arsyfor_1.0");
	hosts_agree();
	if (handshake_take_answer(&client, reply_of(raw)) != verdict)
		fail_msg("wrong verdict of %.*s", (int)raw.len, (const char *)raw.at);
}

#define DIGITS_192 DIGITS_64 DIGITS_64 DIGITS_64
#define ZEROS_192 ZEROS_64 ZEROS_64 ZEROS_64
#define FIELDS DIGITS_192 " " DIGITS_16 "0123"

/* statement 6 */
static void
threat_6_only_an_exact_answer_is_accepted(void **state)
{
	static const struct span none[] = {
#define ROW(text) { (const uint8_t *)text, sizeof(text) - 1 }
		ROW("250 XCRYPT\r\n"), ROW("250 OK\r\n"), ROW("250 XCRYPT OK\r\n"), ROW("250\r\n"),
		ROW("354 XCRYPT " FIELDS "\r\n"), ROW("220 XCRYPT " FIELDS "\r\n"),
		ROW("251 XCRYPT " FIELDS "\r\n"), ROW("421 4.3.2 later\r\n"),
		ROW("250 XCRYPT " FIELDS "\n"), ROW("250 XCRYPT " FIELDS " \r\n"),
		ROW("250 XCRYPT " FIELDS " x\r\n"), ROW("250  XCRYPT " FIELDS "\r\n"),
		ROW("250 XCRYPT  " FIELDS "\r\n"), ROW("250 XCRYPT " FIELDS "0\r\n"),
		ROW("250 XCRYPT " FIELDS "\0\r\n"), ROW("250 XCRYPT " FIELDS "\r\r\n"),
		ROW("250 XCRYPT\0" FIELDS "\r\n"), ROW("250 XCRYPT " FIELDS "\xc3\r\n"),
		ROW("250 XCRYPTS " FIELDS "\r\n"), ROW("250 XCRYPT\t" FIELDS "\r\n"),
		ROW("250 aes256gcm_2.0 XCRYPT " FIELDS "\r\n"),
		ROW("250-XCRYPT " FIELDS "\r\n250 XCRYPT " FIELDS "\r\n"),
		ROW("250-hello\r\n250 XCRYPT " FIELDS "\r\n"),
		ROW("454-4.7.0 no\r\n454 4.7.0 no\r\n"), ROW("454-no\r\n250 XCRYPT " FIELDS "\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_verdict(none[i], VERDICT_UNINTELLIGIBLE);
	assert_verdict(SPAN("250 XCRYPT " FIELDS "\r\n"), VERDICT_GOOD);
}

static void
a_refusal_in_one_line_is_clean(void **state)
{
	(void)state;
	assert_verdict(SPAN("454 4.7.0 XCRYPT FAIL temporarily unavailable\r\n"), VERDICT_CLEAN_FAIL);
	assert_verdict(SPAN("501 what?\r\n"), VERDICT_CLEAN_FAIL);
	assert_verdict(SPAN("500\r\n"), VERDICT_CLEAN_FAIL);
	assert_verdict(SPAN("250 XCRYPT " ZEROS_192 " " DIGITS_16 "0123\r\n"), VERDICT_KEY_REFUSED);
}

/* An answer of 512 octets is checked for its form; one octet more is refused in any case. */
static void
threat_6_over_long_answers_are_refused(void **state)
{
	char raw[LINE_TEXT];

	(void)state;
	for (size_t len = XCRYPT_OLD_LINE_MAX; len <= XCRYPT_OLD_LINE_MAX + 1; len++) {
		memset(raw, '0', len);
		memcpy(raw, "250 XCRYPT ", 11);
		memcpy(raw + len - 2, "\r\n", 2);
		assert_verdict(span(raw, len), VERDICT_UNINTELLIGIBLE);
	}
}

/* 2.0: @ is the right answer, which has another form with a pre-shared secret. */
static void
threat_6_only_an_exact_answer_of_2_0_is_one(void **state)
{
	static const struct { const char *pattern; enum handshake_verdict verdict; } rows[] = {
		{ "@\r\n", VERDICT_ENCRYPTED }, { "@ \r\n", VERDICT_UNINTELLIGIBLE },
		{ "@\n", VERDICT_UNINTELLIGIBLE }, { "@ x\r\n", VERDICT_UNINTELLIGIBLE },
		{ "@\r\r\n", VERDICT_UNINTELLIGIBLE }, { "@0\r\n", VERDICT_UNINTELLIGIBLE },
		{ "@\xff\r\n", VERDICT_UNINTELLIGIBLE }, { "250-ok\r\n@\r\n", VERDICT_UNINTELLIGIBLE },
		{ "250 @\r\n", VERDICT_UNINTELLIGIBLE }, { "220 @\r\n", VERDICT_UNINTELLIGIBLE },
		{ "250\r\n", VERDICT_UNINTELLIGIBLE }, { "250 XCRYPT\r\n", VERDICT_UNINTELLIGIBLE },
		{ "250 XCRYPT OK\r\n", VERDICT_UNINTELLIGIBLE },
		{ "250 XCRYPT FAIL\r\n", VERDICT_UNINTELLIGIBLE },
		{ "354 go\r\n", VERDICT_UNINTELLIGIBLE }, { "421 4.3.2 later\r\n", VERDICT_UNINTELLIGIBLE },
		{ "450-x\r\n450 x\r\n", VERDICT_UNINTELLIGIBLE },
		{ "454-x\r\n454 x\r\n", VERDICT_UNINTELLIGIBLE },
		{ "454 4.7.0 XCRYPT FAIL temporarily unavailable\r\n", VERDICT_CLEAN_FAIL },
		{ "503 5.5.1 XCRYPT FAIL octets\r\n", VERDICT_CLEAN_FAIL }, { "599\r\n", VERDICT_CLEAN_FAIL },
	};

	(void)state;
	for (int met = 0; met < 2; met++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			hosts_set_up(NULL);
			for (int meeting = 0; meeting <= met; meeting++) {
				hosts_meet(MODERN, MODERN);
				hosts_agree();
				if (meeting < met) {
					assert_int_equal(client_takes_answer(), VERDICT_ENCRYPTED);
					hosts_prove();
				}
			}
			const char *raw = spell(rows[i].pattern, answer_line);
			if (handshake_take_answer(&client, reply_of(span_of(raw))) != rows[i].verdict)
				fail_msg("wrong verdict of %s", raw);
			assert_int_equal(client_keys.forgets, 0);
			assert_int_equal(handshake_has_keys(&client),
			    rows[i].verdict == VERDICT_ENCRYPTED);
		}
}

/* A line one octet longer than the limit is refused, even in the right form. */
static void
threat_6_over_long_answers_of_2_0_are_none(void **state)
{
	char raw[LINE_TEXT];

	(void)state;
	hosts_meet(MODERN, MODERN);
	hosts_agree();
	memset(raw, '0', sizeof(raw));
	memcpy(raw, answer_line, strlen(answer_line));
	strcpy(raw + XCRYPT_LINE_MAX - 1, "\r\n");
	assert_int_equal(handshake_take_answer(&client, reply_of(span_of(raw))),
	    VERDICT_UNINTELLIGIBLE);
}

static void
assert_ok_refused(const char *suite, struct span line)
{
	uint8_t mem[XCRYPT_LINE_MAX];
	struct buf out;

	hosts_meet(suite, suite);
	hosts_agree();
	buf_init(&out, mem, sizeof(mem));
	assert_false(handshake_take_ok(&server, line, &out));
	assert_span(buf_peek(&out), "454 4.7.0 XCRYPT FAIL wrong confirmation\r\n");
}

static void
an_ok_of_another_form_is_refused(void **state)
{
	char long_ok[XCRYPT_OLD_LINE_MAX];

	(void)state;
	assert_ok_refused("rotn_0.1", SPAN("XCRYPT OK "));
	assert_ok_refused("rotn_0.1", SPAN("XCRYPT OK 0"));
	assert_ok_refused("arsyfor_1.0", SPAN("XCRYPT OK x"));
	memset(long_ok, '0', sizeof(long_ok));
	memcpy(long_ok, "XCRYPT OK ", 10);
	assert_ok_refused("arsyfor_1.0", span(long_ok, XCRYPT_OLD_LINE_MAX - 2));
	assert_ok_refused("arsyfor_1.0", span(long_ok, XCRYPT_OLD_LINE_MAX - 1));
	if (suite_find(SPAN("blowfish_0.2")) == NULL)
		return;
	assert_ok_refused("blowfish_0.2", SPAN("XCRYPT OK"));
	assert_ok_refused("blowfish_0.2", SPAN("XCRYPT OK "));
	assert_ok_refused("blowfish_0.2", SPAN("XCRYPT OK " DIGITS_16));
	assert_ok_refused("blowfish_0.2", span(long_ok, XCRYPT_OLD_LINE_MAX - 2));
	assert_ok_refused("blowfish_0.2", span(long_ok, XCRYPT_OLD_LINE_MAX - 1));
}

/* A right confirmation with other octets around it is refused. */
static void
what_goes_behind_ok_stands_alone(void **state)
{
	static const char *const patterns[] = {
		"XCRYPT OK  @", "XCRYPT OK @ ", "XCRYPT OK @ x", "XCRYPT OK @\n", "XCRYPT OK @\r",
		"XCRYPT OK @@", "XCRYPT OK @0", "XCRYPT OK\t@",
	};

	(void)state;
	if (suite_find(SPAN("blowfish_0.2")) == NULL)
		skip();
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		hosts_meet("blowfish_0.2", "blowfish_0.2");
		hosts_agree();
		client_says_ok();
		const char *changed = spell(patterns[i], ok + strlen("XCRYPT OK "));
		assert_true(strlen(changed) < sizeof(ok));
		strcpy(ok, changed);
		assert_false(server_takes_ok());
	}
}

/* statement 6: @ is the right reply; in 2.0 others are tampering, in older versions errors */
static void
assert_ok_reply(const char *suite, const char *pattern, enum handshake_verdict verdict)
{
	hosts_meet(suite, suite);
	hosts_agree();
	client_says_ok();
	assert_true(server_takes_ok());
	const char *raw = spell(pattern, ok_reply);
	if (handshake_take_ok_reply(&client, reply_of(span_of(raw))) != verdict)
		fail_msg("wrong verdict of %s", raw);
}

static void
threat_6_only_an_exact_ok_is_one(void **state)
{
	static const char *const patterns[] = {
		"@ \r\n", "@\n", "@ x\r\n", "@\r\r\n", "@\xff\r\n", "250-ok\r\n@\r\n",
		"250 @\r\n", "421 @\r\n", "250\r\n", "354 XCRYPT OK\r\n", "220 XCRYPT OK\r\n",
		"454 4.7.0 XCRYPT FAIL wrong confirmation\r\n", "250 XCRYPT FAIL\r\n",
		"250-XCRYPT OK\r\n@\r\n", "250  XCRYPT OK\r\n", "250 XCRYPT  OK\r\n",
		"250 XCRYPT OKAY\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		assert_ok_reply("arsyfor_1.0", patterns[i], VERDICT_UNINTELLIGIBLE);
		assert_ok_reply("rotn_0.1", patterns[i], VERDICT_UNINTELLIGIBLE);
	}
	assert_ok_reply("arsyfor_1.0", "@\r\n", VERDICT_GOOD);
}

static void
what_comes_next_is_distinguished(void **state)
{
	(void)state;
	assert_int_equal(handshake_next(SPAN("XCRYPT OK")), HANDSHAKE_OK);
	assert_int_equal(handshake_next(SPAN("xcrypt ok abc")), HANDSHAKE_OK);
	assert_int_equal(handshake_next(SPAN("XCRYPT FAIL")), HANDSHAKE_FAIL);
	assert_int_equal(handshake_next(SPAN("xcrypt fail because")), HANDSHAKE_FAIL);
	assert_int_equal(handshake_next(SPAN("XCRYPT")), HANDSHAKE_OTHER);
	assert_int_equal(handshake_next(SPAN("XCRYPT  OK")), HANDSHAKE_OTHER);
	assert_int_equal(handshake_next(SPAN("XCRYPT OKAY")), HANDSHAKE_OTHER);
	assert_int_equal(handshake_next(SPAN("EHLO OK")), HANDSHAKE_OTHER);
	assert_int_equal(handshake_next(SPAN("")), HANDSHAKE_OTHER);
}

#define with_hosts(test) cmocka_unit_test_setup_teardown(test, hosts_set_up, hosts_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_hosts(proposals_are_refused_in_this_order),
		with_hosts(octets_that_are_no_text_are_malformed),
		with_hosts(lines_that_are_too_long_are_malformed),
		with_hosts(threat_18_keys_of_no_use_are_refused),
		with_hosts(without_a_key_the_server_is_not_able),
		with_hosts(without_a_key_the_client_does_not_propose),
		with_hosts(threat_18_our_own_key_and_nonce_are_refused),
		with_hosts(our_own_key_with_another_nonce_is_not),
		with_hosts(threat_18_our_own_server_key_is_refused),
		with_hosts(threat_6_only_an_exact_answer_is_accepted),
		with_hosts(a_refusal_in_one_line_is_clean),
		with_hosts(threat_6_over_long_answers_are_refused),
		with_hosts(threat_6_only_an_exact_answer_of_2_0_is_one),
		with_hosts(threat_6_over_long_answers_of_2_0_are_none),
		with_hosts(an_ok_of_another_form_is_refused),
		with_hosts(what_goes_behind_ok_stands_alone),
		with_hosts(threat_6_only_an_exact_ok_is_one),
		cmocka_unit_test(what_comes_next_is_distinguished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
