/*
 * One record of RFC 8446 section 5.2: header, then content, content type and padding, sealed.
 * channel.c decides when; what a record looks like is known here only.
 */
#ifndef CRYPT_RECORD_H
#define CRYPT_RECORD_H

#include "crypt/channel.h"

enum record_type { RECORD_ALERT = 21, RECORD_DATA = 23 };

/* Octets on the wire of the record that we make of so much content, header to tag. */
size_t record_len(size_t content_len);

/*
 * Seals `content`, at most RECORD_CONTENT_MAX octets, as the next record of `way` into `out`, which
 * has room for record_len().  0, or -1 when the cipher fails: `out` must not be sent then.
 */
int record_seal(const struct cipher *cipher, struct channel_way *way, enum record_type type,
    struct span content, uint8_t *out);

/* What a header says is behind it, octets; 0 when the header is out of range. */
size_t record_sealed_len(const uint8_t header[RECORD_HEADER_LEN]);

/*
 * Opens in place the record at `record`, header and `sealed_len` octets, as the next one of `way`.
 * `*type` and `*content` get what was in it; the content is inside the record's memory.
 */
enum channel_fault record_open(const struct cipher *cipher, struct channel_way *way,
    uint8_t *record, size_t sealed_len, enum record_type *type, struct span *content);

/* The content of the one alert there is, close_notify. */
extern const uint8_t record_close_notify[2];

#endif
