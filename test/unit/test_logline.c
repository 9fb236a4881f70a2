/* The part of the log line that both programs share. */
#include "unit.h"

#include "cli/logline.h"

static void
the_cache_has_its_word(void **state)
{
	static struct handshake h;
	static struct key_cache cache;

	(void)state;
	assert_string_equal(logline_cache_word(&cache, &h), "-");
	h.agreement.suite = suite_find(SPAN("aes256gcm_2.0"));
	assert_string_equal(logline_cache_word(&cache, &h), "-");
	h.computed = true;
	assert_string_equal(logline_cache_word(&cache, &h), "off");
	cache.stored = true;
	assert_string_equal(logline_cache_word(&cache, &h), "miss");
	h.met = true;
	assert_string_equal(logline_cache_word(&cache, &h), "hit");
	h.agreement.suite = suite_find(SPAN("arsyfor_1.0"));
	assert_string_equal(logline_cache_word(&cache, &h), "miss");
	h.kept = true;
	assert_string_equal(logline_cache_word(&cache, &h), "hit");
	h.agreement.suite = suite_find(SPAN("rotn_0.1"));
	assert_string_equal(logline_cache_word(&cache, &h), "off");
}

static void
the_log_line_says_how_it_went(void **state)
{
	static struct handshake h;
	static struct key_cache cache;
	static struct session session;
	uint8_t mem[512];
	struct buf line;

	(void)state;
	buf_init(&line, mem, sizeof(mem));
	h.agreement.suite = suite_find(SPAN("aes256gcm_2.0"));
	h.computed = cache.stored = true;
	logline_crypt(&line, &cache, &h, "aes256gcm_2.0", NULL);
	assert_span(buf_peek(&line), " crypt=aes256gcm_2.0 cache=miss");
	buf_clear(&line);
	h.agreement.suite = NULL;
	logline_crypt(&line, &cache, &h, "none", "not-offered");
	assert_span(buf_peek(&line), " crypt=none why=not-offered cache=-");
	buf_clear(&line);
	session.wire_read = 12;
	session.wire_written = 34;
	session.layer_fault = channel_fault_text(CHANNEL_BAD_RECORD);
	logline_end(&line, &session, 0, OUTCOME_BAD_RECORD);
	assert_true(span_starts(buf_peek(&line), SPAN(" in=12 out=34 seconds=")));
	assert_int_equal(buf_put(&line, SPAN("\0")), true);
	assert_non_null(strstr((const char *)mem, " end=bad-record fault=record\\x20does"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cache_has_its_word),
		cmocka_unit_test(the_log_line_says_how_it_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
