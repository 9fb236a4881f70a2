/*
 * What the files of the handshake share: handshake.c (lines, offer and choice),
 * handshake_hybrid.c (2.0) and handshake_old.c (0.1 to 1.0).  For them only.
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

/* Keeps a line for the transcript; one that is too long is left out. */
void handshake_keep_line(struct handshake_line *to, struct span line);

static inline struct span
handshake_line_span(const struct handshake_line *line)
{
	return span(line->mem, line->len);
}

/* Server: refuses with `reply`, CRLF included; the one attempt is used up. */
enum handshake_answer handshake_refuse(struct handshake *h, struct buf *out, struct span reply);

#define REFUSE_MALFORMED SPAN("501 5.5.4 XCRYPT FAIL malformed\r\n")
#define REFUSE_KEY SPAN("454 4.7.0 XCRYPT FAIL key refused\r\n")
#define REFUSE_NOW SPAN("454 4.7.0 XCRYPT FAIL temporarily unavailable\r\n")

/* Is it `XCRYPT`, and if so, what follows it and one blank? */
bool handshake_xcrypt_line(struct span line, struct span *arguments);

/*
 * The one line of a reply that can mean yes: 250, CRLF, within `line_max` octets, nothing
 * inside.
 */
bool handshake_exact_line(const struct reply *reply, size_t line_max, struct span *line);

/* Does one line of 4yz or 5yz refuse the proposal, so that the session goes on as it was? */
static inline bool
handshake_is_refusal(const struct reply *reply)
{
	return reply->lines == 1 && reply->code >= 400 && reply->code != 421;
}

/*
 * The parts of handshake_answer(), _propose() and _take_answer() that differ.  `fields` follow
 * the suite.
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
