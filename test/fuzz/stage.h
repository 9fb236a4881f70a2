/*
 * A machine on a stage: struct io without descriptors, and a script to play.
 *
 * A script is a target's input.  It is made of acts: the octet 0xff, a letter, and the octets
 * that belong to it.
 *
 *	W octets	come from the wire		w	the same, many times over
 *	L octets	come from the local side	l	the same, many times over
 *	E		end of file on the wire		T	an unannounced end of file on the wire
 *	e		end of file on the local side
 *	F octet		a fault (struct machine)
 *	K  k		TLS, if it was begun, is up; has failed
 *	S  s		nothing is read from the wire (local side) any more; again: it is read
 *
 * Other letters are the target's own.  Each script is played twice, with octets that come as
 * many at a time as fit, and one by one (or in small pieces, where they are many): nothing may
 * depend on it.
 */
#ifndef STAGE_H
#define STAGE_H

#include "fuzz.h"

#include "smtp/io.h"

#define STAGE_BUFFER 65536		/* half of a session's, so that scripts can fill it */
#define STAGE_SAID (2u << 20)
#define STAGE_OCTETS_MAX 60000		/* of one script, repetitions included */

struct stage {
	struct machine machine;
	struct io io;
	struct buf wire, local;			/* all that it sent, to either side */
	struct buf clear;			/* the part that went over the wire unencrypted */
	struct buf wire_next, local_next;	/* on their way to it */
	bool single;				/* octets come one by one */
	size_t piece;				/* or, if they are many, that many at once */
	bool wire_stuck, local_stuck;
	bool encrypted;				/* the wire is encrypted */
	bool not_records;			/* ... but what follows does not verify */
	bool tls_begun;				/* ... or will be; nothing arrives until then */
	size_t local_clear;			/* octets to the local side before it */
	uint8_t letter;				/* of the current act */
	size_t octets;				/* octets have arrived */
	struct buf local_heard;			/* those from the local side */
	bool wire_ends, local_ends;		/* end of file, once what is on its way is there */

	/*
	 * set by the target: its own acts, and checks around each piece, whose last octet they
	 * see
	 */
	void (*act)(struct stage *s, struct span octets);
	void (*before)(struct stage *s, bool from_wire);
	void (*after)(struct stage *s, bool from_wire, uint8_t octet);

	uint8_t mem[4][STAGE_BUFFER];
	uint8_t said_mem[3][STAGE_SAID];
	uint8_t next_mem[2][STAGE_OCTETS_MAX], heard_mem[STAGE_OCTETS_MAX];
};

/* Prepares it around a machine; randomness and clocks restart. */
void stage_start(struct stage *s, struct machine machine, bool single);

/* Plays a whole script, and then releases what was held up. */
void stage_play(struct stage *s, struct span script);

/* Octets come from the wire (or the local side), now. */
void stage_comes(struct stage *s, bool from_wire, struct span octets);

/* Steps until nothing moves, as session/session_flow.c does, and checks that nothing can. */
void stage_step(struct stage *s);

/* A new wire, as for another connection. */
void stage_call_again(struct stage *s);

/* Asserts that two runs of one script had the same result. */
void stage_assert_same(const struct stage *a, const struct stage *b);

/* Takes the next line off `*rest`: what precedes CRLF.  Returns false if none is complete. */
bool stage_line(struct span *rest, struct span *line);

/* The last complete line of what was sent; empty if there is none. */
struct span stage_last_line(struct span said);

#endif
