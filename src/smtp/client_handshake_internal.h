/* Shared by client_handshake.c and client_handshake_xcrypt.c. */
#ifndef SMTP_CLIENT_HANDSHAKE_INTERNAL_H
#define SMTP_CLIENT_HANDSHAKE_INTERNAL_H

#include "smtp/client_handshake.h"

/* client_handshake.c */

enum client_state client_enter(struct client_handshake *ch, struct io *io, enum client_state state);

/* Ends the session. */
enum client_state client_over(struct client_handshake *ch, struct io *io, enum outcome end);

/*
 * The handshake failed without a sign of tampering: retries in the clear if policy allows.  `why`
 * is a literal for the log.
 */
enum client_state client_retry_clear(struct client_handshake *ch, struct io *io, const char *why);

/* Continues in the clear on this connection, with the reply to the EHLO sent in the clear. */
enum client_state client_go_on_clear(struct client_handshake *ch, struct io *io, const char *why);

/* client_handshake_xcrypt.c */

/* Appends XCRYPT to EHLO if a pre-shared secret is stored: encryption then adds no round trip. */
void client_ride(struct client_handshake *ch, struct io *io);

/* The reply to that EHLO has come: waits for the XCRYPT answer if the offer is unchanged. */
enum client_state client_rode(struct client_handshake *ch, struct io *io, bool offered,
    struct span offer);

/* Sends XCRYPT with the chosen suite. */
enum client_state client_propose(struct client_handshake *ch, struct io *io);

enum client_state client_got_answer(struct client_handshake *ch, struct io *io);
enum client_state client_say_ok(struct client_handshake *ch, struct io *io);
enum client_state client_got_ok(struct client_handshake *ch, struct io *io);
enum client_state client_got_fail(struct client_handshake *ch, struct io *io);

#endif
