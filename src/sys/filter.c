#include "sys/filter.h"

#include <assert.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>

/* Where a jump goes: so many instructions on, or to one of the two ends, whose place is known last. */
#define TO_LISTED 254
#define TO_OTHERS 255
#define ENDS 2
_Static_assert(TO_LISTED <= UINT8_MAX && TO_OTHERS <= UINT8_MAX, "offsets are octets");

struct assembly {
	struct sock_filter *at;
	size_t len;
};

static void
put(struct assembly *a, uint16_t code, uint32_t value, uint8_t yes, uint8_t no)
{
	assert(a->len < FILTER_MAX - ENDS);
	a->at[a->len++] = (struct sock_filter){ code, yes, no, value };
}

static void
put_load(struct assembly *a, size_t offset)
{
	put(a, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static size_t
conditions(const struct filter_rule *rule)
{
	size_t count = 0;

	while (count < FILTER_CONDITIONS && rule->only[count].how != FILTER_ANY)
		count++;
	return count;
}

/* One rule of a call: all its conditions, or on to what follows it. */
static void
put_rule(struct assembly *a, const struct filter_rule *rule, bool is_last)
{
	size_t count = conditions(rule);

	for (size_t i = 0; i < count; i++) {
		const struct filter_condition *c = &rule->only[i];
		uint8_t met = i + 1 == count ? TO_LISTED : 0;
		/* two instructions for each condition that is left */
		uint8_t not_met = is_last ? TO_OTHERS : (uint8_t)(2 * (count - 1 - i));

		put_load(a, offsetof(struct seccomp_data, args) + c->argument * sizeof(uint64_t));
		if (c->how == FILTER_IS)
			put(a, BPF_JMP | BPF_JEQ | BPF_K, c->value, met, not_met);
		else if (c->how == FILTER_IS_NOT)
			put(a, BPF_JMP | BPF_JEQ | BPF_K, c->value, not_met, met);
		else
			put(a, BPF_JMP | BPF_JSET | BPF_K, c->value, not_met, met);
	}
}

/* A leaf: the rules, all of one call. */
static void
put_call(struct assembly *a, const struct filter_rule *rules, size_t count)
{
	bool always = false;

	for (size_t i = 0; i < count; i++)
		always = always || conditions(&rules[i]) == 0;
	put(a, BPF_JMP | BPF_JEQ | BPF_K, rules[0].call, always ? TO_LISTED : 0, TO_OTHERS);
	for (size_t i = 0; i < count && !always; i++)
		put_rule(a, &rules[i], i + 1 == count);
}

static void
put_tree(struct assembly *a, const struct filter_rule *rules, size_t count)
{
	size_t half = count / 2;

	/* rules of one call stay together */
	while (half > 0 && rules[half].call == rules[half - 1].call)
		half--;
	if (half == 0) {
		half = count / 2;
		while (half < count && rules[half].call == rules[0].call)
			half++;
	}
	if (half == count) {
		put_call(a, rules, count);
		return;
	}
	size_t node = a->len;
	put(a, BPF_JMP | BPF_JGE | BPF_K, rules[half].call, 0, 0);
	put_tree(a, rules, half);
	assert(a->len - node - 1 < TO_LISTED);
	a->at[node].jt = (uint8_t)(a->len - node - 1);
	put_tree(a, rules + half, count - half);
}

static void
resolve(struct assembly *a, uint8_t *jump, size_t from)
{
	size_t end = a->len + (*jump == TO_OTHERS);

	if (*jump != TO_LISTED && *jump != TO_OTHERS)
		return;
	assert(end - from - 1 <= UINT8_MAX);
	*jump = (uint8_t)(end - from - 1);
}

static void
put_ends(struct assembly *a, uint32_t listed, uint32_t others)
{
	for (size_t i = 0; i < a->len; i++)
		if (BPF_CLASS(a->at[i].code) == BPF_JMP) {
			resolve(a, &a->at[i].jt, i);
			resolve(a, &a->at[i].jf, i);
		}
	a->at[a->len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, listed);
	a->at[a->len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, others);
}

static int
by_call(const void *one, const void *other)
{
	uint32_t a = ((const struct filter_rule *)one)->call;
	uint32_t b = ((const struct filter_rule *)other)->call;

	return (a > b) - (a < b);
}

size_t
filter_make(struct sock_filter program[FILTER_MAX], struct filter_rule *rules, size_t count,
    uint32_t arch, uint32_t listed, uint32_t others)
{
	struct assembly a = { .at = program };

	assert(count > 0 && count <= FILTER_RULES_MAX);
	qsort(rules, count, sizeof(rules[0]), by_call);
	put_load(&a, offsetof(struct seccomp_data, arch));
	put(&a, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	put(&a, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
	put_load(&a, offsetof(struct seccomp_data, nr));
	put_tree(&a, rules, count);
	put_ends(&a, listed, others);
	return a.len;
}
