#include "unit.h"

#include "base/span.h"

static void
comparing_folds_ascii_only(void **state)
{
	(void)state;
	assert_true(span_equal(SPAN("abc"), SPAN("abc")));
	assert_false(span_equal(SPAN("abc"), SPAN("abC")));
	assert_false(span_equal(SPAN("abc"), SPAN("abcd")));
	assert_true(span_equal(SPAN("a\0b"), SPAN("a\0b")));
	assert_false(span_equal(SPAN("a\0b"), SPAN("a\0c")));
	assert_true(span_equal(span(NULL, 0), SPAN("")));
	assert_true(span_equal_nocase(SPAN("XCRYPT-az"), SPAN("xcrypt-AZ")));
	assert_false(span_equal_nocase(SPAN("@"), SPAN("`")));
	assert_false(span_equal_nocase(SPAN("["), SPAN("{")));
	assert_false(span_equal_nocase(SPAN("\xc4"), SPAN("\xe4")));
	assert_true(span_starts(SPAN("abc"), SPAN("ab")));
	assert_true(span_starts(SPAN("ab"), SPAN("ab")));
	assert_false(span_starts(SPAN("a"), SPAN("ab")));
	assert_true(span_starts_nocase(SPAN("Mail from"), SPAN("MAIL")));
	assert_false(span_starts_nocase(SPAN("Mai"), SPAN("MAIL")));
}

static void
an_empty_line_is_no_verb(void **state)
{
	(void)state;
	assert_false(span_equal_nocase(SPAN(""), SPAN("QUIT")));
	assert_false(span_starts_nocase(SPAN(""), SPAN("QUIT")));
}

static void
rest_and_find_keep_inside(void **state)
{
	(void)state;
	assert_span(span_from(SPAN("abc"), 1), "bc");
	assert_int_equal(span_from(SPAN("abc"), 3).len, 0);
	assert_int_equal(span_from(SPAN("abc"), SIZE_MAX).len, 0);
	assert_int_equal(span_find(SPAN("a=b=c"), '='), 1);
	assert_int_equal(span_find(SPAN("abc"), '='), 3);
	assert_int_equal(span_find(SPAN("a\0b"), '\0'), 1);
	assert_int_equal(span_find(span(NULL, 0), 'a'), 0);
}

static void
words_are_told_by_single_separators(void **state)
{
	struct span rest = SPAN("one  two "), word;

	(void)state;
	assert_true(span_word(&rest, ' ', &word));
	assert_span(word, "one");
	assert_true(span_word(&rest, ' ', &word));
	assert_span(word, "");
	assert_true(span_word(&rest, ' ', &word));
	assert_span(word, "two");
	assert_true(span_word(&rest, ' ', &word));
	assert_span(word, "");
	assert_false(span_word(&rest, ' ', &word));
}

static void
numbers_have_a_limit(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_true(span_number(SPAN("0"), 0, &n) && n == 0);
	assert_true(span_number(SPAN("00025"), 25, &n) && n == 25);
	assert_false(span_number(SPAN("26"), 25, &n));
	assert_true(span_number(SPAN("65535"), UINT16_MAX, &n) && n == 65535);
	assert_false(span_number(SPAN("65536"), UINT16_MAX, &n));
	assert_true(span_number(SPAN("18446744073709551615"), UINT64_MAX, &n) && n == UINT64_MAX);
	assert_false(span_number(SPAN("18446744073709551616"), UINT64_MAX, &n));
	assert_false(span_number(SPAN("99999999999999999999999"), UINT64_MAX, &n));
	assert_int_equal(n, UINT64_MAX);
}

static void
numbers_are_digits_only(void **state)
{
	uint64_t n;

	(void)state;
	assert_false(span_number(SPAN(""), 9, &n));
	assert_false(span_number(SPAN("-1"), 9, &n));
	assert_false(span_number(SPAN("+1"), 9, &n));
	assert_false(span_number(SPAN(" 1"), 9, &n));
	assert_false(span_number(SPAN("1 "), 9, &n));
	assert_false(span_number(SPAN("1\0"), 9, &n));
	assert_false(span_number(SPAN("0x1"), 99, &n));
}

/* statement 15 */
static void
threat_15_printable_text_fits_and_has_no_controls(void **state)
{
	char out[5];

	(void)state;
	assert_int_equal(span_printable(out, sizeof(out), SPAN("a\r\x7f\xff")), 4);
	assert_string_equal(out, "a???");
	assert_int_equal(span_printable(out, sizeof(out), SPAN("abcde")), 4);
	assert_string_equal(out, "abcd");
	assert_int_equal(span_printable(out, 1, SPAN("abcde")), 0);
	assert_string_equal(out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparing_folds_ascii_only),
		cmocka_unit_test(an_empty_line_is_no_verb),
		cmocka_unit_test(rest_and_find_keep_inside),
		cmocka_unit_test(words_are_told_by_single_separators),
		cmocka_unit_test(numbers_have_a_limit),
		cmocka_unit_test(numbers_are_digits_only),
		cmocka_unit_test(threat_15_printable_text_fits_and_has_no_controls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
