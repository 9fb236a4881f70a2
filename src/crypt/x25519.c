#include "crypt/x25519.h"

#include "base/octets.h"
#include "crypt/random.h"

#include <sodium/crypto_scalarmult_curve25519.h>
#include <string.h>

_Static_assert(X25519_LEN == crypto_scalarmult_curve25519_BYTES, "libsodium means the same");

int
x25519_make_pair(uint8_t private[X25519_LEN], uint8_t public[X25519_LEN])
{
	if (random_octets(private, X25519_LEN) < 0)
		return -1;
	x25519_public(public, private);
	return 0;
}

int
x25519(uint8_t secret[X25519_LEN], const uint8_t private[X25519_LEN],
    const uint8_t public[X25519_LEN])
{
	return crypto_scalarmult_curve25519(secret, private, public);
}

void
x25519_public(uint8_t public[X25519_LEN], const uint8_t private[X25519_LEN])
{
	(void)crypto_scalarmult_curve25519_base(public, private);	/* cannot fail */
}

/* Matches p - 1, p and p + 1 (p = 2^255 - 19), which differ in the first octet only. */
static bool
near_prime(const uint8_t public[X25519_LEN])
{
	if (public[0] < 0xec || public[0] > 0xee || (public[X25519_LEN - 1] & 0x7f) != 0x7f)
		return false;
	for (int i = 1; i < X25519_LEN - 1; i++)
		if (public[i] != 0xff)
			return false;
	return true;
}

bool
x25519_low_order(const uint8_t public[X25519_LEN])
{
	/* low-order points below p; RFC 7748 ignores the top bit of a received point */
	static const uint8_t points[][X25519_LEN] = {
		{ 0 },
		{ 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1,
		    0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62,
		    0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c,
		    0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22,
		    0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	};

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (memcmp(public, points[i], X25519_LEN - 1) == 0 &&
		    (public[X25519_LEN - 1] & 0x7f) == points[i][X25519_LEN - 1])
			return true;
	return near_prime(public);
}
