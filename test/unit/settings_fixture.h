/*
 * Settings, and a file of them in the scratch directory, which is accepted or rejected with a
 * given error text.
 */
#ifndef TEST_SETTINGS_FIXTURE_H
#define TEST_SETTINGS_FIXTURE_H

#include "policies.h"
#include "scratch.h"
#include "sys/settings.h"
#include "unit.h"

#define CONF scratch_path("conf")
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct settings s;

static inline int
defaults(void **state)
{
	(void)state;
	settings_defaults(&s);
	return 0;
}

static inline int
release(void **state)
{
	(void)state;
	free_policies(&s);
	return 0;
}

static inline int
read_octets(struct span text)
{
	scratch_write("conf", text.at, text.len);
	return settings_file(&s, CONF, true);
}

static inline void
good(const char *text)
{
	if (read_octets(span_of(text)) < 0)
		fail_msg("%s", s.error);
}

static inline void
assert_one_line(void)
{
	assert_true(strlen(s.error) < sizeof(s.error) - 1);
	for (const char *c = s.error; *c != '\0'; c++)
		assert_in_range(*c, ' ', '~');
}

/* Asserts that `text` is rejected with "FILE:" and `want`. */
static inline void
bad_octets(struct span text, const char *want)
{
	char whole[SETTINGS_ERROR_MAX];

	assert_int_equal(read_octets(text), -1);
	assert_one_line();
	snprintf(whole, sizeof(whole), "%s:%s", CONF, want);
	assert_string_equal(s.error, whole);
}

#define bad(text, want) bad_octets(SPAN(text), want)

#define TEST(name) cmocka_unit_test_setup_teardown(name, defaults, release)

#endif
