/*
 * Octets and spans: what came off a wire has a length, never a terminator.
 *
 * A span points into memory that somebody else owns and is good for as long as that is.
 * Knows nothing of mail or the net.
 */
#ifndef BASE_OCTETS_H
#define BASE_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *at;
	size_t len;
};

/* A span over `len` octets at `at`. */
static inline struct span
span(const void *at, size_t len)
{
	return (struct span){ .at = at, .len = len };
}

/* A span over a string literal, without its NUL. */
#define SPAN(literal) span((literal), sizeof(literal) - 1)

/* A span over a NUL-terminated string of ours (never of the wire's). */
struct span span_of(const char *text);

/* Are these the same octets?  `nocase` folds A-Z only: names in SMTP are ASCII. */
bool span_equal(struct span a, struct span b);
bool span_equal_nocase(struct span a, struct span b);
bool span_starts(struct span s, struct span prefix);
bool span_starts_nocase(struct span s, struct span prefix);

/* What is left of `s` behind its first `n` octets (all of it gone when n >= s.len). */
struct span span_from(struct span s, size_t n);

/* Where `octet` first stands in `s`, or s.len. */
size_t span_find(struct span s, uint8_t octet);

/*
 * Takes the next word off the front of `*rest`: the octets up to a single `separator`, which goes
 * too.  False when nothing is left.  Two separators in a row give an empty word.
 */
bool span_word(struct span *rest, uint8_t separator, struct span *word);

/*
 * A decimal number of digits only, at least one, leading zeros allowed, at most `max`.
 * False for anything else.
 */
bool span_number(struct span s, uint64_t max, uint64_t *number);

/*
 * For people to read: what of `s` fits into `size` octets (at least one) with a NUL behind it,
 * anything but printable ASCII as `?`.  Returns its length.
 */
size_t span_printable(char *out, size_t size, struct span s);

/* `out` takes 2 * len lower-case digits, no NUL. */
void octets_to_hex(char *out, const uint8_t *in, size_t len);

/* Exactly 2 * len digits of either case become `len` octets; false for anything else. */
bool octets_from_hex(uint8_t *out, size_t len, struct span hex);

/* Big-endian numbers, as every length and sequence on the wire and on the disk is. */
void octets_put16(uint8_t out[2], uint16_t value);
void octets_put32(uint8_t out[4], uint32_t value);
void octets_put64(uint8_t out[8], uint64_t value);
uint16_t octets_get16(const uint8_t in[2]);
uint32_t octets_get32(const uint8_t in[4]);
uint64_t octets_get64(const uint8_t in[8]);

/* Equal in a time that depends on `len` only. */
bool octets_equal_secret(const uint8_t *a, const uint8_t *b, size_t len);

/* Zeroes what held a secret; the compiler may not leave it out. */
void octets_wipe(void *at, size_t len);

#endif
