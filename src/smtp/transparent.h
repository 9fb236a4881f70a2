/*
 * The machine of blackpony when the local MTA speaks SMTP to it on standard input and output.
 *
 * It passes on the server's greeting, does the handshake (client_handshake.h) when the local
 * MTA says EHLO or HELO, passes on the final EHLO reply, and then everything up to QUIT, which it
 * answers itself (follow.h).  Where the dialogue takes an unexpected turn, it becomes a pipe of
 * octets.  It serves one session of the local MTA, and may try several hosts for it.
 *
 * If an attempt to encrypt has failed, ours or the local MTA's STARTTLS, it turns the server's 5yz
 * replies into 4yz (soften.h), so that the message waits for an attempt that succeeds.
 */
#ifndef SMTP_TRANSPARENT_H
#define SMTP_TRANSPARENT_H

#include "smtp/client_handshake.h"
#include "smtp/follow.h"
#include "smtp/soften.h"

/* octets remembered before the first reply; more wait, but EHLO and one command have room */
#define TRANSPARENT_SAID_MAX (2 * LINE_MAX_OCTETS)

/* State of the dialogue with the local MTA. */
enum transparent_dialogue {
	TRANSPARENT_HANDSHAKE,		/* before the reply to EHLO, or a pipe */
	TRANSPARENT_MAY_STARTTLS,	/* the local MTA's next command may be STARTTLS */
	TRANSPARENT_STARTTLS,		/* its STARTTLS was sent and has no reply yet */
	TRANSPARENT_FOLLOWS,		/* passes everything on, up to QUIT */
	TRANSPARENT_SOFTENS,		/* encryption failed: 5yz becomes 4yz until the end */
	TRANSPARENT_AGAIN		/* a kept connection, before the local MTA's EHLO */
};

/* For -v, such as "may-starttls"; a literal. */
const char *transparent_dialogue_name(enum transparent_dialogue dialogue);

/* What is needed to keep a connection, or to continue after a kept one was lost. */
struct transparent_kept {
	bool keeps;			/* keep the connection for another session */
	bool resumed;			/* the local MTA has got the reply `told` before */
	bool owes;			/* it may wait for a reply that the lost server owed */
	bool answered;			/* it has got a reply to its first MAIL */
	struct reply greeting;		/* the server's */
	struct buf told;		/* the reply to EHLO, as the local MTA got it */
	struct buf said;		/* what the local MTA has said before the first reply */
	uint8_t told_mem[2 * REPLY_MAX], said_mem[TRANSPARENT_SAID_MAX];
};

struct transparent {
	const struct client_settings *set;
	struct key_source keys;
	bool greeted;			/* the local MTA has got a greeting */
	bool waits;			/* it waits for the reply to its EHLO or HELO */
	bool helo;			/* it said HELO */
	bool ehlo_refused;		/* the server has refused our EHLO */
	uint8_t name[CLIENT_NAME_MAX];	/* the name in the local MTA's EHLO or HELO */
	size_t name_len;
	bool greeting_due;		/* this server's greeting has not come yet */
	enum transparent_dialogue dialogue;
	struct follow follow;
	struct soften soften;
	struct transparent_kept *kept;	/* NULL: the connection is not kept, nor was it */
	struct client_handshake client;
};

/* Prepares `c`.  `settings` and what `keys` points to must outlive it. */
void transparent_start(struct transparent *c, const struct client_settings *settings,
    struct key_source keys);

/* To be called for each new connection. */
void transparent_connected(struct transparent *c, enum client_call call);

/*
 * Keeps the connection after the local MTA's QUIT, if its session allows that: io->keeps.  To be
 * called after transparent_start(); `kept` must outlive `c`.
 */
void transparent_keep(struct transparent *c, struct transparent_kept *kept);

/*
 * A further session of the local MTA on the connection that was kept: it gets the same greeting
 * and the same reply to EHLO.  If the server does not take its first command, or it says another
 * EHLO, the session ends with OUTCOME_KEPT_LOST.  Then a new connection may be tried, with what
 * the local MTA has said (without io->from_local) and the reply to EHLO that it was told; both
 * are empty if it said, or was told, nothing.  It may have a reply to its MAIL.
 */
void transparent_again(struct transparent *c);
struct span transparent_said(const struct transparent *c);
struct span transparent_told(const struct transparent *c);
bool transparent_has_answered(const struct transparent *c);

/*
 * After transparent_start(), and before transparent_keep() with the same `kept`: the local MTA has
 * got a greeting and, if `told` is not empty, this reply to EHLO and, if `answered`, one to MAIL.
 * What it has said has to be put to io->from_local.  If the new connection's reply to EHLO differs,
 * the session ends with OUTCOME_KEPT_LOST.
 */
void transparent_resume(struct transparent *c, struct transparent_kept *kept, struct span told,
    bool answered);

/* For struct machine. */
void transparent_step(void *transparent, struct io *io);
void transparent_fault(void *transparent, struct io *io, enum outcome fault);

/*
 * When there is no other host to call: sends `text`, "421 4.4.1 ..." without CRLF, to the local
 * MTA if it waits for a greeting or for the reply to EHLO.
 */
void transparent_give_up(struct transparent *c, struct buf *out, const char *text);

void transparent_wipe(struct transparent *c);

#endif
