/*
 * blackpony's machine when a mailer speaks SMTP to it on standard input and output.
 *
 * It passes the greeting, opens (opening.h) when the mailer says EHLO or HELO, gives it the reply that
 * counts, and becomes a pipe of octets.  One caller serves one mailer, over as many calls as it takes.
 *
 * After an attempt to encrypt that failed, its own or the mailer's STARTTLS, it is no such pipe: the far
 * end's 5yz become 4yz then (soften.h), and the message waits for an attempt that does not fail.
 */
#ifndef SMTP_TRANSPARENT_H
#define SMTP_TRANSPARENT_H

#include "smtp/client_handshake.h"
#include "smtp/soften.h"

/* The dialogue behind the reply to EHLO, before it is a pipe. */
enum transparent_dialogue {
	CALLER_OPENS,		/* not there yet, or a pipe */
	CALLER_MAY_STARTTLS,	/* the mailer's next command may be STARTTLS */
	CALLER_STARTTLS,	/* ... and is, and has no reply yet */
	CALLER_SOFTENS		/* encryption failed: 5yz becomes 4yz, to the end */
};

struct transparent {
	const struct client_settings *set;
	struct key_source keys;
	bool greeted;			/* the mailer has had a greeting */
	bool waits;			/* it has said hello and has had no reply */
	bool helo;			/* it said HELO */
	bool ehlo_refused;
	uint8_t name[CLIENT_NAME_MAX];	/* as it said */
	size_t name_len;
	bool greeting_due;		/* this call's has not come yet */
	enum transparent_dialogue dialogue;
	struct soften soften;
	struct client_handshake client;
};

/* `settings` and what `keys` points to must outlive it. */
void transparent_start(struct transparent *c, const struct client_settings *settings,
    struct key_source keys);

/* Before the first call and each one after it: a new connection.  `plain`: no XCRYPT. */
void transparent_connected(struct transparent *c, bool plain);

/* For struct machine. */
void transparent_step(void *transparent, struct io *io);
void transparent_fault(void *transparent, struct io *io, enum outcome fault);

/*
 * When no call is left to be made: puts our own last word to the mailer, where it is waiting for one,
 * a greeting or a reply to EHLO.  `text` is without CRLF: "421 4.4.1 ...".
 */
void transparent_give_up(struct transparent *c, struct buf *out, const char *text);

void transparent_wipe(struct transparent *c);

#endif
