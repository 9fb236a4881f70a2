/*
 * The XCRYPT handshake (xcrypt.7), both roles: what each line says, in which order things are
 * checked, when keys are computed and when a secret is kept.  The key exchanges themselves are
 * in crypt/.
 *
 *	client					server
 *						handshake_offer()
 *	handshake_ride(), or
 *	handshake_choose(), handshake_propose()
 *				choice ->	handshake_answer()
 *	handshake_take_answer()	<- answer
 *
 * In 2.0 both have their keys then, and what the client's first record proves is
 * handshake_proved()'s to keep.  Before 2.0:
 *
 *	handshake_compute()			handshake_compute()
 *	handshake_put_ok()	OK ->		handshake_take_ok()
 *	handshake_take_ok_reply() <- OK
 *
 * One handshake serves one connection.  Lines are without CRLF unless it says so.
 */
#ifndef SMTP_HANDSHAKE_H
#define SMTP_HANDSHAKE_H

#include "base/buf.h"
#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"
#include "smtp/reply.h"

/* The longest line of the handshake, in octets with its CRLF. */
#define XCRYPT_LINE_MAX 2048	/* octets of an XCRYPT line in 2.0, CRLF included */
#define XCRYPT_OLD_LINE_MAX 512		/* and before 2.0 */

/* A line of the transcript, as it was sent or received. */
struct handshake_line {
	uint8_t mem[XCRYPT_LINE_MAX];
	size_t len;	/* 0: not there */
};

struct handshake {
	struct key_source keys;
	const struct suite_list *accepted;
	struct agreement agreement;

	/* 2.0 */
	struct hybrid hybrid;
	struct handshake_line hello, offer, choice, answer;
	unsigned keep_s;	/* seconds for which the server will know the id */
	bool met;		/* what was kept of an earlier meeting was of use */
	bool drawn;		/* our pair and nonce of this connection are there */
	bool unknown;		/* an id was said that the server did not know */
	bool owed;		/* what was agreed on is kept once the other side has proved itself */

	bool computed;		/* the keys are there */

	/* before 2.0 */
	bool kept;		/* Z came from the source */
};

/* For a client or a server that accepts `accepted` and draws on `keys`; both must outlive it. */
void handshake_start(struct handshake *h, bool server, const struct suite_list *accepted,
    struct key_source keys);

/* Wipes it.  Once started, always to be called. */
void handshake_wipe(struct handshake *h);

/*
 * Wipes what no session needs once it is decided how it goes on: all but what is still to be
 * kept.
 */
void handshake_settle(struct handshake *h);

/* Both: the EHLO line that the next choice follows; the last one that was answered 250 counts. */
void handshake_hello(struct handshake *h, struct span line);

/* Server: the offer, "XCRYPT suite ..."; good until the handshake is changed. */
struct span handshake_offer(struct handshake *h);

enum handshake_answer {
	HANDSHAKE_ENCRYPTED,	/* 250, and both sides encrypt: 2.0 */
	HANDSHAKE_AGREED,	/* 250: compute() next, once it is on its way */
	HANDSHAKE_UNKNOWN_ID,	/* refused with 450, and the one attempt is not used up */
	HANDSHAKE_USED_UP,	/* refused, and the one attempt is used up */
	HANDSHAKE_NO_SUITE	/* refused, and it is not */
};

/*
 * Server: answers a client's line `XCRYPT ...`.  The reply, CRLF included, goes to `out`, which
 * has room for XCRYPT_LINE_MAX octets.  (What is out of sequence, 503, is the relay's to
 * refuse.)
 */
enum handshake_answer handshake_answer(struct handshake *h, struct span line, struct buf *out);

/* What a client's line is once an answer has been given. */
enum handshake_next { HANDSHAKE_OK, HANDSHAKE_FAIL, HANDSHAKE_OTHER };
enum handshake_next handshake_next(struct span line);

/*
 * Server: checks the client's `XCRYPT OK ...` and puts the reply to `out` (room as above): true
 * with 250, and both sides encrypt; false with 454, and the connection has to be closed.
 */
bool handshake_take_ok(struct handshake *h, struct span line, struct buf *out);

/*
 * Both, before 2.0: the shared secret, kept or computed, and the keys.  Costs a public-key
 * operation where it is not kept.  0, or -1: the keys may not be used, or randomness or memory
 * are short.
 */
int handshake_compute(struct handshake *h);

/*
 * Client, of a host that it has met: chooses from the offer it remembers, and puts `XCRYPT
 * suite key nonce =id` CRLF to `out`, to go with the EHLO that was handshake_hello()'s.  False:
 * there is nothing to remember. handshake_same_offer() says later whether the host still offers
 * that.
 */
bool handshake_ride(struct handshake *h, struct buf *out);
bool handshake_same_offer(const struct handshake *h, struct span offer);

/*
 * Client: chooses from an offer (the line of the EHLO reply from `XCRYPT` on).  False: nothing
 * in it is accepted, and it is as if nothing had been offered.
 */
bool handshake_choose(struct handshake *h, struct span offer);

/*
 * Client: puts `XCRYPT suite ...` CRLF to `out`, with an id if one is kept of this host under this offer.  0, or
 * -1: no key can be had now.
 */
int handshake_propose(struct handshake *h, struct buf *out);

enum handshake_verdict {
	VERDICT_ENCRYPTED,	/* both sides encrypt: 2.0 */
	VERDICT_GOOD,
	VERDICT_UNKNOWN_ID,	/* the id is forgotten: propose() once more, on this connection */
	VERDICT_CLEAN_FAIL,	/* one line of 4yz or 5yz, not 421: goes on in the clear */
	VERDICT_KEY_REFUSED,	/* we refuse the server's key: XCRYPT FAIL next */
	VERDICT_UNINTELLIGIBLE,	/* close; same host again without XCRYPT where policy allows */
	VERDICT_TAMPERED	/* close; the message waits */
};

/* Client: reads the reply to the proposal. */
enum handshake_verdict handshake_take_answer(struct handshake *h, const struct reply *reply);

/* Client, before 2.0, after compute(): puts `XCRYPT OK ...` CRLF to `out`.  0, or -1. */
int handshake_put_ok(struct handshake *h, struct buf *out);

/* Client, before 2.0: reads the reply to it. */
enum handshake_verdict handshake_take_ok_reply(struct handshake *h, const struct reply *reply);

/*
 * Both, 2.0: a record of the other side has verified that only a holder of the keys could have
 * made (the server asks at the client's first record, the client at the reply to its own
 * first).  Keeps what was agreed on.
 */
void handshake_proved(struct handshake *h);

/* Client, 2.0: what came does not verify.  What was kept with this host is not used again. */
void handshake_forget(struct handshake *h);

/* The suite agreed on, or NULL. */
const struct suite *handshake_suite(const struct handshake *h);

/* Have the keys been computed? */
bool handshake_has_keys(const struct handshake *h);

/* Was what was agreed on earlier of use, so that this was not a first meeting? */
bool handshake_met(const struct handshake *h);

#endif
