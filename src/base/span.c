#include "base/span.h"

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
