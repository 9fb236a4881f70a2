#include "crypt/hkdf.h"

#include "base/octets.h"
#include "crypt/sha256.h"

#include <string.h>

#define HASH_LEN SHA256_LEN
#define BLOCK_LEN 64
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

static void
pad(uint8_t block[BLOCK_LEN], uint8_t with)
{
	for (size_t i = 0; i < BLOCK_LEN; i++)
		block[i] ^= with;
}

/* HMAC (RFC 2104) over the concatenation of three parts, each of which may be empty. */
static int
hmac(uint8_t mac[HASH_LEN], struct span key, const struct span text[3])
{
	uint8_t block[BLOCK_LEN] = { 0 }, inner[HASH_LEN];
	const struct span first[] = { span(block, BLOCK_LEN), text[0], text[1], text[2] };
	const struct span second[] = { span(block, BLOCK_LEN), span(inner, HASH_LEN) };
	int rc = 0;

	if (key.len > BLOCK_LEN)
		rc = sha256_parts(block, &key, 1);
	else if (key.len > 0)
		memcpy(block, key.at, key.len);
	pad(block, INNER_PAD);
	if (rc == 0)
		rc = sha256_parts(inner, first, 4);
	pad(block, INNER_PAD ^ OUTER_PAD);
	if (rc == 0)
		rc = sha256_parts(mac, second, 2);
	octets_wipe(block, sizeof(block));
	octets_wipe(inner, sizeof(inner));
	return rc;
}

int
hkdf_extract(uint8_t prk[HKDF_PRK_LEN], struct span salt, struct span secret)
{
	return hmac(prk, salt, (struct span[]){ secret, SPAN(""), SPAN("") });
}

int
hkdf_expand(uint8_t *okm, size_t len, const uint8_t prk[HKDF_PRK_LEN], struct span info)
{
	uint8_t block[HASH_LEN], count = 0;
	size_t done = 0;
	int rc = len <= HKDF_OKM_MAX ? 0 : -1;

	while (done < len && rc == 0) {
		size_t piece = len - done < HASH_LEN ? len - done : HASH_LEN;
		const struct span before = span(block, count > 0 ? HASH_LEN : 0);

		count++;
		rc = hmac(block, span(prk, HKDF_PRK_LEN),
		    (struct span[]){ before, info, span(&count, 1) });
		if (rc == 0)
			memcpy(okm + done, block, piece);
		done += piece;
	}
	octets_wipe(block, sizeof(block));
	return rc;
}
