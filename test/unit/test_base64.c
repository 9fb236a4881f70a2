#include "unit.h"

#include "crypt/base64.h"

/* RFC 4648 section 10 */
static void
known_answers(void **state)
{
	static const struct { const char *octets, *text; } rows[] = {
		{ "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].octets);
		uint8_t back[8];
		char text[8];

		assert_int_equal(base64_encode(text, (const uint8_t *)rows[i].octets, len),
		    BASE64_LEN(len));
		assert_memory_equal(text, rows[i].text, BASE64_LEN(len));
		assert_true(base64_decode(back, len, span_of(rows[i].text)));
		assert_memory_equal(back, rows[i].octets, len);
	}
}

static void
each_value_has_one_text(void **state)
{
	static const char *const wrong[] = {
		"", "Zg=", "Zg", "Zg===", "Zh==", "Zg =", "Zg=\n", "\nZg=", "Zg==\n", "Zm8=", "Zm9v", "Z===",
		"Z*==", "Z_==", "====",
	};
	uint8_t octets[4];

	(void)state;
	assert_true(base64_decode(octets, 1, SPAN("Zg==")));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (base64_decode(octets, 1, span_of(wrong[i])))
			fail_msg("\"%s\" is taken for one octet", wrong[i]);
	assert_false(base64_decode(octets, 2, SPAN("Zm9=")));
	assert_false(base64_decode(octets, 3, SPAN("Zg==")));
	assert_false(base64_decode(octets, 3, SPAN("Zm\09")));
}

static void
lengths_have_a_limit(void **state)
{
	static uint8_t octets[BASE64_OCTETS_MAX + 1], back[BASE64_OCTETS_MAX + 1];
	static char text[BASE64_LEN(BASE64_OCTETS_MAX + 1)];

	(void)state;
	memset(octets, 0xff, sizeof(octets));
	size_t len = base64_encode(text, octets, BASE64_OCTETS_MAX);
	assert_int_equal(len, sizeof(text));
	assert_true(base64_decode(back, BASE64_OCTETS_MAX, span(text, len)));
	assert_memory_equal(back, octets, BASE64_OCTETS_MAX);
	assert_false(base64_decode(back, BASE64_OCTETS_MAX + 1, span(text, len)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(each_value_has_one_text),
		cmocka_unit_test(lengths_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
