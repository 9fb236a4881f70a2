#include "crypt/record.h"

#include "base/octets.h"

#include <assert.h>
#include <string.h>

#define TLS_1_2 0x0303		/* legacy_record_version of RFC 8446 section 5.1 */
#define SEQUENCE_LEN 8

const uint8_t record_close_notify[2] = { 1, 0 };

/* Length of content, content type and the zeros that follow. */
static size_t
padded_len(size_t content_len, size_t inner_min)
{
	size_t len = content_len + 1 > inner_min ? content_len + 1 : inner_min;

	return (len + RECORD_PAD_TO - 1) / RECORD_PAD_TO * RECORD_PAD_TO;
}

_Static_assert((RECORD_CONTENT_MAX + 1) % RECORD_PAD_TO == 0 &&
    RECORD_CONTENT_MAX + 1 + CIPHER_TAG_LEN <= RECORD_SEALED_MAX, "the largest record is full");

size_t
record_len(size_t content_len, size_t inner_min)
{
	return RECORD_HEADER_LEN + padded_len(content_len, inner_min) + CIPHER_TAG_LEN;
}

/* The nonce of the next record, RFC 8446 section 5.3. */
static void
next_nonce(uint8_t nonce[CIPHER_IV_LEN], const struct channel_direction *direction)
{
	uint8_t sequence[SEQUENCE_LEN];

	memcpy(nonce, direction->iv, CIPHER_IV_LEN);
	octets_put64(sequence, direction->records);
	for (size_t i = 0; i < SEQUENCE_LEN; i++)
		nonce[CIPHER_IV_LEN - SEQUENCE_LEN + i] ^= sequence[i];
}

int
record_seal(const struct cipher *cipher, struct channel_direction *direction,
    enum record_type type, struct span content, size_t inner_min, uint8_t *out)
{
	size_t len = padded_len(content.len, inner_min);
	uint8_t *inner = out + RECORD_HEADER_LEN;
	uint8_t nonce[CIPHER_IV_LEN];

	assert(content.len <= RECORD_CONTENT_MAX && inner_min <= RECORD_INNER_MAX);
	assert(direction->records < RECORD_COUNT_MAX);
	out[0] = RECORD_DATA;	/* the outer type, whatever the content type */
	octets_put16(out + 1, TLS_1_2);
	octets_put16(out + 3, (uint16_t)(len + CIPHER_TAG_LEN));
	memcpy(inner, content.at, content.len);
	inner[content.len] = (uint8_t)type;
	memset(inner + content.len + 1, 0, len - content.len - 1);

	next_nonce(nonce, direction);
	if (cipher->seal(direction->state, nonce, span(out, RECORD_HEADER_LEN), inner, len, inner,
	    inner + len) < 0)
		return -1;
	direction->records++;
	return 0;
}

size_t
record_sealed_len(const uint8_t header[RECORD_HEADER_LEN])
{
	size_t len = octets_get16(header + 3);

	if (header[0] != RECORD_DATA || octets_get16(header + 1) != TLS_1_2)
		return 0;
	return len >= RECORD_SEALED_MIN && len <= RECORD_SEALED_MAX ? len : 0;
}

/* Whether a record may carry this. */
static bool
acceptable(enum record_type type, struct span content)
{
	if (type == RECORD_DATA)
		return content.len > 0;
	return type == RECORD_ALERT &&
	    span_equal(content, span(record_close_notify, sizeof(record_close_notify)));
}

enum channel_fault
record_open(const struct cipher *cipher, struct channel_direction *direction, uint8_t *record,
    size_t sealed_len, enum record_type *type, struct span *content)
{
	uint8_t *inner = record + RECORD_HEADER_LEN;
	size_t len = sealed_len - CIPHER_TAG_LEN;
	uint8_t nonce[CIPHER_IV_LEN];

	next_nonce(nonce, direction);
	if (cipher->open(direction->state, nonce, span(record, RECORD_HEADER_LEN), inner, len,
	    inner, inner + len) < 0)
		return CHANNEL_BAD_RECORD;
	direction->records++;

	/* the content type is the last octet that is not zero */
	while (len > 0 && inner[len - 1] == 0)
		len--;
	if (len == 0)
		return CHANNEL_BAD_CONTENT;
	*type = inner[len - 1];
	*content = span(inner, len - 1);
	return acceptable(*type, *content) ? CHANNEL_GOOD : CHANNEL_BAD_CONTENT;
}
