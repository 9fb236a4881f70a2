/* A dialogue that is followed, in memory. */
#ifndef FOLLOWS_H
#define FOLLOWS_H

#include "unit.h"

#include "smtp/follow.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM 32768

static struct follow follow;
static struct io io;
static uint8_t mem[4][ROOM];

static inline void
start(bool pipelining)
{
	follow_start(&follow, pipelining);
	buf_init(&io.from_local, mem[0], ROOM);
	buf_init(&io.to_wire, mem[1], ROOM);
	buf_init(&io.from_wire, mem[2], ROOM);
	buf_init(&io.to_local, mem[3], ROOM);
}

static inline void
step(void)
{
	do
		follow_local(&follow, &io);
	while (follow_wire(&follow, &io));
}

/* Lets both sides say something: `>` begins what the local MTA says, `<` what the server says. */
static inline void
play(const char *script, bool single)
{
	struct buf *to = NULL;

	for (; *script != '\0'; script++) {
		if (*script == '>' || *script == '<') {
			step();
			to = *script == '>' ? &io.from_local : &io.from_wire;
			continue;
		}
		if (*script == '\n')
			buf_put(to, SPAN("\r"));
		buf_put(to, span((const uint8_t *)(*script == '|' ? "\n" : script), 1));
		if (single)
			step();
	}
	step();
}

#endif
