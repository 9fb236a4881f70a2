/*
 * The records of RFC 8446 section 5.2: a header, followed by content, content type and padding
 * under an AEAD.  channel.c decides when to send what; only this file knows the format.
 */
#ifndef CRYPT_RECORD_H
#define CRYPT_RECORD_H

#include "crypt/channel.h"

enum record_type { RECORD_ALERT = 21, RECORD_DATA = 23 };

/*
 * Length in octets, from header to tag, of a record with `content_len` octets of content.
 * Content, type and padding have at least `inner_min` octets, which is at most RECORD_INNER_MAX.
 */
size_t record_len(size_t content_len, size_t inner_min);

/*
 * Seals `content`, at most RECORD_CONTENT_MAX octets, as the next record of this direction into
 * `out`, which must have room for record_len().  0, or -1 when the cipher fails: `out` must not be
 * sent then.
 */
int record_seal(const struct cipher *cipher, struct channel_direction *direction,
    enum record_type type, struct span content, size_t inner_min, uint8_t *out);

/* Octets that follow a header according to its length field; 0 for an invalid header. */
size_t record_sealed_len(const uint8_t header[RECORD_HEADER_LEN]);

/*
 * Decrypts in place the record at `record`, a header and `sealed_len` octets, as the next one of
 * this direction.  Sets `*type` and `*content`, which points into the record.
 */
enum channel_fault record_open(const struct cipher *cipher, struct channel_direction *direction,
    uint8_t *record, size_t sealed_len, enum record_type *type, struct span *content);

/* The content of a close_notify alert, the only alert that is used. */
extern const uint8_t record_close_notify[2];

#endif
