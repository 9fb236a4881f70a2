#include "unit.h"

#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

static struct buf out;
static uint8_t out_mem[1024];

static int
empty(void **state)
{
	(void)state;
	buf_init(&out, out_mem, sizeof(out_mem));
	return 0;
}

static void
facilities_are_known_by_name(void **state)
{
	(void)state;
	assert_int_equal(log_facility(SPAN("mail")), LOG_MAIL);
	assert_int_equal(log_facility(SPAN("LOCAL7")), LOG_LOCAL7);
	assert_int_equal(log_facility(SPAN("local8")), -1);
	assert_int_equal(log_facility(SPAN("")), -1);
	assert_int_equal(log_facility(SPAN("mai")), -1);
}

/* statement 15: all octet values */
static void
threat_15_nothing_but_plain_text_gets_into_the_log(void **state)
{
	(void)state;
	for (int octet = 0; octet < 256; octet++) {
		uint8_t one = (uint8_t)octet;

		buf_clear(&out);
		log_escape(&out, span(&one, 1));
		struct span got = buf_peek(&out);
		for (size_t i = 0; i < got.len; i++)
			assert_in_range(got.at[i], '!', '~');
		assert_int_equal(got.len, octet <= ' ' || octet >= 0x7f || octet == '"' ||
		    octet == '\\' || octet == '=' ? 4 : 1);
	}
	buf_clear(&out);
	log_escape(&out, SPAN("a b\r\nc\0\xff\\="));
	assert_span(buf_peek(&out), "a\\x20b\\x0d\\x0ac\\x00\\xff\\x5c\\x3d");
}

/* statement 15 */
static void
threat_15_values_are_cut_to_length(void **state)
{
	uint8_t long_value[LOG_VALUE_MAX + 1];

	(void)state;
	memset(long_value, 'a', sizeof(long_value));
	log_escape(&out, span(long_value, LOG_VALUE_MAX));
	assert_int_equal(buf_len(&out), LOG_VALUE_MAX);
	assert_int_equal(buf_peek(&out).at[LOG_VALUE_MAX - 1], 'a');

	buf_clear(&out);
	log_escape(&out, span(long_value, LOG_VALUE_MAX + 1));
	assert_int_equal(buf_len(&out), LOG_VALUE_MAX + 3);
	assert_memory_equal(buf_peek(&out).at + LOG_VALUE_MAX, "...", 3);

	memset(long_value, 0, sizeof(long_value));
	buf_clear(&out);
	log_escape(&out, span(long_value, LOG_VALUE_MAX / 4 + 1));
	assert_int_equal(buf_len(&out), LOG_VALUE_MAX + 3);
}

static void
escaping_stays_inside_a_small_buffer(void **state)
{
	uint8_t mem[7];
	struct buf small;

	(void)state;
	for (size_t cap = 0; cap <= sizeof(mem); cap++) {
		buf_init(&small, mem, cap);
		log_escape(&small, SPAN("ab\1\2cd"));
		log_pair(&small, "name", SPAN("value"));
		assert_true(buf_len(&small) <= cap);
	}
}

static void
pairs_are_set_apart(void **state)
{
	(void)state;
	log_pair(&out, "from", SPAN("a b"));
	log_pair(&out, "to", SPAN(""));
	assert_span(buf_peek(&out), " from=a\\x20b to=-");
}

/* Captures what `say` writes to descriptor 2. */
static void
capture(void (*say)(void), char *text, size_t cap)
{
	int ends[2], saved = dup(STDERR_FILENO);

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	dup2(ends[1], STDERR_FILENO);
	say();
	dup2(saved, STDERR_FILENO);
	ssize_t len = read(ends[0], text, cap - 1);
	text[len > 0 ? len : 0] = '\0';
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

static void
say_one_of_each(void)
{
	log_line(LOG_DEBUG, "line %d", 1);
	log_debug("debug %d", 2);
}

static void
say_much(void)
{
	static char much[2 * LOG_LINE_MAX];

	memset(much, 'x', sizeof(much) - 1);
	log_line(LOG_DEBUG, "%s", much);
}

static void
standard_error_is_only_for_those_who_ask(void **state)
{
	char text[2 * LOG_LINE_MAX], want[128];

	(void)state;
	assert_false(log_verbose());
	log_open("test", LOG_USER, false);
	capture(say_one_of_each, text, sizeof(text));
	assert_string_equal(text, "");

	log_open("test", LOG_USER, true);
	assert_true(log_verbose());
	capture(say_one_of_each, text, sizeof(text));
	snprintf(want, sizeof(want), "test[%ld]: line 1\ntest[%ld]: debug 2\n", (long)getpid(),
	    (long)getpid());
	assert_string_equal(text, want);

	capture(say_much, text, sizeof(text));
	assert_true(strlen(text) < LOG_LINE_MAX + 64);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facilities_are_known_by_name),
		cmocka_unit_test_setup(threat_15_nothing_but_plain_text_gets_into_the_log, empty),
		cmocka_unit_test_setup(threat_15_values_are_cut_to_length, empty),
		cmocka_unit_test(escaping_stays_inside_a_small_buffer),
		cmocka_unit_test_setup(pairs_are_set_apart, empty),
		cmocka_unit_test(standard_error_is_only_for_those_who_ask),
	};

	setlogmask(LOG_UPTO(LOG_INFO));		/* keeps this out of the real log */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
