#include "unit.h"

#include "sys/dns.h"

#include <stdlib.h>

/* An answer for example.org MX: mx.example.org with pointers, and a record of another class. */
static const uint8_t answer[] =
    "\x12\x34\x81\x80\0\1\0\2\0\0\0\0" "\7example\3org\0\0\xf\0\1"
    "\xc0\xc\0\xf\0\3\0\0\0\1\0\2\0\0"
    "\xc0\xc\0\xf\0\1\0\0\0\1\0\7\0\xa\2mx\xc0\xc";

#define ANSWER span(answer, sizeof(answer) - 1)

static void
questions_are_as_rfc_1035_has_them(void **state)
{
	uint8_t out[DNS_QUESTION_MAX];
	size_t len = dns_question(out, 0x1234, "example.org", DNS_MX);

	(void)state;
	assert_int_equal(len, 29);
	assert_memory_equal(out, "\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\xf\0\1", 29);
	assert_true(dns_is_answer(ANSWER, span(out, len)));
}

static void
names_have_their_limits(void **state)
{
	uint8_t out[DNS_QUESTION_MAX];
	char name[255];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_int_equal(dns_question(out, 1, name, DNS_A), 12 + 65 + 4);
	name[63] = 'a';
	name[64] = '\0';
	assert_int_equal(dns_question(out, 1, name, DNS_A), 0);
	name[64] = 'a';
	for (size_t i = 49; i < sizeof(name); i += 50)
		name[i] = '.';
	name[253] = '\0';
	assert_int_equal(dns_question(out, 1, name, DNS_A), 12 + 255 + 4);
	name[253] = 'a';
	name[254] = '\0';
	assert_int_equal(dns_question(out, 1, name, DNS_A), 0);
	assert_int_equal(dns_question(out, 1, "", DNS_A), 0);
	assert_int_equal(dns_question(out, 1, "a..b", DNS_A), 0);
	assert_int_equal(dns_question(out, 1, "a.", DNS_A), 0);
	assert_int_equal(dns_question(out, 1, ".a", DNS_A), 0);
}

static void
only_the_answer_to_a_question_is_one(void **state)
{
	uint8_t out[DNS_QUESTION_MAX], other[sizeof(answer)];
	struct span message = span(other, sizeof(answer) - 1);

	(void)state;
	memcpy(other, answer, sizeof(answer));
	assert_false(
	    dns_is_answer(ANSWER, span(out, dns_question(out, 0x1235, "example.org", DNS_MX))));
	assert_false(
	    dns_is_answer(ANSWER, span(out, dns_question(out, 0x1234, "example.org", DNS_A))));
	assert_false(
	    dns_is_answer(ANSWER, span(out, dns_question(out, 0x1234, "example.com", DNS_MX))));
	size_t len = dns_question(out, 0x1234, "EXAMPLE.org", DNS_MX);
	assert_true(dns_is_answer(ANSWER, span(out, len)));
	assert_true(dns_is_answer(span(answer, len), span(out, len)));
	assert_false(dns_is_answer(span(answer, len - 1), span(out, len)));
	other[2] &= 0x7f;
	assert_false(dns_is_answer(message, span(out, len)));
	other[2] |= 0x80;
	other[5] = 2;
	assert_false(dns_is_answer(message, span(out, len)));
}

static void
the_root_has_a_question_too(void **state)
{
	uint8_t out[DNS_QUESTION_MAX];

	(void)state;
	assert_int_equal(dns_question(out, 7, ".", DNS_NS), 17);
	assert_memory_equal(out + 12, "\0\0\2\0\1", 5);
}

/* RFC 6891 section 6.1.2, RFC 3225, RFC 6840 section 5.7 */
static void
dnssec_is_wanted_with_an_opt_record(void **state)
{
	uint8_t out[DNS_QUERY_MAX];
	size_t len = dns_question(out, 0x1234, "example.org", DNS_MX);

	(void)state;
	assert_int_equal(dns_want_dnssec(out, len, true), len + 11);
	assert_memory_equal(out, "\x12\x34\1\x20\0\1\0\0\0\0\0\1", 12);
	assert_memory_equal(out + len, "\0\0\x29\x04\xd0\0\0\x80\0\0\0", 11);
	assert_true(dns_is_answer(ANSWER, span(out, len)));

	len = dns_question(out, 0x1234, "example.org", DNS_MX);
	assert_int_equal(dns_want_dnssec(out, len, false), len);
	assert_memory_equal(out, "\x12\x34\1\x20\0\1\0\0\0\0\0\0", 12);
}

/* Letters only, a bit for each octet, and no octet of the header, type or class. */
static void
letters_are_mixed_and_restored(void **state)
{
	uint8_t out[DNS_QUESTION_MAX], plain[DNS_QUESTION_MAX], random[DNS_CASE_LEN];
	size_t len = dns_question(plain, 0x4141, "_25._tcp.a-z.EX4mple.org", DNS_TLSA);

	(void)state;
	memset(random, 0xff, sizeof(random));
	memcpy(out, plain, len);
	dns_mix_case(out, len, random);
	assert_memory_equal(out, plain, 12);
	assert_memory_equal(out + 12, "\3_25\4_TCP\3A-Z\7ex4MPLE\3ORG\0\0\x34\0\1",
	    len - 12);
	out[2] |= 0x80;
	assert_true(dns_is_answer(span(out, len), span(plain, len)));
	assert_false(dns_is_answer_exactly(span(out, len), span(plain, len)));
	dns_restore_case(out, "_25._tcp.a-z.EX4mple.org");
	assert_true(dns_is_answer_exactly(span(out, len), span(plain, len)));

	memset(random, 0, sizeof(random));
	random[2] = 2;
	memcpy(out, plain, len);
	dns_mix_case(out, len, random);
	assert_memory_equal(out, plain, 12 + 17);
	assert_int_equal(out[12 + 17], 'M');
	assert_memory_equal(out + 12 + 18, plain + 12 + 18, len - 12 - 18);
}

/* The longest name has bits enough; a sanitizer would see others. */
static void
the_longest_name_is_mixed(void **state)
{
	uint8_t out[DNS_QUESTION_MAX], random[DNS_CASE_LEN];
	char name[254];

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 49; i < sizeof(name); i += 50)
		name[i] = '.';
	name[253] = '\0';
	memset(random, 0xff, sizeof(random));
	size_t len = dns_question(out, 1, name, DNS_A);
	dns_mix_case(out, len, random);
	assert_int_equal(out[len - 6], 'A');
	assert_memory_equal(out + len - 5, "\0\0\1\0\1", 5);
}

/* In the authority section, and in no other. */
static void
an_soa_says_that_there_is_nothing(void **state)
{
	static const char soa[] = "\xc0\xc\0\6\0\1\0\0\0\1\0\2\0\0";
	uint8_t more[sizeof(answer) + sizeof(soa)];
	size_t len = sizeof(answer) - 1 + sizeof(soa) - 1;

	(void)state;
	memcpy(more, answer, sizeof(answer) - 1);
	memcpy(more + sizeof(answer) - 1, soa, sizeof(soa) - 1);
	assert_false(dns_has_soa(span(more, len)));
	more[9] = 1;
	assert_true(dns_has_soa(span(more, len)));
	for (size_t cut = 0; cut < len; cut++)
		assert_false(dns_has_soa(span(more, cut)));
	more[7] = 3;
	more[9] = 0;
	assert_false(dns_has_soa(span(more, len)));
	more[9] = 1;
	assert_false(dns_has_soa(span(more, len)));
}

static void
flags_are_distinguished(void **state)
{
	uint8_t other[12] = "\0\1\x82\x80";
	struct span message = span(other, sizeof(other));

	(void)state;
	assert_false(dns_is_cut(ANSWER) || dns_is_lame(ANSWER));
	assert_true(dns_is_cut(message));
	assert_false(dns_is_lame(message));
	assert_false(dns_is_secure(message));
	other[3] = 0x23;
	assert_true(dns_is_secure(message));
	assert_int_equal(dns_code(message), DNS_NXDOMAIN);
	assert_true(dns_is_lame(message));
	other[2] |= 4;
	assert_false(dns_is_lame(message));
}

static void
records_are_read_one_by_one(void **state)
{
	struct dns_reader reader;
	struct dns_record record;
	char name[DNS_NAME_MAX];

	(void)state;
	assert_true(dns_open(&reader, ANSWER));
	assert_true(dns_next(&reader, &record));
	assert_int_equal(record.type, DNS_MX);
	assert_int_equal(record.end, sizeof(answer) - 1);
	assert_true(dns_name(ANSWER, record.data + 2, record.end, name));
	assert_string_equal(name, "mx.example.org");
	assert_false(dns_name(ANSWER, record.data + 2, record.end - 1, name));
	assert_false(dns_next(&reader, &record));
}

/* A sanitizer would report reads past the end. */
static void
truncated_messages_are_rejected(void **state)
{
	struct dns_reader reader;

	(void)state;
	for (size_t len = 0; len < sizeof(answer) - 1; len++) {
		uint8_t *copy = test_malloc(len + 1);

		memcpy(copy + 1, answer, len);
		assert_false(dns_open(&reader, span(copy + 1, len)));
		test_free(copy);
	}
}

/* Extra octets, and incomplete or missing records of the other sections. */
static void
what_follows_the_answers_spoils_nothing(void **state)
{
	uint8_t more[sizeof(answer) + 20] = { 0 };
	struct dns_reader reader;
	struct dns_record record;

	(void)state;
	memcpy(more, answer, sizeof(answer) - 1);
	for (size_t extra = 0; extra <= 20; extra++)
		for (uint8_t others = 0; others <= 2; others++) {
			more[9] = more[11] = others;
			assert_true(dns_open(&reader, span(more, sizeof(answer) - 1 + extra)));
			assert_true(dns_next(&reader, &record));
			assert_int_equal(record.type, DNS_MX);
			assert_false(dns_next(&reader, &record));
		}
}

static bool
name_of(const char *octets, size_t len, size_t at, char name[DNS_NAME_MAX])
{
	uint8_t message[400] = { 0 };

	memcpy(message + 12, octets, len);
	return dns_name(span(message, 12 + len), 12 + at, 12 + len, name);
}

static void
hostile_names_end(void **state)
{
	char name[DNS_NAME_MAX];
	uint8_t deep[300];

	(void)state;
	assert_true(name_of("\0", 1, 0, name));
	assert_string_equal(name, "");
	assert_true(name_of("\1a\0\1b\xc0\xc", 7, 3, name));
	assert_string_equal(name, "b.a");
	/* pointers to itself, forward, into the header, and of an unknown kind */
	assert_false(name_of("\xc0\xc", 2, 0, name));
	assert_false(name_of("\1b\xc0\x10\0", 5, 0, name));
	assert_false(name_of("\1b\xc0\xb", 4, 0, name));
	assert_false(name_of("\1b\x40\0", 4, 0, name));
	/* no end, and an end before that of the data */
	assert_false(name_of("\1b", 2, 0, name));
	assert_false(name_of("\1b\0\0", 4, 0, name));
	/* octets that no host name has, and a dot within a label */
	assert_true(name_of("\4a\0.b\0", 6, 0, name));
	assert_string_equal(name, "a??b");
	/* the longest name, and one octet more */
	memset(deep, 1, sizeof(deep));
	deep[254] = 0;
	assert_true(name_of((char *)deep, 255, 0, name));
	assert_int_equal(strlen(name), 253);
	deep[254] = 1;
	deep[256] = 0;
	assert_true(name_of((char *)deep, 257, 0, name));
	deep[256] = 1;
	deep[258] = 0;
	assert_false(name_of((char *)deep, 259, 0, name));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_as_rfc_1035_has_them),
		cmocka_unit_test(names_have_their_limits),
		cmocka_unit_test(only_the_answer_to_a_question_is_one),
		cmocka_unit_test(the_root_has_a_question_too),
		cmocka_unit_test(dnssec_is_wanted_with_an_opt_record),
		cmocka_unit_test(letters_are_mixed_and_restored),
		cmocka_unit_test(the_longest_name_is_mixed),
		cmocka_unit_test(an_soa_says_that_there_is_nothing),
		cmocka_unit_test(flags_are_distinguished),
		cmocka_unit_test(records_are_read_one_by_one),
		cmocka_unit_test(truncated_messages_are_rejected),
		cmocka_unit_test(what_follows_the_answers_spoils_nothing),
		cmocka_unit_test(hostile_names_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
