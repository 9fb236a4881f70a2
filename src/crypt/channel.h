/*
 * An encrypted connection, without the connection: plain octets in, wire octets out, and back.
 *
 * For a stream cipher the two are of one length.  For an AEAD the wire carries the records of
 * RFC 8446 section 5.2, padded and numbered, and ended by close_notify.
 */
#ifndef CRYPT_CHANNEL_H
#define CRYPT_CHANNEL_H

#include "base/buf.h"
#include "crypt/layer.h"
#include "crypt/suite.h"

#include <stddef.h>

#define RECORD_HEADER_LEN 5
#define RECORD_CONTENT_MAX 16383	/* octets of content in one record that we send */
#define RECORD_PAD_TO 256		/* content, type and zeros come to a multiple of this */
#define RECORD_SEALED_MIN 17		/* what a header's length may say: type and tag ... */
#define RECORD_SEALED_MAX 16401		/* ... to 2^14 + 1 + tag */
#define RECORD_MAX (RECORD_HEADER_LEN + RECORD_SEALED_MAX)
#define RECORD_COUNT_MAX (UINT64_C(1) << 24)	/* records a direction may carry */

enum channel_fault {
	CHANNEL_GOOD,
	CHANNEL_BAD_HEADER,	/* type, version or length out of range */
	CHANNEL_BAD_RECORD,	/* does not verify */
	CHANNEL_BAD_CONTENT,	/* verifies, but no content type, another one, or no content */
	CHANNEL_AFTER_END,	/* octets behind a close_notify */
	CHANNEL_WORN_OUT,	/* 2^24 records in one direction */
	CHANNEL_CIPHER_FAILED	/* nothing of the record was sent */
};

/* For the log: "record does not verify". */
const char *channel_fault_text(enum channel_fault fault);

struct channel_way {		/* one direction */
	_Alignas(max_align_t) uint8_t state[CIPHER_STATE_MAX];
	uint8_t iv[CIPHER_IV_LEN];
	uint64_t records;	/* number of the next one */
	bool ended;		/* close_notify has gone or come */
};

struct channel {
	const struct suite *suite;
	struct channel_way send, receive;
	enum channel_fault fault;
};

/* Keyed from a finished agreement, which may be wiped then.  0, or -1: the cipher cannot. */
int channel_start(struct channel *c, const struct agreement *a);

/* Wipes and frees both directions.  Harmless on one that is stopped, or all zeros. */
void channel_stop(struct channel *c);

/*
 * Takes plain octets from `plain` and puts wire octets into `wire`, as far as there is room for whole
 * records.  Returns 0, or -1 with c->fault set: the direction is worn out (the last of its records
 * is kept for close_notify), or has ended already.
 * A record is made of whatever `plain` holds at that moment, at most RECORD_CONTENT_MAX.
 * `wire` must be able to hold RECORD_MAX octets.
 *
 * A fault stays: after it, channel_seal() and channel_open() do nothing and return -1.
 */
int channel_seal(struct channel *c, struct buf *wire, struct buf *plain);

/*
 * The end of what we send: close_notify, for an AEAD; nothing for a stream.  False when `wire` has no
 * room for it yet.  Once only; repeating it is harmless.  Works after a fault, too.
 */
bool channel_end(struct channel *c, struct buf *wire);

/*
 * Takes wire octets from `wire` and puts the plain ones into `plain`, whole records only, as far as
 * there is room.  Returns 0, or -1 with c->fault set: of the record at fault, and anything behind
 * it, nothing has been put anywhere.  An incomplete record stays in `wire`.
 * `wire` must be able to hold RECORD_MAX octets, and `plain` RECORD_SEALED_MAX - RECORD_SEALED_MIN:
 * a record waits until `plain` has room for all that it could contain.
 */
int channel_open(struct channel *c, struct buf *plain, struct buf *wire);

/*
 * The other side's end of file: was it announced?  Always true for a stream cipher, which has no
 * way to say so.
 */
bool channel_ended(const struct channel *c);

/* The above for a session: a struct channel as its state. */
extern const struct layer channel_layer;

#endif
