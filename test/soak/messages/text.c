#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT (256u << 10)	/* octets kept for the next dialogue */

void
give_up(const char *what)
{
	fprintf(stderr, "messages: %s: %s\n", what, strerror(errno));
	exit(1);
}

void
text_clear(struct text *t)
{
	t->len = 0;
	if (t->cap > KEPT) {
		free(t->at);
		t->at = NULL;
		t->cap = 0;
	}
	text_room(t, 1);
}

uint8_t *
text_room(struct text *t, size_t len)
{
	if (t->cap - t->len < len) {
		size_t cap = t->cap < 4096 ? 4096 : t->cap;

		while (cap - t->len < len)
			cap *= 2;
		t->at = realloc(t->at, cap);
		if (t->at == NULL)
			give_up("memory");
		t->cap = cap;
	}
	return t->at + t->len;
}

void
text_put(struct text *t, const void *octets, size_t len)
{
	if (len == 0)
		return;
	memcpy(text_room(t, len), octets, len);
	t->len += len;
}

void
text_say(struct text *t, const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	text_put(t, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void
text_show(struct text *t, const uint8_t *octets, size_t len, size_t max)
{
	for (size_t i = 0; i < len && i < max; i++) {
		if (octets[i] >= ' ' && octets[i] < 0x7f && octets[i] != '\\')
			text_put(t, octets + i, 1);
		else
			text_say(t, "\\x%02x", octets[i]);
	}
	if (len > max)
		text_say(t, "... (%zu octets)", len);
}
