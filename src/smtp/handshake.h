/*
 * The XCRYPT handshake (xcrypt(7), "The dialogue") in both roles: the contents of each line,
 * the order of the checks, when keys are computed and when a secret is put into the key cache.
 * The key exchanges themselves are in crypt/kex.h.
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
 * One handshake serves one connection.  Lines are without their CRLF unless stated otherwise.
 */
#ifndef SMTP_HANDSHAKE_H
#define SMTP_HANDSHAKE_H

#include "base/buf.h"
#include "crypt/suite.h"
#include "smtp/reply.h"

/* The longest line of the handshake, in octets with its CRLF. */
#define XCRYPT_LINE_MAX 512

struct handshake {
	struct key_source keys;
	const struct suite_list *accepted;
	struct agreement agreement;
	uint8_t lines_mem[3 * XCRYPT_LINE_MAX];
	struct buf lines;	/* transcript: offer LF choice LF answer LF, as sent or received */
	bool computed;		/* handshake_compute() was called */
	bool kept;		/* the shared secret came from the key cache */
	bool recomputed;	/* the cached secret was wrong and has been computed anew */
};

/*
 * Starts a handshake as a client, or as a server with `server`.  `accepted`: the suites to
 * offer or to accept.  `keys`: the source of key pairs and cached secrets.  Both must outlive
 * `h`.
 */
void handshake_start(struct handshake *h, bool server, const struct suite_list *accepted,
    struct key_source keys);

/* Wipes all keys.  Must be called once a handshake was started. */
void handshake_wipe(struct handshake *h);

/* Server: returns the offer, `XCRYPT suite ...`; valid until the next call with `h`. */
struct span handshake_offer(struct handshake *h);

enum handshake_answer {
	HANDSHAKE_AGREED,	/* answered 250: handshake_compute() is next, once that is sent */
	HANDSHAKE_USED_UP,	/* refused; this was the connection's only attempt */
	HANDSHAKE_NO_SUITE	/* refused, but the client may try again */
};

/*
 * Server: answers the client's line `XCRYPT ...`.  Appends the reply, with its CRLF, to `out`,
 * which has room for XCRYPT_LINE_MAX octets.  The relay has refused an XCRYPT out of sequence
 * (503) before.
 */
enum handshake_answer handshake_answer(struct handshake *h, struct span line, struct buf *out);

/* Server: what the client's line after the 250 answer is. */
enum handshake_next { HANDSHAKE_OK, HANDSHAKE_FAIL, HANDSHAKE_OTHER };
enum handshake_next handshake_next(struct span line);

/*
 * Server: checks the client's `XCRYPT OK ...` and appends the reply to `out` (room as above).
 * Returns true after a 250: both sides encrypt.  Returns false after a 454: the connection must
 * be closed.
 */
bool handshake_take_ok(struct handshake *h, struct span line, struct buf *out);

/*
 * Both: takes the shared secret from the key cache or computes it, which costs a public-key
 * operation, and derives the keys.  Returns 0, or -1: the keys must not be used (an all-zero
 * secret), or there is no randomness or memory.
 */
int handshake_compute(struct handshake *h);

/*
 * Client: chooses a suite from an offer, which is a line of the reply to EHLO from `XCRYPT` on.
 * Returns false if it has no suite that we accept; the client then continues without XCRYPT.
 */
bool handshake_choose(struct handshake *h, struct span offer);

/* Client: appends `XCRYPT suite key nonce` CRLF to `out`.  Returns 0, or -1 without a key. */
int handshake_propose(struct handshake *h, struct buf *out);

enum handshake_verdict {
	VERDICT_GOOD,
	VERDICT_CLEAN_FAIL,	/* the server declines with one 4yz or 5yz line, not 421: go on in
				   the clear */
	VERDICT_KEY_REFUSED,	/* we refuse the server's key: send XCRYPT FAIL */
	VERDICT_UNINTELLIGIBLE,	/* close; call the host again without XCRYPT if policy allows */
	VERDICT_TAMPERED	/* close; the message waits */
};

/* Client: reads the reply to handshake_propose()'s line. */
enum handshake_verdict handshake_take_answer(struct handshake *h, const struct reply *reply);

/* Client, after handshake_compute(): appends `XCRYPT OK ...` CRLF to `out`.  Returns 0 or -1. */
int handshake_put_ok(struct handshake *h, struct buf *out);

/*
 * Client: reads the reply to `XCRYPT OK ...`.  If a secret from the key cache turns out to be
 * wrong here, it is computed anew and cached, so that the next connection has the right one.
 */
enum handshake_verdict handshake_take_ok_reply(struct handshake *h, const struct reply *reply);

/* Returns the suite agreed on, or NULL. */
const struct suite *handshake_suite(const struct handshake *h);

#endif
