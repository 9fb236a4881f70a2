#include "unit.h"

#include "sys/dns_mx.h"

#include "dns_answers.h"

static struct dns_mx_list list;

static void
put_mx(unsigned int preference, struct span name)
{
	put_head(ns_t_mx, ns_c_in, name.len + 2);
	put16(preference);
	put(name);
}

static enum mx_answer
answer_of(size_t len)
{
	uint8_t *copy = message_copy(len);
	enum mx_answer answer = dns_mx_read_answer(&list, copy + 1, len);

	test_free(copy);
	return answer;
}

static void
records_become_hosts(void **state)
{
	(void)state;
	begin(ns_t_mx, 3);
	put_mx(10, SPAN("\3mx1\xc0\x0c"));
	put_mx(65535, SPAN("\3mx2\7another\7example\0"));
	put_mx(0, SPAN("\xc0\x0c"));
	assert_int_equal(answer_of(message_len), DNS_MX_FOUND);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.at[0].name, "mx1.example.org");
	assert_int_equal(list.at[0].preference, 10);
	assert_string_equal(list.at[1].name, "mx2.another.example");
	assert_int_equal(list.at[1].preference, 65535);
	assert_string_equal(list.at[2].name, "example.org");
}

static void
other_records_are_passed_over(void **state)
{
	(void)state;
	begin(ns_t_mx, 3);
	put_head(ns_t_cname, ns_c_in, 4);
	put(SPAN("\1x\xc0\x0c"));
	put_head(ns_t_mx, ns_c_chaos, 6);
	put16(1);
	put(SPAN("\1y\xc0\x0c"));
	put_head(ns_t_a, ns_c_in, 4);
	put(SPAN("\300\0\2\5"));
	assert_int_equal(answer_of(message_len), DNS_MX_NONE);
	assert_int_equal(list.count, 0);
	begin(ns_t_mx, 0);
	assert_int_equal(answer_of(message_len), DNS_MX_NONE);
}

/* RFC 7505 */
static void
a_lone_root_is_the_null_mx(void **state)
{
	(void)state;
	begin(ns_t_mx, 1);
	put_mx(0, SPAN("\0"));
	assert_int_equal(answer_of(message_len), DNS_MX_NULL);

	begin(ns_t_mx, 2);
	put_mx(0, SPAN("\0"));
	put_mx(10, SPAN("\3mx1\xc0\x0c"));
	assert_int_equal(answer_of(message_len), DNS_MX_FOUND);
	assert_int_equal(list.count, 1);

	begin(ns_t_mx, 2);
	put_mx(0, SPAN("\0"));
	put_mx(10, SPAN("\3m 1\xc0\x0c"));
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);
}

static void
hosts_that_cannot_be_are_ignored(void **state)
{
	(void)state;
	begin(ns_t_mx, 7);
	put_mx(1, SPAN("\3a\r\n\xc0\x0c"));
	put_mx(2, SPAN("\3a\0b\xc0\x0c"));
	put_mx(3, SPAN("\3a.b\xc0\x0c"));
	put_mx(4, SPAN("\3\xff\xfe\xfd\xc0\x0c"));
	put_mx(5, SPAN("\1[\0"));
	put_mx(6, SPAN("\3127\1""0\1""0\1""1\0"));
	put_mx(7, SPAN("\x0a""0x7f000001\0"));
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);
	assert_int_equal(list.count, 0);
}

static void
names_that_loop_or_leave_the_message(void **state)
{
	(void)state;
	begin(ns_t_mx, 2);
	size_t at = message_len + 14;			/* where the first name begins */
	put_mx(1, SPAN("\1a\xc0\x00"));
	message[message_len - 1] = (uint8_t)at;		/* points to itself */
	put_mx(2, SPAN("\3mx2\xc0\x0c"));
	assert_int_equal(answer_of(message_len), DNS_MX_FOUND);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.at[0].name, "mx2.example.org");

	begin(ns_t_mx, 1);
	put_mx(1, SPAN("\1a\xff\xff"));			/* points outside */
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);

	begin(ns_t_mx, 1);
	put_mx(1, SPAN("\xc0"));				/* half a pointer */
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);
}

static void
a_name_ends_with_its_record(void **state)
{
	(void)state;
	begin(ns_t_mx, 2);
	put_mx(1, SPAN("\3mx1"));			/* continues into the next record */
	put_mx(2, SPAN("\3mx2\xc0\x0c"));
	assert_int_equal(answer_of(message_len), DNS_MX_FOUND);
	assert_int_equal(list.count, 1);

	begin(ns_t_mx, 1);
	put_mx(1, SPAN("\3mx1\xc0\x0c!"));		/* an octet after the name */
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);

	begin(ns_t_mx, 1);
	put_head(ns_t_mx, ns_c_in, 2);			/* no name */
	put16(1);
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);
	begin(ns_t_mx, 1);
	put_head(ns_t_mx, ns_c_in, 0);
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);
}

static void
a_message_cut_anywhere_is_no_answer(void **state)
{
	(void)state;
	begin(ns_t_mx, 2);
	put_mx(10, SPAN("\3mx1\xc0\x0c"));
	put_mx(20, SPAN("\3mx2\xc0\x0c"));
	for (size_t len = 0; len < message_len; len++) {
		assert_int_equal(answer_of(len), DNS_MX_USELESS);
		assert_int_equal(list.count, 0);
	}
	assert_int_equal(answer_of(message_len), DNS_MX_FOUND);
	message[2] &= 0x7f;				/* a query */
	assert_int_equal(answer_of(message_len), DNS_MX_USELESS);
}

static void
any_octet_may_be_wrong(void **state)
{
	(void)state;
	begin(ns_t_mx, 2);
	put_mx(10, SPAN("\3mx1\xc0\x0c"));
	put_mx(20, SPAN("\3mx2\xc0\x0c"));
	for (size_t i = 0; i < message_len; i++) {
		uint8_t right = message[i];

		for (int wrong = 0; wrong < 256; wrong++) {
			message[i] = (uint8_t)wrong;
			enum mx_answer answer = answer_of(message_len);
			assert_int_equal(answer == DNS_MX_FOUND, list.count > 0);
			for (size_t j = 0; j < list.count; j++)
				assert_true(host_is_name(span_of(list.at[j].name)));
		}
		message[i] = right;
	}
}

/* Reads an answer with `count` records whose preferences are given by a function. */
static enum mx_answer
many(unsigned int count, unsigned int (*preference)(unsigned int))
{
	begin(ns_t_mx, count);
	for (unsigned int i = 0; i < count; i++)
		put_mx(preference(i), SPAN("\3mx1\xc0\x0c"));
	return answer_of(message_len);
}

static unsigned int
rising(unsigned int i)
{
	return i;
}

static unsigned int
falling(unsigned int i)
{
	return 1000 - i;
}

static unsigned int
the_last_is_best(unsigned int i)
{
	return i == DNS_MX_MAX + 8 ? 1 : 10;
}

static unsigned int
all_alike(unsigned int i)
{
	(void)i;
	return 10;
}

static unsigned int
in_tens(unsigned int i)
{
	return i * 7 % 80 / 10;
}

static void
the_best_are_kept_wherever_they_stand(void **state)
{
	(void)state;
	for (unsigned int count = DNS_MX_MAX; count <= 4 * DNS_MX_MAX; count++) {
		assert_int_equal(many(count, rising), DNS_MX_FOUND);
		assert_int_equal(list.count, DNS_MX_MAX);
		for (size_t i = 0; i < DNS_MX_MAX; i++)
			assert_true(list.at[i].preference < DNS_MX_MAX);
		assert_int_equal(many(count, falling), DNS_MX_FOUND);
		assert_int_equal(list.count, DNS_MX_MAX);
		for (size_t i = 0; i < DNS_MX_MAX; i++)
			assert_true(list.at[i].preference <= 1000 - count + DNS_MX_MAX);
	}
}

/* One that was left out may be this host, so others of its preference must not be tried. */
static void
of_equal_ones_all_are_kept_or_none(void **state)
{
	(void)state;
	assert_int_equal(many(DNS_MX_MAX + 9, the_last_is_best), DNS_MX_FOUND);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.at[0].preference, 1);
	assert_int_equal(many(DNS_MX_MAX, all_alike), DNS_MX_FOUND);
	assert_int_equal(list.count, DNS_MX_MAX);
	assert_int_equal(many(DNS_MX_MAX + 1, all_alike), DNS_MX_FOUND);
	assert_int_equal(list.count, DNS_MX_MAX);
	assert_int_equal(many(80, in_tens), DNS_MX_FOUND);
	assert_int_equal(list.count, DNS_MX_MAX / 10 * 10);
}

static void
fill(const char *names, const uint16_t *preferences)
{
	list.count = strlen(names);
	for (size_t i = 0; i < list.count; i++) {
		snprintf(list.at[i].name, sizeof(list.at[i].name), "%c", names[i]);
		list.at[i].preference = preferences[i];
	}
}

static void
lower_preferences_come_first_and_equal_ones_by_chance(void **state)
{
	uint32_t random[DNS_MX_MAX] = { 0 };
	unsigned int first[128] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 6 * 60; i++) {
		fill("dabce", (const uint16_t[]){ 20, 10, 10, 10, 65535 });
		for (uint32_t j = 0, rest = i; j < 5; rest /= j + 1, j++)
			random[j] = rest % (j + 1) + 7 * (j + 1);
		dns_mx_order(&list, random);
		first[(unsigned char)list.at[0].name[0]]++;
		assert_int_equal(list.at[2].preference, 10);
		assert_string_equal(list.at[3].name, "d");
		assert_string_equal(list.at[4].name, "e");
	}
	assert_int_equal(first['a'], 120);
	assert_int_equal(first['b'], 120);
	assert_int_equal(first['c'], 120);
}

static void
the_full_list_is_sorted_too(void **state)
{
	uint32_t random[DNS_MX_MAX];

	(void)state;
	list.count = DNS_MX_MAX;
	for (size_t i = 0; i < DNS_MX_MAX; i++) {
		list.at[i].preference = (uint16_t)(i * 7 % 5);
		random[i] = UINT32_MAX - (uint32_t)i * 2654435761u;
	}
	dns_mx_order(&list, random);
	for (size_t i = 1; i < DNS_MX_MAX; i++)
		assert_true(list.at[i - 1].preference <= list.at[i].preference);
	list.count = 0;
	dns_mx_order(&list, random);
}

static void
what_is_better_than_ourselves(void **state)
{
	(void)state;
	fill("abcd", (const uint16_t[]){ 5, 10, 10, 20 });
	assert_int_equal(dns_mx_better(&list, 0), 0);
	assert_int_equal(dns_mx_better(&list, 1), 1);
	assert_int_equal(dns_mx_better(&list, 2), 1);
	assert_int_equal(dns_mx_better(&list, 3), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_become_hosts),
		cmocka_unit_test(other_records_are_passed_over),
		cmocka_unit_test(a_lone_root_is_the_null_mx),
		cmocka_unit_test(hosts_that_cannot_be_are_ignored),
		cmocka_unit_test(names_that_loop_or_leave_the_message),
		cmocka_unit_test(a_name_ends_with_its_record),
		cmocka_unit_test(a_message_cut_anywhere_is_no_answer),
		cmocka_unit_test(any_octet_may_be_wrong),
		cmocka_unit_test(the_best_are_kept_wherever_they_stand),
		cmocka_unit_test(of_equal_ones_all_are_kept_or_none),
		cmocka_unit_test(lower_preferences_come_first_and_equal_ones_by_chance),
		cmocka_unit_test(the_full_list_is_sorted_too),
		cmocka_unit_test(what_is_better_than_ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
