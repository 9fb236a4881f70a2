/*
 * The client's start of a session: greeting, EHLO, XCRYPT if it is offered and wanted, and the
 * reply to EHLO in the encrypted session.  transparent.c and deliver.c both begin with it.
 *
 * A session that must not continue in the clear ends with OUTCOME_NOT_ENCRYPTED.  A failed
 * handshake ends with OUTCOME_RETRY_CLEAR (call the same host again, without XCRYPT) or, if it
 * looks like tampering, with an outcome after which the message waits.  Other objections to a
 * host, such as a changed host key, are up to the check function in the settings.
 */
#ifndef SMTP_CLIENT_HANDSHAKE_H
#define SMTP_CLIENT_HANDSHAKE_H

#include "smtp/handshake.h"
#include "smtp/io.h"
#include "smtp/reply.h"

#define CLIENT_NAME_MAX 512

struct client_handshake;

struct client_settings {
	const struct suite_list *suites;	/* suites we accept; empty: XCRYPT is off */
	bool encryption_required;		/* never send mail in the clear */
	/*
	 * The name of the host for TLS, to use STARTTLS with it where it does not offer XCRYPT.
	 * NULL: do not use STARTTLS.
	 */
	const char *starttls;
	/*
	 * Decides whether the session may continue with this host.  Called when the EHLO that
	 * counts has been answered, before MAIL.  With `again`: decides whether the host may be
	 * called again in the clear, and so whether a refusal that came in the clear is final.
	 * Returns OUTCOME_NONE to continue, else the outcome that ends the session.  NULL:
	 * always continue.
	 */
	enum outcome (*check)(void *context, const struct client_handshake *ch, bool again);
	void *check_context;
};

enum client_state {
	CLIENT_GREETING,	/* waiting for the greeting */
	CLIENT_GREETED,		/* `reply` holds the greeting; client_handshake_hello() is next */
	CLIENT_EHLO,		/* sent EHLO */
	CLIENT_ANSWER,		/* sent XCRYPT with a suite and a key */
	CLIENT_SAY_OK,		/* got the server's key: compute the secret, send XCRYPT OK */
	CLIENT_OK,		/* sent XCRYPT OK */
	CLIENT_FAIL,		/* sent XCRYPT FAIL */
	CLIENT_STARTTLS,	/* sent STARTTLS */
	CLIENT_TLS,		/* waiting for the end of the TLS handshake */
	CLIENT_INSIDE,		/* encrypted: send EHLO again */
	CLIENT_INSIDE_EHLO,	/* sent EHLO inside */
	CLIENT_HELO,		/* sent HELO */
	CLIENT_READY,		/* done; `reply` answers the EHLO or HELO that counts */
	CLIENT_REFUSED,		/* `reply` refuses EHLO or HELO; the caller may send another */
	CLIENT_OVER		/* failed; io->end says why */
};

enum client_tls {
	CLIENT_TLS_NOT_TRIED,	/* it was not ours to use, or XCRYPT came first */
	CLIENT_TLS_NOT_OFFERED,
	CLIENT_TLS_REFUSED,	/* a reply other than 220 */
	CLIENT_TLS_BROKE,	/* the handshake of TLS failed */
	CLIENT_TLS_OPEN
};

/* For -v, such as "ehlo"; a literal. */
const char *client_state_name(enum client_state state);

struct client_handshake {
	const struct client_settings *set;
	struct handshake handshake;
	enum client_state state;
	bool retried_clear;	/* in the clear, since encryption failed the last time */
	bool instead;		/* only STARTTLS, since XCRYPT did not authenticate the host */
	enum client_tls tls_result;	/* of our STARTTLS on this connection */
	bool starttls_tried;	/* on this connection, or it is all that is left */
	bool plain;		/* ignore XCRYPT: retried in the clear, or XCRYPT is off */
	bool apart;		/* do not send XCRYPT with EHLO: that failed before */
	bool riding;		/* XCRYPT was sent together with EHLO */
	bool pushed;		/* 2.0: the EHLO reply inside comes without a new EHLO */
	bool encrypted;		/* by XCRYPT or TLS */
	bool tls;		/* encrypted by TLS, not by XCRYPT */
	/*
	 * Treat a permanent refusal (5yz) as temporary.  Set when an attempt to encrypt has
	 * failed, on this connection or the one before: the host may accept the message in an
	 * encrypted session.  Also set when the greeting was 5yz and mail must not go in the
	 * clear: anybody on the path may have forged it.
	 */
	bool provisional;
	uint8_t name[CLIENT_NAME_MAX];
	size_t name_len;
	uint8_t offer[XCRYPT_LINE_MAX];	/* the server's XCRYPT line, for -t */
	size_t offer_len;
	const char *why;	/* why in the clear (a literal); NULL: encrypted or not known */
	struct {
		int64_t greeting, ehlo, handshake;	/* io->now_ms when each was done, for -t */
	} at;
	struct reply reply;	/* the reply being read, or the last one */
	struct reply clear;	/* the reply to EHLO in the clear, to continue with after a FAIL */
};

enum client_call {
	CLIENT_CALL_FIRST,
	CLIENT_CALL_APART,	/* after OUTCOME_RETRY_APART: do not send XCRYPT with EHLO */
	CLIENT_CALL_CLEAR,	/* after OUTCOME_RETRY_CLEAR: do not use XCRYPT */
	CLIENT_CALL_STARTTLS	/* after OUTCOME_RETRY_STARTTLS: do not use XCRYPT either */
};

/*
 * Prepares `ch` for a new connection.  `settings` and what `keys` points to must outlive it.
 * client_handshake_wipe() must be called at the end, and before `ch` is started again.
 */
void client_handshake_start(struct client_handshake *ch, const struct client_settings *settings,
    struct key_source keys, enum client_call call);
void client_handshake_wipe(struct client_handshake *ch);

/*
 * Sends EHLO `name`, or HELO with `helo`.  To be called in CLIENT_GREETED or CLIENT_REFUSED.
 * Returns 0, or -1 if the name is longer than CLIENT_NAME_MAX or contains NUL, CR or LF.
 */
int client_handshake_hello(struct client_handshake *ch, struct io *io, struct span name, bool helo);

/* Reads replies and sends commands as far as possible; returns the state reached. */
enum client_state client_handshake_step(struct client_handshake *ch, struct io *io);

/* Handles a fault (struct machine) before CLIENT_READY: sets io->end to what it means here. */
void client_handshake_fault(struct client_handshake *ch, struct io *io, enum outcome fault);

/* How the session is encrypted, for the log: a suite's name, "starttls" or "none". */
const char *client_handshake_crypt(const struct client_handshake *ch);

/* The deadline that applies in the present state. */
enum io_wait client_handshake_wait(const struct client_handshake *ch);

#endif
