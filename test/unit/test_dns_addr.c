#include "unit.h"

#include "sys/dns_addr.h"

#include "addresses.h"
#include "dns_answers.h"

#define PORT 2525

static struct address at[4];
static struct dns_addr_list list;

static void
put_record(unsigned int type, struct span data)
{
	put_head(type, ns_c_in, data.len);
	put(data);
}

static void
put_a(struct span data)
{
	put_record(ns_t_a, data);
}

static void
put_aaaa(struct span data)
{
	put_record(ns_t_aaaa, data);
}

/* Reads the first `len` octets of the message into an empty list. */
static bool
read_answer(enum dns_type type, size_t len)
{
	uint8_t *copy = message_copy(len);

	list = (struct dns_addr_list){ at, sizeof(at) / sizeof(at[0]), 0, PORT };
	bool read = dns_addr_read_answer(&list, type, copy + 1, len);
	test_free(copy);
	return read;
}

static void
assert_found(size_t i, const char *text)
{
	struct address expected = address(text, PORT);

	assert_true(i < list.count);
	assert_int_equal(list.at[i].len, expected.len);
	assert_memory_equal(&list.at[i].at, &expected.at, expected.len);
}

static void
records_become_addresses(void **state)
{
	(void)state;
	begin(ns_t_a, 2);
	put_a(SPAN("\300\0\2\5"));
	put_a(SPAN("\377\377\377\377"));
	assert_true(read_answer(DNS_A, message_len));
	assert_int_equal(list.count, 2);
	assert_found(0, "192.0.2.5");
	assert_found(1, "255.255.255.255");

	begin(ns_t_aaaa, 1);
	put_aaaa(SPAN("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\5"));
	assert_true(read_answer(DNS_AAAA, message_len));
	assert_int_equal(list.count, 1);
	assert_found(0, "2001:db8::5");
}

/* Records of the other family, CNAMEs, and other types. */
static void
other_records_are_passed_over(void **state)
{
	(void)state;
	begin(ns_t_a, 4);
	put_record(ns_t_cname, SPAN("\1x\xc0\x0c"));
	put_aaaa(SPAN("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\5"));
	put_head(ns_t_a, ns_c_chaos, 4);
	put(SPAN("\300\0\2\4"));
	put_a(SPAN("\300\0\2\5"));
	assert_true(read_answer(DNS_A, message_len));
	assert_int_equal(list.count, 1);
	assert_found(0, "192.0.2.5");
	assert_true(read_answer(DNS_AAAA, message_len));
	assert_int_equal(list.count, 1);
	assert_found(0, "2001:db8::5");

	begin(ns_t_a, 0);
	assert_true(read_answer(DNS_A, message_len));
	assert_int_equal(list.count, 0);
}

/* Data one octet too short or too long, or of the other family's length. */
static void
records_of_another_length_are_ignored(void **state)
{
	(void)state;
	begin(ns_t_a, 8);
	put_a(SPAN("\1\2\3"));
	put_a(SPAN("\1\2\3\4\5"));
	put_a(SPAN(""));
	put_a(SPAN("0123456789abcdef"));
	put_aaaa(SPAN("0123456789abcde"));
	put_aaaa(SPAN("0123456789abcdefg"));
	put_aaaa(SPAN(""));
	put_aaaa(SPAN("\1\2\3\4"));
	assert_true(read_answer(DNS_A, message_len));
	assert_int_equal(list.count, 0);
	assert_true(read_answer(DNS_AAAA, message_len));
	assert_int_equal(list.count, 0);
}

static void
as_many_as_there_is_room_for(void **state)
{
	(void)state;
	for (unsigned int count = 4; count <= 5; count++) {
		begin(ns_t_a, count);
		for (unsigned int i = 0; i < count; i++)
			put_a(SPAN("\300\0\2\5"));
		assert_true(read_answer(DNS_A, message_len));
		assert_int_equal(list.count, 4);
	}
	/* appended to those in the list */
	list.count = 3;
	assert_true(dns_addr_read_answer(&list, DNS_A, message, message_len));
	assert_int_equal(list.count, 4);
	assert_found(2, "192.0.2.5");
}

/* Records in an NXDOMAIN answer are ignored. */
static void
a_name_that_does_not_exist_has_none(void **state)
{
	(void)state;
	begin(ns_t_a, 1);
	put_a(SPAN("\300\0\2\5"));
	message[3] |= DNS_NXDOMAIN;
	assert_true(read_answer(DNS_A, message_len));
	assert_int_equal(list.count, 0);
}

static void
what_is_malformed_adds_nothing(void **state)
{
	(void)state;
	begin(ns_t_a, 2);
	put_a(SPAN("\300\0\2\5"));
	put_a(SPAN("\300\0\2\6"));
	for (size_t len = 0; len < message_len; len++) {
		assert_false(read_answer(DNS_A, len));
		assert_int_equal(list.count, 0);
	}
	put(SPAN("xyz"));
	assert_true(read_answer(DNS_A, message_len));
	assert_int_equal(list.count, 2);
	message[2] &= 0x7f;
	assert_false(read_answer(DNS_A, message_len));
	assert_int_equal(list.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_become_addresses),
		cmocka_unit_test(other_records_are_passed_over),
		cmocka_unit_test(records_of_another_length_are_ignored),
		cmocka_unit_test(as_many_as_there_is_room_for),
		cmocka_unit_test(a_name_that_does_not_exist_has_none),
		cmocka_unit_test(what_is_malformed_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
