/* arsyfor, a stream cipher compatible with RC4. */
#include "crypt/cipher_arsyfor.h"

#include "base/octets.h"
#include "crypt/cipher.h"

#include <assert.h>

#define KEY_LEN 10

_Static_assert(sizeof(struct arsyfor) <= CIPHER_STATE_MAX, "state holds the context");

void
arsyfor_key(struct arsyfor *a, const uint8_t *key, size_t len)
{
	uint8_t *s = a->s, j = 0;

	assert(len >= 1 && len <= 256);
	for (size_t i = 0; i < 256; i++)
		s[i] = (uint8_t)i;
	for (size_t i = 0; i < 256; i++) {
		uint8_t si = s[i];

		j = (uint8_t)(j + si + key[i % len]);
		s[i] = s[j];
		s[j] = si;
	}
	a->i = a->j = 0;
}

void
arsyfor_stream(struct arsyfor *a, uint8_t *octets, size_t len)
{
	uint8_t *s = a->s, i = a->i, j = a->j;

	for (size_t n = 0; n < len; n++) {
		i = (uint8_t)(i + 1);
		uint8_t si = s[i];
		j = (uint8_t)(j + si);
		uint8_t sj = s[j];
		s[i] = sj;
		s[j] = si;
		octets[n] = (uint8_t)(octets[n] ^ s[(uint8_t)(si + sj)]);
	}
	a->i = i;
	a->j = j;
}

static int
arsyfor_start(void *state, const uint8_t *key, enum cipher_use use)
{
	(void)use;
	arsyfor_key(state, key, KEY_LEN);
	return 0;
}

static void
arsyfor_stop(void *state)
{
	octets_wipe(state, sizeof(struct arsyfor));
}

static void
arsyfor_apply(void *state, uint8_t *octets, size_t len)
{
	arsyfor_stream(state, octets, len);
}

const struct cipher cipher_arsyfor = {
	.name = "arsyfor",
	.title = "arsyfor (compatible with RC4)",
	.key_len = KEY_LEN,
	.start = arsyfor_start,
	.stop = arsyfor_stop,
	.stream = arsyfor_apply,
};
