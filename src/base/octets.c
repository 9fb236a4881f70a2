#include "base/octets.h"

#include <string.h>

void
octets_to_hex(char *out, const uint8_t *in, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
}

static int
hex_value(uint8_t octet)
{
	if (octet >= '0' && octet <= '9')
		return octet - '0';
	if (octet >= 'a' && octet <= 'f')
		return octet - 'a' + 10;
	if (octet >= 'A' && octet <= 'F')
		return octet - 'A' + 10;
	return -1;
}

bool
octets_from_hex(uint8_t *out, size_t len, struct span hex)
{
	if (hex.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(hex.at[2 * i]), low = hex_value(hex.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
octets_put16(uint8_t out[2], uint16_t value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
}

void
octets_put32(uint8_t out[4], uint32_t value)
{
	octets_put16(out, (uint16_t)(value >> 16));
	octets_put16(out + 2, (uint16_t)value);
}

void
octets_put64(uint8_t out[8], uint64_t value)
{
	octets_put32(out, (uint32_t)(value >> 32));
	octets_put32(out + 4, (uint32_t)value);
}

uint16_t
octets_get16(const uint8_t in[2])
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

uint32_t
octets_get32(const uint8_t in[4])
{
	return (uint32_t)octets_get16(in) << 16 | octets_get16(in + 2);
}

uint64_t
octets_get64(const uint8_t in[8])
{
	return (uint64_t)octets_get32(in) << 32 | octets_get32(in + 4);
}

bool
octets_equal_secret(const uint8_t *a, const uint8_t *b, size_t len)
{
	volatile uint8_t difference = 0;

	for (size_t i = 0; i < len; i++)
		difference = (uint8_t)(difference | (a[i] ^ b[i]));
	return difference == 0;
}

void
octets_wipe(void *at, size_t len)
{
	if (len > 0)		/* `at` may be NULL when len is 0 */
		explicit_bzero(at, len);
}
