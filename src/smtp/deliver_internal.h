/* Shared by the files of deliver. */
#ifndef SMTP_DELIVER_INTERNAL_H
#define SMTP_DELIVER_INTERNAL_H

#include "smtp/deliver.h"

/* deliver.c */
void deliver_enter(struct deliver *d, struct io *io, enum deliver_state state);

/*
 * deliver_body.c: sends part of the message, and after all of it the final dot.  False when
 * nothing can be moved now.
 */
bool deliver_body(struct deliver *d, struct io *io);

/* deliver_kept.c */

/* Ends the session without QUIT if the connection can be kept. */
bool deliver_stays(const struct deliver *d, struct io *io);

/* On a kept connection, the server has not answered MAIL yet. */
bool deliver_is_unsure(const struct deliver *d);

#endif
