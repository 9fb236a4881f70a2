/* HKDF with SHA-256: the cases of RFC 5869 appendix A, and the limits of section 2.3. */
#include "base/octets.h"
#include "crypt/hkdf.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <mbedtls/hkdf.h>
#include <string.h>

struct rfc_case {
	const char *secret, *salt, *info, *prk, *okm;	/* in hexadecimal */
};

static const struct rfc_case appendix_a[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
	    "f0f1f2f3f4f5f6f7f8f9",
	    "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
	  "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
	    "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
	    "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	    "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
	    "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	    "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
	    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
	    "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	    "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
};

static struct span
from_hex(uint8_t mem[128], const char *hex)
{
	size_t len = strlen(hex) / 2;

	assert_true(len <= 128 && octets_from_hex(mem, len, span_of(hex)));
	return span(mem, len);
}

static void
the_cases_of_the_rfc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(appendix_a) / sizeof(appendix_a[0]); i++) {
		const struct rfc_case *c = &appendix_a[i];
		uint8_t mem[5][128], prk[HKDF_PRK_LEN], okm[128];
		struct span want = from_hex(mem[0], c->okm);

		assert_int_equal(hkdf_extract(prk, from_hex(mem[1], c->salt),
				     from_hex(mem[2], c->secret)),
		    0);
		assert_memory_equal(prk, from_hex(mem[3], c->prk).at, HKDF_PRK_LEN);
		assert_int_equal(hkdf_expand(okm, want.len, prk, from_hex(mem[4], c->info)), 0);
		assert_memory_equal(okm, want.at, want.len);
	}
}

/* A salt of one block is used as it is, a longer one is hashed, so the results must differ. */
static void
salts_around_a_block(void **state)
{
	const uint8_t salt[66] = { 0 };
	uint8_t prk[3][HKDF_PRK_LEN];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(hkdf_extract(prk[i], span(salt, 63 + i), SPAN("secret")), 0);
	assert_memory_equal(prk[0], prk[1], HKDF_PRK_LEN); /* both pad to a block of zeros */
	assert_memory_not_equal(prk[1], prk[2], HKDF_PRK_LEN);
}

static void
as_much_as_there_is_and_no_more(void **state)
{
	static uint8_t okm[HKDF_OKM_MAX + 1], theirs[HKDF_OKM_MAX], start[HKDF_PRK_LEN + 1];
	const uint8_t prk[HKDF_PRK_LEN] = { 1 };

	(void)state;
	assert_int_equal(hkdf_expand(okm, HKDF_OKM_MAX, prk, SPAN("info")), 0);
	assert_int_equal(okm[HKDF_OKM_MAX], 0);
	assert_int_equal(mbedtls_hkdf_expand(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), prk,
	    sizeof(prk), (const uint8_t *)"info", 4, theirs, sizeof(theirs)), 0);
	assert_memory_equal(okm, theirs, sizeof(theirs));
	assert_int_equal(hkdf_expand(start, HKDF_PRK_LEN + 1, prk, SPAN("info")), 0);
	assert_memory_equal(okm, start, HKDF_PRK_LEN + 1);
	assert_int_equal(hkdf_expand(okm, 0, prk, SPAN("info")), 0);
	assert_int_equal(hkdf_expand(okm, HKDF_OKM_MAX + 1, prk, SPAN("info")), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cases_of_the_rfc),
		cmocka_unit_test(salts_around_a_block),
		cmocka_unit_test(as_much_as_there_is_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
