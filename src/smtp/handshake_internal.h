/*
 * Shared by handshake.c (lines, offer and choice), handshake_hybrid.c (2.0) and handshake_old.c
 * (0.1 to 1.0).
 */
#ifndef SMTP_HANDSHAKE_INTERNAL_H
#define SMTP_HANDSHAKE_INTERNAL_H

#include "smtp/handshake.h"

static inline const struct kex *
handshake_kex(const struct handshake *h)
{
	return h->agreement.suite->kex;
}

static inline bool
handshake_is_hybrid(const struct handshake *h)
{
	return handshake_kex(h)->version >= KEX_VERSION_2_0;
}

/* Copies a line for the transcript.  A line that is too long leaves it empty. */
void handshake_keep_line(struct handshake_line *to, struct span line);

static inline struct span
handshake_line_span(const struct handshake_line *line)
{
	return span(line->mem, line->len);
}

/* Server: refuses with `reply` (CRLF included); the attempt is used up. */
enum handshake_answer handshake_refuse(struct handshake *h, struct buf *out, struct span reply);

#define REFUSE_MALFORMED SPAN("501 5.5.4 XCRYPT FAIL malformed\r\n")
#define REFUSE_KEY SPAN("454 4.7.0 XCRYPT FAIL key refused\r\n")
#define REFUSE_NOW SPAN("454 4.7.0 XCRYPT FAIL temporarily unavailable\r\n")

/* Whether the line begins with `XCRYPT`; `arguments` receives what follows it and one blank. */
bool handshake_xcrypt_line(struct span line, struct span *arguments);

/*
 * Whether the reply can be a positive answer: exactly one line with code 250, ended by CRLF, of
 * at most `line_max` octets, without NUL, CR or LF inside.
 */
bool handshake_exact_line(const struct reply *reply, size_t line_max, struct span *line);

/* Whether the reply is a clean refusal: one line of 4yz or 5yz. */
static inline bool
handshake_is_refusal(const struct reply *reply)
{
	return reply->lines == 1 && reply->code >= 400 && reply->code != 421;
}

/*
 * The parts of handshake_answer(), handshake_propose() and handshake_take_answer() that differ
 * between versions.  `fields` is what follows the suite.
 */
enum handshake_answer handshake_hybrid_answer(struct handshake *h, struct span line,
    struct span fields, struct buf *out);
int handshake_hybrid_propose(struct handshake *h, struct buf *choice);
enum handshake_verdict handshake_hybrid_take_answer(struct handshake *h,
    const struct reply *reply);

enum handshake_answer handshake_old_answer(struct handshake *h, struct span line,
    struct span fields, struct buf *out);
int handshake_old_propose(struct handshake *h, struct buf *choice);
enum handshake_verdict handshake_old_take_answer(struct handshake *h, const struct reply *reply);

#endif
