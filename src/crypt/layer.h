/*
 * What turns plain octets into those on the wire and back: XCRYPT's channel, or TLS.  A session has none or
 * one, and does not care which.
 */
#ifndef CRYPT_LAYER_H
#define CRYPT_LAYER_H

#include "base/buf.h"

enum layer_state {
	LAYER_OPENING,	/* its own handshake is going on */
	LAYER_OPEN,
	LAYER_FAILED	/* its handshake came to nothing */
};

struct layer {
	/*
	 * Each moves whole pieces as far as there is room.  0, or -1: what came cannot be trusted, or no
	 * more can be sent; nothing of it has been passed on.
	 */
	int (*open)(void *state, struct buf *plain, struct buf *wire);
	int (*seal)(void *state, struct buf *wire, struct buf *plain);

	/* Our end, announced where that can be done.  False: no room yet. */
	bool (*end)(void *state, struct buf *wire);

	/* Was the other side's end announced, or is there no way to? */
	bool (*ended)(const void *state);

	/* Does it hold plain octets for which open() had no room?  NULL: it never does. */
	bool (*holds)(const void *state);

	/* Why open() or seal() said -1, in words. */
	const char *(*fault)(const void *state);

	/* Where it is; NULL: open from the beginning. */
	enum layer_state (*state)(const void *state);

	/* Frees and wipes.  The state may then be used again. */
	void (*stop)(void *state);
};

#endif
