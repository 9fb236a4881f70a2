/*
 * What blackpony -t prints of the host that it has reached.
 */
#ifndef FOUND_H
#define FOUND_H

#include "call.h"

/* `lookup_ms`: what finding its addresses took. */
void found_print(const struct call *c, int64_t lookup_ms);

#endif
