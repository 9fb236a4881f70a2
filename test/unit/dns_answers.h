/* Building DNS answers piece by piece. */
#ifndef TEST_DNS_ANSWERS_H
#define TEST_DNS_ANSWERS_H

#include "unit.h"

#include "base/octets.h"

#include <arpa/nameser.h>

/* The DNS message that is being built. */
static uint8_t message[NS_MAXMSG];
static size_t message_len;

static inline void
put(struct span s)
{
	assert_true(s.len <= sizeof(message) - message_len);
	memcpy(message + message_len, s.at, s.len);
	message_len += s.len;
}

static inline void
put16(unsigned int value)
{
	uint8_t octets[2];

	octets_put16(octets, (uint16_t)value);
	put(span(octets, 2));
}

/* Begins an answer to a query for example.org (at offset 12) with `answers` records to follow. */
static inline void
begin(unsigned int type, unsigned int answers)
{
	message_len = 0;
	put16(1);
	put16(0x8180);
	put16(1);
	put16(answers);
	put16(0);
	put16(0);
	put(SPAN("\7example\3org\0"));
	put16(type);
	put16(ns_c_in);
}

/* A record of example.org, without its data. */
static inline void
put_head(unsigned int type, unsigned int class, size_t len)
{
	put16(0xc00c);
	put16(type);
	put16(class);
	put16(0);
	put16(300);
	put16((unsigned int)len);
}

/* Copies the message so that it ends where its memory ends: a sanitizer then sees an overrun. */
static inline uint8_t *
message_copy(size_t len)
{
	uint8_t *copy = test_malloc(len + 1);

	memcpy(copy + 1, message, len);
	return copy;
}

#endif
