/*
 * The XCRYPT handshake (xcrypt.7), both roles: what each line says, in which order things are checked, when
 * keys are computed and when a secret is kept.  The key exchange itself is crypt/kex.h's.
 *
 *	client					server
 *						handshake_offer()
 *	handshake_choose()
 *	handshake_propose()	choice ->	handshake_answer()
 *	handshake_take_answer()	<- answer
 *	handshake_compute()			handshake_compute()
 *	handshake_put_ok()	OK ->		handshake_take_ok()
 *	handshake_take_ok_reply() <- OK
 *
 * One handshake serves one connection.  Lines are without CRLF unless it says so.
 */
#ifndef SMTP_HANDSHAKE_H
#define SMTP_HANDSHAKE_H

#include "base/buf.h"
#include "crypt/suite.h"
#include "smtp/line.h"

struct handshake {
	struct key_source keys;
	const struct suite_list *accepted;
	struct agreement agreement;
	uint8_t lines_mem[3 * XCRYPT_LINE_MAX];
	struct buf lines;	/* offer LF choice LF answer LF, as they were sent or received */
	bool computed;
	bool kept;		/* Z came from the source */
	bool recomputed;	/* ... and was wrong */
};

/* For a client or a server that accepts `accepted` and draws on `keys`; both must outlive it. */
void handshake_start(struct handshake *h, bool server, const struct suite_list *accepted,
    struct key_source keys);

/* Wipes it.  Once started, always to be called. */
void handshake_wipe(struct handshake *h);

/* Server: the offer, "XCRYPT suite ..."; good until the handshake is changed. */
struct span handshake_offer(struct handshake *h);

enum handshake_answer {
	HANDSHAKE_AGREED,	/* answer is 250: compute() next, once it is on its way */
	HANDSHAKE_USED_UP,	/* refused, and the one attempt is used up */
	HANDSHAKE_NO_SUITE	/* refused, and it is not */
};

/*
 * Server: answers a client's line `XCRYPT ...`.  The reply, CRLF included, goes to `out`, which has
 * room for XCRYPT_LINE_MAX octets.  (What is out of sequence, 503, is the relay's to refuse.)
 */
enum handshake_answer handshake_answer(struct handshake *h, struct span line, struct buf *out);

/* What a client's line is once an answer has been given. */
enum handshake_next { HANDSHAKE_OK, HANDSHAKE_FAIL, HANDSHAKE_OTHER };
enum handshake_next handshake_next(struct span line);

/*
 * Server: checks the client's `XCRYPT OK ...` and puts the reply to `out` (room as above): true with
 * 250, and both sides encrypt; false with 454, and the connection has to be closed.
 */
bool handshake_take_ok(struct handshake *h, struct span line, struct buf *out);

/*
 * Both: the shared secret, kept or computed, and the keys.  Costs a public-key operation where it
 * is not kept.  0, or -1: the keys may not be used, or randomness or memory are short.
 */
int handshake_compute(struct handshake *h);

/*
 * Client: chooses from an offer (the line of the EHLO reply from `XCRYPT` on).  False: nothing in it
 * is accepted, and it is as if nothing had been offered.
 */
bool handshake_choose(struct handshake *h, struct span offer);

/* Client: puts `XCRYPT suite key nonce` CRLF to `out`.  0, or -1: no key to be had now. */
int handshake_propose(struct handshake *h, struct buf *out);

enum handshake_verdict {
	VERDICT_GOOD,
	VERDICT_CLEAN_FAIL,	/* one line of 4yz or 5yz, not 421: goes on in the clear */
	VERDICT_KEY_REFUSED,	/* we refuse the server's key: XCRYPT FAIL next */
	VERDICT_UNINTELLIGIBLE,	/* close; same host again without XCRYPT where policy allows */
	VERDICT_TAMPERED	/* close; the message waits */
};

/* Client: reads the reply to the proposal. */
enum handshake_verdict handshake_take_answer(struct handshake *h, const struct reply *reply);

/* Client, after compute(): puts `XCRYPT OK ...` CRLF to `out`.  0, or -1. */
int handshake_put_ok(struct handshake *h, struct buf *out);

/*
 * Client: reads the reply to it.  A kept secret that turns out wrong here is computed anew and
 * kept, so that the next connection has the right one.
 */
enum handshake_verdict handshake_take_ok_reply(struct handshake *h, const struct reply *reply);

/* The suite agreed on, or NULL. */
const struct suite *handshake_suite(const struct handshake *h);

#endif
