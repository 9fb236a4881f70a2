/*
 * Secrets are compared in constant time (statement 23).  The test runs itself again under
 * valgrind's memcheck with the secrets marked as undefined, which reports every branch and
 * address that depends on them.
 */
#include "memcheck.h"

#include "base/octets.h"
#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"

#define LEN_MAX 64

/* Copies and changes octet `at`, if there is one. */
static bool
compare(size_t len, size_t at)
{
	uint8_t a[LEN_MAX], b[LEN_MAX];

	memset(a, 0x5a, len);
	memset(b, 0x5a, len);
	if (at < len)
		b[at] ^= 0x80;
	memcheck_hide(a, len);
	memcheck_hide(b, len);
	return memcheck_shown(octets_equal_secret(a, b, len));
}

static void
threat_23_octets_are_compared_in_constant_time(void **state)
{
	(void)state;
	memcheck_or_skip();
	unsigned before = VALGRIND_COUNT_ERRORS;
	for (size_t len = 0; len <= LEN_MAX; len++)
		for (size_t at = 0; at <= len; at++)
			assert_int_equal(compare(len, at), at == len);
	assert_int_equal(VALGRIND_COUNT_ERRORS, before);
}

/* Runs one side of a connection with fixed values from `secret`, which is R or K. */
static void
make_confirmation(struct hybrid *h, bool server, bool met, const uint8_t secret[32])
{
	static struct kex_pair own = { .private = { 7 }, .private_len = X25519_LEN };
	const struct span lines[HYBRID_LINES] = { SPAN("EHLO a"), SPAN("XCRYPT s"), SPAN("XCRYPT s a"),
		SPAN("250 XCRYPT b") };
	struct agreement a = { .suite = suite_table, .server = server };

	memset(h, 0, sizeof(*h));
	h->met = met;
	h->private[0] = 3;
	h->peer[0] = 9;
	h->kept.server[0] = 9;
	memcpy(met ? h->kept.secret : h->kem_secret, secret, 32);
	assert_int_equal(hybrid_agree(h, &a, &own, lines), 0);
	agreement_wipe(&a);
}

/* The right value, and a wrong one at each octet. */
static void
assert_confirmed(bool server, bool met)
{
	uint8_t secret[32] = { 0xc3 }, confirm[HYBRID_CONFIRM_LEN];
	struct hybrid h;

	make_confirmation(&h, server, met, secret);
	for (size_t at = 0; at <= sizeof(confirm); at++) {
		memcpy(confirm, h.confirm, sizeof(confirm));
		if (at < sizeof(confirm))
			confirm[at] ^= 0x10;
		memcheck_hide(secret, sizeof(secret));
		make_confirmation(&h, server, met, secret);
		bool equal = octets_equal_secret(confirm, h.confirm, sizeof(confirm));
		assert_int_equal(memcheck_shown(equal), at == sizeof(confirm));
		memcheck_show(&h, sizeof(h));
		memcheck_show(secret, sizeof(secret));
	}
}

/* From R, or from the server's result of ML-KEM, to the comparison of confirmations. */
static void
threat_23_confirmations_are_compared_in_constant_time(void **state)
{
	(void)state;
	memcheck_or_skip();
	unsigned before = VALGRIND_COUNT_ERRORS;
	assert_confirmed(false, true);
	assert_confirmed(true, true);
	assert_confirmed(true, false);
	assert_int_equal(VALGRIND_COUNT_ERRORS, before);
}

/* A comparison like memcmp(3), which memcheck must report. */
static bool
equal_carelessly(const volatile uint8_t *a, const volatile uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static void
what_is_careless_is_seen(void **state)
{
	uint8_t a[16] = { 1 }, b[16] = { 2 };

	(void)state;
	memcheck_or_skip();
	unsigned before = VALGRIND_COUNT_ERRORS;
	memcheck_hide(a, sizeof(a));
	assert_false(memcheck_shown(equal_carelessly(a, b, sizeof(a))));
	assert_true(VALGRIND_COUNT_ERRORS > before);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threat_23_octets_are_compared_in_constant_time),
		cmocka_unit_test(threat_23_confirmations_are_compared_in_constant_time),
		cmocka_unit_test(what_is_careless_is_seen),
	};

	(void)argc;
	memcheck_again(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
