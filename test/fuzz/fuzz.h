/*
 * Shared by the fuzz targets.  A target is one file with LLVMFuzzerTestOneInput() in it.
 * libFuzzer gives it octets to find a fault with (make fuzz T=NAME), and replay.c gives it
 * those in corpus/NAME (make check).  A target asserts what must hold for any octets.
 */
#ifndef FUZZ_H
#define FUZZ_H

#undef NDEBUG		/* the assertions are the purpose of a target */
#include <assert.h>

#include "base/buf.h"

/* Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Restarts randomness and clocks (fixed.c), so that the same octets have the same result each
 * time.  Returns the previous state.
 */
uint64_t fixed_start(uint64_t seed);

/* Takes an octet, or a number of two octets, off the front of an input; 0 when it is empty. */
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

/* Takes that many octets, or those that are left. */
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
