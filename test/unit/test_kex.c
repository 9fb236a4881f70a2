/* The key exchanges of the versions before 2.0; test_kex_hybrid has that of 2.0. */
#include "unit.h"

#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"

#include <sys/wait.h>
#include <unistd.h>

static const struct kex *const oakley1 = &kex_oakley1;
static const struct kex *const head = &kex_rotn;

/* The suites of these versions come after those of 2.0. */
static const struct suite *
old_suites(void)
{
	const struct suite *s = suite_table;

	while (s->kex == &kex_hybrid)
		s++;
	return s;
}

static enum kex_field
get_public(const struct kex *x, const char *text)
{
	uint8_t public[KEX_PUBLIC_MAX];

	return x->get_public(public, span_of(text));
}

static enum kex_field
get_nonce(const struct kex *x, const char *text)
{
	uint8_t nonce[KEX_NONCE_MAX];

	return x->get_nonce(nonce, span_of(text));
}

/* Sends own key and nonce of `from` to `to` in the form of the wire. */
static void
send_fields(const struct agreement *from, struct agreement *to)
{
	const struct kex *x = from->suite->kex;
	char text[KEX_TEXT_MAX];
	size_t len = x->put_public(text, from->own);

	assert_int_equal(x->get_public(to->peer_public, span(text, len)), FIELD_GOOD);
	len = x->put_nonce(text, from->server ? from->nonce_b : from->nonce_a);
	assert_int_equal(x->get_nonce(from->server ? to->nonce_b : to->nonce_a, span(text, len)),
	    FIELD_GOOD);
}

/* Two sides with new pairs and nonces, up to prepare(). */
static void
agree_both(struct agreement side[2], struct kex_pair pair[2], const struct suite *suite)
{
	const struct kex *x = suite->kex;

	memset(side, 0, 2 * sizeof(side[0]));
	for (size_t i = 0; i < 2; i++) {
		side[i].suite = suite;
		side[i].server = i == 1;
		if (x->pair != NULL) {
			assert_int_equal(x->pair(&pair[i]), 0);
			side[i].own = &pair[i];
		}
		assert_int_equal(x->draw_nonce(i == 1 ? side[i].nonce_b : side[i].nonce_a), 0);
	}
	send_fields(&side[0], &side[1]);
	send_fields(&side[1], &side[0]);
	for (size_t i = 0; i < 2; i++) {
		if (x->agree != NULL)
			assert_int_equal(x->agree(&side[i]), 0);
		assert_int_equal(x->prepare(&side[i]), 0);
	}
}

static void
both_sides_have_the_same_keys(void **state)
{
	(void)state;
	for (const struct suite *suite = old_suites(); suite->name != NULL; suite++) {
		const struct kex *x = suite->kex;
		static struct kex_pair pair[2];
		struct agreement side[2];
		char ok[KEX_TEXT_MAX];

		agree_both(side, pair, suite);
		int len = x->put_ok(&side[0], ok);
		assert_true(len >= 0 && x->get_ok(&side[1], span(ok, (size_t)len)));
		len = x->put_ok(&side[1], ok);
		assert_true(len >= 0 && x->get_ok(&side[0], span(ok, (size_t)len)));
		assert_int_equal(x->finish(&side[0]), 0);
		assert_int_equal(x->finish(&side[1]), 0);
		assert_memory_equal(side[0].secret, side[1].secret, sizeof(side[0].secret));
		assert_memory_equal(side[0].key_ab, side[1].key_ab, sizeof(side[0].key_ab));
		assert_memory_equal(side[0].key_ba, side[1].key_ba, sizeof(side[0].key_ba));
		assert_memory_equal(side[0].iv_ab, side[1].iv_ab, sizeof(side[0].iv_ab));
		assert_memory_equal(side[0].iv_ba, side[1].iv_ba, sizeof(side[0].iv_ba));
	}
}

static void
older_versions_have_no_confirmation(void **state)
{
	struct agreement a = { 0 };

	(void)state;
	assert_true(oakley1->get_ok(&a, SPAN("")) && head->get_ok(&a, SPAN("")));
	assert_false(oakley1->get_ok(&a, SPAN("00")) || head->get_ok(&a, SPAN("0")));
}

#define ZEROS30 "000000000000000000000000000000000000000000000000000000000000"
#define FFS30 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define OAKLEY_TOP "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74" \
	"020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437" \
	"4fe1356d6d51c245e485b576625e7ec6f44c42e9a63a3620ffffffffffffff"
#define ZEROS95 ZEROS30 ZEROS30 ZEROS30 "0000000000"

static void
threat_18_oakley_keys_are_in_range(void **state)
{
	(void)state;
	assert_int_equal(get_public(oakley1, ZEROS95 "00"), FIELD_REFUSED);
	assert_int_equal(get_public(oakley1, ZEROS95 "01"), FIELD_REFUSED);
	assert_int_equal(get_public(oakley1, ZEROS95 "02"), FIELD_GOOD);
	assert_int_equal(get_public(oakley1, OAKLEY_TOP "fd"), FIELD_GOOD);	/* p - 2 */
	assert_int_equal(get_public(oakley1, OAKLEY_TOP "fe"), FIELD_REFUSED);
	assert_int_equal(get_public(oakley1, OAKLEY_TOP "ff"), FIELD_REFUSED);	/* p */
	assert_int_equal(get_public(oakley1, FFS30 FFS30 FFS30 "ffffffffffff"), FIELD_REFUSED);
}

/* A digit and an octet too few and too many; characters that are no digits; both cases. */
static void
assert_hex_field(enum kex_field (*get)(const struct kex *, const char *),
    const struct kex *x, size_t digits)
{
	char text[KEX_TEXT_MAX];

	memset(text, 'a', sizeof(text));
	for (size_t len = 0; len < 200; len++) {
		text[len] = '\0';
		assert_int_equal(get(x, text), len == digits ? FIELD_GOOD : FIELD_MALFORMED);
		text[len] = 'a';
	}
	text[digits] = '\0';
	for (size_t at = 0; at < digits; at += digits - 1) {
		static const char others[] = "gG/:@` \t\n-\x80";

		for (size_t i = 0; i < sizeof(others) - 1; i++) {
			text[at] = others[i];
			assert_int_equal(get(x, text), FIELD_MALFORMED);
		}
		text[at] = 'A';
		assert_int_equal(get(x, text), FIELD_GOOD);
		text[at] = 'a';
	}
}

/* A field of a wrong length or form is malformed (statement 18). */
static void
threat_18_hex_fields_have_their_length(void **state)
{
	(void)state;
	assert_hex_field(get_public, oakley1, 192);
	assert_hex_field(get_nonce, oakley1, 20);
}

static void
hex_fields_go_out_in_lower_case(void **state)
{
	uint8_t nonce[32];
	char text[KEX_TEXT_MAX];

	(void)state;
	memset(nonce, 0xab, sizeof(nonce));
	assert_int_equal(oakley1->put_nonce(text, nonce), 20);
	assert_memory_equal(text, "ababab", 6);
}

static void
head_fields(void **state)
{
	char text[KEX_TEXT_MAX];

	(void)state;
	assert_int_equal(head->put_public(text, NULL), 1);
	assert_int_equal(text[0], '0');
	assert_int_equal(get_public(head, "0"), FIELD_GOOD);
	assert_int_equal(get_public(head, ""), FIELD_MALFORMED);
	assert_int_equal(get_public(head, "00"), FIELD_MALFORMED);
	assert_int_equal(get_public(head, "1"), FIELD_MALFORMED);
	for (uint8_t n = 0; n < 26; n++) {
		uint8_t got = 0xff;
		char expected[4];
		size_t len = head->put_nonce(text, &n);

		assert_int_equal(len, snprintf(expected, sizeof(expected), "%d", n));
		assert_memory_equal(text, expected, len);
		assert_int_equal(head->get_nonce(&got, span(text, len)), FIELD_GOOD);
		assert_int_equal(got, n);
	}
	static const char *const malformed[] = { "", "26", "00", "01", "025", "-1", "+1", "1 ",
		" 1", "a", "256", "18446744073709551617", "1.0" };
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		assert_int_equal(get_nonce(head, malformed[i]), FIELD_MALFORMED);
}

/*
 * All numbers from 0 to 25 and no others; in 2,000 draws one is missing with odds of 1 to 10^33.
 */
static void
head_draws_every_number(void **state)
{
	bool seen[26] = { false };
	uint8_t n;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(head->draw_nonce(&n), 0);
		assert_true(n < 26);
		seen[n] = true;
	}
	for (int i = 0; i < 26; i++)
		assert_true(seen[i]);
}

static void
head_adds_up(void **state)
{
	struct agreement a = { .nonce_a = { 25 }, .nonce_b = { 25 } };

	(void)state;
	assert_int_equal(head->finish(&a), 0);
	assert_int_equal(a.key_ab[0], 24);
	assert_int_equal(a.key_ba[0], 24);
}

/* (For RSA see test_kex_rsa.) */
static void
pairs_are_fresh(void **state)
{
	static struct kex_pair one, other;

	(void)state;
	assert_int_equal(oakley1->pair(&one), 0);
	assert_int_equal(oakley1->pair(&other), 0);
	assert_int_equal(one.private_len, oakley1->secret_len);
	assert_memory_not_equal(one.private, other.private, one.private_len);
	assert_memory_not_equal(one.public, other.public, oakley1->public_len);
}

static void
threat_19_directions_have_keys_of_their_own(void **state)
{
	(void)state;
	for (const struct suite *s = old_suites(); s->kex != head; s++) {
		static struct kex_pair pair[2];
		struct agreement side[2];

		agree_both(side, pair, s);
		assert_int_equal(s->kex->finish(&side[0]), 0);
		assert_memory_not_equal(side[0].key_ab, side[0].key_ba, s->cipher->key_len);
	}
}

/* Asserts that `changed` has no session key in common with `a`, in either direction. */
static void
assert_other_keys(const struct agreement *a, struct agreement changed)
{
	const struct suite *s = a->suite;

	assert_int_equal(s->kex->prepare(&changed), 0);
	assert_int_equal(s->kex->finish(&changed), 0);
	assert_memory_not_equal(changed.key_ab, a->key_ab, s->cipher->key_len);
	assert_memory_not_equal(changed.key_ba, a->key_ba, s->cipher->key_len);
	assert_memory_not_equal(changed.key_ab, a->key_ba, s->cipher->key_len);
	assert_memory_not_equal(changed.key_ba, a->key_ab, s->cipher->key_len);
}

/* One Z; the sessions differ in either side's nonce only. */
static void
threat_19_sessions_with_one_secret_have_keys_of_their_own(void **state)
{
	(void)state;
	for (const struct suite *s = old_suites(); s->kex != head; s++) {
		static struct kex_pair pair[2];
		struct agreement side[2], changed;

		agree_both(side, pair, s);
		assert_int_equal(s->kex->finish(&side[0]), 0);
		for (size_t at = 0; at < s->kex->nonce_len; at++) {
			changed = side[0];
			changed.nonce_a[at] ^= 1;
			assert_other_keys(&side[0], changed);
			changed = side[0];
			changed.nonce_b[at] ^= 1;
			assert_other_keys(&side[0], changed);
		}
	}
}

#define FORKED_LEN (10 + HYBRID_NONCE_LEN + X25519_LEN)

/* Pairs of 1.0 and of 2.0. */
static bool
draw_all(uint8_t out[FORKED_LEN])
{
	static struct hybrid h;
	struct agreement a = { .server = false };

	if (oakley1->draw_nonce(out) < 0 || hybrid_draw(&h, &a) < 0)
		return false;
	memcpy(out + 10, a.nonce_a, HYBRID_NONCE_LEN);
	memcpy(out + 10 + HYBRID_NONCE_LEN, h.public, X25519_LEN);
	return true;
}

/* Nonces and pairs come from the kernel: two processes never draw the same after a fork. */
static void
threat_19_nonces_differ_after_a_fork(void **state)
{
	uint8_t ours[FORKED_LEN], theirs[FORKED_LEN];
	int ends[2], status;

	(void)state;
	assert_true(draw_all(ours));
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bool drawn = draw_all(theirs) &&
		    write(ends[1], theirs, sizeof(theirs)) == sizeof(theirs);
		_exit(drawn ? 0 : 1);
	}
	assert_true(draw_all(ours));
	assert_int_equal(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t at = 0; at < sizeof(ours); at += 10)
		assert_memory_not_equal(ours + at, theirs + at, at + 10 <= sizeof(ours) ? 10 : 4);
	close(ends[0]);
	close(ends[1]);
}

static void
threat_23_agreement_is_wiped(void **state)
{
	static const uint8_t zeros[KEX_SECRET_MAX];
	struct agreement a;

	(void)state;
	memset(&a, 0xa5, sizeof(a));
	a.suite = suite_table;
	agreement_wipe(&a);
	assert_memory_equal(a.secret, zeros, sizeof(a.secret));
	assert_memory_equal(a.half_a, zeros, sizeof(a.half_a));
	assert_memory_equal(a.half_b, zeros, sizeof(a.half_b));
	assert_memory_equal(a.key_ab, zeros, sizeof(a.key_ab));
	assert_memory_equal(a.key_ba, zeros, sizeof(a.key_ba));
	assert_memory_equal(a.iv_ab, zeros, sizeof(a.iv_ab));
	assert_memory_equal(a.iv_ba, zeros, sizeof(a.iv_ba));
	assert_ptr_equal(a.suite, suite_table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_have_the_same_keys),
		cmocka_unit_test(older_versions_have_no_confirmation),
		cmocka_unit_test(threat_18_oakley_keys_are_in_range),
		cmocka_unit_test(threat_18_hex_fields_have_their_length),
		cmocka_unit_test(hex_fields_go_out_in_lower_case),
		cmocka_unit_test(head_fields),
		cmocka_unit_test(head_draws_every_number),
		cmocka_unit_test(head_adds_up),
		cmocka_unit_test(pairs_are_fresh),
		cmocka_unit_test(threat_19_directions_have_keys_of_their_own),
		cmocka_unit_test(threat_19_sessions_with_one_secret_have_keys_of_their_own),
		cmocka_unit_test(threat_19_nonces_differ_after_a_fork),
		cmocka_unit_test(threat_23_agreement_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
