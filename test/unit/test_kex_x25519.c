/* X25519 as XCRYPT 2.0 uses it: known answers, and the points that are refused. */
#include "base/octets.h"
#include "crypt/kex.h"
#include "crypt/suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct kex *const x25519 = &kex_x25519;

static void
from_hex(uint8_t *out, const char *hex)
{
	assert_true(octets_from_hex(out, strlen(hex) / 2, span_of(hex)));
}

static enum kex_field
get_public(const char *text)
{
	uint8_t public[KEX_PUBLIC_MAX];

	return x25519->get_public(public, span_of(text));
}

static void
assert_x25519(const char *scalar, const char *point, const char *product)
{
	static struct kex_pair own;
	struct agreement a = { .own = &own };
	uint8_t expected[32];

	own.private_len = 32;
	from_hex(own.private, scalar);
	from_hex(a.peer_public, point);
	from_hex(expected, product);
	assert_int_equal(x25519->agree(&a), 0);
	assert_memory_equal(a.secret, expected, sizeof(expected));
}

/* RFC 7748 sections 5.2 (the second point has its top bit set) and 6.1 */
static void
x25519_known_answers(void **state)
{
	(void)state;
	assert_x25519("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
	    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
	    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
	assert_x25519("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
	    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
	    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
	assert_x25519("0900000000000000000000000000000000000000000000000000000000000000",
	    "0900000000000000000000000000000000000000000000000000000000000000",
	    "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
}

/* The bits of a private key that RFC 7748 fixes have no influence. */
static void
x25519_clamps(void **state)
{
	static struct kex_pair own;
	struct agreement one = { .own = &own }, other = { .own = &own };

	(void)state;
	assert_int_equal(x25519->pair(&own), 0);
	assert_int_equal(own.private_len, 32);
	memcpy(one.peer_public, own.public, 32);
	memcpy(other.peer_public, own.public, 32);
	assert_int_equal(x25519->agree(&one), 0);
	own.private[0] ^= 0x07;
	own.private[31] ^= 0xc0;
	assert_int_equal(x25519->agree(&other), 0);
	assert_memory_equal(one.secret, other.secret, 32);
	own.private[0] ^= 0x08;
	assert_int_equal(x25519->agree(&other), 0);
	assert_memory_not_equal(one.secret, other.secret, 32);
}

#define ZEROS30 "000000000000000000000000000000000000000000000000000000000000"
#define FFS30 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const char *const low_order[] = {
	"00" ZEROS30 "00", "01" ZEROS30 "00",
	"ec" FFS30 "7f", "ed" FFS30 "7f", "ee" FFS30 "7f",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"00" ZEROS30 "80", "01" ZEROS30 "80",
	"ec" FFS30 "ff", "ed" FFS30 "ff", "ee" FFS30 "ff",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
};

/* If a low-order point got past get_public(), neither role would derive keys from it. */
static void
threat_17_low_order_points_are_refused_in_both_roles(void **state)
{
	static struct kex_pair own;

	(void)state;
	assert_int_equal(x25519->pair(&own), 0);
	for (size_t i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++) {
		assert_int_equal(get_public(low_order[i]), FIELD_REFUSED);
		for (int server = 0; server < 2; server++) {
			struct agreement a = { .suite = suite_table,
				.server = server,
				.own = &own };

			from_hex(a.peer_public, low_order[i]);
			assert_true(x25519->agree(&a) < 0 || x25519->prepare(&a) < 0);
		}
	}
}

/* Points whose encodings are adjacent to the refused ones are accepted. */
static void
threat_17_nothing_else_is_refused(void **state)
{
	uint8_t point[32];

	(void)state;
	for (size_t i = 0; i < sizeof(low_order) / sizeof(low_order[0]); i++)
		for (size_t at = 1; at < 31; at++) {
			char text[65];

			from_hex(point, low_order[i]);
			point[at] ^= 0x10;
			octets_to_hex(text, point, 32);
			text[64] = '\0';
			assert_int_equal(get_public(text), FIELD_GOOD);
		}
	assert_int_equal(get_public("02" ZEROS30 "00"), FIELD_GOOD);
	assert_int_equal(get_public("00" ZEROS30 "01"), FIELD_GOOD);
	assert_int_equal(get_public("eb" FFS30 "7f"), FIELD_GOOD);
	assert_int_equal(get_public("ef" FFS30 "7f"), FIELD_GOOD);
	assert_int_equal(get_public("ed" FFS30 "7e"), FIELD_GOOD);
}

/* p + 2 to 2^255 - 1, with or without the top bit, are treated as 2 to 18. */
static void
threat_17_points_are_reduced(void **state)
{
	static struct kex_pair own;
	struct agreement a = { .own = &own };

	(void)state;
	assert_int_equal(x25519->pair(&own), 0);
	for (unsigned u = 2; u <= 18; u++) {
		uint8_t expected[32];

		memset(a.peer_public, 0, 32);
		a.peer_public[0] = (uint8_t)u;
		assert_int_equal(x25519->agree(&a), 0);
		memcpy(expected, a.secret, 32);
		for (unsigned top = 0; top <= 0x80; top += 0x80) {
			char text[KEX_TEXT_MAX];

			memset(a.peer_public, 0xff, 31);
			a.peer_public[0] = (uint8_t)(0xed + u);
			a.peer_public[31] = (uint8_t)(0x7f | top);
			octets_to_hex(text, a.peer_public, 32);
			assert_int_equal(x25519->get_public(a.peer_public, span(text, 64)),
			    FIELD_GOOD);
			assert_int_equal(x25519->agree(&a), 0);
			assert_memory_equal(a.secret, expected, 32);
		}
	}
}

static void
all_zero_secret_is_refused(void **state)
{
	struct agreement a = { .suite = suite_table };

	(void)state;
	assert_int_equal(x25519->prepare(&a), -1);
	a.secret[31] = 1;
	assert_int_equal(x25519->prepare(&a), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x25519_known_answers),
		cmocka_unit_test(x25519_clamps),
		cmocka_unit_test(threat_17_low_order_points_are_refused_in_both_roles),
		cmocka_unit_test(threat_17_nothing_else_is_refused),
		cmocka_unit_test(threat_17_points_are_reduced),
		cmocka_unit_test(all_zero_secret_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
