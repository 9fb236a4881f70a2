/*
 * What the fuzz targets share.  A target is one file with LLVMFuzzerTestOneInput() in it:
 * libFuzzer gives it octets to look for a fault with (make fuzz T=NAME), and replay.c those in
 * corpus/NAME (make check).
 *
 * A target asserts what has to hold whatever the octets are.
 */
#ifndef FUZZ_H
#define FUZZ_H

#undef NDEBUG		/* what a target asserts is what it is for */
#include <assert.h>

#include "base/buf.h"

/* Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Randomness and clocks (fixed.c) begin anew, so that the same octets mean the same each time.
 * Says where they stood.
 */
uint64_t fixed_start(uint64_t seed);

/* Takes an octet, or a number of two, off the front of an input; 0 when nothing is left. */
static inline uint8_t
take_octet(struct span *input)
{
	uint8_t octet = input->len > 0 ? input->at[0] : 0;

	*input = span_from(*input, 1);
	return octet;
}

static inline size_t
take_number(struct span *input)
{
	size_t high = take_octet(input);

	return high << 8 | take_octet(input);
}

/* Takes as many octets, or those that are left. */
static inline struct span
take_octets(struct span *input, size_t len)
{
	struct span s = *input;

	if (s.len > len)
		s.len = len;
	*input = span_from(*input, len);
	return s;
}

#endif
