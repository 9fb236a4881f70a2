/*
 * For all unit tests: cmocka with the headers that must precede it.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* required before cmocka.h */
#include <cmocka.h>

#include "base/span.h"

#include <stdio.h>
#include <string.h>

/* `text` is a literal or a string that the test owns. */
#define assert_span(s, text) do { \
	struct span got_ = (s); \
	assert_int_equal(got_.len, strlen(text)); \
	assert_memory_equal(got_.at, text, got_.len); \
} while (0)

#endif
