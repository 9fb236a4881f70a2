#include "crypt/channel.h"

#include "base/octets.h"
#include "crypt/record.h"

#include <assert.h>
#include <string.h>

const char *
channel_fault_text(enum channel_fault fault)
{
	switch (fault) {
	case CHANNEL_GOOD:
		return "none";
	case CHANNEL_BAD_HEADER:
		return "record header out of range";
	case CHANNEL_BAD_RECORD:
		return "record does not verify";
	case CHANNEL_BAD_CONTENT:
		return "record without acceptable content";
	case CHANNEL_AFTER_END:
		return "data after close_notify";
	case CHANNEL_KEY_LIMIT:
		return "too many records in one direction";
	case CHANNEL_CIPHER_FAILED:
		return "cipher failed";
	}
	return "unknown";
}

static bool
is_stream(const struct channel *c)
{
	return c->suite->cipher->stream != NULL;
}

int
channel_start(struct channel *c, const struct agreement *a)
{
	const struct cipher *cipher = a->suite->cipher;

	memset(c, 0, sizeof(*c));
	if (cipher->start(c->send.state, a->server ? a->key_ba : a->key_ab, CIPHER_SEND) < 0)
		goto wipe;
	if (cipher->start(c->receive.state, a->server ? a->key_ab : a->key_ba,
	    CIPHER_RECEIVE) < 0)
		goto stop_send;
	memcpy(c->send.iv, a->server ? a->iv_ba : a->iv_ab, CIPHER_IV_LEN);
	memcpy(c->receive.iv, a->server ? a->iv_ab : a->iv_ba, CIPHER_IV_LEN);
	c->suite = a->suite;
	c->server = a->server;
	return 0;

stop_send:
	cipher->stop(c->send.state);
wipe:
	octets_wipe(c, sizeof(*c));
	return -1;
}

void
channel_stop(struct channel *c)
{
	if (c->suite == NULL)
		return;
	c->suite->cipher->stop(c->receive.state);
	c->suite->cipher->stop(c->send.state);
	octets_wipe(c, sizeof(*c));
}

static int
channel_fail(struct channel *c, enum channel_fault fault)
{
	c->fault = fault;
	return -1;
}

static void
run_stream(const struct cipher *cipher, struct channel_direction *direction, struct buf *to,
    struct buf *from)
{
	size_t room;
	uint8_t *at = buf_space(to, &room);	/* buf_move() will append here */
	size_t len = buf_move(to, from);

	cipher->stream(direction->state, at, len);
}

/* Minimum length of the next record's plaintext (content, type and padding). */
static size_t
inner_min(const struct channel *c, size_t content_len)
{
	size_t len = content_len + 1 + c->first_hides;

	if (!c->server || c->send.records > 0)
		return 0;
	if (len < RECORD_FIRST_MIN)
		return RECORD_FIRST_MIN;
	return len < RECORD_INNER_MAX ? len : RECORD_INNER_MAX;
}

/* Appends one record to `wire`, which must have room for it. */
static int
seal_record(struct channel *c, struct buf *wire, enum record_type type, struct span content)
{
	size_t room, min = inner_min(c, content.len), len = record_len(content.len, min);
	uint8_t *at = buf_space(wire, &room);

	assert(len <= room);
	if (record_seal(c->suite->cipher, &c->send, type, content, min, at) < 0)
		return channel_fail(c, CHANNEL_CIPHER_FAILED);
	buf_added(wire, len);
	return 0;
}

int
channel_seal(struct channel *c, struct buf *wire, struct buf *plain)
{
	if (c->fault != CHANNEL_GOOD)
		return -1;
	if (buf_len(plain) > 0 && c->send.ended)
		return channel_fail(c, CHANNEL_AFTER_END);
	if (is_stream(c)) {
		run_stream(c->suite->cipher, &c->send, wire, plain);
		return 0;
	}
	assert(wire->cap >= RECORD_MAX);	/* or a full record would never fit */
	while (buf_len(plain) > 0) {
		struct span content = buf_peek(plain);

		/* the last record of the direction is reserved for close_notify */
		if (c->send.records >= RECORD_COUNT_MAX - 1)
			return channel_fail(c, CHANNEL_KEY_LIMIT);
		if (content.len > RECORD_CONTENT_MAX)
			content.len = RECORD_CONTENT_MAX;
		if (buf_room(wire) < record_len(content.len, inner_min(c, content.len)))
			break;
		if (seal_record(c, wire, RECORD_DATA, content) < 0)
			return -1;
		buf_take(plain, content.len);
	}
	return 0;
}

bool
channel_end(struct channel *c, struct buf *wire)
{
	struct span notice = span(record_close_notify, sizeof(record_close_notify));

	if (c->send.ended)
		return true;
	if (!is_stream(c)) {
		if (buf_room(wire) < record_len(notice.len, inner_min(c, notice.len)))
			return false;
		/* if the cipher fails, nothing can be sent; the end of file is left */
		(void)seal_record(c, wire, RECORD_ALERT, notice);
	}
	c->send.ended = true;
	return true;
}

/* Decrypts the complete record at the front of `wire` into `plain`. */
static enum channel_fault
open_record(struct channel *c, struct buf *plain, struct buf *wire, size_t sealed_len)
{
	uint8_t *record = wire->mem + wire->head;
	enum record_type type;
	struct span content;
	enum channel_fault fault = record_open(c->suite->cipher, &c->receive, record, sealed_len,
	    &type, &content);

	if (fault != CHANNEL_GOOD)
		return fault;
	if (type == RECORD_ALERT)
		c->receive.ended = true;
	else
		buf_put(plain, content);
	buf_take(wire, RECORD_HEADER_LEN + sealed_len);
	return CHANNEL_GOOD;
}

int
channel_open(struct channel *c, struct buf *plain, struct buf *wire)
{
	if (c->fault != CHANNEL_GOOD)
		return -1;
	if (is_stream(c)) {
		run_stream(c->suite->cipher, &c->receive, plain, wire);
		return 0;
	}
	assert(wire->cap >= RECORD_MAX && plain->cap >= RECORD_SEALED_MAX - RECORD_SEALED_MIN);
	while (buf_len(wire) > 0) {
		if (c->receive.ended)
			return channel_fail(c, CHANNEL_AFTER_END);
		if (buf_len(wire) < RECORD_HEADER_LEN)
			break;
		size_t sealed_len = record_sealed_len(buf_peek(wire).at);
		if (sealed_len == 0)
			return channel_fail(c, CHANNEL_BAD_HEADER);
		if (c->receive.records >= RECORD_COUNT_MAX)
			return channel_fail(c, CHANNEL_KEY_LIMIT);
		if (buf_len(wire) < RECORD_HEADER_LEN + sealed_len)
			break;
		/* how much of it is padding is known only after decryption */
		if (buf_room(plain) < sealed_len - RECORD_SEALED_MIN)
			break;
		enum channel_fault fault = open_record(c, plain, wire, sealed_len);
		if (fault != CHANNEL_GOOD)
			return channel_fail(c, fault);
	}
	return 0;
}

bool
channel_ended(const struct channel *c)
{
	return is_stream(c) || c->receive.ended;
}

static int
layer_open(void *channel, struct buf *plain, struct buf *wire)
{
	return channel_open(channel, plain, wire);
}

static int
layer_seal(void *channel, struct buf *wire, struct buf *plain)
{
	return channel_seal(channel, wire, plain);
}

static bool
layer_end(void *channel, struct buf *wire)
{
	return channel_end(channel, wire);
}

static bool
layer_ended(const void *channel)
{
	return channel_ended(channel);
}

static const char *
layer_fault(const void *channel)
{
	const struct channel *c = channel;

	return channel_fault_text(c->fault);
}

static void
layer_stop(void *channel)
{
	channel_stop(channel);
}

const struct layer channel_layer = {
	.open = layer_open,
	.seal = layer_seal,
	.end = layer_end,
	.ended = layer_ended,
	.fault = layer_fault,
	.stop = layer_stop,
};
