#include "store/entry.h"

#include "base/octets.h"

#include <assert.h>
#include <mbedtls/md.h>
#include <string.h>

bool
entry_plausible(size_t key_len, size_t sealed_len)
{
	return key_len >= 1 && key_len <= ENTRY_KEY_MAX && sealed_len >= ENTRY_CHECK_LEN &&
	    sealed_len <= ENTRY_SEALED_MAX;
}

void
entry_check(uint8_t check[ENTRY_CHECK_LEN], struct span key, struct span value)
{
	uint8_t text[2 + ENTRY_KEY_MAX + ENTRY_VALUE_MAX], digest[32];
	size_t len = 2 + key.len + value.len;

	assert(entry_plausible(key.len, ENTRY_CHECK_LEN + value.len));
	octets_put16(text, (uint16_t)key.len);
	memcpy(text + 2, key.at, key.len);
	if (value.len > 0)
		memcpy(text + 2 + key.len, value.at, value.len);
	/* cannot fail, as SHA-256 is built in; if it did, no entry would ever be found */
	if (mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), text, len, digest) != 0)
		memset(digest, 0, sizeof(digest));
	memcpy(check, digest, ENTRY_CHECK_LEN);
	octets_wipe(text, len);
}

bool
entry_open(struct span *value, struct span key, struct span sealed)
{
	uint8_t check[ENTRY_CHECK_LEN];

	if (!entry_plausible(key.len, sealed.len))
		return false;
	*value = span(sealed.at + ENTRY_CHECK_LEN, sealed.len - ENTRY_CHECK_LEN);
	entry_check(check, key, *value);
	return span_equal(span(check, ENTRY_CHECK_LEN), span(sealed.at, ENTRY_CHECK_LEN));
}
