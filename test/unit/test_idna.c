#include "unit.h"

#include "sys/idna.h"

static char out[HOST_NAME_MAX + 1];

static void
is(const char *name, const char *ascii)
{
	if (!idna_to_ascii(out, span_of(name)))
		fail_msg("%s is not taken", name);
	assert_string_equal(out, ascii);
}

/* RFC 5891; upper case and other forms of a letter are mapped as in UTS 46. */
static void
names_become_ascii(void **state)
{
	(void)state;
	is("m\xc3\xbcnchen.example", "xn--mnchen-3ya.example");
	is("M\xc3\x9cNCHEN.Example", "xn--mnchen-3ya.example");
	is("mu\xcc\x88nchen.example", "xn--mnchen-3ya.example");
	is("stra\xc3\x9f" "e.example", "xn--strae-oqa.example");
	is("a_b.\xe4\xbe\x8b\xe3\x81\x88.example.", "a_b.xn--r8jz45g.example.");
	is("b\xc3\xbc" "cher\xe3\x80\x82" "example", "xn--bcher-kva.example");
}

/* ASCII names are not checked here. */
static void
ascii_stays(void **state)
{
	static const char *const rows[] = { "", ".", "Example.ORG.", "xn--mnchen-3ya.example",
		"xn--a.example", "a b" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is(rows[i], rows[i]);
}

static void
what_is_no_name_is_refused(void **state)
{
	static const char *const rows[] = { "\xfc", "m\xfcnchen.example", "\xc3\xbc\xc3",
		"-\xc3\xbc.example", "\xef\xbf\xbe.example", "xn--\xc3\xbc.example" };
	static char name[HOST_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (idna_to_ascii(out, span_of(rows[i])))
			fail_msg("%zu becomes %s", i, out);
	assert_false(idna_to_ascii(out, SPAN("\xc3\xbc\0.example")));
	/* longer in ASCII than the space for it */
	for (size_t i = 0; i < 252; i += 2)
		memcpy(name + i, i % 60 == 0 ? "a." : "\xc3\xbc", 2);
	idna_to_ascii(out, span(name, 252));
	memset(name, 'a', sizeof(name));
	assert_true(idna_to_ascii(out, span(name, HOST_NAME_MAX)));
	assert_int_equal(strlen(out), HOST_NAME_MAX);
	assert_false(idna_to_ascii(out, span(name, HOST_NAME_MAX + 1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_ascii),
		cmocka_unit_test(ascii_stays),
		cmocka_unit_test(what_is_no_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
