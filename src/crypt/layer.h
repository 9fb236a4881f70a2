/*
 * An encryption layer turns plain octets into wire octets and back: XCRYPT's channel, or TLS.  A
 * session has at most one, and treats both alike.
 */
#ifndef CRYPT_LAYER_H
#define CRYPT_LAYER_H

#include "base/buf.h"

enum layer_state {
	LAYER_OPENING,	/* its own handshake is in progress */
	LAYER_OPEN,
	LAYER_FAILED	/* its own handshake has failed */
};

struct layer {
	/*
	 * open() decrypts from `wire` to `plain`, seal() encrypts from `plain` to `wire`, as much
	 * as there is room for.  0, or -1 when received data is invalid or no more can be sent;
	 * nothing of the failing record is passed on.
	 */
	int (*open)(void *state, struct buf *plain, struct buf *wire);
	int (*seal)(void *state, struct buf *wire, struct buf *plain);

	/* Announces the end of what we send, where that is possible.  False: no room yet. */
	bool (*end)(void *state, struct buf *wire);

	/* Whether the peer has announced its end; always true where it cannot be announced. */
	bool (*ended)(const void *state);

	/* Whether it holds decrypted octets that open() had no room for.  NULL: it never does. */
	bool (*holds)(const void *state);

	/* Text for the log: why open() or seal() returned -1. */
	const char *(*fault)(const void *state);

	/* Progress of its handshake.  NULL: a layer without a handshake, open from the start. */
	enum layer_state (*state)(const void *state);

	/* Frees and wipes the state, which may then be used again. */
	void (*stop)(void *state);
};

#endif
