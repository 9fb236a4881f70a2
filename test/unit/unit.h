/*
 * What the unit tests share: cmocka with the headers it wants in front.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>

#include "base/octets.h"

#include <stdio.h>
#include <string.h>

/* `text` is a literal or a string of the test's. */
#define assert_span(s, text) do { \
	struct span got_ = (s); \
	assert_int_equal(got_.len, strlen(text)); \
	assert_memory_equal(got_.at, text, got_.len); \
} while (0)

#endif
