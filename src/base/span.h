/*
 * Spans: octets with a length.  What comes from the network is never NUL-terminated text.
 *
 * A span points into memory that another object owns, and is valid as long as that memory is.
 */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *at;	/* may be NULL when len is 0 */
	size_t len;		/* in octets */
};

/* A span over `len` octets at `at`. */
static inline struct span
span(const void *at, size_t len)
{
	return (struct span){ .at = at, .len = len };
}

/* A span over a string literal, without its NUL. */
#define SPAN(literal) span((literal), sizeof(literal) - 1)

/*
 * A span over a NUL-terminated string of our own, without its NUL.  Not for octets from the
 * network.
 */
struct span span_of(const char *text);

/* Comparison of octets.  The `nocase` variants fold A-Z only: names in SMTP are ASCII. */
bool span_equal(struct span a, struct span b);
bool span_equal_nocase(struct span a, struct span b);
bool span_starts(struct span s, struct span prefix);
bool span_starts_nocase(struct span s, struct span prefix);

/* The rest of `s` after its first `n` octets; empty if n >= s.len. */
struct span span_from(struct span s, size_t n);

/* The index of the first `octet` in `s`; s.len if `s` does not contain it. */
size_t span_find(struct span s, uint8_t octet);

/*
 * Takes the next word from the front of `*rest`: the octets up to one `separator`, which is
 * removed too.  False when nothing is left.  Two separators in a row enclose an empty word.
 */
bool span_word(struct span *rest, uint8_t separator, struct span *word);

/*
 * Reads a decimal number: one or more digits and nothing else, leading zeros allowed, at most
 * `max`.  False otherwise; `*number` is unchanged then.
 */
bool span_number(struct span s, uint64_t max, uint64_t *number);

/*
 * Copies `s` for people to read: as much as fits into `size` octets (at least 1) with a NUL, every
 * octet that is not printable ASCII as `?`.  Returns the length without the NUL.
 */
size_t span_printable(char *out, size_t size, struct span s);

#endif
