#include "crypt/kex_fields.h"

#include "base/octets.h"
#include "crypt/random.h"

#include <assert.h>
#include <mbedtls/md.h>
#include <string.h>

#define SHA1_LEN 20
#define SHORT_KEY_LEN (SHA1_LEN / 2)

size_t
fields_put_hex(char *text, const uint8_t *octets, size_t len)
{
	octets_to_hex(text, octets, len);
	return 2 * len;
}

enum kex_field
fields_get_hex(uint8_t *octets, size_t len, struct span text)
{
	return octets_from_hex(octets, len, text) ? FIELD_GOOD : FIELD_MALFORMED;
}

int
fields_put_bare_ok(struct agreement *a, char *text)
{
	(void)a;
	(void)text;
	return 0;
}

bool
fields_get_bare_ok(struct agreement *a, struct span text)
{
	(void)a;
	return text.len == 0;
}

int
fields_nothing_to_do(struct agreement *a)
{
	(void)a;
	return 0;
}

int
fields_draw_short_nonce(uint8_t *nonce)
{
	return random_octets(nonce, FIELDS_SHORT_NONCE_LEN);
}

size_t
fields_put_short_nonce(char *text, const uint8_t *nonce)
{
	return fields_put_hex(text, nonce, FIELDS_SHORT_NONCE_LEN);
}

enum kex_field
fields_get_short_nonce(uint8_t *nonce, struct span text)
{
	return fields_get_hex(nonce, FIELDS_SHORT_NONCE_LEN, text);
}

int
fields_split_keys(struct agreement *a, struct span secret)
{
	uint8_t text[KEX_SECRET_MAX + 2 * FIELDS_SHORT_NONCE_LEN], hash[SHA1_LEN];
	size_t len = secret.len + 2 * FIELDS_SHORT_NONCE_LEN;

	assert(len <= sizeof(text));
	memcpy(text, secret.at, secret.len);
	memcpy(text + secret.len, a->nonce_a, FIELDS_SHORT_NONCE_LEN);
	memcpy(text + secret.len + FIELDS_SHORT_NONCE_LEN, a->nonce_b, FIELDS_SHORT_NONCE_LEN);
	int rc = mbedtls_md(mbedtls_md_info_from_type(MBEDTLS_MD_SHA1), text, len, hash) == 0 ? 0 :
												-1;
	if (rc == 0) {
		memcpy(a->key_ab, hash, SHORT_KEY_LEN);
		memcpy(a->key_ba, hash + SHORT_KEY_LEN, SHORT_KEY_LEN);
	}
	octets_wipe(text, sizeof(text));
	octets_wipe(hash, sizeof(hash));
	return rc;
}
