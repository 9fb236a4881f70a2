/* Rotation of letters by n places, the cipher of version 0.1 (xcrypt(7)). */
#include "crypt/cipher.h"

#include "base/octets.h"

#define LETTERS 26

struct rotn {
	uint8_t forward;	/* places to rotate by, 0 to 26 */
};

_Static_assert(sizeof(struct rotn) <= CIPHER_STATE_MAX, "state holds the context");

static int
rotn_start(void *state, const uint8_t *key, enum cipher_use use)
{
	struct rotn *r = state;
	uint8_t n = key[0] % LETTERS;

	/* rotating back by n is rotating forward by 26 - n */
	r->forward = use == CIPHER_SEND ? n : (uint8_t)(LETTERS - n);
	return 0;
}

static void
rotn_stop(void *state)
{
	octets_wipe(state, sizeof(struct rotn));
}

static void
rotn_apply(void *state, uint8_t *octets, size_t len)
{
	const struct rotn *r = state;

	for (size_t i = 0; i < len; i++) {
		uint8_t octet = octets[i];
		uint8_t first = octet >= 'a' ? 'a' : 'A';

		if (octet >= first && octet < first + LETTERS)
			octets[i] = (uint8_t)(first + (octet - first + r->forward) % LETTERS);
	}
}

const struct cipher cipher_rotn = {
	.name = "rotn",
	.title = "rotation of letters",
	.key_len = 1,
	.keys = LETTERS,
	.start = rotn_start,
	.stop = rotn_stop,
	.stream = rotn_apply,
};
