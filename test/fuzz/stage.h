/*
 * A machine on a stage: struct io with nothing behind it, and a script to play.
 *
 * A script is a target's input.  It is made of acts: the octet 0xff, a letter, and the octets that
 * belong to it.
 *
 *	W octets	come from the wire		w	the same, many times over
 *	L octets	come from the local side	l	the same, many times over
 *	E		end of file on the wire		T	... that was not announced
 *	e		end of file on the local side
 *	F octet		a fault (struct machine)
 *	K  k		TLS, where it was begun, has come to be; has not
 *	S  s		nobody takes what goes to the wire (local side); again: somebody does
 *
 * Other letters are the target's own.  Each script is played twice, with octets that come as many
 * at a time as fit, and one by one (or in small pieces, where they are many): nothing may depend
 * on it.
 */
#ifndef STAGE_H
#define STAGE_H

#include "fuzz.h"

#include "smtp/io.h"

#define STAGE_BUFFER 65536		/* half of a session's, for scripts to fill */
#define STAGE_SAID (2u << 20)
#define STAGE_OCTETS_MAX 60000		/* of one script, what is many times over included */

struct stage {
	struct machine machine;
	struct io io;
	struct buf wire, local;			/* all that it said, to either side */
	struct buf clear;			/* what of it went over the wire unencrypted */
	struct buf wire_next, local_next;	/* on their way to it */
	bool single;				/* octets come one by one ... */
	size_t piece;				/* ... or, of many, so many at once */
	bool wire_stuck, local_stuck;
	bool encrypted;				/* the wire is */
	bool tls_begun;				/* ... or will be: nothing comes until then */
	size_t local_clear;			/* octets said to the local side before that */
	uint8_t letter;				/* of the act that is played */
	size_t octets;				/* have come */
	struct buf local_heard;			/* those from the local side */
	bool wire_ends, local_ends;		/* end of file, when what is on its way is there */

	/*
	 * the target's: acts of its own; what it looks at around each piece, of which it sees the
	 * last octet
	 */
	void (*act)(struct stage *s, struct span octets);
	void (*before)(struct stage *s, bool from_wire);
	void (*after)(struct stage *s, bool from_wire, uint8_t octet);

	uint8_t mem[4][STAGE_BUFFER];
	uint8_t said_mem[3][STAGE_SAID];
	uint8_t next_mem[2][STAGE_OCTETS_MAX], heard_mem[STAGE_OCTETS_MAX];
};

/* Sets it up around a machine; randomness and clocks begin anew. */
void stage_start(struct stage *s, struct machine machine, bool single);

/* Plays a whole script, and lets everything go that was stuck. */
void stage_play(struct stage *s, struct span script);

/* Octets come from the wire (or the local side), now. */
void stage_comes(struct stage *s, bool from_wire, struct span octets);

/* Steps until nothing moves, as session/session_flow.c does, and looks that nothing can. */
void stage_step(struct stage *s);

/* The wire is a new one, as for another call. */
void stage_call_again(struct stage *s);

/* Asserts that two performances of one script came to the same. */
void stage_assert_same(const struct stage *a, const struct stage *b);

/* Takes the next line off the front of `*rest`: what is before CRLF. False: none is whole. */
bool stage_line(struct span *rest, struct span *line);

/* The last whole line of what was said; empty when there is none. */
struct span stage_last_line(struct span said);

#endif
