/* Octets that grow.  No buffer of the programs is used here: what tests them must not share their faults. */
#ifndef SOAK_TEXT_H
#define SOAK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	uint8_t *at;
	size_t len, cap;
};

/* Empties it; `at` is not NULL from then on. */
void text_clear(struct text *t);
void text_put(struct text *t, const void *octets, size_t len);
void text_say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for at least `len` octets at the end; `t->len` is the caller's to add to. */
uint8_t *text_room(struct text *t, size_t len);

/* Octets for people: printable, the rest as \xNN, at most `max` of them. */
void text_show(struct text *t, const uint8_t *octets, size_t len, size_t max);

void give_up(const char *what) __attribute__((noreturn));

#endif
