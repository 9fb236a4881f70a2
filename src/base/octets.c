#include "base/octets.h"

#include <string.h>

struct span
span_of(const char *text)
{
	return span(text, strlen(text));
}

static uint8_t
lower(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet + ('a' - 'A')) : octet;
}

bool
span_equal(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool
span_equal_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	return true;
}

bool
span_starts(struct span s, struct span prefix)
{
	return s.len >= prefix.len && span_equal(span(s.at, prefix.len), prefix);
}

bool
span_starts_nocase(struct span s, struct span prefix)
{
	return s.len >= prefix.len && span_equal_nocase(span(s.at, prefix.len), prefix);
}

struct span
span_from(struct span s, size_t n)
{
	if (n >= s.len)
		return span(NULL, 0);
	return span(s.at + n, s.len - n);
}

size_t
span_find(struct span s, uint8_t octet)
{
	const uint8_t *found = s.len ? memchr(s.at, octet, s.len) : NULL;

	return found ? (size_t)(found - s.at) : s.len;
}

bool
span_word(struct span *rest, uint8_t separator, struct span *word)
{
	if (rest->at == NULL)
		return false;
	size_t len = span_find(*rest, separator);
	*word = span(rest->at, len);
	*rest = len == rest->len ? span(NULL, 0) : span(rest->at + len + 1, rest->len - len - 1);
	return true;
}

bool
span_number(struct span s, uint64_t max, uint64_t *number)
{
	uint64_t n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.at[i] - '0');
		if (n > max / 10 || n * 10 > max - digit)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return true;
}

size_t
span_printable(char *out, size_t size, struct span s)
{
	size_t len = s.len < size - 1 ? s.len : size - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = s.at[i] >= ' ' && s.at[i] < 0x7f ? (char)s.at[i] : '?';
	out[len] = '\0';
	return len;
}

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
	octet = lower(octet);
	if (octet >= '0' && octet <= '9')
		return octet - '0';
	if (octet >= 'a' && octet <= 'f')
		return octet - 'a' + 10;
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
	if (len > 0)		/* nothing may be nowhere */
		explicit_bzero(at, len);
}
