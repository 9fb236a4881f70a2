#include "crypt/fields.h"

#include "crypt/random.h"

#include <mbedtls/sha1.h>
#include <string.h>

#define SHA1_LEN 20
#define SHORT_KEY_LEN (SHA1_LEN / 2)

size_t
fields_put_hex(char *text, const uint8_t *octets, size_t len)
{
	octets_to_hex(text, octets, len);
	return 2 * len;
}

enum exchange_field
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

enum exchange_field
fields_get_short_nonce(uint8_t *nonce, struct span text)
{
	return fields_get_hex(nonce, FIELDS_SHORT_NONCE_LEN, text);
}

static int
sha1(const struct span *parts, size_t count, uint8_t out[SHA1_LEN])
{
	mbedtls_sha1_context sha;

	mbedtls_sha1_init(&sha);
	int rc = mbedtls_sha1_starts_ret(&sha);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = mbedtls_sha1_update_ret(&sha, parts[i].at, parts[i].len);
	if (rc == 0)
		rc = mbedtls_sha1_finish_ret(&sha, out);
	mbedtls_sha1_free(&sha);
	return rc == 0 ? 0 : -1;
}

int
fields_split_keys(struct agreement *a, struct span secret)
{
	const struct span parts[] = {
		secret,
		span(a->nonce_a, FIELDS_SHORT_NONCE_LEN),
		span(a->nonce_b, FIELDS_SHORT_NONCE_LEN),
	};
	uint8_t hash[SHA1_LEN];
	int rc = sha1(parts, sizeof(parts) / sizeof(parts[0]), hash);

	if (rc == 0) {
		memcpy(a->key_ab, hash, SHORT_KEY_LEN);
		memcpy(a->key_ba, hash + SHORT_KEY_LEN, SHORT_KEY_LEN);
	}
	octets_wipe(hash, sizeof(hash));
	return rc;
}
