/*
 * How a client begins: greeting, EHLO, XCRYPT if it is offered and wanted, and EHLO again inside.
 * caller.c and deliver.c both begin like this.
 *
 * Policy is applied here: what may not go on in the clear ends with OUTCOME_MUST, what went wrong in the
 * handshake with OUTCOME_RETRY_CLEAR (the same host again, without XCRYPT) or, where it smells of tampering,
 * with an end after which the message waits.  What else speaks against a host, such as what is
 * remembered of it, is for a judge to know.
 */
#ifndef SMTP_CLIENT_HANDSHAKE_H
#define SMTP_CLIENT_HANDSHAKE_H

#include "smtp/handshake.h"
#include "smtp/io.h"
#include "smtp/line.h"

#define CLIENT_NAME_MAX 512

struct client_handshake;

struct client_settings {
	const struct suite_list *suites;	/* accepted; none: never */
	bool must;				/* nothing in the clear */
	const char *starttls;			/* host to ask for STARTTLS instead of XCRYPT; NULL: never */
	/*
	 * May it go on with this host?  Asked once EHLO has been answered for good, before anything
	 * of a message is said.  `again`, whether it may be called again in the clear, and whether what it
	 * refuses there counts.  OUTCOME_NONE when it may, or the end it comes to.  NULL: always.
	 */
	enum outcome (*check)(void *context, const struct client_handshake *ch, bool again);
	void *check_context;
};

enum client_state {
	CLIENT_GREETING,	/* waiting for the greeting */
	CLIENT_GREETED,	/* it is there, in `reply`; hello next */
	CLIENT_EHLO,		/* EHLO said */
	CLIENT_ANSWER,		/* XCRYPT said */
	CLIENT_SAY_OK,		/* computing */
	CLIENT_OK,		/* XCRYPT OK said */
	CLIENT_FAIL,		/* XCRYPT FAIL said */
	CLIENT_STARTTLS,	/* STARTTLS said */
	CLIENT_TLS,		/* TLS shakes hands */
	CLIENT_INSIDE,		/* encrypted: EHLO to be said */
	CLIENT_INSIDE_EHLO,	/* ... and said */
	CLIENT_HELO,		/* HELO said */
	CLIENT_READY,		/* done; the reply to the EHLO (or HELO) that counts is in `reply` */
	CLIENT_REFUSED,	/* EHLO or HELO refused; `reply` says how; another hello may follow */
	CLIENT_OVER		/* io->end says why */
};

struct client_handshake {
	const struct client_settings *set;
	struct handshake handshake;
	enum client_state state;
	bool retried_clear;	/* because encryption went wrong: in the clear this time */
	bool plain;		/* take up no offer of XCRYPT: that, or there is no suite to */
	bool encrypted;
	bool tls;		/* ... by STARTTLS, not by XCRYPT */
	/*
	 * What the host refuses for good now means later.  Either an attempt to encrypt has failed, on this
	 * connection or the one before, and the host may take the message from a session that encrypts;
	 * or it greeted with 5yz where mail may not go in the clear: anybody may have said that.
	 */
	bool provisional;
	uint8_t name[CLIENT_NAME_MAX];
	size_t name_len;
	uint8_t offer[XCRYPT_LINE_MAX];	/* what it offers, from `XCRYPT` on, for -t */
	size_t offer_len;
	const char *why;	/* in the clear because ... (a literal); NULL: encrypted or not known */
	struct {
		int64_t greeting, ehlo, handshake;	/* clock_ms() when each was there, for -t */
	} at;
	struct reply reply;
	struct reply clear;	/* the clear EHLO's, for going on after a clean FAIL */
};

/*
 * For a new connection.  `settings` and what `keys` points to must outlive it.
 * client_handshake_wipe() is always to be called, and before it is started again.
 */
void client_handshake_start(struct client_handshake *ch, const struct client_settings *settings,
    struct key_source keys, bool plain);
void client_handshake_wipe(struct client_handshake *ch);

/*
 * Says hello with `name`, once the greeting is there: EHLO, or HELO when `helo`.  0, or -1 when the
 * name is too long or torn.
 */
int client_handshake_hello(struct client_handshake *ch, struct io *io, struct span name, bool helo);

/* Goes on as far as it goes; says where it is. */
enum client_state client_handshake_step(struct client_handshake *ch, struct io *io);

/* A fault (struct machine): what it means while the opening is going on.  Sets io->end. */
void client_handshake_fault(struct client_handshake *ch, struct io *io, enum outcome fault);

/* What encrypts: a suite's name, "starttls", or "none". */
const char *client_handshake_crypt(const struct client_handshake *ch);

/* The deadline that runs. */
enum io_wait client_handshake_wait(const struct client_handshake *ch);

/*
 * Puts `reply` to `out` as the mailer on this host should see it: without XCRYPT lines, and without
 * STARTTLS when encrypted; in one line when `one_line`.  `out` has room for REPLY_MAX octets.
 */
void client_handshake_put_reply(const struct client_handshake *ch, struct buf *out, bool one_line);

#endif
