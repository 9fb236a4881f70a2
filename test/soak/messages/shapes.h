/* What is in a message: sizes of every order and around every limit, and shapes of lines. */
#ifndef SOAK_SHAPES_H
#define SOAK_SHAPES_H

#include "dice.h"
#include "text.h"

/* Any octets whatever, with a header in front of most. */
void shapes_message(struct text *t, struct dice *d);

/* Some octets without CR, LF and NUL, to stand in a command. */
void shapes_word(struct text *t, struct dice *d, size_t len, bool eight_bit);

/* Makes of a message what goes between 354 and the end: nothing in it is an end before the last octets are. */
void shapes_end_data(struct text *t, size_t from);

#endif
