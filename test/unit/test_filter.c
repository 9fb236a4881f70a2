/* Filters for seccomp(2), run by an interpreter of the few instructions there are. */
#include "unit.h"

#include "sys/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#define ARCH AUDIT_ARCH_X86_64
#define DENIED (SECCOMP_RET_ERRNO | EPERM)
#define ALLOWED SECCOMP_RET_ALLOW

static struct sock_filter program[FILTER_MAX];
static size_t len, steps;

static uint32_t
word_at(const struct seccomp_data *data, uint32_t offset)
{
	uint32_t word;

	assert_true(offset + sizeof(word) <= sizeof(*data));
	memcpy(&word, (const uint8_t *)data + offset, sizeof(word));
	return word;
}

static uint32_t
verdict(const struct seccomp_data *data)
{
	uint32_t a = 0;

	steps = 0;
	for (size_t at = 0; at < len; at++, steps++) {
		const struct sock_filter *i = &program[at];
		bool met;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = word_at(data, i->k);
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			met = a == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			met = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			met = (a & i->k) != 0;
			break;
		default:
			fail();
			return 0;
		}
		at += met ? i->jt : i->jf;
	}
	fail();
	return 0;
}

static uint32_t
call(uint32_t nr, uint64_t first, uint64_t second, uint64_t third)
{
	struct seccomp_data data = { .nr = (int)nr, .arch = ARCH, .args = { first, second, third } };

	return verdict(&data);
}

static void
make(struct filter_rule *rules, size_t count)
{
	len = filter_make(program, rules, count, ARCH, ALLOWED, DENIED);
	assert_true(len <= FILTER_MAX);
}

static void
every_number_is_found_or_not(void **state)
{
	struct filter_rule rules[FILTER_RULES_MAX] = { 0 };

	(void)state;
	for (size_t count = 1; count <= FILTER_RULES_MAX; count++) {
		/* in no order, as a list is written: 41 has no divisor here */
		for (size_t i = 0; i < count; i++)
			rules[i] = (struct filter_rule){ .call = (uint32_t)(3 * (i * 41 % count) + 1) };
		make(rules, count);
		for (uint32_t nr = 0; nr < 3 * count + 3; nr++) {
			bool is = nr % 3 == 1 && nr / 3 < count;
			assert_int_equal(call(nr, 0, 0, 0), is ? ALLOWED : DENIED);
			assert_true(steps <= 12);
		}
		assert_int_equal(call(0x40000001, 0, 0, 0), DENIED);	/* x32 */
		assert_int_equal(call(UINT32_MAX, 0, 0, 0), DENIED);
	}
}

static void
another_architecture_is_refused(void **state)
{
	struct filter_rule rule = { .call = 1 };
	struct seccomp_data data = { .nr = 1, .arch = AUDIT_ARCH_I386 };

	(void)state;
	make(&rule, 1);
	assert_int_equal(verdict(&data), DENIED);
	data.arch = ARCH;
	assert_int_equal(verdict(&data), ALLOWED);
}

static void
conditions_are_all_to_be_met(void **state)
{
	struct filter_rule rules[] = {
		{ .call = 9, .only = { { FILTER_HAS_NOT, 2, 4 } } },
		{ .call = 41, .only = { { FILTER_IS, 0, 2 }, { FILTER_IS, 1, 7 }, { FILTER_IS, 2, 0 } } },
		{ .call = 3 },
		{ .call = 8, .only = { { FILTER_IS_NOT, 2, 13 } } },
	};

	(void)state;
	make(rules, 4);
	assert_int_equal(call(9, 0, 0, 3), ALLOWED);
	assert_int_equal(call(9, 0, 0, 4), DENIED);
	assert_int_equal(call(9, 0, 0, 7), DENIED);
	assert_int_equal(call(41, 2, 7, 0), ALLOWED);
	assert_int_equal(call(41, 3, 7, 0), DENIED);
	assert_int_equal(call(41, 2, 6, 0), DENIED);
	assert_int_equal(call(41, 2, 7, 1), DENIED);
	assert_int_equal(call(3, 9, 9, 9), ALLOWED);
	assert_int_equal(call(8, 0, 0, 12), ALLOWED);
	assert_int_equal(call(8, 0, 0, 13), DENIED);
}

static void
one_rule_of_a_call_is_enough(void **state)
{
	struct filter_rule rules[] = {
		{ .call = 41, .only = { { FILTER_IS, 0, 2 }, { FILTER_IS, 1, 7 } } },
		{ .call = 41, .only = { { FILTER_IS, 0, 10 }, { FILTER_IS, 1, 7 } } },
		{ .call = 54, .only = { { FILTER_IS, 0, 1 } } },
		{ .call = 54 },
		{ .call = 41, .only = { { FILTER_IS, 2, 5 } } },
	};

	(void)state;
	make(rules, 5);
	assert_int_equal(call(41, 2, 7, 0), ALLOWED);
	assert_int_equal(call(41, 10, 7, 0), ALLOWED);
	assert_int_equal(call(41, 10, 2, 0), DENIED);
	assert_int_equal(call(41, 7, 7, 0), DENIED);
	assert_int_equal(call(41, 7, 7, 5), ALLOWED);
	assert_int_equal(call(54, 8, 0, 0), ALLOWED);
	assert_int_equal(call(53, 8, 0, 0), DENIED);
}

/* The wide jail: what is listed is refused. */
static void
it_goes_the_other_way_too(void **state)
{
	struct filter_rule rules[] = { { .call = 59 }, { .call = 50 } };

	(void)state;
	len = filter_make(program, rules, 2, ARCH, DENIED, ALLOWED);
	assert_int_equal(call(59, 0, 0, 0), DENIED);
	assert_int_equal(call(50, 0, 0, 0), DENIED);
	assert_int_equal(call(51, 0, 0, 0), ALLOWED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_is_found_or_not),
		cmocka_unit_test(another_architecture_is_refused),
		cmocka_unit_test(conditions_are_all_to_be_met),
		cmocka_unit_test(one_rule_of_a_call_is_enough),
		cmocka_unit_test(it_goes_the_other_way_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
