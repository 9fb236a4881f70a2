#include "crypt/base64.h"

#include "base/octets.h"

#include <assert.h>
#include <mbedtls/base64.h>
#include <string.h>

size_t
base64_encode(char *text, const uint8_t *octets, size_t len)
{
	unsigned char out[BASE64_LEN(BASE64_OCTETS_MAX) + 1];	/* mbedTLS adds a NUL */
	size_t text_len;
	int rc = mbedtls_base64_encode(out, sizeof(out), &text_len, octets, len);

	assert(rc == 0 && text_len == BASE64_LEN(len));
	(void)rc;
	memcpy(text, out, text_len);
	octets_wipe(out, text_len);
	return text_len;
}

bool
base64_decode(uint8_t *octets, size_t len, struct span text)
{
	char again[BASE64_LEN(BASE64_OCTETS_MAX)];
	size_t got;

	if (len > BASE64_OCTETS_MAX || text.len != BASE64_LEN(len) ||
	    mbedtls_base64_decode(octets, len, &got, text.at, text.len) != 0 || got != len)
		return false;
	base64_encode(again, octets, len);
	/* the text may be a private key */
	bool same = octets_equal_secret((const uint8_t *)again, text.at, text.len);
	octets_wipe(again, text.len);
	return same;
}
