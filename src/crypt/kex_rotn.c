/* The exchange of version 0.1: the sum of two numbers (xcrypt(7)). */
#include "crypt/kex.h"

#include "crypt/kex_fields.h"
#include "crypt/random.h"

#define LETTERS 26

static size_t
rotn_put_public(char *text, const struct kex_pair *own)
{
	(void)own;
	text[0] = '0';
	return 1;
}

static enum kex_field
rotn_get_public(uint8_t *public, struct span text)
{
	(void)public;
	return span_equal(text, SPAN("0")) ? FIELD_GOOD : FIELD_MALFORMED;
}

static int
rotn_draw_nonce(uint8_t *nonce)
{
	/*
	 * rejects octets from the last multiple of 26 up, so that all numbers are equally likely
	 */
	do {
		if (random_octets(nonce, 1) < 0)
			return -1;
	} while (*nonce >= 256 / LETTERS * LETTERS);
	*nonce %= LETTERS;
	return 0;
}

static size_t
rotn_put_nonce(char *text, const uint8_t *nonce)
{
	size_t len = 0;

	if (*nonce >= 10)
		text[len++] = (char)('0' + *nonce / 10);
	text[len++] = (char)('0' + *nonce % 10);
	return len;
}

static enum kex_field
rotn_get_nonce(uint8_t *nonce, struct span text)
{
	uint64_t number;

	if (!span_number(text, LETTERS - 1, &number))
		return FIELD_MALFORMED;
	if (text.len > 1 && text.at[0] == '0')
		return FIELD_MALFORMED;
	*nonce = (uint8_t)number;
	return FIELD_GOOD;
}

static int
rotn_finish(struct agreement *a)
{
	uint8_t n = (uint8_t)((a->nonce_a[0] + a->nonce_b[0]) % LETTERS);

	a->key_ab[0] = a->key_ba[0] = n;
	return 0;
}

const struct kex kex_rotn = {
	.version_text = "0.1",
	.version = 1,
	.title = "none: the sum of two numbers",
	.nonce_len = 1,
	.put_public = rotn_put_public,
	.get_public = rotn_get_public,
	.draw_nonce = rotn_draw_nonce,
	.put_nonce = rotn_put_nonce,
	.get_nonce = rotn_get_nonce,
	.prepare = fields_nothing_to_do,
	.put_ok = fields_put_bare_ok,
	.get_ok = fields_get_bare_ok,
	.finish = rotn_finish,
};
