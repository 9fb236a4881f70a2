/*
 * The channels of both ends of a connection, and buffers with room for everything.  What one end
 * seals is in `wire` until the other end opens it into `got`.
 */
#ifndef TEST_ENDS_H
#define TEST_ENDS_H

#include "base/octets.h"
#include "crypt/channel.h"
#include "crypt/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define BULK 100000
#define RECORD 277		/* octets on the wire of a record with up to 255 of content */

static struct channel a, b;
static uint8_t plain_mem[BULK + RECORD_MAX], wire_mem[4 * BULK], got_mem[BULK + RECORD_MAX];
static struct buf plain, wire, got;
static uint8_t bulk[BULK];

static inline void
draw_keys(struct agreement *agreement, const struct suite *suite)
{
	memset(agreement, 0, sizeof(*agreement));
	agreement->suite = suite;
	assert_int_equal(random_octets(agreement->key_ab, CIPHER_KEY_MAX), 0);
	assert_int_equal(random_octets(agreement->key_ba, CIPHER_KEY_MAX), 0);
	assert_int_equal(random_octets(agreement->iv_ab, CIPHER_IV_LEN), 0);
	assert_int_equal(random_octets(agreement->iv_ba, CIPHER_IV_LEN), 0);
}

static inline void
clear(void)
{
	buf_init(&plain, plain_mem, sizeof(plain_mem));
	buf_init(&wire, wire_mem, sizeof(wire_mem));
	buf_init(&got, got_mem, sizeof(got_mem));
}

/* Keys both ends anew and empties the buffers. */
static inline void
rewind_ends(struct agreement *agreement)
{
	channel_stop(&a);
	channel_stop(&b);
	agreement->server = false;
	assert_int_equal(channel_start(&a, agreement), 0);
	agreement->server = true;
	assert_int_equal(channel_start(&b, agreement), 0);
	clear();
}

static inline void
connect_ends(const struct suite *suite)
{
	struct agreement agreement;

	draw_keys(&agreement, suite);
	rewind_ends(&agreement);
}

static inline const struct suite *
suite_named(const char *name)
{
	const struct suite *suite = suite_find(span_of(name));

	assert_non_null(suite);
	return suite;
}

static inline bool
is_aead(const struct suite *suite)
{
	return suite->cipher->seal != NULL;
}

static inline int
set_up(void **state)
{
	(void)state;
	return random_octets(bulk, sizeof(bulk));
}

static inline int
tear_down(void **state)
{
	(void)state;
	channel_stop(&a);
	channel_stop(&b);
	return 0;
}

/* Seals all of `octets` and puts them on the wire. */
static inline void
seal(struct channel *from, struct span octets)
{
	assert_true(buf_put(&plain, octets));
	assert_int_equal(channel_seal(from, &wire, &plain), 0);
	assert_int_equal(buf_len(&plain), 0);
}

static inline void
assert_got(struct span expected)
{
	assert_int_equal(buf_len(&got), expected.len);
	assert_memory_equal(buf_peek(&got).at, expected.at, expected.len);
}

/* Asserts that b fails with `fault`, passes nothing of it on, and keeps failing. */
static inline void
assert_fault(enum channel_fault fault, struct span passed_on)
{
	assert_int_equal(channel_open(&b, &got, &wire), -1);
	assert_int_equal(b.fault, fault);
	assert_got(passed_on);
	assert_string_not_equal(channel_fault_text(fault), "none");
	assert_int_equal(channel_open(&b, &got, &wire), -1);
	buf_clear(&wire);
	assert_int_equal(channel_open(&b, &got, &wire), -1);
	assert_got(passed_on);
	assert_int_equal(b.fault, fault);
}

/* Makes a record by hand, with any outer type and any plaintext. */
static inline void
forge(struct channel *from, uint8_t outside, uint16_t version, struct span inner)
{
	uint8_t nonce[CIPHER_IV_LEN], header[RECORD_HEADER_LEN], tag[CIPHER_TAG_LEN];
	static uint8_t out[2 * RECORD_MAX];

	memcpy(nonce, from->send.iv, sizeof(nonce));
	octets_put64(nonce + 4, octets_get64(nonce + 4) ^ from->send.records++);
	header[0] = outside;
	octets_put16(header + 1, version);
	octets_put16(header + 3, (uint16_t)(inner.len + CIPHER_TAG_LEN));
	assert_int_equal(from->suite->cipher->seal(from->send.state, nonce,
	    span(header, sizeof(header)), inner.at, inner.len, out, tag), 0);
	buf_put(&wire, span(header, sizeof(header)));
	buf_put(&wire, span(out, inner.len));
	assert_true(buf_put(&wire, span(tag, sizeof(tag))));
}

#endif
