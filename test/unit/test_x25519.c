/* X25519: the known answers of RFC 7748, and the points that are refused, in every encoding. */
#include "unit.h"

#include "base/octets.h"

#include "crypt/x25519.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
from_hex(uint8_t out[X25519_LEN], const char *hex)
{
	assert_true(octets_from_hex(out, X25519_LEN, span_of(hex)));
}

static bool
is_refused(const char *hex)
{
	uint8_t point[X25519_LEN];

	from_hex(point, hex);
	return x25519_low_order(point);
}

static void
assert_x25519(const char *scalar, const char *point, const char *product)
{
	uint8_t private[X25519_LEN], public[X25519_LEN], secret[X25519_LEN], expected[X25519_LEN];

	from_hex(private, scalar);
	from_hex(public, point);
	from_hex(expected, product);
	assert_int_equal(x25519(secret, private, public), 0);
	assert_memory_equal(secret, expected, sizeof(expected));
}

/* RFC 7748 section 5.2 (the second point has its top bit set; the third is after one iteration) */
static void
known_answers(void **state)
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

/* RFC 7748 section 5.2: after 1,000 iterations. */
static void
known_answer_of_many_rounds(void **state)
{
	uint8_t k[X25519_LEN] = { 9 }, u[X25519_LEN] = { 9 }, next[X25519_LEN], expected[X25519_LEN];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(x25519(next, k, u), 0);
		memcpy(u, k, sizeof(u));
		memcpy(k, next, sizeof(k));
	}
	from_hex(expected, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
	assert_memory_equal(k, expected, sizeof(expected));
}

/* RFC 7748 section 6.1 */
static void
both_sides_agree(void **state)
{
	static const char *const private[] = {
		"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
		"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	};
	static const char *const public[] = {
		"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
		"de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t ours[X25519_LEN], made[X25519_LEN], expected[X25519_LEN];

		from_hex(ours, private[i]);
		from_hex(expected, public[i]);
		x25519_public(made, ours);
		assert_memory_equal(made, expected, sizeof(expected));
		assert_x25519(private[i], public[1 - i],
		    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	}
}

/* The bits of a private key that RFC 7748 sets or clears have no effect. */
static void
private_keys_are_clamped(void **state)
{
	uint8_t private[X25519_LEN], public[X25519_LEN], one[X25519_LEN], other[X25519_LEN];

	(void)state;
	assert_int_equal(x25519_make_pair(private, public), 0);
	assert_int_equal(x25519(one, private, public), 0);
	private[0] ^= 0x07;
	private[31] ^= 0xc0;
	assert_int_equal(x25519(other, private, public), 0);
	assert_memory_equal(one, other, sizeof(one));
	private[0] ^= 0x08;
	assert_int_equal(x25519(other, private, public), 0);
	assert_memory_not_equal(one, other, sizeof(one));
}

static void
pairs_are_fresh(void **state)
{
	uint8_t private[2][X25519_LEN], public[2][X25519_LEN], again[X25519_LEN];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(x25519_make_pair(private[i], public[i]), 0);
		x25519_public(again, private[i]);
		assert_memory_equal(again, public[i], sizeof(again));
	}
	assert_memory_not_equal(private[0], private[1], X25519_LEN);
	assert_memory_not_equal(public[0], public[1], X25519_LEN);
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

/* If such a point passes the check all the same, there is no shared secret. */
static void
threat_17_low_order_points_are_refused(void **state)
{
	uint8_t private[X25519_LEN], public[X25519_LEN], secret[X25519_LEN];

	(void)state;
	assert_int_equal(x25519_make_pair(private, public), 0);
	for (size_t i = 0; i < COUNT(low_order); i++) {
		assert_true(is_refused(low_order[i]));
		from_hex(public, low_order[i]);
		assert_int_equal(x25519(secret, private, public), -1);
	}
}

/* The encodings next to the refused ones are ordinary points. */
static void
threat_17_nothing_else_is_refused(void **state)
{
	uint8_t private[X25519_LEN], public[X25519_LEN], secret[X25519_LEN];

	(void)state;
	assert_int_equal(x25519_make_pair(private, public), 0);
	for (size_t i = 0; i < COUNT(low_order); i++)
		for (size_t at = 1; at < 31; at++) {
			from_hex(public, low_order[i]);
			public[at] ^= 0x10;
			assert_false(x25519_low_order(public));
			assert_int_equal(x25519(secret, private, public), 0);
		}
	assert_false(is_refused("02" ZEROS30 "00"));
	assert_false(is_refused("00" ZEROS30 "01"));
	assert_false(is_refused("eb" FFS30 "7f"));
	assert_false(is_refused("ef" FFS30 "7f"));
	assert_false(is_refused("ed" FFS30 "7e"));
}

/* p + 2 to 2^255 - 1, with and without the top bit, are read as 2 to 18. */
static void
threat_17_points_are_reduced(void **state)
{
	uint8_t private[X25519_LEN], public[X25519_LEN], secret[X25519_LEN], expected[X25519_LEN];

	(void)state;
	assert_int_equal(x25519_make_pair(private, public), 0);
	for (unsigned u = 2; u <= 18; u++) {
		memset(public, 0, sizeof(public));
		public[0] = (uint8_t)u;
		assert_int_equal(x25519(expected, private, public), 0);
		for (unsigned top = 0; top <= 0x80; top += 0x80) {
			memset(public, 0xff, sizeof(public));
			public[0] = (uint8_t)(0xed + u);
			public[31] = (uint8_t)(0x7f | top);
			assert_false(x25519_low_order(public));
			assert_int_equal(x25519(secret, private, public), 0);
			assert_memory_equal(secret, expected, sizeof(expected));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(known_answer_of_many_rounds),
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(private_keys_are_clamped),
		cmocka_unit_test(pairs_are_fresh),
		cmocka_unit_test(threat_17_low_order_points_are_refused),
		cmocka_unit_test(threat_17_nothing_else_is_refused),
		cmocka_unit_test(threat_17_points_are_reduced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
