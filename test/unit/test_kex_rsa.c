/*
 * RSA key transport, version 0.2: which keys and sealed halves are accepted, with answers of
 * another implementation (OpenSSL).
 */
#include "unit.h"

#include "base/octets.h"
#include "crypt/kex.h"

static const struct kex *const rsa = &kex_rsa;

/* A key, and the octets 0 to 19 sealed for it. */
static const char prime_p[] =
	"ff480dc6c9e6d5e002a86bf1de46815ba9b63da88e12b09683a08c1147fea80a1b4135cca20a942c75f4"
	"3217a5edeccc3b8b31b1db12ab3b280106ad69e2caa4459e6d07dbddec270c8e72c2ad608fb38167bc06"
	"f6dc540b3e23a685f9d02af5098deea494d1890dab228b87668f9511ea64c791f1c46b4747d31b69718f"
	"aedb";
static const char prime_q[] =
	"ea99d78400755d3b6f8f9042ec5090dbd0238a4c551e6348c961383a55f3a78b56456f8167f68bc88652"
	"8b2d069a97b2a5016d1861f0f57ed5dbe929b05683b86b455f74605fe427649c065a642844e73c7b2de2"
	"d9c4fe1af1d2edfd1eef2067ad619104f53663bdaf47fab197f5a0127c2c90a97970799ed014b010acd5"
	"e2ef";
static const char modulus_text[] =
	"6fFFkRWJwWxLqwTNtRD4gNbFKc1OQ1U48QTd5o/q3bbp9wyY5sLmL9QFSrwJOYmHkJyx1mmHuiouLe9iN+Lt"
	"YyTxMC8O1B0tx5+Eal0sAnHUvA+8S+CXu4wpnis+cmFdz12rf2whQSQkaiGNntaCWbjZywt3sYRl1a29qd5R"
	"xpRcdUZ4+0NioWX5gjfSsV9S0MlPGrA3MOP+9lxVxAD/7O2QsYk6qmONTEcSg0Nu5c9d3qXVSnhnEcawyl42"
	"KgK320BM9dn7VYW+ksbhXAuwprch4+iuy6ylKftAsStjm+UO9UgunZUQ8MK2vFKdVc74NgAaoLdU7iSNnzFp"
	"fbiUdQ==";
static const char sealed_text[] =
	"hro1kFfYAi7Pjy0xXQGH3qtIKXCZ7v/90l2pnW0ctMJZctPyKpum2n0ltskOqb841yvr8bGnkZK4iwUCT9wT"
	"p4GuKX1jhTg5hepNTKYeHpZTDkgz9RkApLIzGstE1lox1Ff/qUVlc66fuv8QeL+PZdDMUGcsT1gJGRHx1zdJ"
	"WjCLt+s1CG1M27/FepkvrQBvh7mw0RQHHX3e73zOqJS/sJUM78+zynBjB3uxRU/a7KWLOnngjSM3L+pN8L2t"
	"ZqsluCR19XBr0fOGLIkvZByMJkp6ef/VQwdTHx9FzlKOwnioNcjo4ipOzKO75tygEkttRYV2OZBHVK/40mdI"
	"oIW/vw==";
static const char sealed_short[] =
	"up8nEiLwwuyQAlkY5+Q0ka++ooeWjdkbOHQgUqk49AwS8nS4GeSbx5/PvlW3YeO1ytNxSKfCcqFDD67uiEne"
	"6zJ4Dx3u1DBZUkTuOxsuPZ1KFjUB2k1QCcMCTnryCNkMsgDyedQdw2j3HLKszUArfZ0jyYo333sGjt0G/b9d"
	"6PZPzRRrfvuNDTLW0ZKDaoVI9G8wGW5tLIeCDIu/nFMkEdhQAo38JN/E1Gh3pkt4kZEerdSc4XajD2eNR89j"
	"TXXgL18aw09taa48yw9YwwBAOKMEQq+jXcagW7YQ5SErg7nTwQ+PLDgQBNf0AaU6UENViXAMU6AXWnGLf5Bk"
	"rgtFwg==";
static const char sealed_long[] =
	"QC8GlZAshCDmRqyki6hK7SqdNk8DbJJXy9UHxt14b85gw+e/NI9BZV8q8qQocwZ/35Oz73b13Th2QMSw1Vw/"
	"zUhseGb52/E5C9YFrxIeEIVhRSrUSW75MtWRSUmHpEYmmd96D/wOUKtv/lxEzwzRkq5WY/DXFWTVJffIgkmq"
	"pv3Jw2Un4i+M73OSzvEZwr6v3Tp/OgnGwUJmCd1TXS4Zac9Pl6L2HKt+MrPfair0reFt27N7mxMDYRT9fhTY"
	"Nlj6sh8pXKsyk4nMT1BPkehGTGAdm1BHxH7ZTnk9KxwCHRQxgW2uxaQLGDwU+LRpoVD4uEUNWx60Xyk0qqXT"
	"/wasJg==";
static const char sealed_sha256[] =
	"5uqRnam1CchxhWqX9xoVUmsVApMhJXFpwrAy7ucoBlpc4fyl/vsVVv90pg5xRf/ABENs7NICMHIuZULxsRrj"
	"qpWuTT6sTbnhuQ8I7BimoW3XPFq/7iWr/WLarr/5HaRW4e4YYb4PkreKHSx5BoN2kY3a0vsu4Q/XruaIJNU5"
	"irN+hPePOWMy/yPS+gJx007Cru/XwQvSQ8XzDkrG0XqogCcurUq1KI1s6aA0AzLF6o8fGhnvQxNv48rOZfGk"
	"3gpfgf428c+7shjuojXco91waJhsLz2ZsWAogZjDVp4pS28Ad8J/rki8JJ1df2SKfGV2OE1WVjEkEb3L4fc+"
	"iWvapw==";
static const char sealed_label[] =
	"iLhV0ZsH0JPvdJlob4Tsc4jFhz9nJjVGpVWdkryIF/nMb8pdVqk3pj34eAZ2LXAjcLesyd3JFopX5xuRsclL"
	"9jiUBLVPN8B3Utz4THenTBSrB7wyC/QSGBxrm+gYUMsYDEpDQoyYwZSYExX4n3WH5x4WuRsv/cMt82VaPo8Z"
	"2HjNAfBjonZtH4ZpuRLf7a8oe0Mqj2CBajP1tGLkLSzj6wmTx0jYOkJMtWpk4k/9WNDbiA4UVcORsgIgvGY8"
	"5Da6MbOp1C0xWOt0ljaPUVzql9a8JxGtGQ9NVBEAbIPHiHMX29k6klEB8J3rMmFfJNdJX3djHKsX+dqQNrX7"
	"9AVEfA==";
static const char sealed_pkcs1[] =
	"GGSwRCQFw1MYra8ZBuSZBn94Fd6N17LHuOIhFGd4j22KqQZtwiGAScMU5FqYLMEHcaYwVw8K2swB/wX0HJ2H"
	"FTnCIr2+vzdYQ+HDWAZu1y+ZvMTlOVeydxeVjmGX39xjc9gvRIVAEhA9AP/b7N4iGs2KrUHXAUHUl2aBZI4x"
	"w+kJkegobbIPLMLOYiDsXYeSJT9KYcsp+6MnBGhagfLuBa3n1nzwM/XJ8IFCJstKQeFgYP2VzbBEsSlACiYz"
	"2KNMVegR+52lf0l+KA1UETaHHvta6vg+NX2Z66Xuy3t5uCIstnf5res/az4Lj0nmoZCdt8HY7SwXfdVza5uF"
	"vFDcRA==";

static int
known_pair(void **state)
{
	static struct kex_pair pair;

	pair.private_len = 256;
	assert_true(octets_from_hex(pair.private, 128, span_of(prime_p)));
	assert_true(octets_from_hex(pair.private + 128, 128, span_of(prime_q)));
	assert_int_equal(rsa->get_public(pair.public, span_of(modulus_text)), FIELD_GOOD);
	*state = &pair;
	return 0;
}

static bool
opens(const struct kex_pair *own, const char *text)
{
	struct agreement server = { .server = true, .own = own }, client = { .own = own };
	uint8_t expected[20];
	bool opened = rsa->get_ok(&server, span_of(text));

	/* the same in the other role */
	assert_int_equal(rsa->get_ok(&client, span_of(text)), opened);
	for (uint8_t i = 0; i < sizeof(expected); i++)
		expected[i] = i;
	if (opened) {
		assert_memory_equal(server.half_a, expected, sizeof(expected));
		assert_memory_equal(client.half_b, expected, sizeof(expected));
	}
	return opened;
}

static void
what_others_seal_is_opened(void **state)
{
	char text[KEX_TEXT_MAX];

	assert_int_equal(rsa->put_public(text, *state), 344);
	assert_memory_equal(text, modulus_text, 344);
	assert_true(opens(*state, sealed_text));
}

static void
halves_of_another_form_are_refused(void **state)
{
	assert_false(opens(*state, sealed_short));
	assert_false(opens(*state, sealed_long));
	assert_false(opens(*state, sealed_sha256));
	assert_false(opens(*state, sealed_label));
	assert_false(opens(*state, sealed_pkcs1));
	/* not below the modulus, which no sealed half can be; and 0 and 1 */
	assert_false(opens(*state, modulus_text));
	char text[345];
	memset(text, 'A', 342);
	strcpy(text + 342, "==");
	assert_false(opens(*state, text));
	text[341] = 'Q';
	assert_false(opens(*state, text));
}

/* With a character changed, missing or added, nothing is decrypted. */
static void
changed_halves_are_refused(void **state)
{
	char text[346];

	strcpy(text, sealed_text);
	for (size_t at = 0; at < 344; at += 7) {
		text[at] = text[at] == 'B' ? 'C' : 'B';
		assert_false(opens(*state, text));
		text[at] = sealed_text[at];
	}
	text[343] = '\0';
	assert_false(opens(*state, text));
	strcpy(text, sealed_text);
	strcat(text, "A");
	assert_false(opens(*state, text));
	assert_false(opens(*state, sealed_text + 4));
	assert_false(opens(*state, ""));
}

/* Only canonical base64 is accepted. */
static void
base64_is_exact(void **state)
{
	static const char others[] = " \t\r\n=-_.%\x80";
	uint8_t public[KEX_PUBLIC_MAX];
	char text[348];

	(void)state;
	for (size_t i = 0; i < sizeof(others) - 1; i++) {
		for (size_t at = 0; at < 342; at += 57) {
			strcpy(text, modulus_text);
			text[at] = others[i];
			assert_int_equal(rsa->get_public(public, span_of(text)), FIELD_MALFORMED);
		}
	}
	/* the four padding bits */
	strcpy(text, modulus_text);
	assert_non_null(strchr("AQgw", text[341]));
	text[341]++;
	assert_int_equal(rsa->get_public(public, span_of(text)), FIELD_MALFORMED);
	/* with line ends, as in mail */
	snprintf(text, sizeof(text), "%.64s\r\n%s", modulus_text, modulus_text + 64);
	assert_int_equal(rsa->get_public(public, span_of(text)), FIELD_MALFORMED);
	/* without padding characters */
	assert_int_equal(rsa->get_public(public, span(modulus_text, 342)), FIELD_MALFORMED);
	assert_int_equal(rsa->get_public(public, span(modulus_text, 343)), FIELD_MALFORMED);
	assert_int_equal(rsa->get_public(public, span(NULL, 0)), FIELD_MALFORMED);
}

static void
modulus_is_odd_and_whole(void **state)
{
	static const struct {
		uint8_t first, last;
		enum kex_field field;
	} cases[] = {
		{ 0x80, 0x01, FIELD_GOOD }, { 0xff, 0xff, FIELD_GOOD },
		{ 0x7f, 0xff, FIELD_REFUSED }, { 0x00, 0x01, FIELD_REFUSED },
		{ 0x80, 0x00, FIELD_REFUSED }, { 0xff, 0xfe, FIELD_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kex_pair pair = { .public = { cases[i].first } };
		uint8_t public[KEX_PUBLIC_MAX];
		char text[KEX_TEXT_MAX];

		pair.public[255] = cases[i].last;
		size_t len = rsa->put_public(text, &pair);
		assert_int_equal(rsa->get_public(public, span(text, len)), cases[i].field);
		assert_memory_equal(public, pair.public, 256);
		/* every accepted key can be sealed for, even 2^2047 + 1 */
		struct agreement a = { .own = NULL };
		memcpy(a.peer_public, public, sizeof(public));
		if (cases[i].field == FIELD_GOOD)
			assert_int_equal(rsa->put_ok(&a, text), 344);
	}
}

static void
halves_are_fresh_and_only_for_their_owner(void **state)
{
	static struct kex_pair other;
	struct agreement a = { .server = false }, b = { .server = true, .own = *state }, c = b;
	char first[KEX_TEXT_MAX], second[KEX_TEXT_MAX];
	uint8_t half[20];

	memcpy(a.peer_public, ((struct kex_pair *)*state)->public, 256);
	assert_int_equal(rsa->put_ok(&a, first), 344);
	memcpy(half, a.half_a, 20);
	assert_int_equal(rsa->put_ok(&a, second), 344);
	assert_memory_not_equal(half, a.half_a, 20);
	assert_memory_not_equal(first, second, 344);
	assert_true(rsa->get_ok(&b, span(second, 344)));
	assert_memory_equal(b.half_a, a.half_a, 20);

	assert_int_equal(rsa->pair(&other), 0);
	c.own = &other;
	assert_false(rsa->get_ok(&c, span(second, 344)));
}

static void
pairs_are_whole_and_fresh(void **state)
{
	static struct kex_pair pair[2];
	uint8_t public[KEX_PUBLIC_MAX];
	char text[KEX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(rsa->pair(&pair[i]), 0);
		assert_int_equal(pair[i].private_len, 256);
		size_t len = rsa->put_public(text, &pair[i]);
		assert_int_equal(rsa->get_public(public, span(text, len)), FIELD_GOOD);
	}
	assert_memory_not_equal(pair[0].public, pair[1].public, 256);
	assert_memory_not_equal(pair[0].private, pair[1].private, 256);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_seal_is_opened),
		cmocka_unit_test(halves_of_another_form_are_refused),
		cmocka_unit_test(changed_halves_are_refused),
		cmocka_unit_test(base64_is_exact),
		cmocka_unit_test(modulus_is_odd_and_whole),
		cmocka_unit_test(halves_are_fresh_and_only_for_their_owner),
		cmocka_unit_test(pairs_are_whole_and_fresh),
	};

	return cmocka_run_group_tests(tests, known_pair, NULL);
}
