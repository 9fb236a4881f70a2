/*
 * Host keys and their statements.  The key and the signature of "sample" are from RFC 6979
 * appendix A.2.5; the statements were computed with another implementation.
 */
#include "unit.h"

#include "base/octets.h"
#include "crypt/hostkey.h"

#include <stdlib.h>

#define KEY_TEXT "BGD+1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk="
#define UNTIL "1795291200"
#define UNTIL_S 1795291200
#define ID_SIGNATURE "7h9QW/z5xtyDD4yMp19HhQ62hJwVUpIjXA+cRmm0KjlTpNNB+XCNrIE4ZBZp6yJjYbnMCqdoo57E+LX8XuHaaQ=="
#define NEXT_TEXT "BBV5euV8V0r9z80f5ISCUSv4E0oDOPFOA3SlQlhUd/1wKWqWs/XPFOY5Uqp0X5JJ09XV2NuUZRqTBw9TUT3BUnE="
#define NEXT_SIGNATURE "hafHwhClC4mfNtCx3mVCnDn9xgAJ/yVt61TJ88GBg0r57r9jKFe9NRjsGc6E/+TLdfQ+Fhmq6fbtB8rnMVs5Xg=="
#define ID_LINE "XCRYPT-ID " KEY_TEXT " " UNTIL " " ID_SIGNATURE
#define NEXT_LINE "XCRYPT-NEXT " NEXT_TEXT " " UNTIL " " NEXT_SIGNATURE
#define FILE_TEXT KEY_TEXT " ya+p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE=\n"
#define NEXT_FILE NEXT_TEXT " ya+p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyI=\n"

static struct hostkey key, next_key;
static uint8_t short_key[HOSTKEY_SHORT_LEN];

static int
read_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(short_key); i++)
		short_key[i] = (uint8_t)i;
	return hostkey_get_file(&key, SPAN(FILE_TEXT)) &&
	    hostkey_get_file(&next_key, SPAN(NEXT_FILE)) ? 0 : -1;
}

static void
ecdsa_known_answer(void **state)
{
	static const char
	    want[] = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
		     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";
	uint8_t signature[HOSTKEY_SIGNATURE_LEN];
	char hex[sizeof(want)] = "";

	(void)state;
	assert_int_equal(hostkey_sign(signature, &key, SPAN("sample")), 0);
	octets_to_hex(hex, signature, sizeof(signature));
	assert_string_equal(hex, want);
	assert_true(hostkey_verify(signature, key.public, SPAN("sample")));
	assert_false(hostkey_verify(signature, key.public, SPAN("samplf")));
	assert_false(hostkey_verify(signature, next_key.public, SPAN("sample")));
}

static void
every_octet_of_a_signature_counts(void **state)
{
	uint8_t signature[HOSTKEY_SIGNATURE_LEN];

	(void)state;
	assert_int_equal(hostkey_sign(signature, &key, SPAN("sample")), 0);
	for (size_t i = 0; i < sizeof(signature); i++) {
		signature[i] ^= 1;
		assert_false(hostkey_verify(signature, key.public, SPAN("sample")));
		signature[i] ^= 1;
	}
	/* r or s of zero, or not below the group order, is invalid */
	memset(signature, 0, sizeof(signature));
	assert_false(hostkey_verify(signature, key.public, SPAN("sample")));
	memset(signature, 0xff, sizeof(signature));
	assert_false(hostkey_verify(signature, key.public, SPAN("sample")));
}

static void
made_keys_work_and_differ(void **state)
{
	struct hostkey a, b;
	uint8_t signature[HOSTKEY_SIGNATURE_LEN];
	char text[HOSTKEY_TEXT_LEN];

	(void)state;
	assert_int_equal(hostkey_make(&a), 0);
	assert_int_equal(hostkey_make(&b), 0);
	assert_memory_not_equal(a.public, b.public, sizeof(a.public));
	assert_int_equal(hostkey_sign(signature, &a, SPAN("x")), 0);
	assert_true(hostkey_verify(signature, a.public, SPAN("x")));
	assert_false(hostkey_verify(signature, b.public, SPAN("x")));
	hostkey_put_public(text, a.public);
	assert_true(hostkey_get_public(b.public, span(text, sizeof(text))));
	assert_memory_equal(a.public, b.public, sizeof(a.public));
	hostkey_wipe(&a);
	for (size_t i = 0; i < sizeof(a); i++)
		assert_int_equal(((const uint8_t *)&a)[i], 0);
}

/* Halves that do not match cannot sign. */
static void
a_key_put_together_wrongly_does_not_sign(void **state)
{
	struct hostkey mixed = key;
	uint8_t signature[HOSTKEY_SIGNATURE_LEN];

	(void)state;
	memcpy(mixed.private, next_key.private, sizeof(mixed.private));
	assert_int_equal(hostkey_sign(signature, &mixed, SPAN("x")), -1);
	memset(mixed.private, 0, sizeof(mixed.private));
	assert_int_equal(hostkey_sign(signature, &mixed, SPAN("x")), -1);
	memset(mixed.private, 0xff, sizeof(mixed.private));
	assert_int_equal(hostkey_sign(signature, &mixed, SPAN("x")), -1);
}

static void
public_keys_have_one_text(void **state)
{
	static const char *const wrong[] = {
		"",
		"B",
		KEY_TEXT " ",
		" " KEY_TEXT,
		KEY_TEXT "\n",
		KEY_TEXT "=",
		/* no padding, a non-zero padding bit, and a line end inside */
		"BGD+1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk",
		"BGD+1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpl=",
		"BGD+1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p\n2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk=",
		"BGD-1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p-2eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk=",
		/* not on the curve; another form of point; zeros */
		"BGD+1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpg=",
		"AmD+1LolWp0xyWHrdMY1bWjASbiSO2H6bOZpYi5g8p+2eQP+EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	char text[HOSTKEY_TEXT_LEN];

	(void)state;
	assert_true(hostkey_get_public(public, SPAN(KEY_TEXT)));
	hostkey_put_public(text, public);
	assert_span(span(text, sizeof(text)), KEY_TEXT);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (hostkey_get_public(public, span_of(wrong[i])))
			fail_msg("a key: %s", wrong[i]);
}

static void
files_have_one_text(void **state)
{
	static const char *const wrong[] = {
		"", "\n", KEY_TEXT, KEY_TEXT "\n",
		KEY_TEXT " ya+p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE=",
		KEY_TEXT "  ya+p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE=\n",
		KEY_TEXT "\nya+p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE=\n",
		KEY_TEXT " ya+p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZy==\n",
		FILE_TEXT "\n",
	};
	struct hostkey k;
	char text[HOSTKEY_FILE_MAX];

	(void)state;
	assert_span(span(text, hostkey_put_file(text, &key)), FILE_TEXT);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (hostkey_get_file(&k, span_of(wrong[i])))
			fail_msg("a key: %s", wrong[i]);
}

static void
id_known_answer(void **state)
{
	struct hostkey_id id, read;
	char text[HOSTKEY_STATEMENT_MAX];

	(void)state;
	assert_int_equal(hostkey_sign_id(&id, &key, short_key, 1795291200), 0);
	assert_span(span(text, hostkey_put_id(text, &id)), ID_LINE);
	assert_int_equal(strlen("250-" ID_LINE "\r\n"), HOSTKEY_ID_LINE_LEN);
	assert_true(hostkey_get_id(&read, SPAN(ID_LINE)));
	assert_true(hostkey_verify_id(&read, short_key));
	assert_int_equal(read.until_s, 1795291200);
	assert_memory_equal(read.public, key.public, sizeof(read.public));
}

/* The short key and the time are signed. */
static void
id_is_about_one_short_key_and_time(void **state)
{
	struct hostkey_id id;
	uint8_t other[HOSTKEY_SHORT_LEN];

	(void)state;
	assert_true(hostkey_get_id(&id, SPAN(ID_LINE)));
	memcpy(other, short_key, sizeof(other));
	other[31] ^= 1;
	assert_false(hostkey_verify_id(&id, other));
	id.until_s++;
	assert_false(hostkey_verify_id(&id, short_key));
	id.until_s--;
	assert_true(hostkey_verify_id(&id, short_key));
	memcpy(id.public, next_key.public, sizeof(id.public));
	assert_false(hostkey_verify_id(&id, short_key));
}

static void
next_known_answer(void **state)
{
	struct hostkey_next next, read;
	char text[HOSTKEY_STATEMENT_MAX];

	(void)state;
	assert_int_equal(hostkey_sign_next(&next, &key, short_key, UNTIL_S, next_key.public), 0);
	assert_span(span(text, hostkey_put_next(text, &next)), NEXT_LINE);
	assert_int_equal(strlen("250-" NEXT_LINE "\r\n"), HOSTKEY_NEXT_LINE_LEN);
	assert_true(hostkey_get_next(&read, SPAN(NEXT_LINE)));
	assert_int_equal(read.until_s, UNTIL_S);
	/* the short key is not on the wire */
	memcpy(read.short_public, short_key, sizeof(read.short_public));
	assert_true(hostkey_verify_next(&read, key.public));
	read.short_public[31] ^= 1;
	assert_false(hostkey_verify_next(&read, key.public));
	read.short_public[31] ^= 1;
	read.until_s++;
	assert_false(hostkey_verify_next(&read, key.public));
	read.until_s--;
	assert_true(hostkey_verify_next(&read, key.public));
	/* only by the previous key, and only for that key */
	assert_false(hostkey_verify_next(&read, next_key.public));
	memcpy(read.public, key.public, sizeof(read.public));
	assert_false(hostkey_verify_next(&read, key.public));
}

static void
statements_have_one_form(void **state)
{
	static const char *const wrong_ids[] = {
		"",
		"XCRYPT-ID",
		"XCRYPT-ID ",
		"XCRYPT-ID  " KEY_TEXT " " UNTIL " " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT " " UNTIL,
		"XCRYPT-ID " KEY_TEXT "  " UNTIL " " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT " " UNTIL "  " ID_SIGNATURE,
		ID_LINE " ",
		ID_LINE " x",
		" " ID_LINE,
		"XCRYPT-ID\t" KEY_TEXT " " UNTIL " " ID_SIGNATURE,
		"XCRYPT-IDS " KEY_TEXT " " UNTIL " " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT " 0" UNTIL " " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT " +" UNTIL " " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT " -1 " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT "  " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT " 9223372036854775808 " ID_SIGNATURE,
		"XCRYPT-ID " KEY_TEXT " 0x10 " ID_SIGNATURE,
		"XCRYPT-ID " ID_SIGNATURE " " UNTIL " " KEY_TEXT,
		"XCRYPT-ID " KEY_TEXT " " UNTIL " " KEY_TEXT,
		"XCRYPT-ID x " UNTIL " " ID_SIGNATURE,
		NEXT_LINE,
	};
	static const char *const wrong_nexts[] = {
		"",
		"XCRYPT-NEXT",
		"XCRYPT-NEXT " NEXT_TEXT,
		"XCRYPT-NEXT " NEXT_TEXT " " UNTIL,
		"XCRYPT-NEXT " NEXT_TEXT " " NEXT_SIGNATURE,
		NEXT_LINE " ",
		NEXT_LINE " 1",
		"XCRYPT-NEXT " NEXT_TEXT "  " UNTIL " " NEXT_SIGNATURE,
		"XCRYPT-NEXT " NEXT_TEXT " " UNTIL "  " NEXT_SIGNATURE,
		"XCRYPT-NEXT  " NEXT_TEXT " " UNTIL " " NEXT_SIGNATURE,
		"XCRYPT-NEXT " NEXT_TEXT " 0" UNTIL " " NEXT_SIGNATURE,
		"XCRYPT-NEXT " NEXT_TEXT " -1 " NEXT_SIGNATURE,
		"XCRYPT-NEXT " NEXT_TEXT " 9223372036854775808 " NEXT_SIGNATURE,
		"XCRYPT-NEXT " NEXT_SIGNATURE " " UNTIL " " NEXT_TEXT,
		ID_LINE,
	};
	struct hostkey_id id;
	struct hostkey_next next;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong_ids) / sizeof(wrong_ids[0]); i++)
		if (hostkey_get_id(&id, span_of(wrong_ids[i])))
			fail_msg("a statement: %s", wrong_ids[i]);
	for (size_t i = 0; i < sizeof(wrong_nexts) / sizeof(wrong_nexts[0]); i++)
		if (hostkey_get_next(&next, span_of(wrong_nexts[i])))
			fail_msg("a statement: %s", wrong_nexts[i]);
	/* keywords are case-insensitive; the largest and the smallest number */
	assert_true(hostkey_get_id(&id, SPAN("xcrypt-id " KEY_TEXT " " UNTIL " " ID_SIGNATURE)));
	assert_true(hostkey_get_next(&next, SPAN("Xcrypt-Next " NEXT_TEXT " " UNTIL " "
	    NEXT_SIGNATURE)));
	assert_true(hostkey_get_id(&id, SPAN("XCRYPT-ID " KEY_TEXT " 9223372036854775807 "
	    ID_SIGNATURE)));
	assert_true(id.until_s == INT64_MAX);
	assert_true(hostkey_get_id(&id, SPAN("XCRYPT-ID " KEY_TEXT " 0 " ID_SIGNATURE)));
	/* invalid if truncated anywhere, or with a NUL anywhere */
	for (size_t len = 0; len < sizeof(ID_LINE) - 1; len++) {
		char text[] = ID_LINE;

		assert_false(hostkey_get_id(&id, span(text, len)));
		text[len] = '\0';
		assert_false(hostkey_get_id(&id, span(text, sizeof(text) - 1)));
	}
}

static void
ten_minutes_are_allowed(void **state)
{
	(void)state;
	assert_true(hostkey_in_time(1000000, 0));
	assert_true(hostkey_in_time(1000000, 1000000));
	assert_true(hostkey_in_time(1000000, 1000600));
	assert_false(hostkey_in_time(1000000, 1000601));
	assert_true(hostkey_in_time(INT64_MAX, 1795291200));
	assert_false(hostkey_in_time(0, 1795291200));
}

static void
digests_tell_lines_apart(void **state)
{
	static const struct { const char *id, *next; } lines[] = {
		{ ID_LINE, "" }, { ID_LINE, NEXT_LINE }, { "XCRYPT-ID", "" }, { "", "XCRYPT-ID" },
	};
	uint8_t digests[4][HOSTKEY_DIGEST_LEN], large[HOSTKEY_STATEMENT_MAX * 2] = { 'x' };
	char hex[2 * HOSTKEY_DIGEST_LEN + 1] = "";

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(hostkey_digest(digests[i], span_of(lines[i].id),
		    span_of(lines[i].next)), 0);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(digests[i], digests[j], HOSTKEY_DIGEST_LEN);
	}
	octets_to_hex(hex, digests[0], HOSTKEY_DIGEST_LEN);
	assert_string_equal(hex,
	    "1cf69ba472e0421c092998dab0f9002ea9d5948fd7c758405ce14baccd7135a8");
	assert_int_equal(hostkey_digest(digests[0], span(large, sizeof(large)), SPAN("")), 0);
	assert_int_equal(hostkey_digest(digests[0], span(large, sizeof(large)), SPAN("x")), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecdsa_known_answer),
		cmocka_unit_test(every_octet_of_a_signature_counts),
		cmocka_unit_test(made_keys_work_and_differ),
		cmocka_unit_test(a_key_put_together_wrongly_does_not_sign),
		cmocka_unit_test(public_keys_have_one_text),
		cmocka_unit_test(files_have_one_text),
		cmocka_unit_test(id_known_answer),
		cmocka_unit_test(id_is_about_one_short_key_and_time),
		cmocka_unit_test(next_known_answer),
		cmocka_unit_test(statements_have_one_form),
		cmocka_unit_test(ten_minutes_are_allowed),
		cmocka_unit_test(digests_tell_lines_apart),
	};

	return cmocka_run_group_tests(tests, read_keys, NULL);
}
