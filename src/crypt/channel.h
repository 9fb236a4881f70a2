/*
 * Encryption of a connection without its descriptors: plain octets in, wire octets out, and back.
 *
 * With a stream cipher both have the same length.  With an AEAD the wire carries the records of
 * RFC 8446 section 5.2, padded and numbered, and the last one is a close_notify.
 */
#ifndef CRYPT_CHANNEL_H
#define CRYPT_CHANNEL_H

#include "base/buf.h"
#include "crypt/layer.h"
#include "crypt/suite.h"

#include <stddef.h>

#define RECORD_HEADER_LEN 5
#define RECORD_CONTENT_MAX 16383	/* octets of content in one record that we send */
#define RECORD_PAD_TO 256		/* content, type and zeros fill a multiple of this */
#define RECORD_INNER_MAX 16384		/* maximum length of content, type and padding */
#define RECORD_FIRST_MIN 1024		/* minimum of the same in a server's first record */
#define RECORD_SEALED_MIN 17		/* least length in a header: content type and tag */
#define RECORD_SEALED_MAX 16401		/* greatest length in a header: 2^14 + 1 + tag */
#define RECORD_MAX (RECORD_HEADER_LEN + RECORD_SEALED_MAX)
#define RECORD_COUNT_MAX (UINT64_C(1) << 24)	/* records in one direction */

enum channel_fault {
	CHANNEL_GOOD,
	CHANNEL_BAD_HEADER,	/* type, version or length out of range */
	CHANNEL_BAD_RECORD,	/* the tag does not verify */
	CHANNEL_BAD_CONTENT,	/* no content type, an unknown one, or no content */
	CHANNEL_AFTER_END,	/* octets after a close_notify */
	CHANNEL_KEY_LIMIT,	/* key limit: RECORD_COUNT_MAX records in one direction */
	CHANNEL_CIPHER_FAILED	/* the cipher failed; nothing of the record was sent */
};

/* Text for the log, such as "record does not verify". */
const char *channel_fault_text(enum channel_fault fault);

struct channel_direction {
	_Alignas(max_align_t) uint8_t state[CIPHER_STATE_MAX];
	uint8_t iv[CIPHER_IV_LEN];
	uint64_t records;	/* number of the next record */
	bool ended;		/* close_notify was sent or received */
};

struct channel {
	const struct suite *suite;
	bool server;
	struct channel_direction send, receive;
	/*
	 * Set by the owner: number of octets by which the padding of our first record is
	 * increased.  Hides whether this host has a host key.
	 */
	size_t first_hides;
	enum channel_fault fault;
};

/* Keys both directions from a finished agreement, which may then be wiped.  0, or -1. */
int channel_start(struct channel *c, const struct agreement *a);

/* Frees and wipes both directions.  Has no effect on a stopped or all-zero channel. */
void channel_stop(struct channel *c);

/*
 * Encrypts from `plain` to `wire` as many whole records as there is room for.  A record takes
 * what `plain` holds at that moment, at most RECORD_CONTENT_MAX.  `wire` must have a capacity of
 * at least RECORD_MAX octets.  Returns 0, or -1 with c->fault set: the direction has ended, or
 * its key limit is reached (the last record is reserved for close_notify).
 *
 * A fault is permanent: after it, channel_seal() and channel_open() do nothing and return -1.
 */
int channel_seal(struct channel *c, struct buf *wire, struct buf *plain);

/*
 * Ends what we send, with a close_notify if the cipher is an AEAD.  False when `wire` has no room
 * for it yet.  Only the first call that succeeds has an effect.  Also works after a fault.
 */
bool channel_end(struct channel *c, struct buf *wire);

/*
 * Decrypts from `wire` to `plain`, whole records only, as many as there is room for.  Returns 0,
 * or -1 with c->fault set: the faulty record and everything after it are not passed on.  An
 * incomplete record stays in `wire`.  `wire` must have a capacity of at least RECORD_MAX octets
 * and `plain` of RECORD_SEALED_MAX - RECORD_SEALED_MIN, because a record waits until `plain` has
 * room for the most that it could contain.
 */
int channel_open(struct channel *c, struct buf *plain, struct buf *wire);

/*
 * Whether the peer announced the end of its stream.  Always true with a stream cipher, where it
 * cannot be announced.
 */
bool channel_ended(const struct channel *c);

/* The functions above for a session; the layer's state is a struct channel. */
extern const struct layer channel_layer;

#endif
