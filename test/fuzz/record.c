/*
 * Records and streams.  An input has the suite, the cut of the octets on the wire, pieces of
 * plaintext with their lengths in front, and, for an AEAD, one change made on the way, or a
 * record made by hand.
 */
#include "fuzz.h"

#include "base/octets.h"
#include "crypt/record.h"

#include <string.h>

enum { PLAIN_MAX = 40000, WIRE_MAX = 120000 };

static uint8_t plain_mem[PLAIN_MAX], wire_mem[WIRE_MAX], changed_mem[WIRE_MAX], in_mem[RECORD_MAX],
    got_mem[PLAIN_MAX + RECORD_MAX];
static struct buf plain, wire, got;
static struct channel sender, receiver;

static void
key(const struct suite *suite)
{
	struct agreement a = { .suite = suite };

	for (uint8_t i = 0; i < CIPHER_KEY_MAX; i++)
		a.key_ab[i] = i;
	memset(a.key_ba, 0x5a, sizeof(a.key_ba));
	memset(a.iv_ab, 0xa5, sizeof(a.iv_ab));
	assert(channel_start(&sender, &a) == 0);
	a.server = true;
	assert(channel_start(&receiver, &a) == 0);
}

static void
stop(void)
{
	channel_stop(&sender);
	channel_stop(&receiver);
}

/* Opens all of `s`, `step` octets at a time and more each time.  Returns the result. */
static int
open_cut(struct span s, size_t step)
{
	struct buf in;
	int result = 0;

	buf_init(&in, in_mem, sizeof(in_mem));
	buf_init(&got, got_mem, sizeof(got_mem));
	while (result == 0 && s.len > 0) {
		struct span piece = take_octets(&s, step < buf_room(&in) ? step : buf_room(&in));

		assert(piece.len > 0 && buf_put(&in, piece));
		result = channel_open(&receiver, &got, &in);
		step += step / 2 + 1;
	}
	return result;
}

/* The pieces of `*input`, sealed; where each record ends does not matter. */
static void
seal_pieces(struct span *input)
{
	struct buf piece;
	uint8_t mem[PLAIN_MAX];

	buf_init(&wire, wire_mem, sizeof(wire_mem));
	buf_init(&plain, plain_mem, sizeof(plain_mem));
	for (unsigned pieces = take_octet(input) % 8; pieces > 0; pieces--) {
		size_t len = take_number(input) % (RECORD_CONTENT_MAX + 100);
		struct span octets = take_octets(input, len);

		if (octets.len == 0 || len > buf_room(&plain))
			break;
		buf_init(&piece, mem, sizeof(mem));
		while (len > 0) {
			struct span some = span(octets.at, octets.len < len ? octets.len : len);

			buf_put(&piece, some);
			len -= some.len;
		}
		buf_put(&plain, buf_peek(&piece));
		assert(channel_seal(&sender, &wire, &piece) == 0 && buf_len(&piece) == 0);
	}
	assert(channel_end(&sender, &wire));
}

/* One octet on the wire changed, left out, inserted, or everything after it cut off. */
static struct span
change(struct span *input, struct span whole)
{
	uint8_t what = take_octet(input), octet = take_octet(input);
	size_t at = (take_number(input) << 8 | take_octet(input)) % whole.len;
	struct buf changed;

	buf_init(&changed, changed_mem, sizeof(changed_mem));
	buf_put(&changed, span(whole.at, at));
	if (what % 4 == 0) {
		octet = octet == 0 ? 1 : octet;
		octet ^= whole.at[at];
		buf_put(&changed, span(&octet, 1));
	} else if (what % 4 == 2) {
		octet = whole.at[at] == octet ? octet ^ 0xff : octet;
		buf_put(&changed, span(&octet, 1));
		at--;
	}
	if (what % 4 != 3)
		buf_put(&changed, span_from(whole, at + 1));
	return buf_peek(&changed);
}

/* What was put in comes out, up to the changed record. */
static void
look_at_change(const struct suite *suite, struct span *input, size_t step)
{
	struct span sent = buf_peek(&wire), changed = change(input, sent);
	size_t same = 0, whole = 0;

	while (same < changed.len && changed.at[same] == sent.at[same])
		same++;
	for (struct span rest = sent; whole <= same && rest.len > 0;) {
		size_t len = RECORD_HEADER_LEN + record_sealed_len(rest.at);

		if (whole + len > same)
			break;
		whole += len;
		rest = span_from(rest, len);
	}
	stop();
	key(suite);
	int result = open_cut(changed, step);
	assert(span_starts(buf_peek(&plain), buf_peek(&got)));
	/*
	 * a changed record gave no octets, and unless octets are merely missing, it was detected
	 */
	assert(buf_len(&got) <= whole && !channel_ended(&receiver));
	assert(result == 0 ? receiver.fault == CHANNEL_GOOD : receiver.fault != CHANNEL_GOOD);
	assert(result < 0 || changed.len < whole + RECORD_MAX);
}

/* A record that verifies, with anything inside. */
static void
look_at_forged(const struct suite *suite, struct span inner)
{
	uint8_t record[RECORD_MAX], nonce[CIPHER_IV_LEN];
	size_t len = inner.len < RECORD_SEALED_MAX - CIPHER_TAG_LEN ? inner.len :
	    RECORD_SEALED_MAX - CIPHER_TAG_LEN, content = len;

	if (len == 0)
		return;
	stop();
	key(suite);
	memcpy(nonce, sender.send.iv, sizeof(nonce));
	record[0] = RECORD_DATA;
	octets_put16(record + 1, 0x0303);
	octets_put16(record + 3, (uint16_t)(len + CIPHER_TAG_LEN));
	assert(suite->cipher->seal(sender.send.state, nonce, span(record, RECORD_HEADER_LEN),
	    inner.at, len, record + RECORD_HEADER_LEN, record + RECORD_HEADER_LEN + len) == 0);
	int result = open_cut(span(record, RECORD_HEADER_LEN + len + CIPHER_TAG_LEN), len);
	while (content > 0 && inner.at[content - 1] == 0)
		content--;
	uint8_t type = content > 0 ? inner.at[--content] : 0;
	bool data = type == 23 && content > 0;
	bool end = type == 21 && content == 2 && inner.at[0] == 1 && inner.at[1] == 0;
	assert((result == 0) == (data || end) && channel_ended(&receiver) == end);
	assert(span_equal(buf_peek(&got), span(inner.at, data ? content : 0)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "chacha20poly1305_2.0", "aes256gcm_2.0", "arsyfor_1.0",
		"t32_1.0", "blowfish_0.2" };
	struct span input = span(data, size);
	const struct suite *suite = suite_find(span_of(names[take_octet(&input) % 5]));
	size_t step = take_octet(&input) + 1u;

	/* mbedTLS may have no Blowfish */
	if (suite == NULL)
		return 0;
	key(suite);
	seal_pieces(&input);
	assert(open_cut(buf_peek(&wire), step) == 0 && channel_ended(&receiver));
	assert(span_equal(buf_peek(&got), buf_peek(&plain)));
	if (suite->cipher->seal != NULL) {
		assert(open_cut(SPAN("x"), 1) < 0 && receiver.fault == CHANNEL_AFTER_END);
		look_at_change(suite, &input, step);
		look_at_forged(suite, input);
		stop();
		key(suite);
		open_cut(input, step);
		assert(buf_len(&got) == 0);
	}
	stop();
	return 0;
}
