/* The contents of messages: sizes of every order and around every limit, and shapes of lines. */
#ifndef SOAK_SHAPES_H
#define SOAK_SHAPES_H

#include "dice.h"
#include "text.h"

/* Any octets whatever, mostly with a header. */
void shapes_message(struct text *t, struct dice *d);

/* Octets without CR, LF and NUL, for a command. */
void shapes_word(struct text *t, struct dice *d, size_t len, bool eight_bit);

/* Converts a message to what is sent between 354 and the end: only its last octets are an end. */
void shapes_end_data(struct text *t, size_t from);

#endif
