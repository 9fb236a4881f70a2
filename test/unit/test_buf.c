#include "unit.h"

#include "base/buf.h"

static void
it_takes_its_capacity_and_no_more(void **state)
{
	uint8_t mem[8];
	struct buf b;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	assert_true(buf_put(&b, SPAN("12345678")));
	assert_int_equal(buf_room(&b), 0);
	assert_false(buf_put(&b, SPAN("9")));
	assert_true(buf_put(&b, SPAN("")));
	assert_span(buf_peek(&b), "12345678");

	buf_clear(&b);
	assert_false(buf_put(&b, SPAN("123456789")));
	assert_int_equal(buf_len(&b), 0);
}

static void
room_in_front_is_used_too(void **state)
{
	uint8_t mem[8];
	struct buf b;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	assert_true(buf_put(&b, SPAN("12345678")));
	buf_take(&b, 5);
	assert_int_equal(buf_room(&b), 5);
	assert_false(buf_put(&b, SPAN("abcdef")));
	assert_true(buf_put(&b, SPAN("abcde")));
	assert_span(buf_peek(&b), "678abcde");
	assert_int_equal(b.taken, 5);
}

static void
writing_in_place_gets_all_the_room(void **state)
{
	uint8_t mem[8];
	struct buf b;
	size_t room;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	buf_put(&b, SPAN("123456"));
	buf_take(&b, 4);
	uint8_t *space = buf_space(&b, &room);
	assert_int_equal(room, 6);
	memcpy(space, "abcdef", 6);
	buf_added(&b, 3);
	assert_span(buf_peek(&b), "56abc");
	buf_space(&b, &room);
	assert_int_equal(room, 3);
}

static void
formatted_text_goes_in_whole_or_not_at_all(void **state)
{
	uint8_t mem[8];
	struct buf b;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	assert_true(buf_printf(&b, "%d", 1234567));
	assert_span(buf_peek(&b), "1234567");
	assert_false(buf_printf(&b, "%d", 8));
	assert_span(buf_peek(&b), "1234567");
	buf_clear(&b);
	assert_false(buf_printf(&b, "%s", "longer than it"));
	assert_int_equal(buf_len(&b), 0);
}

static void
moving_takes_what_fits(void **state)
{
	uint8_t from_mem[8], to_mem[4];
	struct buf from, to;

	(void)state;
	buf_init(&from, from_mem, sizeof(from_mem));
	buf_init(&to, to_mem, sizeof(to_mem));
	buf_put(&from, SPAN("abcdef"));
	assert_int_equal(buf_move(&to, &from), 4);
	assert_span(buf_peek(&to), "abcd");
	assert_span(buf_peek(&from), "ef");
	assert_int_equal(buf_move(&to, &from), 0);
	buf_take(&to, 1);
	assert_int_equal(buf_move(&to, &from), 1);
	assert_span(buf_peek(&to), "bcde");
	assert_int_equal(from.taken, 5);
}

static void
clearing_counts_as_taking(void **state)
{
	uint8_t mem[8];
	struct buf b;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	buf_put(&b, SPAN("abc"));
	buf_clear(&b);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_room(&b), 8);
	assert_int_equal(b.taken, 3);
}

/* statement 23: octets that have left the buffer stay in its storage until wiped */
static void
threat_23_wiping_zeroes_the_storage(void **state)
{
	const uint8_t zeros[8] = { 0 };
	uint8_t mem[8];
	struct buf b;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	buf_put(&b, SPAN("password"));
	buf_take(&b, 8);
	assert_memory_not_equal(mem, zeros, 8);
	buf_wipe(&b);
	assert_memory_equal(mem, zeros, 8);
	assert_int_equal(buf_len(&b), 0);
}

/* Calls in any order are compared with a simple model of a queue. */
static void
it_behaves_like_a_queue(void **state)
{
	uint8_t mem[16], next_in = 0, next_out = 0;
	struct buf b;
	unsigned int random = 1;
	size_t held = 0;

	(void)state;
	buf_init(&b, mem, sizeof(mem));
	for (int i = 0; i < 20000; i++) {
		random = random * 1103515245u + 12345u;
		size_t len = random >> 16 & 7;
		uint8_t octets[7];

		for (size_t j = 0; j < len; j++)
			octets[j] = (uint8_t)(next_in + j);
		if (random >> 24 & 1) {
			bool fits = len <= sizeof(mem) - held;
			assert_int_equal(buf_put(&b, span(octets, len)), fits);
			held += fits ? len : 0;
			next_in = (uint8_t)(next_in + (fits ? len : 0));
		} else if (len <= held) {
			for (size_t j = 0; j < len; j++)
				assert_int_equal(buf_peek(&b).at[j], next_out++);
			buf_take(&b, len);
			held -= len;
		}
		assert_int_equal(buf_len(&b), held);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_takes_its_capacity_and_no_more),
		cmocka_unit_test(room_in_front_is_used_too),
		cmocka_unit_test(writing_in_place_gets_all_the_room),
		cmocka_unit_test(formatted_text_goes_in_whole_or_not_at_all),
		cmocka_unit_test(moving_takes_what_fits),
		cmocka_unit_test(clearing_counts_as_taking),
		cmocka_unit_test(threat_23_wiping_zeroes_the_storage),
		cmocka_unit_test(it_behaves_like_a_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
