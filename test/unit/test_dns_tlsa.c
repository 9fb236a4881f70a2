#include "unit.h"

#include "dns_answers.h"
#include "sys/dns_tlsa.h"

static struct dns_tlsa_list list;
static struct dns_tlsa at[8];

static bool
answer_of(const char *name, size_t len)
{
	uint8_t *copy = message_copy(len);
	bool read = dns_tlsa_read_answer(&list, name, span(copy + 1, len));
	size_t next = 0, count = 0;

	test_free(copy);
	memset(at, 0, sizeof(at));
	while (count < 8 && dns_tlsa_next(&list, &next, &at[count]))
		count++;
	assert_int_equal(count, list.count < 8 ? list.count : 8);
	return read;
}

static void
put_tlsa(struct span data)
{
	put_head(DNS_TLSA, ns_c_in, data.len);
	put(data);
}

static void
records_are_read_in_order(void **state)
{
	(void)state;
	begin(DNS_TLSA, 3);
	put_tlsa(SPAN("\3\1\1abc"));
	put_head(ns_t_a, ns_c_in, 4);
	put(SPAN("\300\0\2\5"));
	put_tlsa(SPAN("\2\0\2"));
	assert_true(answer_of("Example.ORG", message_len));
	assert_int_equal(list.count, 2);
	assert_int_equal(at[0].usage, 3);
	assert_int_equal(at[0].selector, 1);
	assert_int_equal(at[0].matching, 1);
	assert_span(at[0].data, "abc");
	assert_int_equal(at[1].usage, 2);
	assert_int_equal(at[1].selector, 0);
	assert_int_equal(at[1].matching, 2);
	assert_int_equal(at[1].data.len, 0);
}

static void
records_of_other_names_and_classes_are_ignored(void **state)
{
	(void)state;
	begin(DNS_TLSA, 2);
	put_tlsa(SPAN("\3\1\1abc"));
	put_head(DNS_TLSA, ns_c_chaos, 4);
	put(SPAN("\3\1\1d"));
	assert_true(answer_of("example.com", message_len));
	assert_int_equal(list.count, 0);
	assert_true(answer_of("example.org", message_len));
	assert_int_equal(list.count, 1);
}

static void
a_short_record_is_one_still(void **state)
{
	(void)state;
	begin(DNS_TLSA, 2);
	put_tlsa(SPAN("\3\1"));
	put_tlsa(SPAN(""));
	assert_true(answer_of("example.org", message_len));
	assert_int_equal(list.count, 2);
	assert_int_equal(at[0].usage, 255);
	assert_int_equal(at[1].usage, 255);
}

/* None is left out: what is left out might be the one that matches. */
static void
as_many_as_an_answer_can_hold_have_room(void **state)
{
	unsigned count = 0;

	(void)state;
	begin(DNS_TLSA, 0);
	for (; message_len + 12 <= sizeof(message); count++)
		put_tlsa(SPAN(""));
	octets_put16(message + 6, (uint16_t)count);
	assert_true(answer_of("example.org", message_len));
	assert_int_equal(list.count, count);

	begin(DNS_TLSA, 1);
	put_head(DNS_TLSA, ns_c_in, 65000);
	message_len += 65000;
	assert_true(answer_of("example.org", message_len));
	assert_int_equal(list.count, 1);
	assert_int_equal(at[0].data.len, 65000 - 3);
}

static void
a_message_cut_anywhere_has_no_records(void **state)
{
	(void)state;
	begin(DNS_TLSA, 2);
	put_tlsa(SPAN("\3\1\1abc"));
	put_tlsa(SPAN("\3\1\1def"));
	for (size_t len = 0; len < message_len; len++) {
		assert_false(answer_of("example.org", len));
		assert_int_equal(list.count, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read_in_order),
		cmocka_unit_test(records_of_other_names_and_classes_are_ignored),
		cmocka_unit_test(a_short_record_is_one_still),
		cmocka_unit_test(as_many_as_an_answer_can_hold_have_room),
		cmocka_unit_test(a_message_cut_anywhere_has_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
