/* Octets that grow.  It uses no buffer of the programs, so as not to share their faults. */
#ifndef SOAK_TEXT_H
#define SOAK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	uint8_t *at;
	size_t len, cap;
};

/* Empties it; `at` is not NULL after that. */
void text_clear(struct text *t);
void text_put(struct text *t, const void *octets, size_t len);
void text_say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes room for at least `len` octets at the end; the caller adds to `t->len`. */
uint8_t *text_room(struct text *t, size_t len);

/* Octets for people: printable, others as \xNN, at most `max` of them. */
void text_show(struct text *t, const uint8_t *octets, size_t len, size_t max);

void give_up(const char *what) __attribute__((noreturn));

#endif
