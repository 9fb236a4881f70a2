/*
 * The XCRYPT handshake (xcrypt(7)), both roles: the lines, the order of checks, when keys are
 * computed and when a secret is kept.  The key exchanges themselves are in crypt/.
 *
 *	client					server
 *						handshake_offer()
 *	handshake_ride(), or
 *	handshake_choose(), handshake_propose()
 *				choice ->	handshake_answer()
 *	handshake_take_answer()	<- answer
 *
 * In 2.0 both sides then have their keys.  Each calls handshake_proved() when a record has proved
 * the peer.  Older versions go on:
 *
 *	handshake_compute()			handshake_compute()
 *	handshake_put_ok()	OK ->		handshake_take_ok()
 *	handshake_take_ok_reply() <- OK
 *
 * One handshake serves one connection.  Lines are without CRLF unless stated otherwise.
 */
#ifndef SMTP_HANDSHAKE_H
#define SMTP_HANDSHAKE_H

#include "base/buf.h"
#include "crypt/kex_hybrid.h"
#include "crypt/suite.h"
#include "smtp/reply.h"

/* The longest line of the handshake, in octets with its CRLF. */
#define XCRYPT_LINE_MAX 2048	/* octets of an XCRYPT line in 2.0, CRLF included */
#define XCRYPT_OLD_LINE_MAX 512		/* the same in older versions */

/* A line of the transcript, as sent or received. */
struct handshake_line {
	uint8_t mem[XCRYPT_LINE_MAX];
	size_t len;	/* 0: none */
};

struct handshake {
	struct key_source keys;
	const struct suite_list *accepted;
	struct agreement agreement;

	/* 2.0 */
	struct hybrid hybrid;
	struct handshake_line hello, offer, choice, answer;
	unsigned keep_s;	/* seconds for which the server will know the id */
	bool met;		/* a pre-shared secret was used */
	bool drawn;		/* our pair and nonce have been generated */
	bool unknown;		/* the server did not know the client's id */
	bool owed;		/* an entry is to be stored once the peer has proved itself */

	bool computed;		/* the session keys are valid */

	/* older versions */
	bool kept;		/* Z came from the key source */
};

/* Starts a handshake that accepts `accepted` and takes keys from `keys`; both must outlive it. */
void handshake_start(struct handshake *h, bool server, const struct suite_list *accepted,
    struct key_source keys);

/* Wipes the handshake.  Must be called after each handshake_start(). */
void handshake_wipe(struct handshake *h);

/*
 * Wipes what the rest of the session does not need: all secrets except an entry that is still to
 * be stored.
 */
void handshake_settle(struct handshake *h);

/*
 * Both: sets the EHLO line for the transcript: the last one answered with 250 before the choice.
 */
void handshake_hello(struct handshake *h, struct span line);

/* Server: the offer, "XCRYPT suite ..."; valid until the handshake is changed. */
struct span handshake_offer(struct handshake *h);

enum handshake_answer {
	HANDSHAKE_ENCRYPTED,	/* 2.0: 250; both sides encrypt */
	HANDSHAKE_AGREED,	/* older: 250; call handshake_compute() when it has been sent */
	HANDSHAKE_UNKNOWN_ID,	/* 450; the attempt is not used up */
	HANDSHAKE_USED_UP,	/* refused; the attempt is used up */
	HANDSHAKE_NO_SUITE	/* malformed, without a suite; the attempt is not used up */
};

/*
 * Server: answers a client's line `XCRYPT ...`.  Writes the reply, with CRLF, to `out`, which
 * must have room for XCRYPT_LINE_MAX octets.  The relay itself refuses commands out of sequence
 * (503).
 */
enum handshake_answer handshake_answer(struct handshake *h, struct span line, struct buf *out);

/* Older versions, server: what the line after an answer is. */
enum handshake_next { HANDSHAKE_OK, HANDSHAKE_FAIL, HANDSHAKE_OTHER };
enum handshake_next handshake_next(struct span line);

/*
 * Server: checks the client's `XCRYPT OK ...` and writes the reply to `out` (room as above).
 * True: 250, and both sides encrypt.  False: 454, and the connection must be closed.
 */
bool handshake_take_ok(struct handshake *h, struct span line, struct buf *out);

/*
 * Both, older versions: finds or computes the shared secret, which costs a public-key operation
 * if it is not kept, and derives the keys.  0, or -1: the keys must not be used, or there is no
 * randomness or memory.
 */
int handshake_compute(struct handshake *h);

/*
 * Client: if a pre-shared secret is stored for the host, chooses from the stored offer and writes
 * `XCRYPT suite key nonce =id` CRLF to `out`, to be sent with the EHLO that handshake_hello() was
 * given.  False: nothing is stored, or no stored suite of 2.0 is accepted.
 * handshake_same_offer() checks the offer that arrives later.
 */
bool handshake_ride(struct handshake *h, struct buf *out);
bool handshake_same_offer(const struct handshake *h, struct span offer);

/*
 * Client: chooses from an offer, the EHLO reply line from `XCRYPT` on.  False: no common suite;
 * continue as if there were no offer.
 */
bool handshake_choose(struct handshake *h, struct span offer);

/*
 * Client: writes `XCRYPT suite ...` CRLF to `out`, with the id if one is kept for this host and
 * offer.  0, or -1: no key is available now.
 */
int handshake_propose(struct handshake *h, struct buf *out);

enum handshake_verdict {
	VERDICT_ENCRYPTED,	/* 2.0: both sides encrypt */
	VERDICT_GOOD,
	VERDICT_UNKNOWN_ID,	/* the id is forgotten: call handshake_propose() once more */
	VERDICT_CLEAN_FAIL,	/* one line of 4yz or 5yz, not 421: continue in the clear */
	VERDICT_KEY_REFUSED,	/* we refuse the server's key: send XCRYPT FAIL */
	VERDICT_UNINTELLIGIBLE,	/* close; call the host again without XCRYPT if policy allows */
	VERDICT_TAMPERED	/* close; the message waits */
};

/* Client: evaluates the reply to the proposal. */
enum handshake_verdict handshake_take_answer(struct handshake *h, const struct reply *reply);

/* Client, older versions, after compute(): writes `XCRYPT OK ...` CRLF to `out`.  0, or -1. */
int handshake_put_ok(struct handshake *h, struct buf *out);

/* Client, older versions: evaluates the reply to it. */
enum handshake_verdict handshake_take_ok_reply(struct handshake *h, const struct reply *reply);

/*
 * Both, 2.0: called when a record has verified that proves that the peer has the keys (on the
 * server the client's first record, on the client the reply to its own first record).  Stores or
 * marks the entry.
 */
void handshake_proved(struct handshake *h);

/* Client, 2.0: called when a record does not verify.  Removes what is kept of this host. */
void handshake_forget(struct handshake *h);

/* The agreed suite, or NULL. */
const struct suite *handshake_suite(const struct handshake *h);

/* Whether the session keys have been computed. */
bool handshake_has_keys(const struct handshake *h);

/* Whether a secret of an earlier connection was used. */
bool handshake_met(const struct handshake *h);

#endif
